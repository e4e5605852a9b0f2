"""Quiet hours: when the bot does not write by itself, by the customer's own clock. Time zones are arguments."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta, timezone, tzinfo

_MOST_STEPS = 16  # more than enough to find an hour that suits all zones of a country, if there is one


@dataclass(frozen=True, slots=True)
class QuietHours:
    """From `start` to `end` in local time, over midnight if `end` is not after `start`."""

    start: time
    end: time

    def __str__(self) -> str:
        return f"{self.start:%H:%M}-{self.end:%H:%M}"

    def until(self, now: datetime, zones: Sequence[tzinfo]) -> datetime:
        """Return when the bot may write: now, or when it is no longer quiet in any of the zones that may be the customer's.

        If there is no hour that suits all zones, the first one decides.
        """
        moment = now
        for _ in range(_MOST_STEPS):
            ends = [end for zone in zones if (end := self._end(moment, zone)) is not None]
            if not ends:
                return moment
            moment = max(ends)
        return self._end(now, zones[0]) or now

    def _end(self, now: datetime, zone: tzinfo) -> datetime | None:
        """Return when the quiet hours that the moment lies in end; None if it lies in none."""
        local = now.astimezone(zone)
        is_over_midnight = self.end <= self.start
        clock = local.time()
        if is_over_midnight:
            if self.end <= clock < self.start:
                return None
            day = local.date() + timedelta(days=1) if clock >= self.start else local.date()
        elif self.start <= clock < self.end:
            day = local.date()
        else:
            return None
        return datetime.combine(day, self.end, tzinfo=zone).astimezone(timezone.utc)
