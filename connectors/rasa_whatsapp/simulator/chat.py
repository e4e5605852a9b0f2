"""One message of a chat, in either direction, as the simulator keeps it and as the control API shows it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from rasa_whatsapp.simulator.clock import to_iso


class Direction(str, Enum):
    """Seen from the business: what the bot gets, what it sends."""

    IN = "in"
    OUT = "out"


# How far a message has come; a failed one does not move again.
RANKS = {"accepted": 0, "sent": 1, "delivered": 2, "read": 3, "failed": 4}


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatMessage:
    """A bubble with what was really on the wire."""

    id: str
    wa_id: str
    number_id: str
    direction: Direction
    at: float
    type: str
    bubble: dict[str, Any]
    payload: dict[str, Any]
    status: str
    errors: list[dict[str, Any]] = field(default_factory=list)
    callback_data: str | None = None
    to_user_id: bool = False
    pricing: dict[str, Any] | None = None
    # The real time, whatever the simulated clock says; what an earlier release stored has none.
    accepted_at: float | None = None
    # Whether the business could write freely, just before this message.
    window_open: bool | None = None
    # Of what went by Direct Send: the template that Meta took for it.
    template_id: str | None = None

    def to_row(self) -> dict[str, Any]:
        """Return the message as stored."""
        return {name: getattr(self, name) for name in self.__slots__} | {"direction": self.direction.value}

    def to_json(self) -> dict[str, Any]:
        """Return the message as the control API shows it."""
        shown: dict[str, Any] = {
            "id": self.id,
            "number_id": self.number_id,
            "direction": self.direction.value,
            "timestamp": to_iso(self.at),
            "type": self.type,
            **self.bubble,
            "status": self.status,
            "payload": self.payload,
            "callback_data": self.callback_data,
        }
        return shown | ({"errors": self.errors} if self.errors else {})


def from_row(row: dict[str, Any]) -> ChatMessage:
    """Return the message that `to_row` stored."""
    return ChatMessage(**{**row, "direction": Direction(row["direction"])})
