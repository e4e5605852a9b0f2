"""When a message that could not be sent is tried again: growing pauses with jitter, up to an age.

https://developers.facebook.com/documentation/business-messaging/whatsapp/throughput (131056: wait 4^n seconds)
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Union

PAIR_RATE = 131056
# Codes that Meta says to repeat "once or twice" (fact sheet 8.2), and how many tries may have arrived at most.
FEW_COPIES = {1: 2, 131000: 3}
MOST_COPIES = 8  # where nothing is advised: after about a quarter of an hour of silence
LONGEST_PAUSE = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class RetryAt:
    """Try again at this moment."""

    at: datetime


@dataclass(frozen=True, slots=True)
class GiveUp:
    """It is too late to be useful."""

    reason: str


def after_failure(
    *,
    attempts: int,
    copies: int,
    created_at: datetime,
    now: datetime,
    code: int,
    age_limit: timedelta,
    jitter: float,
) -> Union[RetryAt, GiveUp]:
    """Return when to try again after `attempts` tries (from 1), of which `copies` may have arrived.

    `jitter` in 0..1 spreads the pauses over 80 to 120 percent.
    """
    if copies >= FEW_COPIES.get(code, MOST_COPIES):
        return GiveUp(f"{copies} tries may have arrived, and no status told")
    if now - created_at >= age_limit:
        return GiveUp(f"it could not be sent within {age_limit}")
    base = 4 if code == PAIR_RATE else 2
    seconds = min(float(base ** min(attempts - 1, 12)), LONGEST_PAUSE.total_seconds())
    return RetryAt(now + timedelta(seconds=seconds * (0.8 + 0.4 * jitter)))
