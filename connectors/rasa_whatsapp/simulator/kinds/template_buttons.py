"""The buttons of a template message: what was sent for them, held against the approved ones.

`index` counts over all buttons of the template; one component per button (fact sheet 6.1).
"""

from __future__ import annotations

from typing import Any

from rasa_whatsapp.simulator.bubbles import Button
from rasa_whatsapp.simulator.catalogue import Template, variables
from rasa_whatsapp.simulator.kinds import fields
from rasa_whatsapp.simulator.kinds.context import SendContext
from rasa_whatsapp.simulator.refusals import Refused

# sub_type -> (the template's button types it fills, the type of its parameter)
SUB_TYPES: dict[str, tuple[tuple[str, ...], str]] = {
    "quick_reply": (("QUICK_REPLY",), "payload"),
    "url": (("URL", "OTP"), "text"),
    "copy_code": (("COPY_CODE",), "coupon_code"),
}


def read_buttons(template: Template, components: list[dict[str, Any]], context: SendContext) -> tuple[Button, ...]:
    """Return the template's buttons with what the components put into them."""
    approved = template.buttons()
    if context.to_user_id and template.category == "AUTHENTICATION":
        raise Refused(131062, "One-tap, zero-tap and copy-code templates need a phone number")
    values: dict[int, str] = {}
    for component in components:
        index = _index(component, len(approved))
        if index in values:
            raise Refused(100, f"buttons: Button at index {index} is given twice")
        values[index] = _value(component, str(approved[index]["type"]).upper(), index)
    return tuple(_button(button, index, values.get(index)) for index, button in enumerate(approved))


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
    value = fields.string_at(parameters[0], parameter_type, f"buttons[{index}]")
    if not value:
        raise Refused(131008, f"buttons: Button at index {index} has an empty {parameter_type}")
    return value


def _button(approved: dict[str, Any], index: int, value: str | None) -> Button:
    kind = str(approved["type"]).lower()
    title = str(approved.get("text", ""))
    if kind == "quick_reply":
        # Without a payload at send time, the label comes back as the payload (fact sheet 2.2).
        return Button(id=str(index), title=title, kind=kind, payload=title if value is None else value)
    url = str(approved.get("url", "")) or None
    if value is None and (kind == "otp" or variables(url or "")):
        raise Refused(131008, f"buttons: Button at index {index} of type Url requires a parameter")
    if url is not None and value is not None:
        url = url.split("{{")[0] + value
    return Button(id=str(index), title=title, kind=kind, url=url)
