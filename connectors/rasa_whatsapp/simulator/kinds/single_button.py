"""Interactive messages with one fixed button: a link, requests for location, contact, address or calls, a call.

M:messages/interactive-cta-url-messages, location-request-messages, address-messages; M:calling; fact sheet 2.6, 5.4.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from rasa_whatsapp.simulator.bubbles import Bubble, Button
from rasa_whatsapp.simulator.kinds import fields
from rasa_whatsapp.simulator.kinds.context import SendContext
from rasa_whatsapp.simulator.kinds.frame import ACTION, ANY_HEADER, PARAMETERS, framed, named_action
from rasa_whatsapp.simulator.kinds.media import is_web_address
from rasa_whatsapp.simulator.refusals import Refused

BUTTON_TITLE = 20
CALL_MINUTES = 43_200
INDIA = "91"


def read_link(interactive: dict[str, Any], context: SendContext) -> Bubble:
    """Read a button that opens a web address."""
    button = link_button(named_action(interactive, "cta_url"), ACTION, "0")
    return replace(framed(interactive, context, headers=ANY_HEADER), buttons=(button,))


def link_button(action: dict[str, Any], path: str, button_id: str) -> Button:
    """Return the button of `{"parameters": {"display_text", "url"}}`."""
    parameters, path = fields.object_at(action, "parameters", path), f"{path}['parameters']"
    title = fields.bounded(parameters, "display_text", path, label="Display text", limit=BUTTON_TITLE)
    url = fields.string_at(parameters, "url", path)
    if not is_web_address(url):
        raise Refused(131009, "URL must begin with http:// or https://")
    return Button(id=button_id, title=title, kind="url", url=url)


def read_location_request(interactive: dict[str, Any], context: SendContext) -> Bubble:
    """Read a request for the customer's location."""
    named_action(interactive, "send_location")
    return _with_button(framed(interactive, context), "location", "Send location")


def read_contact_request(interactive: dict[str, Any], context: SendContext) -> Bubble:
    """Read a request for the customer's phone number."""
    named_action(interactive, "request_contact_info")
    return _with_button(framed(interactive, context), "contact", "Share contact info")


def read_address_request(interactive: dict[str, Any], context: SendContext) -> Bubble:
    """Read a request for a postal address; businesses and customers in India only."""
    parameters = fields.object_at(named_action(interactive, "address_message"), "parameters", ACTION)
    country = fields.identifier(parameters, "country", PARAMETERS)
    for name in ("values", "validation_errors"):
        if parameters.get(name) is not None:
            fields.object_at(parameters, name, PARAMETERS)
    if parameters.get("saved_addresses") is not None:
        fields.list_at(parameters, "saved_addresses", PARAMETERS)
    if country != "IN" or not all(number.startswith(INDIA) for number in (context.sender, context.recipient)):
        raise Refused(131009, "Address messages are for businesses and users in India only")
    return _with_button(framed(interactive, context, headers=ANY_HEADER), "address", "Provide address")


def read_call_button(interactive: dict[str, Any], context: SendContext) -> Bubble:
    """Read a button that calls the business."""
    parameters = named_action(interactive, "voice_call").get("parameters") or {}
    fields.an_object(parameters, PARAMETERS)
    title = fields.optional_bounded(parameters, "display_text", PARAMETERS, label="Display text", limit=BUTTON_TITLE)
    minutes = parameters.get("ttl_minutes", 1)
    if isinstance(minutes, bool) or not isinstance(minutes, int) or not 1 <= minutes <= CALL_MINUTES:
        raise Refused(131009, f"ttl_minutes must be a whole number from 1 to {CALL_MINUTES}")
    fields.optional_string(parameters, "payload", PARAMETERS)
    return _with_button(framed(interactive, context), "call", title or "Call now")


def read_call_permission(interactive: dict[str, Any], context: SendContext) -> Bubble:
    """Read the question whether the business may call."""
    named_action(interactive, "call_permission_request")
    answers = (
        Button(id="accept", title="Allow calls", kind="call_permission"),
        Button(id="reject", title="Don't allow", kind="call_permission"),
    )
    return replace(framed(interactive, context, body_required=False), buttons=answers)


def _with_button(bubble: Bubble, kind: str, title: str) -> Bubble:
    return replace(bubble, buttons=(Button(id="0", title=title, kind=kind),))
