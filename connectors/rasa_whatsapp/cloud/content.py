"""What a customer's message says: text, a tap on something that we offered, or a kind that has no meaning yet.

https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/messages
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Union

from rasa_whatsapp.cloud.wire import JSONDict, MalformedField, as_object, optional_text, required_text


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
class OtherKind:
    """A kind that is stored but means nothing to the dialogue yet."""

    kind: str


Content = Union[TextTyped, Tapped, OtherKind]


def read_content(message: JSONDict) -> Content:
    """Return what a `messages[]` object says; raises MalformedField if its kind's body is missing or broken."""
    kind = required_text(message, "type")
    if message.get("group_id"):
        return OtherKind("group")  # a group's message is nobody's conversation with the bot
    reader = _KINDS.get(kind)
    return reader(message) if reader else OtherKind(kind[:64])


def _text(message: JSONDict) -> Content:
    body = required_text(as_object(message.get("text"), "text"), "body")
    return TextTyped(body) if body.strip() else OtherKind("blank text")  # no words: nothing to understand


def _interactive(message: JSONDict) -> Content:
    body = message.get("interactive")
    if body is None and message.get("errors"):
        return OtherKind("interactive")  # seen without its body when Meta could not deliver it
    interactive = as_object(body, "interactive")
    kind = required_text(interactive, "type")
    if kind not in ("button_reply", "list_reply"):
        return OtherKind(f"interactive/{kind[:64]}")
    reply = as_object(interactive.get(kind), f"interactive.{kind}")
    return Tapped(required_text(reply, "id"), optional_text(reply, "title") or "")


def _template_button(message: JSONDict) -> Content:
    button = as_object(message.get("button"), "button")
    text = optional_text(button, "text")
    payload = optional_text(button, "payload") or text
    if not payload:
        raise MalformedField("button has neither payload nor text")
    return Tapped(payload, text or "")


_KINDS: dict[str, Callable[[JSONDict], Content]] = {
    "text": _text,
    "interactive": _interactive,
    "button": _template_button,
}
