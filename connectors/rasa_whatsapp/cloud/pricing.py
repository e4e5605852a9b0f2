"""What the statuses of a message say about its price: which category and type it has, and when it is charged.

Meta charges what was delivered, and names `pricing` on `sent` and on one of `delivered` and `read`, or on one of them only
(fact sheet 3 and 7.3). No amount is told.
https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/messages/status
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from rasa_whatsapp.cloud.wire import JSONDict, optional_text

CHARGED = "regular"
FREE_IN_WINDOW = "free_customer_service"
FREE_ENTRY_POINT = "free_entry_point"

_ARRIVED = ("delivered", "read", "played")
_NOT_TOLD = "unknown"
_LONGEST = 40  # characters that the store keeps; no word of Meta's has so many


@dataclass(frozen=True, slots=True)
class Pricing:
    """What Meta says a message is: `category` such as utility, `type` such as regular or free_entry_point."""

    category: str
    type: str
    is_billable: bool


@dataclass(frozen=True, slots=True)
class Told:
    """One status of a message."""

    status: str
    at: datetime
    pricing: JSONDict | None


@dataclass(frozen=True, slots=True)
class Charge:
    """A message that arrived, on which day (UTC), and what Meta says it is."""

    day: date
    pricing: Pricing


def charge_of(told: Iterable[Told]) -> Charge | None:
    """Return what the statuses of one message come to; None while it has not arrived, or nothing names its pricing."""
    known = list(told)
    arrived = sorted((each for each in known if each.status in _ARRIVED), key=lambda each: each.at)
    if not arrived:
        return None
    for each in (*arrived, *known):
        pricing = _read(each.pricing)
        if pricing is not None:
            return Charge(arrived[0].at.date(), pricing)
    return None


def _read(pricing: JSONDict | None) -> Pricing | None:
    """Return Meta's `pricing`; `billable` counts only where `type` does not say it, as Meta is going to take it away."""
    if not pricing:
        return None
    told = optional_text(pricing, "type")
    is_billable = pricing.get("billable") is True
    if told is not None and (told == CHARGED or told.startswith("free_")):
        is_billable = told == CHARGED
    kind = told or (CHARGED if is_billable else _NOT_TOLD)
    category = optional_text(pricing, "category") or _NOT_TOLD
    return Pricing(category[:_LONGEST], kind[:_LONGEST], is_billable)
