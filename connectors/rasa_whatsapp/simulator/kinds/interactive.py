"""Interactive messages: which type is read by whom (M:messages/interactive-*).

Over-long titles are refused, never cut: Meta does the same. A new interactive type is one reader and one row.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rasa_whatsapp.simulator.bubbles import Bubble
from rasa_whatsapp.simulator.kinds import fields
from rasa_whatsapp.simulator.kinds.carousel import read_carousel
from rasa_whatsapp.simulator.kinds.choices import read_list, read_reply_buttons
from rasa_whatsapp.simulator.kinds.context import SendContext
from rasa_whatsapp.simulator.kinds.flow import read_flow
from rasa_whatsapp.simulator.kinds.shop import read_catalog, read_product, read_product_list
from rasa_whatsapp.simulator.kinds.single_button import (
    read_address_request,
    read_call_button,
    read_call_permission,
    read_contact_request,
    read_link,
    read_location_request,
)
from rasa_whatsapp.simulator.refusals import Refused

# For businesses in a few countries, after they have accepted terms that nobody accepts here (fact sheet 5.4).
PAYMENTS = ("order_details", "order_status")

Reader = Callable[[dict[str, Any], SendContext], Bubble]

TYPES: dict[str, Reader] = {
    "address_message": read_address_request,
    "button": read_reply_buttons,
    "call_permission_request": read_call_permission,
    "carousel": read_carousel,
    "catalog_message": read_catalog,
    "contact_request": read_contact_request,
    "cta_url": read_link,
    "flow": read_flow,
    "list": read_list,
    "location_request_message": read_location_request,
    "product": read_product,
    "product_list": read_product_list,
    "voice_call": read_call_button,
}


def read_interactive(content: Any, context: SendContext) -> Bubble:
    """Read `{"type", "header"?, "body", "footer"?, "action"}` of the types in the table above."""
    interactive = fields.an_object(content, "interactive")
    kind = fields.string_at(interactive, "type", "interactive")
    if kind in PAYMENTS:
        raise Refused(134011, "The business has not accepted WhatsApp Payments terms of service")
    if kind not in TYPES:
        raise Refused(100, f"Param interactive['type'] must be one of {{{', '.join(sorted(TYPES)).upper()}}}.")
    return TYPES[kind](interactive, context)
