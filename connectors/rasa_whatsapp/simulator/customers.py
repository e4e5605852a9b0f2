"""Customers and their care windows: who they are, and until when each business number may write freely.

Pure. A window runs 24 h from the customer's latest message or call to that number, by its own timestamp
(M:send-messages); two numbers of one business have separate windows (fact sheet 7.1).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from rasa_whatsapp.simulator.clock import to_iso

CARE_WINDOW_SECONDS = 24 * 3600
# Not something the customer says to the business; no official statement on reactions (fact sheet 7.1).
OPENS_NO_WINDOW = frozenset({"reaction", "system", "edit", "revoke"})
MARKETING = ("resume", "stop")


@dataclass(frozen=True, slots=True, kw_only=True)
class Customer:
    """One person with a phone; `opened_at` says when (unix seconds) each number's window was opened last."""

    wa_id: str
    name: str
    user_id: str
    parent_user_id: str | None = None
    username: str | None = None
    hide_number: bool = False
    reads_at_once: bool = False
    marketing: str = "resume"
    opened_at: Mapping[str, int] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Return the customer as stored."""
        return {name: getattr(self, name) for name in self.__slots__}


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


def window_at(customer: Customer, number_id: str, timestamp: float) -> Window:
    """Return the customer's care window with one business number at a moment."""
    opened_at = customer.opened_at.get(number_id)
    if opened_at is None:
        return Window(False, None, 0)
    expires_at = opened_at + CARE_WINDOW_SECONDS
    remaining = expires_at - timestamp
    return Window(remaining > 0, expires_at, max(int(remaining), 0))


def opened(customer: Customer, number_id: str, timestamp: int) -> Mapping[str, int]:
    """Return `opened_at` after something that opens a number's window; what comes late never shortens it."""
    return {**customer.opened_at, number_id: max(timestamp, customer.opened_at.get(number_id, 0))}


def opens_window(message: Mapping[str, Any]) -> bool:
    """Tell whether a customer's message opens the window; one to a group opens the group's, not the customer's."""
    return message.get("type") not in OPENS_NO_WINDOW and "group_id" not in message


def shown(customer: Customer, number_id: str, timestamp: float) -> dict[str, Any]:
    """Return the customer as the control API shows it, with the windows at a moment."""
    described = customer.to_json()
    del described["opened_at"]
    windows = {number: window_at(customer, number, timestamp).to_json() for number in customer.opened_at}
    return {
        **described,
        "last_message_at": customer.opened_at.get(number_id),
        "window": window_at(customer, number_id, timestamp).to_json(),
        "windows": windows,
    }
