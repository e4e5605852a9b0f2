"""Messages that point at others: what may be quoted, and what may be reacted to (fact sheet 5.3, 5.6)."""

from __future__ import annotations

from typing import Any

from rasa_whatsapp.simulator.chat import ChatMessage
from rasa_whatsapp.simulator.kinds import fields
from rasa_whatsapp.simulator.refusals import Refused
from rasa_whatsapp.simulator.storage import Storage

# After this a message is in long-term storage, where it is neither shown as quoted nor reacted to.
OLD_SECONDS = 30 * 24 * 3600


def quoted(body: dict[str, Any], kind: Any, wa_id: str, number_id: str, storage: Storage, now: float) -> str | None:
    """Return the id of the message that the phone shows as quoted, or None.

    An id of no message of the chat is refused. No quote is shown in a template, nor of a message that is old or deleted.
    """
    if body.get("context") is None:
        return None
    wamid = fields.identifier(fields.object_at(body, "context", "messages"), "message_id", "context")
    if kind == "reaction":
        raise Refused(131009, "A reaction cannot carry context")
    message = _in_chat(wamid, wa_id, number_id, storage)
    if message is None:
        raise Refused(131009, "context['message_id'] names no message of this chat")
    return wamid if kind != "template" and _is_there(message, storage, now) else None


def can_react(wamid: str, wa_id: str, number_id: str, storage: Storage, now: float) -> bool:
    """Tell whether a message can be reacted to: one of the chat, not old, not deleted, not itself a reaction."""
    message = _in_chat(wamid, wa_id, number_id, storage)
    return message is not None and message.type != "reaction" and _is_there(message, storage, now)


def _in_chat(wamid: str, wa_id: str, number_id: str, storage: Storage) -> ChatMessage | None:
    message = storage.messages.find(wamid)
    return message if message is not None and (message.wa_id, message.number_id) == (wa_id, number_id) else None


def _is_there(message: ChatMessage, storage: Storage, now: float) -> bool:
    chat = storage.messages.chat(message.wa_id, message.number_id)
    deleted = {entry.bubble["revoke"]["message_id"] for entry in chat if "revoke" in entry.bubble}
    return now - message.at <= OLD_SECONDS and message.id not in deleted
