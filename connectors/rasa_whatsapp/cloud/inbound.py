"""Turn a webhook body into events. Only a body that is no webhook raises; everything inside it becomes a value.

A broken message becomes `Broken`, what this package has no use for becomes `Unused`: both are stored, neither stops the others.
https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/messages
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any, Union

from rasa_whatsapp.cloud.content import Content, read_content
from rasa_whatsapp.cloud.wire import JSONDict, MalformedField, as_object, cleaned, optional_text, required_text
from rasa_whatsapp.errors import WebhookMalformed


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """Who wrote, by the two identifiers that Meta gives: one of them may be missing, never both."""

    wa_id: str | None
    user_id: str | None
    name: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageReceived:
    """A customer's message. `raw` keeps what `read_message` needs to make the same event again."""

    number_id: str
    message_id: str
    sender: Sender
    sent_at: datetime
    content: Content
    context_id: str | None
    raw: JSONDict


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphError:
    """An error as webhooks carry it; `code` is None when it is missing or no code at all."""

    code: int | None
    title: str
    details: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusChanged:
    """What became of a message that we sent; `key` is the callback data that we gave it."""

    number_id: str
    message_id: str
    status: str
    at: datetime
    key: str | None
    error: GraphError | None
    pricing: JSONDict | None
    raw: JSONDict = field(default_factory=dict, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class PreferenceChanged:
    """The customer used WhatsApp's own control over marketing messages: stop, resume or signup."""

    number_id: str
    sender: Sender
    value: str
    at: datetime
    raw: JSONDict = field(default_factory=dict, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Broken:
    """A message that cannot be read; it is parked with its reason."""

    number_id: str
    message_id: str
    reason: str
    raw: JSONDict


@dataclass(frozen=True, slots=True, kw_only=True)
class Unused:
    """Something that this package has no use for; it is recorded as such."""

    number_id: str
    message_id: str
    reason: str
    raw: JSONDict


Event = Union[MessageReceived, StatusChanged, PreferenceChanged, Broken, Unused]


_CODES_END = 2**31


def parse(body: bytes) -> list[Event]:
    """Return the events of a webhook body in its order.

    Raises WebhookMalformed when the body is not JSON or not an object.
    """
    try:
        envelope = json.loads(body)
    except (ValueError, RecursionError):
        raise WebhookMalformed("the body is not JSON") from None
    if not isinstance(envelope, dict):
        raise WebhookMalformed("the body is not a JSON object")
    if envelope.get("object") != "whatsapp_business_account":
        return [_unused("", "object is not whatsapp_business_account", envelope)]
    events = [event for entry in _items(envelope, "entry") for event in _read_entry(entry)]
    return [*_no_list("", envelope, "entry"), *events]


def read_message(number_id: str, raw: JSONDict) -> MessageReceived:
    """Return the message event of a stored `raw`; raises MalformedField."""
    message = as_object(raw.get("message"), "messages[]")
    sender = _sender(message, as_object(raw.get("contact") or {}, "contacts[]"))
    context = message.get("context")
    return MessageReceived(
        number_id=number_id,
        message_id=required_text(message, "id"),
        sender=sender,
        sent_at=_moment(message, "timestamp"),
        content=read_content(message),
        context_id=optional_text(context, "id") if isinstance(context, dict) else None,
        raw=raw,
    )


def _read_entry(entry: Any) -> Iterator[Event]:
    if not isinstance(entry, dict):
        yield _broken("", "entry[] is not an object", {"entry": entry})
        return
    yield from _no_list("", entry, "changes")
    for change in _items(entry, "changes"):
        if not isinstance(change, dict) or not isinstance(change.get("value"), dict):
            yield _broken("", "changes[].value is not an object", {"change": change})
            continue
        yield from _read_change(change)


def _read_change(change: JSONDict) -> Iterator[Event]:
    value: JSONDict = change["value"]
    metadata = value.get("metadata")
    number_id = metadata.get("phone_number_id") if isinstance(metadata, dict) else None
    number_id = cleaned(number_id) if isinstance(number_id, str) else ""
    known = False
    for used, key, read in _READERS:
        if change.get("field") != used:
            continue
        known = True
        yield from _no_list(number_id, value, key)
        for item in _items(value, key):
            yield _shielded(read, number_id, item, value)
    if not known:
        yield _unused(number_id, f"field {str(change.get('field'))[:64]} is not used", change)


def _shielded(read: Callable[[str, Any, JSONDict], Event], number_id: str, item: Any, value: JSONDict) -> Event:
    try:
        return read(number_id, item, value)
    except MalformedField as problem:
        raw = {"message": item, "contact": _contact_of(item, value) if isinstance(item, dict) else {}}
        return _broken(number_id, str(problem), raw, item)


def _read_message(number_id: str, item: Any, value: JSONDict) -> Event:
    message = as_object(item, "messages[]")
    contact = _contact_of(message, value)
    return read_message(number_id, {"message": message, "contact": contact})


def _read_status(number_id: str, item: Any, value: JSONDict) -> Event:
    status = as_object(item, "statuses[]")
    errors = status.get("errors")
    pricing = status.get("pricing")
    return StatusChanged(
        number_id=number_id,
        message_id=required_text(status, "id"),
        status=required_text(status, "status"),
        at=_moment(status, "timestamp"),
        key=optional_text(status, "biz_opaque_callback_data"),
        error=_error(errors[0]) if isinstance(errors, list) and errors else None,
        pricing=pricing if isinstance(pricing, dict) else None,
        raw=status,
    )


def _read_preference(number_id: str, item: Any, value: JSONDict) -> Event:
    preference = as_object(item, "user_preferences[]")
    if preference.get("category") != "marketing_messages":
        return _unused(number_id, "user_preferences of another category than marketing_messages", preference)
    return PreferenceChanged(
        number_id=number_id,
        sender=_sender({}, preference),
        value=required_text(preference, "value"),
        at=_moment(preference, "timestamp"),
        raw=preference,
    )


def _read_value_error(number_id: str, item: Any, value: JSONDict) -> Event:
    error = _error(item)
    return _unused(number_id, f"Meta reports error {error.code} for this number: {error.title}", {"error": item})


# field of the change, list in its value, reader of one item
_READERS: tuple[tuple[str, str, Callable[[str, Any, JSONDict], Event]], ...] = (
    ("messages", "messages", _read_message),
    ("messages", "statuses", _read_status),
    ("messages", "errors", _read_value_error),
    ("user_preferences", "user_preferences", _read_preference),
)


def _items(holder: JSONDict, key: str) -> list[Any]:
    found = holder.get(key)
    return found if isinstance(found, list) else []


def _no_list(number_id: str, holder: JSONDict, key: str) -> Iterator[Event]:
    """Yield what to park when something stands where a list belongs; a missing list is nothing."""
    if holder.get(key) is not None and not isinstance(holder[key], list):
        yield _broken(number_id, f"{key} is not a list", holder)


def _contact_of(message: JSONDict, value: JSONDict) -> JSONDict:
    """Return the entry of contacts[] that belongs to the message: by either identifier, else the only one."""
    contacts = [contact for contact in _items(value, "contacts") if isinstance(contact, dict)]
    for contact in contacts:
        for ours, theirs in (("from_user_id", "user_id"), ("from", "wa_id")):
            if message.get(ours) and message.get(ours) == contact.get(theirs):
                return contact
    nameless = not message.get("from") and not message.get("from_user_id")
    return contacts[0] if nameless and len(contacts) == 1 else {}


def _sender(message: JSONDict, contact: JSONDict) -> Sender:
    wa_id = optional_text(message, "from") or optional_text(contact, "wa_id")
    user_id = optional_text(message, "from_user_id") or optional_text(contact, "user_id")
    if not wa_id and not user_id:
        raise MalformedField("neither from nor from_user_id says who wrote")
    profile = contact.get("profile")
    name = optional_text(profile, "name") if isinstance(profile, dict) else None
    return Sender(wa_id=wa_id, user_id=user_id, name=name)


def _moment(holder: JSONDict, key: str) -> datetime:
    value = holder.get(key)
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        raise MalformedField(f"{key} is missing or not in unix seconds")
    try:
        return datetime.fromtimestamp(int(value), timezone.utc)
    except (ValueError, OverflowError, OSError):
        raise MalformedField(f"{key} is not in unix seconds") from None


def _error(item: Any) -> GraphError:
    error = item if isinstance(item, dict) else {}
    data = error.get("error_data")
    code = error.get("code")
    return GraphError(
        code=code if isinstance(code, int) and not isinstance(code, bool) and 0 <= code < _CODES_END else None,
        title=cleaned(str(error.get("title") or error.get("message") or "")),
        details=cleaned(str(data.get("details") or "")) if isinstance(data, dict) else "",
    )


def _broken(number_id: str, reason: str, raw: JSONDict, item: Any = None) -> Broken:
    message_id = item.get("id") if isinstance(item, dict) else None
    usable = isinstance(message_id, str) and message_id != ""
    return Broken(
        number_id=number_id,
        message_id=cleaned(message_id) if isinstance(message_id, str) and usable else _digest(raw),
        reason=reason,
        raw=raw,
    )


def _unused(number_id: str, reason: str, raw: JSONDict) -> Unused:
    return Unused(number_id=number_id, message_id=_digest(raw), reason=reason, raw=raw)


def _digest(raw: JSONDict) -> str:
    """Name something that has no id of its own by its content, so that a redelivery is known again."""
    return "sha256:" + hashlib.sha256(json.dumps(raw, sort_keys=True).encode()).hexdigest()
