"""A declared template to what the customer sees of it on the phone: header, body, footer and buttons, with its variables filled.

https://developers.facebook.com/documentation/business-messaging/whatsapp/templates/components
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from rasa_whatsapp.cloud.wire import JSONDict

_VARIABLE = re.compile(r"\{\{\s*([A-Za-z0-9_]+)\s*\}\}")
_ALL_SHOWN, _SHOWN_OF_MORE = 3, 2  # of more than three buttons the phone shows two, and a way to all (fact sheet 6.3)
# what Meta writes itself, in the template's language; here in English
_CODE_BODY = "*{{1}}* is your verification code."
_CODE_ADVICE = " For your security, do not share this code."
_CODE_FOOTER = "This code expires in {minutes} minutes."
_LABELS = {
    "COPY_CODE": "Copy offer code",
    "OTP": "Copy code",
    "CATALOG": "View catalog",
    "MPM": "View items",
    "SPM": "View",
}


@dataclass(frozen=True, slots=True)
class Button:
    """A button: its type and the label on it."""

    kind: str
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Bubble:
    """What is in a message's bubble; what it has not is empty. `medium` is the kind of a header that is no text."""

    medium: str = ""
    header: str = ""
    body: str = ""
    offer: str = ""
    footer: str = ""
    buttons: tuple[Button, ...] = ()
    cards: tuple[Bubble, ...] = ()

    @property
    def shown(self) -> tuple[Button, ...]:
        """Return the buttons that are shown at once."""
        return self.buttons if len(self.buttons) <= _ALL_SHOWN else self.buttons[:_SHOWN_OF_MORE]

    @property
    def hides_some(self) -> bool:
        """Tell whether the customer has to ask for the rest of the buttons."""
        return len(self.shown) < len(self.buttons)


def read_bubble(template: JSONDict, values: Mapping[str, str]) -> Bubble:
    """Return the bubble with these values, else with the examples; a variable that has neither stays as it is written."""
    parts = {str(part.get("type", "")).upper(): part for part in _objects(template.get("components"))}
    header, body, footer = parts.get("HEADER", {}), parts.get("BODY", {}), parts.get("FOOTER", {})
    kind = str(header.get("format", "TEXT")).upper()
    return Bubble(
        medium="" if kind == "TEXT" else kind,
        header=_filled(header, values),
        body=_filled(_code_body(body) if _is_for_codes(template) else body, values),
        offer=str(_object(parts.get("LIMITED_TIME_OFFER", {}).get("limited_time_offer")).get("text", "")),
        footer=_code_footer(footer) if _is_for_codes(template) else str(footer.get("text", "")),
        buttons=tuple(_button(button) for button in _objects(parts.get("BUTTONS", {}).get("buttons"))),
        cards=tuple(read_bubble(card, values) for card in _objects(parts.get("CAROUSEL", {}).get("cards"))),
    )


def variables_of(template: JSONDict) -> list[str]:
    """Return the variables that the customer sees filled, each once, in their order."""
    parts = _objects(template.get("components"))
    found = [name for part in parts for name in _VARIABLE.findall(str(part.get("text", "")))]
    for part in parts:
        found += [name for card in _objects(part.get("cards")) for name in variables_of(card)]
    return list(dict.fromkeys(found + (["1"] if _is_for_codes(template) else [])))


def _filled(part: JSONDict, values: Mapping[str, str]) -> str:
    known = {**_examples(part), **values}
    return _VARIABLE.sub(lambda found: known.get(found[1], found[0]), str(part.get("text", "")))


def _examples(part: JSONDict) -> dict[str, str]:
    """Return the examples of a part by variable."""
    known: dict[str, str] = {}
    for key, values in _object(part.get("example")).items():
        if key.endswith("_named_params"):
            known |= {str(item.get("param_name")): str(item.get("example")) for item in _objects(values)}
        elif key.endswith("_text") and isinstance(values, list):
            listed = values[0] if values and isinstance(values[0], list) else values
            known |= {str(number): str(value) for number, value in enumerate(listed, start=1)}
    return known


def _is_for_codes(template: JSONDict) -> bool:
    return str(template.get("category", "")).upper() == "AUTHENTICATION"


def _code_body(body: JSONDict) -> JSONDict:
    advice = _CODE_ADVICE if body.get("add_security_recommendation") else ""
    return {"example": {"body_text": ["123456"]}} | body | {"text": body.get("text") or f"{_CODE_BODY}{advice}"}


def _code_footer(footer: JSONDict) -> str:
    minutes = footer.get("code_expiration_minutes")
    return str(footer.get("text") or (_CODE_FOOTER.format(minutes=minutes) if minutes else ""))


def _button(button: JSONDict) -> Button:
    kind = str(button.get("type", "")).upper()
    return Button(kind, str(button.get("text") or _LABELS.get(kind) or kind))


def _objects(values: object) -> list[JSONDict]:
    return [value for value in values if isinstance(value, dict)] if isinstance(values, list) else []


def _object(value: object) -> JSONDict:
    return value if isinstance(value, dict) else {}
