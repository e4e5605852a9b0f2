"""Customers and their care window: who they are, and until when the business may write freely.

Pure. The window runs 24 h from the customer's latest message, by that message's own timestamp (M:send-messages).
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from rasa_whatsapp.simulator.clock import to_iso

CARE_WINDOW_SECONDS = 24 * 3600
# Not something the customer says to the business; no official statement on reactions (fact sheet 7.1).
OPENS_NO_WINDOW = frozenset({"reaction", "system", "edit", "revoke"})
MARKETING = ("resume", "stop")


@dataclass(frozen=True, slots=True, kw_only=True)
class Customer:
    """One person with a phone."""

    wa_id: str
    name: str
    user_id: str
    username: str | None = None
    hide_number: bool = False
    reads_at_once: bool = False
    marketing: str = "resume"
    last_message_at: int | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the customer as stored and as the control API shows it."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Window:
    """A care window at one moment."""

    is_open: bool
    expires_at: int | None
    remaining_seconds: int

    def to_json(self) -> dict[str, Any]:
        """Return the window as the control API shows it."""
        expires_at = to_iso(self.expires_at) if self.expires_at is not None else None
        return {"open": self.is_open, "expires_at": expires_at, "remaining_seconds": self.remaining_seconds}


def window_at(customer: Customer, timestamp: float) -> Window:
    """Return the customer's care window at a moment."""
    if customer.last_message_at is None:
        return Window(False, None, 0)
    expires_at = customer.last_message_at + CARE_WINDOW_SECONDS
    remaining = expires_at - timestamp
    return Window(remaining > 0, expires_at, max(int(remaining), 0))


def latest_message_at(customer: Customer, kind: str, timestamp: int) -> int | None:
    """Return when the customer's window was last opened, after a message of this kind; a late one never shortens it."""
    if kind in OPENS_NO_WINDOW:
        return customer.last_message_at
    return max(timestamp, customer.last_message_at or 0)
