"""A template in one language, as Meta has it: an entry of the catalogue to what can be filled in it.

Static parts (footer, phone button, fixed address) are not kept: they are never sent.
https://developers.facebook.com/documentation/business-messaging/whatsapp/templates/components
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from rasa_whatsapp.cloud.wire import JSONDict

_VARIABLE = re.compile(r"\{\{\s*([a-z0-9_]+)\s*\}\}")
APPROVED = "APPROVED"
AUTHENTICATION = "AUTHENTICATION"
_CATEGORIES = ("UTILITY", "MARKETING", AUTHENTICATION)


@dataclass(frozen=True, slots=True)
class Button:
    """A button by its type (`QUICK_REPLY`, `URL` ...); `url` is the address of one that opens a page."""

    kind: str
    url: str = ""

    @property
    def is_open(self) -> bool:
        """Tell whether its address ends with a variable."""
        return bool(_VARIABLE.search(self.url))


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What can be filled in a template, or in one card of its carousel.

    `header_kind` is `text`, `image`, `video`, `document`, `location`, `product`, or empty for none; `header` is a text header's text.
    """

    named: bool
    header_kind: str = ""
    header: str = ""
    body: str = ""
    buttons: tuple[Button, ...] = ()

    @property
    def header_variables(self) -> tuple[str, ...]:
        """Return the variables of a text header in order."""
        return tuple(dict.fromkeys(_VARIABLE.findall(self.header)))

    @property
    def body_variables(self) -> tuple[str, ...]:
        """Return the variables of the body in the order in which Meta expects their values."""
        found = tuple(dict.fromkeys(_VARIABLE.findall(self.body)))
        return found if self.named else tuple(sorted(found, key=int))


@dataclass(frozen=True, slots=True, kw_only=True)
class Translation(Part):
    """One template in one language; `has_countdown` when its limited-time offer shows until when it lasts."""

    name: str
    language: str
    category: str
    status: str
    has_offer: bool = False
    has_countdown: bool = False
    cards: tuple[Part, ...] = ()


def substituted(text: str, value_of: Callable[[str], str]) -> str:
    """Return a template's text with the values of its variables in it."""
    return _VARIABLE.sub(lambda found: value_of(found[1]), text)


def status_of(plain: JSONDict) -> str:
    """Return the status that an entry says a template has; what says nothing counts as approved."""
    return str(plain.get("status", APPROVED)).upper()


def read_translation(plain: JSONDict) -> Translation:
    """Return one entry of the catalogue; raises ValueError naming the field.

    The body of an AUTHENTICATION template is Meta's, so its text may be missing.
    """
    for key in ("name", "language", "category"):
        if not isinstance(plain.get(key), str) or not plain[key]:
            raise ValueError(f"{key} is missing or not a text")
    category = str(plain["category"]).upper()
    if category not in _CATEGORIES:
        raise ValueError(f"category is {plain['category']!r}; expected UTILITY, MARKETING or AUTHENTICATION")
    named = str(plain.get("parameter_format", "POSITIONAL")).upper() == "NAMED"
    parts = _components_by_type(plain.get("components"))
    body = parts.get("BODY", {}).get("text", "" if category == AUTHENTICATION and "BODY" in parts else None)
    if not isinstance(body, str):
        raise ValueError("components has no BODY with a text")
    whole = _part(parts, named)
    offer = parts.get("LIMITED_TIME_OFFER", {}).get("limited_time_offer")
    return Translation(
        name=plain["name"],
        language=plain["language"],
        category=category,
        status=status_of(plain),
        named=named,
        header_kind=whole.header_kind,
        header=whole.header,
        body=whole.body,
        buttons=whole.buttons,
        has_offer="LIMITED_TIME_OFFER" in parts,
        has_countdown=isinstance(offer, dict) and offer.get("has_expiration") is True,
        cards=_cards(parts.get("CAROUSEL"), named),
    )


def _components_by_type(components: object) -> dict[str, JSONDict]:
    if not isinstance(components, list) or not all(isinstance(part, dict) for part in components):
        raise ValueError("components is missing or not a list of objects")
    return {str(part.get("type", "")).upper(): part for part in components}


def _part(parts: dict[str, JSONDict], named: bool) -> Part:
    header = parts.get("HEADER")
    part = Part(
        named=named,
        header_kind="" if header is None else str(header.get("format", "TEXT")).lower(),
        header=str((header or {}).get("text", "")),
        body=str(parts.get("BODY", {}).get("text", "")),
        buttons=_buttons(parts.get("BUTTONS", {}).get("buttons")),
    )
    if not named and not all(variable.isdigit() for variable in _VARIABLE.findall(part.body)):
        raise ValueError("the body has named variables: parameter_format must be NAMED")
    return part


def _buttons(buttons: object) -> tuple[Button, ...]:
    if buttons is None:
        return ()
    if not isinstance(buttons, list) or not all(isinstance(button, dict) for button in buttons):
        raise ValueError("buttons is not a list of objects")
    return tuple(Button(str(button.get("type", "")).upper(), str(button.get("url", ""))) for button in buttons)


def _cards(carousel: JSONDict | None, named: bool) -> tuple[Part, ...]:
    if carousel is None:
        return ()
    cards = carousel.get("cards")
    if not isinstance(cards, list) or not cards or not all(isinstance(card, dict) for card in cards):
        raise ValueError("the CAROUSEL has no list of cards")
    return tuple(_part(_components_by_type(card.get("components")), named) for card in cards)
