"""Find out who somebody is from the places where webhooks say it: the message, contacts[], a status, a system message.

Since 2026 the phone number may be left out (not empty) for a customer with a username; the user id comes with everybody.
https://developers.facebook.com/documentation/business-messaging/whatsapp/business-scoped-user-ids
"""

from __future__ import annotations

from typing import Any

from rasa_whatsapp.cloud.events import Sender
from rasa_whatsapp.cloud.wire import JSONDict, MalformedField, as_object, optional_id, optional_text

_SUCCESSIONS = ("user_changed_number", "user_changed_user_id")


class Contacts:
    """The people of one change: its contacts[], and the business number's own (`business`). A batch may hold a thousand."""

    def __init__(self, value: JSONDict) -> None:
        metadata, found = value.get("metadata"), value.get("contacts")
        self.business = optional_id(metadata, "display_phone_number") if isinstance(metadata, dict) else None
        self._all = [contact for contact in found if isinstance(contact, dict)] if isinstance(found, list) else []
        self._by_user_id: dict[str, JSONDict] = {}
        self._by_number: dict[str, list[JSONDict]] = {}
        for contact in self._all:
            if user_id := optional_id(contact, "user_id"):
                self._by_user_id.setdefault(user_id, contact)
            if wa_id := optional_id(contact, "wa_id"):
                self._by_number.setdefault(wa_id, []).append(contact)

    def of(self, message: JSONDict) -> JSONDict:
        """Return the entry that belongs to the message: by user id, else by number, else the only one."""
        user_id, wa_id = optional_id(message, "from_user_id"), optional_id(message, "from")
        if not user_id and not wa_id:
            return self._all[0] if len(self._all) == 1 else {}
        if user_id in self._by_user_id:
            return self._by_user_id[user_id]
        for contact in self._by_number.get(wa_id or "", ()):
            # A number passes on: with another user id beside it, it is somebody else's.
            if not (user_id and optional_id(contact, "user_id")):
                return contact
        return {}


def sender_of(message: JSONDict, contact: JSONDict) -> Sender:
    """Return who wrote, from the message and its entry of contacts[]; raises MalformedField if neither says it."""
    return _person(
        optional_id(message, "from") or optional_id(contact, "wa_id"),
        optional_id(message, "from_user_id") or optional_id(contact, "user_id") or _previous_user_id(message),
        "neither from nor from_user_id says who wrote",
        name=_name(contact),
        parent_user_id=optional_id(message, "from_parent_user_id") or optional_id(contact, "parent_user_id"),
    )


def _previous_user_id(message: JSONDict) -> str | None:
    """Return who a system message is about: seen without a sender of its own when a user id changed."""
    system = message.get("system")
    return optional_id(system, "previous_user_id") if isinstance(system, dict) else None


def recipient_of(item: JSONDict, contacts: Contacts) -> Sender:
    """Return to whom an echo or a call of the business went; raises MalformedField."""
    turned = {
        "from": item.get("to"),
        "from_user_id": item.get("to_user_id"),
        "from_parent_user_id": item.get("to_parent_user_id"),
    }
    contact = contacts.of(turned)
    if not any(turned.values()) and not contact:
        raise MalformedField("neither to nor to_user_id says to whom")
    return sender_of(turned, contact)


def recipient_of_status(status: JSONDict) -> Sender:
    """Return to whom the message or call of a status went; raises MalformedField."""
    # The last spelling was Meta's until May 2026.
    parent = optional_id(status, "recipient_parent_user_id") or optional_id(status, "parent_recipient_user_id")
    return _person(
        optional_id(status, "recipient_id"),
        optional_id(status, "recipient_user_id"),
        "neither recipient_id nor recipient_user_id says to whom",
        parent_user_id=parent,
    )


def number_in_status(status: JSONDict) -> str | None:
    """Return the number of the person that a message's status is about: in a group, of the one who is meant; None if it is hidden."""
    return optional_id(
        status, "recipient_participant_id" if status.get("recipient_type") == "group" else "recipient_id"
    )


def successor_of(message: JSONDict) -> Sender | None:
    """Return who the sender is from now on if a system message says so, else None; raises MalformedField if it does not say who."""
    system = message.get("system")
    if message.get("type") != "system" or not isinstance(system, dict) or system.get("type") not in _SUCCESSIONS:
        return None
    return _person(
        optional_id(system, "wa_id"),
        optional_id(system, "user_id"),
        "neither system.wa_id nor system.user_id says who the customer is now",
        parent_user_id=optional_id(system, "parent_user_id"),
    )


def before_and_after(update: JSONDict) -> tuple[Sender, Sender]:
    """Return who had the old user id and who has the new one; raises MalformedField."""
    user_id = as_object(update.get("user_id"), "user_id")
    parent = update.get("parent_user_id")
    parent = parent if isinstance(parent, dict) else {}
    previous, current = optional_id(user_id, "previous"), optional_id(user_id, "current")
    wa_id = optional_id(update, "wa_id")
    if current is None:
        raise MalformedField("user_id.current is missing or not an identifier")
    nobody = "neither user_id.previous nor wa_id says whose user id changed"
    before = _person(None if previous else wa_id, previous, nobody, parent_user_id=optional_id(parent, "previous"))
    return before, _person(wa_id, current, nobody, parent_user_id=optional_id(parent, "current"))


def _person(wa_id: str | None, user_id: str | None, nobody: str, **more: Any) -> Sender:
    if not wa_id and not user_id:
        raise MalformedField(nobody)
    return Sender(wa_id=wa_id, user_id=user_id, **more)


def _name(contact: JSONDict) -> str | None:
    profile = contact.get("profile")
    return optional_text(profile, "name") if isinstance(profile, dict) else None
