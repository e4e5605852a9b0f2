"""How fast messages may go to one customer before Meta says no.

It is a bucket that refills steadily, kept as one moment: when it will be full again. A message may go while that moment is no further
ahead than the bucket is deep, and moves it on by its own share.
https://developers.facebook.com/documentation/business-messaging/whatsapp/throughput
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class Bucket:
    """So many messages at once (`burst`), and one more per `interval`."""

    burst: int
    interval: timedelta

    def wait(self, full_at: datetime | None, now: datetime) -> timedelta:
        """Return how long the next message has to wait; nothing if it may go now."""
        if full_at is None:
            return timedelta(0)
        return max(full_at - now - self.interval * (self.burst - 1), timedelta(0))

    def after(self, full_at: datetime | None, now: datetime) -> datetime:
        """Return when the bucket is full again if a message goes now."""
        return max(full_at or now, now) + self.interval


# To one customer: one message per six seconds, up to 45 at once (fact sheet 9); over it: 131056.
PAIR = Bucket(burst=45, interval=timedelta(seconds=6))
