"""What a customer's message means to the dialogue: words, a command, or an intent that the channel knows; and what is known of it.

Typed text is never a command. Only what we offered in a message of ours can be one: a tap on it, or its number typed back.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy.engine import Connection

from rasa_whatsapp.cloud.content import UNSUPPORTED, Shared, Tapped, TextTyped
from rasa_whatsapp.cloud.drafts import MORE_ID
from rasa_whatsapp.cloud.inbound import MessageReceived
from rasa_whatsapp.cloud.wire import JSONDict
from rasa_whatsapp.storage import offers
from rasa_whatsapp.storage.contacts import Contact
from rasa_whatsapp.turn import COMMAND_PREFIX

NOT_UNDERSTOOD = "nlu_fallback"  # Rasa's own; every domain has it
CALL_INTENT = "whatsapp_call"
_MEDIA = "whatsapp_media"


@dataclass(frozen=True, slots=True, kw_only=True)
class Meaning:
    """What a message means: the first of `intents` that the domain declares, or else the text as words."""

    text: str
    is_command: bool = False
    intents: Sequence[str] = ()
    entities: Mapping[str, Any] = field(default_factory=dict)


def said(connection: Connection, contact_id: str, message: MessageReceived) -> Meaning:
    """Return the meaning of a message of this contact."""
    content = message.content
    if isinstance(content, TextTyped):
        payload = _by_number(connection, contact_id, content.text, message.context_id)
        return _chosen(payload) if payload is not None else Meaning(text=content.text)
    if isinstance(content, Tapped):
        payload = offers.choice(connection, contact_id, message.context_id or "", content.choice_id)
        return _chosen(payload) if payload is not None else Meaning(text=content.title or content.choice_id)
    words = content.text if isinstance(content, Shared) else None
    if words and _MEDIA in content.entities:
        return Meaning(text=words, entities=content.entities)  # a caption says what the picture is sent for
    return Meaning(
        text=words or f"[{content.kind}]",
        intents=tuple(name for name in (content.intent, UNSUPPORTED, NOT_UNDERSTOOD) if name),
        entities=content.entities,
    )


def asks_for_more(message: MessageReceived) -> bool:
    """Tell whether it is a tap on the row that leads to a menu's next page."""
    return isinstance(message.content, Tapped) and message.content.choice_id == MORE_ID


def metadata_of(message: MessageReceived, contact: Contact) -> JSONDict:
    """Return what the dialogue may know of the message, for UserMessage.metadata["whatsapp"].

    What stands in an entity `whatsapp_x` stands here as `x`.
    """
    wire = message.raw["message"]
    free_until = contact.free_entry.expires_at
    known: dict[str, Any] = {
        "message_id": message.message_id,
        "type": wire.get("type"),
        "timestamp": message.sent_at.isoformat(),
        "number_id": message.number_id,
        "wa_id": message.sender.wa_id,
        "user_id": message.sender.user_id,
        "parent_user_id": message.sender.parent_user_id,
        "profile_name": message.sender.name,
        "context": wire.get("context"),
        "referral": wire.get("referral"),
        "free_entry_expires_at": free_until.isoformat() if free_until else None,
    }
    if not isinstance(message.content, (TextTyped, Tapped)):
        known |= {name.removeprefix("whatsapp_"): value for name, value in message.content.entities.items()}
    return {name: value for name, value in known.items() if value is not None}


def _chosen(payload: str) -> Meaning:
    return Meaning(text=payload, is_command=payload.startswith(COMMAND_PREFIX))


def _by_number(connection: Connection, contact_id: str, text: str, context_id: str | None) -> str | None:
    """Return the payload of the choice whose number was typed, if what we said last was a numbered menu."""
    typed = text.strip().rstrip(".)")
    if not (typed.isascii() and typed.isdigit() and len(typed) <= 3):
        return None
    numbers = offers.numbers_on_offer(connection, contact_id, context_id)
    return numbers[int(typed) - 1] if 1 <= int(typed) <= len(numbers) else None
