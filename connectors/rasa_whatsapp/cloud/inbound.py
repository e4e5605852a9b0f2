"""Turn a webhook body into events. Only a body that is no webhook raises; everything inside it becomes a value.

A broken message becomes `Broken`, what this package has no use for becomes `Unused`: both are stored, neither stops the others.
https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/messages
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from rasa_whatsapp.cloud import other_items, people, template_items
from rasa_whatsapp.cloud.content import read_content
from rasa_whatsapp.cloud.events import (
    Broken,
    Called,
    EchoSent,
    Event,
    GraphError,
    IdentityChanged,
    MessageReceived,
    PreferenceChanged,
    Sender,
    StatusChanged,
    TemplateChanged,
    Unused,
)
from rasa_whatsapp.cloud.people import Contacts
from rasa_whatsapp.cloud.wire import (
    JSONDict,
    MalformedField,
    as_object,
    digest,
    optional_id,
    optional_text,
    read_json,
    required_moment,
    required_text,
)
from rasa_whatsapp.errors import WebhookMalformed

__all__ = [
    "Broken",
    "Called",
    "EchoSent",
    "Event",
    "GraphError",
    "IdentityChanged",
    "MessageReceived",
    "PreferenceChanged",
    "Sender",
    "StatusChanged",
    "TemplateChanged",
    "Unused",
    "holds_only_statuses",
    "open_envelope",
    "parse",
    "read_message",
]

_LONGEST_NUMBER_ID = 40

# Coexistence: chats and address book of the WhatsApp Business app. They are nobody's message to the bot, and are not kept either.
_NOT_KEPT = frozenset({"history", "smb_app_state_sync"})


def open_envelope(body: bytes) -> JSONDict:
    """Return the JSON object that a webhook body is; raises WebhookMalformed when it is none."""
    try:
        envelope = read_json(body)
    except ValueError:
        raise WebhookMalformed("the body is not JSON") from None
    if not isinstance(envelope, dict):
        raise WebhookMalformed("the body is not a JSON object")
    return envelope


def holds_only_statuses(envelope: JSONDict) -> bool:
    """Tell whether a webhook tells of messages that we sent, and nothing else."""
    changes = [change for entry in _items(envelope, "entry") for change in _items(_object(entry), "changes")]
    values = [_object(_object(change).get("value")) for change in changes]
    return bool(values) and all(value.get("statuses") and not value.get("messages") for value in values)


def parse(body: bytes) -> list[Event]:
    """Return the events of a webhook body in its order; raises WebhookMalformed when the body is not a JSON object."""
    envelope = open_envelope(body)
    if envelope.get("object") != "whatsapp_business_account":
        return [Unused.of("", "object is not whatsapp_business_account", envelope)]
    events = [event for entry in _items(envelope, "entry") for event in _read_entry(entry)]
    return [*_no_list("", envelope, "entry"), *events]


def read_message(number_id: str, raw: JSONDict) -> MessageReceived:
    """Return the message event of a stored `raw`; raises MalformedField."""
    message = as_object(raw.get("message"), "messages[]")
    context = message.get("context")
    return MessageReceived(
        number_id=number_id,
        message_id=required_text(message, "id"),
        sender=people.sender_of(message, as_object(raw.get("contact") or {}, "contacts[]")),
        sent_at=required_moment(message, "timestamp"),
        content=read_content(message),
        context_id=optional_text(context, "id") if isinstance(context, dict) else None,
        raw=raw,
        successor=people.successor_of(message),
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
        if isinstance(change.get("field"), str) and change["field"] in template_items.READERS:
            yield _read_template(entry, change)
        else:
            yield from _read_change(change)


def _read_template(entry: JSONDict, change: JSONDict) -> Event:
    try:
        return template_items.read(template_items.account_of(entry), entry, change)
    except MalformedField as problem:
        return _broken("", str(problem), {"change": change})


def _read_change(change: JSONDict) -> Iterator[Event]:
    value: JSONDict = change["value"]
    number_id, field = _number_id(value), change.get("field")
    readers = _READERS.get(field) if isinstance(field, str) else None
    if readers is None:
        yield _unused_field(number_id, change)
        return
    if not any(value.get(key) for key in readers):
        yield Unused.of(number_id, f"the change of {field} holds nothing that is used", change)
    contacts = Contacts(value)
    for key, read in readers.items():
        yield from _no_list(number_id, value, key)
        for item in _items(value, key):
            yield _shielded(read, number_id, item, contacts)


def _shielded(read: _Reader, number_id: str, item: Any, contacts: Contacts) -> Event:
    try:
        return read(number_id, item, contacts)
    except MalformedField as problem:
        if read is not _read_message:
            return _broken(number_id, str(problem), {"item": item})
        # Only a message is kept as one, under its own id: it is read anew when its row is replayed.
        return _broken(number_id, str(problem), {"message": item, "contact": _contact(item, contacts)}, item)


def _read_message(number_id: str, item: Any, contacts: Contacts) -> Event:
    return read_message(number_id, {"message": item, "contact": _contact(item, contacts)})


_Reader = Callable[[str, Any, Contacts], Event]

# field of the change -> list in its value -> reader of one item
_READERS: dict[str, dict[str, _Reader]] = {
    "messages": {
        "messages": _read_message,
        "statuses": other_items.read_status,
        "errors": other_items.read_value_error,
    },
    "user_preferences": {"user_preferences": other_items.read_preference},
    "user_id_update": {"user_id_update": other_items.read_identity},
    "smb_message_echoes": {"message_echoes": other_items.read_echo},
    "calls": {
        "calls": other_items.read_call,
        "statuses": other_items.read_status,
        "errors": other_items.read_value_error,
    },
}


def _object(found: Any) -> JSONDict:
    return found if isinstance(found, dict) else {}


def _items(holder: JSONDict, key: str) -> list[Any]:
    found = holder.get(key)
    return found if isinstance(found, list) else []


def _no_list(number_id: str, holder: JSONDict, key: str) -> Iterator[Event]:
    """Yield what to park when something stands where a list belongs; a missing list is nothing."""
    if holder.get(key) is not None and not isinstance(holder[key], list):
        yield _broken(number_id, f"{key} is not a list", holder)


def _number_id(value: JSONDict) -> str:
    metadata = value.get("metadata")
    number_id = optional_id(metadata, "phone_number_id") if isinstance(metadata, dict) else None
    return number_id if number_id and len(number_id) <= _LONGEST_NUMBER_ID else ""


def _contact(item: Any, contacts: Contacts) -> JSONDict:
    return contacts.of(item) if isinstance(item, dict) else {}


def _broken(number_id: str, reason: str, raw: JSONDict, item: Any = None) -> Broken:
    message_id = optional_text(item, "id") if isinstance(item, dict) else None
    return Broken(number_id=number_id, message_id=message_id or digest(raw), reason=reason, raw=raw)


def _unused_field(number_id: str, change: JSONDict) -> Unused:
    field = change.get("field")
    name = field[:64] if isinstance(field, str) else "without a name"
    kept = {"field": field} if name in _NOT_KEPT else change
    return Unused(number_id=number_id, message_id=digest(change), reason=f"field {name} is not used", raw=kept)
