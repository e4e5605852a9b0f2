"""Control API bodies: from JSON to checked values, or a sentence about what is wrong."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from aiohttp import web

from rasa_whatsapp.simulator.customers import MARKETING
from rasa_whatsapp.simulator.identifiers import is_user_id, to_wa_id
from rasa_whatsapp.simulator.settings import Number, Settings
from rasa_whatsapp.simulator.wire import NotJson, decode

TEXTS = {"name": 200, "username": 60}
FLAGS = ("hide_number", "reads_at_once")
USER_IDS = ("user_id", "parent_user_id")
# It becomes a header when the file is fetched, so it is held to what a MIME type can be.
_MIME_TYPE = re.compile(r"[A-Za-z0-9.+-]+/[A-Za-z0-9.+-]+( *; *[A-Za-z0-9.+-]+=[A-Za-z0-9.+\"-]+)*")


class ControlRefused(Exception):
    """A control request that cannot be followed."""

    def __init__(self, problem: str, status: int = 400) -> None:
        """Carry the sentence for the answer and its HTTP status."""
        super().__init__(problem)
        self.status = status


@dataclass(frozen=True, slots=True, kw_only=True)
class When:
    """The optional timestamp and id of a customer's message."""

    timestamp: int | None
    wamid: str | None


async def read(request: web.Request) -> dict[str, Any]:
    """Return the JSON object in a request; an empty body is an empty object."""
    try:
        text = await request.text()
        body = decode(text) if text.strip() else {}
    except web.HTTPRequestEntityTooLarge as too_large:
        raise ControlRefused(f"the body is too large: {too_large.text}", 413) from None
    except (NotJson, LookupError, UnicodeDecodeError):
        raise ControlRefused("the body is not JSON") from None
    if not isinstance(body, dict):
        raise ControlRefused("the body must be a JSON object")
    return body


def wa_id(value: Any, name: str = "wa_id") -> str:
    """Return a phone number's digits."""
    number = to_wa_id(value) if isinstance(value, str) else None
    if number is None:
        raise ControlRefused(f"{name} must be a phone number with its country code, such as 4915112345678")
    return number


def text(body: dict[str, Any], name: str, limit: int = 10_000) -> str:
    """Return a text that must be there."""
    value = body.get(name)
    if not isinstance(value, str) or not 1 <= len(value) <= limit:
        raise ControlRefused(f"{name} must be a text of 1 to {limit} characters")
    return value


def customer_changes(body: dict[str, Any]) -> dict[str, Any]:
    """Return what a body says about a customer."""
    changes: dict[str, Any] = {name: text(body, name, limit) for name, limit in TEXTS.items() if name in body}
    for name in FLAGS:
        if name in body:
            changes[name] = flag(body, name)
    changes |= {name: user_id(body, name) for name in USER_IDS if name in body}
    unknown = set(body) - set(TEXTS) - set(FLAGS) - {"wa_id", *USER_IDS}
    if unknown:
        raise ControlRefused(f"unknown: {', '.join(sorted(unknown))}")
    return changes


def user_id(body: dict[str, Any], name: str = "user_id") -> str:
    """Return a business-scoped user id, or one for a group of businesses."""
    value = body.get(name)
    if not isinstance(value, str) or not is_user_id(value):
        raise ControlRefused(f"{name} must be a country code, a dot and letters or digits, such as DE.9Zk3abc")
    return value


def business_number(settings: Settings, number_id: Any) -> Number:
    """Return the business number with an id, the first one when none is given."""
    number = settings.first_number if number_id is None else settings.number(str(number_id))
    if number is None:
        raise ControlRefused(f"number_id must be one of {', '.join(known.id for known in settings.numbers)}")
    return number


def mime_type(body: dict[str, Any]) -> str:
    """Return the type of a file."""
    value = text(body, "mime_type", 200)
    if not _MIME_TYPE.fullmatch(value):
        raise ControlRefused("mime_type must be a MIME type such as image/jpeg")
    return value


def an_object(body: dict[str, Any], name: str) -> dict[str, Any]:
    """Return an object that must be there."""
    value = body.get(name)
    if not isinstance(value, dict):
        raise ControlRefused(f"{name} must be an object")
    return value


def objects(body: dict[str, Any], name: str) -> list[dict[str, Any]]:
    """Return a list of objects that must be there."""
    value = body.get(name)
    if not isinstance(value, list) or not value or not all(isinstance(entry, dict) for entry in value):
        raise ControlRefused(f"{name} must be a list of objects")
    return value


def number(body: dict[str, Any], name: str) -> int | float:
    """Return a number that must be there."""
    value = body.get(name)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ControlRefused(f"{name} must be a number")
    return value


def call_seconds(body: dict[str, Any]) -> int:
    """Return how long a call lasted; 0 means that nobody answered."""
    value = body.get("seconds", 0)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= 24 * 3600:
        raise ControlRefused("seconds must be a whole number from 0 to 86400")
    return value


def flag(body: dict[str, Any], name: str) -> bool:
    """Return a boolean, false when absent."""
    value = body.get(name, False)
    if not isinstance(value, bool):
        raise ControlRefused(f"{name} must be true or false")
    return value


def when(body: dict[str, Any]) -> When:
    """Return the optional `timestamp` and `id` of a customer's message."""
    timestamp = body.get("timestamp")
    if timestamp is not None and (isinstance(timestamp, bool) or not isinstance(timestamp, int) or timestamp < 0):
        raise ControlRefused("timestamp must be a whole number of unix seconds")
    wamid = body.get("id")
    if wamid is not None and not (isinstance(wamid, str) and wamid.isascii() and 1 <= len(wamid) <= 500):
        raise ControlRefused("id must be a text of 1 to 500 ASCII characters")
    return When(timestamp=timestamp, wamid=wamid)


def raw_message(body: dict[str, Any]) -> dict[str, Any]:
    """Return the content of a message of any kind."""
    message = body.get("message")
    if not isinstance(message, dict) or not isinstance(message.get("type"), str):
        raise ControlRefused("message must be an object with a type")
    return message


def marketing(body: dict[str, Any]) -> str:
    """Return a marketing choice."""
    if body.get("value") not in MARKETING:
        raise ControlRefused(f"value must be one of {', '.join(MARKETING)}")
    return str(body["value"])


def moment(body: dict[str, Any]) -> datetime:
    """Return the `now` of a body."""
    try:
        # Python 3.10 does not know the Z.
        return datetime.fromisoformat(text(body, "now").replace("Z", "+00:00"))
    except ValueError:
        raise ControlRefused("now must be an ISO-8601 time such as 2026-11-22T10:00:00+00:00") from None


def cursor(request: web.Request) -> int:
    """Return the `after` of a listing, 0 when absent."""
    value = request.query.get("after", "0")
    if not value.isascii() or not value.isdecimal() or len(value) > 18:
        raise ControlRefused("after must be a cursor of the listing")
    return int(value)


def limit(request: web.Request) -> int:
    """Return the `limit` of a listing."""
    value = request.query.get("limit", "1000")
    if not value.isdecimal() or not 1 <= int(value) <= 10_000:
        raise ControlRefused("limit must be a number from 1 to 10000")
    return int(value)
