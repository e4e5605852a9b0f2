"""The buttons of a template message: what was sent for them, held against the approved ones.

A text goes into an address, a code or a payload; an `action` says what a form, the catalogue or a list of products begins with.
`index` counts over all buttons of the template; one component per button (fact sheet 6.1).
"""

from __future__ import annotations

from typing import Any

from rasa_whatsapp.simulator.bubbles import Button
from rasa_whatsapp.simulator.catalogue import Template, variables
from rasa_whatsapp.simulator.kinds import fields
from rasa_whatsapp.simulator.kinds.context import SendContext
from rasa_whatsapp.simulator.kinds.shop import sections_of
from rasa_whatsapp.simulator.refusals import Refused

# sub_type -> (the template's button types it fills, the type of its parameter)
SUB_TYPES: dict[str, tuple[tuple[str, ...], str]] = {
    "quick_reply": (("QUICK_REPLY",), "payload"),
    "url": (("URL", "OTP"), "text"),
    "copy_code": (("COPY_CODE",), "coupon_code"),
    "flow": (("FLOW",), "action"),
    "catalog": (("CATALOG",), "action"),
    "mpm": (("MPM",), "action"),
}
COUPON_CODE = 20
PAYLOAD = 128
URL = 2000
_NEEDED = ("otp", "copy_code", "mpm")
THUMBNAIL = "thumbnail_product_retailer_id"
# What the page does with a button that shows products.
_SHOWN_AS = {"mpm": "product", "spm": "product"}


def read_buttons(
    template: Template, components: list[dict[str, Any]], context: SendContext, card: int | None = None
) -> tuple[Button, ...]:
    """Return the template's buttons with what the components put into them; those of a card have its index before theirs."""
    approved = template.buttons()
    if context.to_user_id and template.category == "AUTHENTICATION":
        raise Refused(131062, "One-tap, zero-tap and copy-code templates need a phone number")
    values: dict[int, str] = {}
    for component in components:
        index = _index(component, len(approved))
        if index in values:
            raise Refused(100, f"buttons: Button at index {index} is given twice")
        values[index] = _value(component, str(approved[index]["type"]).upper(), index)
    before = "" if card is None else f"{card}."
    return tuple(_button(button, index, values.get(index), before) for index, button in enumerate(approved))


def products_behind(components: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the bubble's part for the products that a button shows; a template's are of the account's only catalogue."""
    for component in components:
        if str(component.get("sub_type", "")).lower() == "mpm":
            sections = sections_of(component["parameters"][0]["action"], "buttons")
            return {"products": {"catalog_id": "connected", "sections": sections}}
    return {}


def _index(component: dict[str, Any], count: int) -> int:
    index = component.get("index")
    text = str(index) if isinstance(index, (str, int)) and not isinstance(index, bool) else ""
    if not text.isdecimal():
        raise Refused(131008, "buttons: index is missing")
    if int(text) >= count:
        raise Refused(132018, f"buttons: the template has no button at index {text}")
    return int(text)


def _value(component: dict[str, Any], approved_type: str, index: int) -> str:
    sub_type = str(component.get("sub_type", "")).lower()
    if sub_type not in SUB_TYPES:
        raise Refused(131051, f"The simulator does not play template buttons of sub_type {sub_type or 'none'}")
    types, parameter_type = SUB_TYPES[sub_type]
    if approved_type not in types:
        raise Refused(132018, f"buttons: Button at index {index} is of type {approved_type}, not {sub_type}")
    parameters = component["parameters"]
    if len(parameters) != 1:
        raise Refused(132000, f"buttons: Button at index {index} takes one parameter, received {len(parameters)}")
    if parameters[0].get("type") != parameter_type:
        raise Refused(132012, f"buttons: Button at index {index} expects a parameter of type {parameter_type}")
    if parameter_type == "action":
        return _action(fields.object_at(parameters[0], "action", f"buttons[{index}]"), sub_type, index)
    value = fields.string_at(parameters[0], parameter_type, f"buttons[{index}]")
    if not value:
        raise Refused(131008, f"buttons: Button at index {index} has an empty {parameter_type}")
    most = {"coupon_code": COUPON_CODE, "payload": PAYLOAD}.get(parameter_type)
    if most is not None and fields.units(value) > most:
        raise Refused(131009, f"buttons: Button at index {index}: {parameter_type} has at most {most} characters")
    return value


def _action(action: dict[str, Any], sub_type: str, index: int) -> str:
    """Check what a form, the catalogue or a list of products begins with; it changes nothing of how the button looks."""
    path = f"buttons[{index}]['action']"
    if sub_type == "flow":
        fields.optional_string(action, "flow_token", path)
        if action.get("flow_action_data") is not None:
            fields.object_at(action, "flow_action_data", path)
    elif sub_type == "catalog":
        fields.optional_string(action, THUMBNAIL, path)
    else:
        fields.identifier(action, THUMBNAIL, path)
        sections_of(action, path)
    return ""


def _button(approved: dict[str, Any], index: int, value: str | None, before: str) -> Button:
    kind = str(approved["type"]).lower()
    title = str(approved.get("text", ""))
    if kind == "quick_reply":
        # Without a payload at send time, the label comes back as the payload (fact sheet 2.2).
        return Button(id=f"{before}{index}", title=title, kind=kind, payload=title if value is None else value)
    url = str(approved.get("url", "")) or None
    if value is None and (kind in _NEEDED or variables(url or "")):
        raise Refused(131008, f"buttons: Button at index {index} of type {kind.title()} requires a parameter")
    if url is not None and value is not None:
        url = url.split("{{")[0] + value
        if fields.units(url) > URL:
            raise Refused(131009, f"buttons: Button at index {index}: the URL has at most {URL} characters")
    return Button(id=f"{before}{index}", title=title, kind=_SHOWN_AS.get(kind, kind), url=url)
