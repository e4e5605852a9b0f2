"""Control API bodies: from JSON to checked values, or a sentence about what is wrong."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from aiohttp import web

from rasa_whatsapp.simulator.customers import MARKETING
from rasa_whatsapp.simulator.identifiers import is_user_id, to_wa_id
from rasa_whatsapp.simulator.wire import NotJson, decode

TEXTS = {"name": 200, "username": 60}
FLAGS = ("hide_number", "reads_at_once")


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
    except (NotJson, LookupError, UnicodeDecodeError):
        raise ControlRefused("the body is not JSON") from None
    if not isinstance(body, dict):
        raise ControlRefused("the body must be a JSON object")
    return body


def wa_id(value: Any) -> str:
    """Return a phone number's digits."""
    number = to_wa_id(value) if isinstance(value, str) else None
    if number is None:
        raise ControlRefused("wa_id must be a phone number with its country code, such as 4915112345678")
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
    if "user_id" in body:
        if not isinstance(body["user_id"], str) or not is_user_id(body["user_id"]):
            raise ControlRefused("user_id must be a country code, a dot and letters or digits, such as DE.9Zk3abc")
        changes["user_id"] = body["user_id"]
    unknown = set(body) - set(TEXTS) - set(FLAGS) - {"wa_id", "user_id"}
    if unknown:
        raise ControlRefused(f"unknown: {', '.join(sorted(unknown))}")
    return changes


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


def seconds(body: dict[str, Any]) -> float:
    """Return the `advance_seconds` of a body."""
    value = body["advance_seconds"]
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ControlRefused("advance_seconds must be a number")
    return float(value)


def limit(request: web.Request) -> int:
    """Return the `limit` of a listing."""
    value = request.query.get("limit", "1000")
    if not value.isdecimal() or not 1 <= int(value) <= 10_000:
        raise ControlRefused("limit must be a number from 1 to 10000")
    return int(value)
