"""Every message object of the Cloud API as a table of shapes, and the check of one before it is sent.

Meta refuses what is over a limit (100, 131008, 131009), some of it only in a later status: here it is named at once, by its field.
https://developers.facebook.com/documentation/business-messaging/whatsapp/messages/send-messages
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from rasa_whatsapp.cloud import limits
from rasa_whatsapp.cloud.interactive import INTERACTIVE
from rasa_whatsapp.cloud.scalars import Problem, Shape, boolean, link, matching, number, text
from rasa_whatsapp.cloud.shapes import array, exactly_one, mapping, record, variant

_FILE: Mapping[str, Shape] = {"id": text(edges=True), "link": link}
_ONE_FILE = [exactly_one("id", "link")]
_FIELDS_OF_FILES: Mapping[str, Shape] = {"caption": text(limits.CAPTION), "filename": text(), "voice": boolean}
_NOT_HERE = {
    "caption": "is not allowed here; send it as a text",
    "filename": "is not allowed here; only documents have one",
    "voice": "is not allowed here; only audio has it",
}


def _file(*fields: str) -> Shape:
    """Return the shape of a file with these fields; Meta refuses the others (100, unexpected key)."""
    allowed = {name: _FIELDS_OF_FILES[name] for name in fields}
    refused = {name: why for name, why in _NOT_HERE.items() if name not in fields}
    return record({}, {**_FILE, **allowed}, forbidden=refused, rules=_ONE_FILE)


def _name_part(name: Mapping[str, Any], path: str) -> Iterator[Problem]:
    if not set(name) - {"formatted_name"}:
        yield Problem(path, "needs a second part beside formatted_name, for example first_name")


def _one_emoji(value: Any, path: str) -> Iterator[Problem]:
    # "" takes the reaction back: messages/reaction-messages
    if value != "":
        yield from matching(r"\X", "one emoji (or an empty text, which takes the reaction back)")(value, path)


def _entries(*names: str) -> Shape:
    return array(record({}, {name: text() for name in names}), least=0)


_NAME = record(
    {"formatted_name": text()},
    {name: text() for name in ("first_name", "last_name", "middle_name", "suffix", "prefix")},
    rules=[_name_part],
)
_CONTACT = record(
    {"name": _NAME},
    {
        "phones": _entries("phone", "type", "wa_id"),
        "emails": _entries("email", "type"),
        "urls": _entries("url", "type"),
        "addresses": _entries("street", "city", "state", "zip", "country", "country_code", "type"),
        "org": record({}, {name: text() for name in ("company", "department", "title")}),
        "birthday": matching(r"\d{4}-\d{2}-\d{2}", "a date like 1999-01-23 in quotes"),
    },
)

_BODIES: Mapping[str, Shape] = {
    "text": record({"body": text(limits.TEXT_BODY)}, {"preview_url": boolean}),
    "image": _file("caption"),
    "video": _file("caption"),
    "audio": _file("voice"),
    "document": _file("caption", "filename"),
    "sticker": _file(),
    "location": record(
        {"latitude": number(-90, 90, or_text=True), "longitude": number(-180, 180, or_text=True)},
        {"name": text(), "address": text()},
    ),
    "contacts": array(_CONTACT, most=limits.CONTACTS),
    "reaction": record({"message_id": text(edges=True), "emoji": _one_emoji}),
    "interactive": INTERACTIVE,
    "template": record(
        {"name": text(), "language": record({"code": text()})},
        {"components": array(mapping, least=0)},
    ),
}
_QUOTES_NOTHING = {"reaction": {"context": "is not allowed: a reaction quotes nothing"}}

KINDS = tuple(_BODIES)


def _message(kind: str) -> Shape:
    others = {other: f"stands beside a message of type {kind}" for other in KINDS if other != kind}
    quoted = {"context": record({"message_id": text(edges=True)})}
    forbidden = _QUOTES_NOTHING.get(kind, {})
    return record({"type": text(), kind: _BODIES[kind]}, {} if forbidden else quoted, forbidden={**others, **forbidden})


_MESSAGE = variant("type", {kind: _message(kind) for kind in KINDS})


def check(content: Any) -> list[Problem]:
    """Return everything about a message object (without its recipient) that Meta would refuse; nothing if it is lawful."""
    return [*_MESSAGE(content, "")]
