"""The free entry point: 72 hours of free messages after the first answer to a customer who came from an ad or a post.

It is about price only and does not lengthen the care window. It begins if the answer comes within 24 hours.
https://developers.facebook.com/documentation/business-messaging/whatsapp/pricing
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

LENGTH = timedelta(hours=72)
ANSWER_WITHIN = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class FreeEntryPoint:
    """What is known about one customer's free entry point."""

    referred_at: datetime | None = None
    answered_at: datetime | None = None

    @property
    def is_waiting(self) -> bool:
        """Tell whether the customer came from an ad and was not answered yet."""
        return self.referred_at is not None and self.answered_at is None

    @property
    def expires_at(self) -> datetime | None:
        """Return when messages begin to cost again, or None if nothing is or was free."""
        if self.referred_at is None or self.answered_at is None:
            return None
        if self.answered_at - self.referred_at > ANSWER_WITHIN:
            return None
        return self.answered_at + LENGTH
