"""The one place that reads the time: aware UTC, from the system or from the simulator.

Everything else is handed a `Clock` or a moment. The simulator's clock is the system's plus an offset, so it can be moved
past the 24 hours of the care window; RASA_WHATSAPP_CLOCK_URL names it, for the channel and for custom actions alike.
"""

from __future__ import annotations

import logging
import os
from datetime import datetime, timedelta, timezone
from typing import Protocol

import requests

logger = logging.getLogger(__name__)

CLOCK_URL_VARIABLE = "RASA_WHATSAPP_CLOCK_URL"


class Clock(Protocol):
    """Tells the time."""

    def now(self) -> datetime:
        """Return the present moment as an aware UTC datetime."""


class SystemClock:
    """The clock of this machine."""

    def now(self) -> datetime:
        """Return the system's time in UTC."""
        return datetime.now(timezone.utc)


class SimulatedClock:
    """The system's clock plus the offset that a simulator tells.

    It is asked each time, by a blocking request to this machine of about a millisecond: a message's timestamp must never be
    ahead of the clock that judges it. While the simulator cannot be reached, the last known offset stays.
    """

    def __init__(self, url: str, *, timeout_seconds: float = 2.0) -> None:
        self._url = url
        self._timeout_seconds = timeout_seconds
        self._session = requests.Session()
        self._session.trust_env = False  # a simulator is on this machine, no proxy stands before it
        self._offset = timedelta()
        self._complained = False

    def now(self) -> datetime:
        """Return the simulator's time in UTC."""
        try:
            answer = self._session.get(self._url, timeout=self._timeout_seconds)
            self._offset = timedelta(seconds=float(answer.json()["offset_seconds"]))
        except (requests.RequestException, ValueError, KeyError, TypeError) as problem:
            self._complain(problem)
        else:
            self._complained = False
        return datetime.now(timezone.utc) + self._offset

    def _complain(self, problem: Exception) -> None:
        if not self._complained:
            logger.warning(
                "No simulator's clock answers at %s (%s); it should end in /control/clock. The last known offset stays.",
                CLOCK_URL_VARIABLE,
                type(problem).__name__,
                extra={"action": "clock_unreachable"},
            )
        self._complained = True


class SharedClock:
    """A clock that is put right by another one, the store's: servers that share a store go by one time, whatever their own is."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._ahead = timedelta()

    def now(self) -> datetime:
        """Return the time by the other clock, in UTC."""
        return self._clock.now() + self._ahead

    def put_right(self, least: timedelta, most: timedelta) -> None:
        """Take notice that the other clock is ahead by so much at least and at most; what is believed and may be so stays."""
        if not least <= self._ahead <= most:
            self._ahead = (least + most) / 2


def from_environment() -> Clock:
    """Return the simulator's clock if RASA_WHATSAPP_CLOCK_URL names one, else the system's.

    Raises ValueError for a value that is no http(s) address.
    """
    url = os.environ.get(CLOCK_URL_VARIABLE, "").strip()
    if not url:
        return SystemClock()
    if not url.startswith(("http://", "https://")):
        raise ValueError(
            f"{CLOCK_URL_VARIABLE} is {url!r}; expected the http address of a simulator's clock, or leave it unset"
        )
    return SimulatedClock(url)
