"""What the bot wants to say, before anything decides whether and how: a closed family of values.

Also the way from a draft to its Graph object. Nothing is cut here: what is over a limit was split or refused before.
https://developers.facebook.com/documentation/business-messaging/whatsapp/messages/send-messages
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Union

from rasa_whatsapp.cloud.wire import JSONDict


@dataclass(frozen=True, slots=True)
class Option:
    """One thing to choose. `choice_id` travels to the phone; `payload` is what a tap means to the bot."""

    choice_id: str
    title: str
    payload: str
    description: str = ""


@dataclass(frozen=True, slots=True)
class Text:
    """A text message."""

    body: str


@dataclass(frozen=True, slots=True)
class Buttons:
    """Up to three reply buttons under a text."""

    body: str
    options: tuple[Option, ...]


@dataclass(frozen=True, slots=True)
class ListMenu:
    """Up to ten rows behind one button."""

    body: str
    button: str
    options: tuple[Option, ...]


Draft = Union[Text, Buttons, ListMenu]


def options_of(draft: Draft) -> tuple[Option, ...]:
    """Return what a customer can tap on this draft."""
    return () if isinstance(draft, Text) else draft.options


def content_of(draft: Draft) -> JSONDict:
    """Return the draft as a Graph message object, still without its recipient."""
    if isinstance(draft, Text):
        return {"type": "text", "text": {"body": draft.body}}
    action = _reply_buttons(draft) if isinstance(draft, Buttons) else _list_rows(draft)
    kind = "button" if isinstance(draft, Buttons) else "list"
    return {"type": "interactive", "interactive": {"type": kind, "body": {"text": draft.body}, "action": action}}


def _reply_buttons(draft: Buttons) -> JSONDict:
    return {
        "buttons": [
            {"type": "reply", "reply": {"id": option.choice_id, "title": option.title}} for option in draft.options
        ]
    }


def _list_rows(draft: ListMenu) -> JSONDict:
    rows = [
        {"id": option.choice_id, "title": option.title}
        | ({"description": option.description} if option.description else {})
        for option in draft.options
    ]
    return {"button": draft.button, "sections": [{"title": draft.button, "rows": rows}]}
