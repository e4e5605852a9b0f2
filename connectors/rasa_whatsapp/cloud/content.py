"""What a customer's message says: words, a tap on something that we offered, something else that is a turn, or an aside.

The table says which intent and which entity a kind becomes. What this package does not know is `whatsapp_unsupported`.
https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/messages
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Union

from rasa_whatsapp.cloud import content_bodies
from rasa_whatsapp.cloud.wire import JSONDict, MalformedField, as_object, optional_text, required_text

UNSUPPORTED = "whatsapp_unsupported"


@dataclass(frozen=True, slots=True)
class TextTyped:
    """What the customer typed."""

    text: str


@dataclass(frozen=True, slots=True)
class Tapped:
    """A tap on a reply button, a list row or a template's quick reply: what we gave it, and what it showed."""

    choice_id: str
    title: str


@dataclass(frozen=True, slots=True)
class Shared:
    """A turn that is not words: its wire type, its intent, its entities by name, and the words that came with it if any."""

    kind: str
    intent: str
    entities: JSONDict
    text: str | None = None


@dataclass(frozen=True, slots=True)
class Aside:
    """No turn unless the configuration asks for it; without an intent never one."""

    kind: str
    intent: str | None
    entities: JSONDict


Content = Union[TextTyped, Tapped, Shared, Aside]


@dataclass(frozen=True, slots=True)
class _Meaning:
    """What a kind becomes; `words` is the key of its value that holds words."""

    intent: str
    entity: str | None
    read: Callable[[JSONDict], Any]
    words: str | None = None


_SHARED = {
    "image": _Meaning("whatsapp_image", "whatsapp_media", content_bodies.media, "caption"),
    "video": _Meaning("whatsapp_video", "whatsapp_media", content_bodies.media, "caption"),
    "audio": _Meaning("whatsapp_audio", "whatsapp_media", content_bodies.media),
    "voice": _Meaning("whatsapp_voice", "whatsapp_media", content_bodies.media),
    "document": _Meaning("whatsapp_document", "whatsapp_media", content_bodies.media, "caption"),
    "sticker": _Meaning("whatsapp_sticker", "whatsapp_media", content_bodies.media),
    "location": _Meaning("whatsapp_location", "whatsapp_location", content_bodies.location),
    "contacts": _Meaning("whatsapp_contacts", "whatsapp_contacts", content_bodies.contacts),
    "order": _Meaning("whatsapp_order", "whatsapp_order", content_bodies.order, "text"),
    "interactive/nfm_reply": _Meaning("whatsapp_flow_reply", "whatsapp_flow_reply", content_bodies.flow_reply),
    "interactive/address_message": _Meaning("whatsapp_address", "whatsapp_address", content_bodies.flow_reply),
    "interactive/call_permission_reply": _Meaning(
        "whatsapp_call_permission", "whatsapp_call_permission", content_bodies.call_permission
    ),
    "request_welcome": _Meaning("whatsapp_welcome", None, content_bodies.nothing),
}
_ASIDES = {
    "reaction": _Meaning("whatsapp_reaction", "whatsapp_reaction", content_bodies.reaction),
    "edit": _Meaning("whatsapp_edit", "whatsapp_edit", content_bodies.edit),
    "revoke": _Meaning("whatsapp_revoke", "whatsapp_revoke", content_bodies.revoke),
    "system": _Meaning("whatsapp_system", "whatsapp_system", content_bodies.system),
}

# Every intent that a message may become without its words being understood, with the entity that comes with it.
INTENTS: dict[str, str | None] = {
    **{meaning.intent: meaning.entity for table in (_SHARED, _ASIDES) for meaning in table.values()},
    UNSUPPORTED: UNSUPPORTED,
}


def read_content(message: JSONDict) -> Content:
    """Return what a `messages[]` object says; raises MalformedField if its kind's body is missing or broken."""
    kind = required_text(message, "type")[:64]
    if message.get("group_id"):
        return Aside("group", None, {})  # a group's message is nobody's conversation with the bot
    try:
        return _KINDS.get(kind, _unsupported)(message, kind)
    except MalformedField:
        if not message.get("errors"):
            raise
        return _unsupported(message, kind)  # Meta says itself that it could not deliver it whole


def _text(message: JSONDict, kind: str) -> Content:
    body = as_object(message.get("text"), "text").get("body")
    if not isinstance(body, str):
        raise MalformedField("text.body is missing or not a text")
    if body.strip():
        return TextTyped(body)
    return Shared(kind, UNSUPPORTED, {UNSUPPORTED: {"type": kind, "reason": "blank text"}})


def _template_button(message: JSONDict, kind: str) -> Content:
    button = as_object(message.get("button"), "button")
    text = optional_text(button, "text")
    payload = optional_text(button, "payload") or text
    if not payload:
        raise MalformedField("button has neither payload nor text")
    return Tapped(payload, text or "")


def _interactive(message: JSONDict, kind: str) -> Content:
    if message.get("interactive") is None:
        return _unsupported(message, kind)  # seen without its body when Meta could not deliver it
    interactive = as_object(message["interactive"], "interactive")
    held = required_text(interactive, "type")[:64]
    if held in ("button_reply", "list_reply"):
        reply = as_object(interactive.get(held), f"interactive.{held}")
        return Tapped(required_text(reply, "id"), optional_text(reply, "title") or "")
    kind = f"interactive/{held}"[:64]
    answer = interactive.get(held)
    is_address = held == "nfm_reply" and isinstance(answer, dict) and answer.get("name") == "address_message"
    meaning = _SHARED.get("interactive/address_message" if is_address else kind)
    return _shared(message, kind, meaning) if meaning else _unsupported(message, kind)


def _known(message: JSONDict, kind: str) -> Content:
    body = message.get(kind)
    is_voice = kind == "audio" and isinstance(body, dict) and body.get("voice") is True
    return _shared(message, kind, _SHARED["voice" if is_voice else kind])


def _shared(message: JSONDict, kind: str, meaning: _Meaning) -> Shared:
    value = meaning.read(message)
    words = value.get(meaning.words) if meaning.words else None
    text = words if isinstance(words, str) and words.strip() else None
    return Shared(kind, meaning.intent, {meaning.entity: value} if meaning.entity else {}, text)


def _aside(message: JSONDict, kind: str) -> Content:
    meaning = _ASIDES[kind]
    assert meaning.entity is not None
    return Aside(kind, meaning.intent, {meaning.entity: meaning.read(message)})


def _unsupported(message: JSONDict, kind: str) -> Content:
    return Shared(kind, UNSUPPORTED, {UNSUPPORTED: content_bodies.unsupported(message, kind)})


_KINDS: dict[str, Callable[[JSONDict, str], Content]] = {
    "text": _text,
    "button": _template_button,
    "interactive": _interactive,
    **dict.fromkeys(
        ("image", "video", "audio", "document", "sticker", "location", "contacts", "order", "request_welcome"), _known
    ),
    **dict.fromkeys(_ASIDES, _aside),
}
