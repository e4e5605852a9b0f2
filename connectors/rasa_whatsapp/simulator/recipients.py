"""Whom a message goes to: from `to` or `recipient` to a customer that is known, or to digits that nobody has met.

Nobody comes into being here: a message that is refused leaves no customer behind.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from rasa_whatsapp.simulator.customers import Customer
from rasa_whatsapp.simulator.dialling import dialled_from, spellings, whatsapp_spelling
from rasa_whatsapp.simulator.identifiers import is_user_id, to_wa_id
from rasa_whatsapp.simulator.refusals import Refused
from rasa_whatsapp.simulator.settings import Number
from rasa_whatsapp.simulator.storage import Storage


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipient:
    """WhatsApp's digits of a recipient, and what the business called them."""

    wa_id: str
    named: str
    by_user_id: bool


def read_recipient(body: dict[str, Any], number: Number, storage: Storage) -> Recipient:
    """Return whom a message goes to; both given, `to` wins (fact sheet 2.6)."""
    if body.get("recipient_type", "individual") != "individual":
        raise Refused(131051, "The simulator plays messages to individuals only")
    to = body.get("to")
    if to is not None and not isinstance(to, str):
        raise Refused(100, "Param to must be a string.")
    return _dialled(to, number, storage) if to else _named(body.get("recipient"), storage)


def _named(user_id: Any, storage: Storage) -> Recipient:
    if user_id is None:
        raise Refused(100, "The parameter to is required.")
    if not isinstance(user_id, str) or not is_user_id(user_id):
        raise Refused(131009, "recipient is not a business-scoped user id")
    customer = storage.customers.by_user_id(user_id) or storage.customers.by_parent_user_id(user_id)
    if customer is None:
        raise Refused(131009, "recipient is no user id that this business has met")
    return Recipient(wa_id=customer.wa_id, named=user_id, by_user_id=True)


def _dialled(to: str, number: Number, storage: Storage) -> Recipient:
    digits = to_wa_id(to)
    if digits is None:
        raise Refused(131009, "Param to is not a phone number with its country code")
    customer = _met(digits, storage)
    if customer is None and not to.strip().startswith("+"):
        # A number that the business knows from webhooks works without the `+` (observed), any other is dialled.
        digits = dialled_from(number.display, digits)
        customer = _met(digits, storage)
    wa_id = customer.wa_id if customer is not None else whatsapp_spelling(digits)
    if number.display in spellings(wa_id):
        raise Refused(131021, "Recipient and sender are the same phone number")
    return Recipient(wa_id=wa_id, named=to, by_user_id=False)


def _met(digits: str, storage: Storage) -> Customer | None:
    return next((known for known in map(storage.customers.find, spellings(digits)) if known is not None), None)
