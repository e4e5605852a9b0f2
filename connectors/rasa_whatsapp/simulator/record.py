"""One message as a judge reads it: whose it is, what the phone shows, how far it came, and what was true at the time.

Pure. One line for each message of the control API's record.
"""

from __future__ import annotations

from typing import Any

from rasa_whatsapp.simulator.chat import ChatMessage, Direction
from rasa_whatsapp.simulator.clock import to_iso


def line(cursor: int, message: ChatMessage) -> dict[str, Any]:
    """Return the line of a message; `cursor` is its place among all messages."""
    return {
        "cursor": cursor,
        "number_id": message.number_id,
        "wa_id": message.wa_id,
        "direction": message.direction.value,
        "wamid": message.id,
        "type": message.type,
        "text": message.bubble.get("text", ""),
        "template": (message.bubble.get("template") or {}).get("name"),
        "callback_data": message.callback_data,
        "sent_at": to_iso(message.at),
        "accepted_at": to_iso(message.accepted_at) if message.accepted_at is not None else None,
        "state": message.status,
        "error_code": message.errors[0]["code"] if message.errors else None,
        "window_open": message.window_open,
        "context_id": _context_id(message),
    }


def _context_id(message: ChatMessage) -> str | None:
    """Return the message that this one answers, as it was on the wire: a template's quote is not shown, but told."""
    context = message.payload.get("context")
    name = "message_id" if message.direction is Direction.OUT else "id"
    return context.get(name) if isinstance(context, dict) else None
