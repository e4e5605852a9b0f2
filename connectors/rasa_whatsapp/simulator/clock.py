"""The simulated time: the system's clock plus an offset that only grows.

Every moment that the simulator writes anywhere comes from here; aware UTC.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime, timedelta, timezone

MAX_ADVANCE_SECONDS = 10 * 366 * 24 * 3600.0


class ClockRefused(ValueError):
    """The clock was asked to go back, or too far."""


class Clock:
    """A clock that can be moved forward."""

    def __init__(self, offset_seconds: float = 0.0, system: Callable[[], float] = time.time) -> None:
        """Start `offset_seconds` ahead of `system`, which tells unix seconds."""
        self._offset_seconds = timedelta(seconds=offset_seconds).total_seconds()
        self._system = system

    @property
    def offset_seconds(self) -> float:
        """Return how far the simulated time is ahead."""
        return self._offset_seconds

    def now(self) -> datetime:
        """Return the simulated time."""
        return datetime.fromtimestamp(self.timestamp(), timezone.utc)

    def timestamp(self) -> float:
        """Return the simulated time as unix seconds."""
        return self._system() + self._offset_seconds

    def real_timestamp(self) -> float:
        """Return the system's time as unix seconds."""
        return self._system()

    def advance(self, seconds: float) -> None:
        """Move the clock forward by `seconds`."""
        if not 0 <= seconds <= MAX_ADVANCE_SECONDS:
            raise ClockRefused("the clock only moves forward, by ten years at most")
        self._offset_seconds = timedelta(seconds=self._offset_seconds + seconds).total_seconds()

    def move_to(self, moment: datetime) -> None:
        """Move the clock forward to `moment`."""
        if moment.tzinfo is None:
            raise ClockRefused("the time needs a UTC offset, such as 2026-11-22T10:00:00+00:00")
        self.advance((moment - self.now()).total_seconds())


def to_iso(timestamp: float) -> str:
    """Return unix seconds as ISO-8601 UTC with microseconds."""
    return datetime.fromtimestamp(timestamp, timezone.utc).isoformat(timespec="microseconds")
