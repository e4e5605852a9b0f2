"""Read what stands beside messages in a webhook: statuses, preferences, new user ids, echoes, calls, errors.

Each reader takes the business number's id, the item, and the contacts that stand beside it; each raises MalformedField.
https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/overview
"""

from __future__ import annotations

from typing import Any

from rasa_whatsapp.cloud import people
from rasa_whatsapp.cloud.content_bodies import error_code
from rasa_whatsapp.cloud.events import (
    Called,
    EchoSent,
    Event,
    GraphError,
    IdentityChanged,
    PreferenceChanged,
    StatusChanged,
    Unused,
)
from rasa_whatsapp.cloud.people import Contacts
from rasa_whatsapp.cloud.wire import JSONDict, as_object, digest, optional_text, required_moment, required_text


def read_status(number_id: str, item: Any, contacts: Contacts) -> Event:
    """Return what became of a message or a call of ours."""
    status = as_object(item, "statuses[]")
    if status.get("type") == "call":
        return _read_call_status(number_id, status)
    errors = status.get("errors")
    pricing = status.get("pricing")
    return StatusChanged(
        number_id=number_id,
        message_id=required_text(status, "id"),
        status=required_text(status, "status"),
        at=required_moment(status, "timestamp"),
        key=optional_text(status, "biz_opaque_callback_data"),
        error=_error(errors[0]) if isinstance(errors, list) and errors else None,
        pricing=pricing if isinstance(pricing, dict) else None,
        recipient_number=people.number_in_status(status),
        raw=status,
    )


def read_preference(number_id: str, item: Any, contacts: Contacts) -> Event:
    """Return a choice that the customer made in WhatsApp's own control; others than marketing have no meaning here."""
    preference = as_object(item, "user_preferences[]")
    if preference.get("category") != "marketing_messages":
        return Unused.of(number_id, "user_preferences of another category than marketing_messages", preference)
    return PreferenceChanged(
        number_id=number_id,
        sender=people.sender_of({}, preference),
        value=required_text(preference, "value"),
        at=required_moment(preference, "timestamp"),
        raw=preference,
    )


def read_identity(number_id: str, item: Any, contacts: Contacts) -> Event:
    """Return whose user id was made anew."""
    update = as_object(item, "user_id_update[]")
    before, after = people.before_and_after(update)
    return IdentityChanged(
        number_id=number_id,
        message_id=digest(update),
        before=before,
        after=after,
        at=required_moment(update, "timestamp"),
        raw=update,
    )


def read_echo(number_id: str, item: Any, contacts: Contacts) -> Event:
    """Return to whom a human wrote from the WhatsApp Business app."""
    echo = as_object(item, "message_echoes[]")
    return EchoSent(
        number_id=number_id,
        message_id=required_text(echo, "id"),
        to=people.recipient_of(echo, contacts),
        at=required_moment(echo, "timestamp"),
        raw=echo,
    )


def read_call(number_id: str, item: Any, contacts: Contacts) -> Event:
    """Return a call's beginning or end; a customer's call opens the care window as it connects."""
    call = as_object(item, "calls[]")
    event = required_text(call, "event")[:32]
    return Called(
        number_id=number_id,
        message_id=f"{required_text(call, 'id')}/{event}",
        sender=people.recipient_of(call, contacts)
        if _is_ours(call, contacts)
        else people.sender_of(call, contacts.of(call)),
        at=required_moment(call, "timestamp"),
        opens_window=event == "connect" and call.get("direction") == "USER_INITIATED",
        raw=call,
    )


def read_value_error(number_id: str, item: Any, contacts: Contacts) -> Event:
    """Return an error that Meta reports for the whole business number."""
    error = _error(item)
    return Unused.of(number_id, f"Meta reports error {error.code} for this number: {error.title}", {"error": item})


def _read_call_status(number_id: str, status: JSONDict) -> Event:
    told = required_text(status, "status")[:32]
    return Called(
        number_id=number_id,
        message_id=f"{required_text(status, 'id')}/{told}",
        sender=people.recipient_of_status(status),
        at=required_moment(status, "timestamp"),
        opens_window=told == "ACCEPTED",
        raw=status,
    )


def _is_ours(call: JSONDict, contacts: Contacts) -> bool:
    """Tell whether the business called; an end may come without a direction, and then `from` is our own number."""
    if "direction" in call:
        return bool(call["direction"] == "BUSINESS_INITIATED")
    return call.get("from") == contacts.business is not None


def _error(item: Any) -> GraphError:
    error = item if isinstance(item, dict) else {}
    data = error.get("error_data")
    return GraphError(
        code=error_code(error),
        title=optional_text(error, "title") or optional_text(error, "message") or "",
        details=(optional_text(data, "details") or "") if isinstance(data, dict) else "",
    )
