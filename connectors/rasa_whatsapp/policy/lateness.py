"""What becomes of a follow-up whose time has come: it fires, waits for the end of quiet hours, or was missed.

It is late if no server was there at its time. The window and consent are judged later, when it is sent.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from typing import Union

from rasa_whatsapp.policy.quiet_hours import QuietHours


@dataclass(frozen=True, slots=True)
class Fire:
    """It fires now."""


@dataclass(frozen=True, slots=True)
class PutOff:
    """It fires then."""

    until: datetime


@dataclass(frozen=True, slots=True)
class Miss:
    """It is too late to be useful; the reason is for the operator."""

    reason: str


def judge(
    fire_at: datetime, now: datetime, *, late_limit: timedelta, quiet: QuietHours | None, zones: Sequence[tzinfo]
) -> Union[Fire, PutOff, Miss]:
    """Return what to do at `now` with what was to fire at `fire_at`; `zones` are those that the customer may live in."""
    if now - fire_at > late_limit:
        return Miss(
            f"no server was there to fire it at {fire_at:%Y-%m-%d %H:%M} UTC, nor in the {late_limit} after that"
        )
    until = quiet.until(now, zones) if quiet is not None and zones else now
    return Fire() if until <= now else PutOff(until)
