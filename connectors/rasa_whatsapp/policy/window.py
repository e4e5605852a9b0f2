"""The care window: 24 hours from the customer's latest message, per business number and customer.

It counts from the message's own timestamp, never from when we saw it. Only the customer opens it; Meta may refuse although it
is open (a documented oddity), and then it counts as closed until the customer writes again.
https://developers.facebook.com/documentation/business-messaging/whatsapp/messages/send-messages
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

LENGTH = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class CareWindow:
    """What is known about one customer's window."""

    opened_at: datetime | None
    refused_at: datetime | None = None

    @property
    def expires_at(self) -> datetime | None:
        """Return the moment from which free-form messages are refused, or None if it was never open."""
        return None if self.opened_at is None else self.opened_at + LENGTH

    def is_open(self, now: datetime) -> bool:
        """Tell whether a free-form message may be sent at this moment."""
        return self.expires_at is not None and self.refused_at is None and now < self.expires_at

    def with_message(self, sent_at: datetime) -> CareWindow:
        """Return the window after a message of the customer: an older one than the latest changes nothing."""
        if self.opened_at is not None and sent_at < self.opened_at:
            return self
        return CareWindow(sent_at)

    def with_refusal(self, tried_at: datetime) -> CareWindow:
        """Return the window after Meta refused, with 131047, a free-form message that was tried at this moment.

        A message of the customer's that came after the attempt has opened the window anew, and it stays open.
        """
        if self.opened_at is not None and self.opened_at > tried_at:
            return self
        return CareWindow(self.opened_at, tried_at)
