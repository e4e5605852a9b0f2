"""The cards of a template's carousel: each is held against the approved one like a template of its own.

As many cards as approved; of products two to ten, whatever was approved (M:templates/marketing-templates, media and product cards).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from rasa_whatsapp.simulator.bubbles import Card
from rasa_whatsapp.simulator.catalogue import Template
from rasa_whatsapp.simulator.kinds import fields
from rasa_whatsapp.simulator.kinds.carousel import CARD_BODY, LEAST_CARDS, MOST_CARDS
from rasa_whatsapp.simulator.kinds.context import SendContext
from rasa_whatsapp.simulator.kinds.template_buttons import read_buttons
from rasa_whatsapp.simulator.kinds.template_filling import filled_body, filled_header, read_components, single
from rasa_whatsapp.simulator.refusals import Refused

_COMPONENTS = ("header", "body", "button")


def read_cards(template: Template, components: list[dict[str, Any]], context: SendContext) -> tuple[Card, ...]:
    """Return the cards as the phone shows them; none if the template has none."""
    carousels = [part for part in components if part["type"] == "carousel"]
    if len(carousels) > 1:
        raise Refused(100, "Only one carousel component is allowed")
    sent = fields.list_at(carousels[0], "cards", "carousel") if carousels else []
    approved = _approved(template, len(sent))
    if len(sent) != len(approved):
        raise Refused(
            132000, f"carousel: number of cards ({len(sent)}) does not match the template's ({len(approved)})"
        )
    return tuple(
        _card(card, index, value, context) for index, (card, value) in enumerate(zip(approved, sent, strict=True))
    )


def _approved(template: Template, count: int) -> list[Template]:
    """Return each approved card as a template with the card's components."""
    cards = (template.component("CAROUSEL") or {}).get("cards", [])
    found = [replace(template, components=tuple(card["components"])) for card in cards]
    if found and LEAST_CARDS <= count <= MOST_CARDS:
        header = found[0].component("HEADER") or {}
        if str(header.get("format", "")).upper() == "PRODUCT":
            return [found[0]] * count
    return found


def _card(approved: Template, index: int, value: Any, context: SendContext) -> Card:
    path = f"carousel['cards'][{index}]"
    sent = fields.an_object(value, path)
    number = fields.required(sent, "card_index", path)
    if isinstance(number, bool) or number != index:
        raise Refused(131009, f"Param {path}['card_index'] must count from 0 in the order of the cards")
    components = read_components(sent, path, _COMPONENTS)
    header = filled_header(approved, single(components, "header"), context)
    pressed = [part for part in components if part["type"] == "button"]
    return Card(
        media=header.media,
        text=filled_body(approved, single(components, "body"), CARD_BODY) or None,
        # the page offers a card's product by itself
        buttons=tuple(
            button for button in read_buttons(approved, pressed, context, card=index) if button.kind != "product"
        ),
        product=header.parts.get("product"),
    )
