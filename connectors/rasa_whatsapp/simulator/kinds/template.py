"""Template messages: the parameters sent, held against the approved template (M:messages/template-messages).

Static parts are never sent; each variable part needs its component, in number, name and format as approved.
"""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

from rasa_whatsapp.simulator.bubbles import Bubble
from rasa_whatsapp.simulator.catalogue import Template
from rasa_whatsapp.simulator.kinds import fields
from rasa_whatsapp.simulator.kinds.context import SendContext
from rasa_whatsapp.simulator.kinds.template_buttons import products_behind, read_buttons
from rasa_whatsapp.simulator.kinds.template_carousel import read_cards
from rasa_whatsapp.simulator.kinds.template_filling import (
    FILLED_BODY,
    filled_body,
    filled_header,
    read_components,
    single,
)
from rasa_whatsapp.simulator.refusals import Refused

OFFER = "limited_time_offer"
_COMPONENTS = ("header", "body", "button", OFFER, "carousel")


def read_template(content: Any, context: SendContext) -> Bubble:
    """Read `{"name", "language": {"code"}, "components"?}`."""
    sent = fields.an_object(content, "template")
    template = _approved(sent, context)
    components = read_components(sent, "template", _COMPONENTS)
    pressed = [part for part in components if part["type"] == "button"]
    buttons = read_buttons(template, pressed, context)
    header = filled_header(template, single(components, "header"), context)
    body = filled_body(template, single(components, "body"), FILLED_BODY)
    offer = _offer(template, single(components, OFFER))
    return Bubble(
        header=header.text,
        media=header.media,
        text=f"{offer}\n\n{body}" if offer else body,
        footer=(template.component("FOOTER") or {}).get("text"),
        buttons=buttons,
        template={"name": template.name, "language": template.language, "category": template.category},
        cards=read_cards(template, components, context),
        parts={**header.parts, **products_behind(pressed)},
    )


def _approved(sent: dict[str, Any], context: SendContext) -> Template:
    name = fields.string_at(sent, "name", "template")
    language = fields.object_at(sent, "language", "template")
    code = fields.string_at(language, "code", "template['language']")
    template = context.find_template(name, code)
    if template is None:
        raise Refused(132001, f"template name ({name}) does not exist in {code}")
    if template.status == "PAUSED":
        raise Refused(132015, f"template name ({name}) is paused in {code} because of its low quality")
    if template.status == "DISABLED":
        raise Refused(132016, f"template name ({name}) is disabled in {code}")
    if template.status != "APPROVED":
        raise Refused(132001, f"template name ({name}) is not approved in {code}: {template.status}")
    return template


def _offer(template: Template, parameters: list[dict[str, Any]]) -> str | None:
    """Return the line about a limited-time offer; its end is in milliseconds since 1970."""
    component = template.component(OFFER.upper())
    if component is None:
        if parameters:
            raise Refused(132000, f"{OFFER}: the template has none")
        return None
    approved = component.get(OFFER) or {}
    if not parameters:
        if approved.get("has_expiration") is True:
            raise Refused(132000, f"{OFFER}: the template's offer expires, so it takes one parameter, received 0")
        return str(approved.get("text", ""))
    if len(parameters) > 1 or parameters[0].get("type") != OFFER:
        raise Refused(132012, f"{OFFER}: expected one parameter of type {OFFER}")
    moment = fields.object_at(parameters[0], OFFER, OFFER).get("expiration_time_ms")
    if isinstance(moment, bool) or not isinstance(moment, int) or moment <= 0:
        raise Refused(100, f"Param {OFFER}['expiration_time_ms'] must be an integer.")
    end = datetime.fromtimestamp(moment / 1000, timezone.utc)
    return f"{approved.get('text', '')} (until {end:%Y-%m-%d %H:%M} UTC)"
