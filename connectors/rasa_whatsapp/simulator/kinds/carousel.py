"""Carousels: two to ten cards with a picture or video and a button, or with a product each.

M:messages/interactive-media-carousel-messages, interactive-product-carousel-messages. All cards are of one kind. Quick
replies on media cards are accepted, too (secondary: client libraries send them).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from rasa_whatsapp.simulator.bubbles import Bubble, Button, Card
from rasa_whatsapp.simulator.kinds import fields
from rasa_whatsapp.simulator.kinds.choices import reply_button
from rasa_whatsapp.simulator.kinds.context import SendContext
from rasa_whatsapp.simulator.kinds.frame import ACTION, action_of, framed
from rasa_whatsapp.simulator.kinds.media import read_source
from rasa_whatsapp.simulator.kinds.shop import product_of
from rasa_whatsapp.simulator.kinds.single_button import link_button
from rasa_whatsapp.simulator.refusals import Refused

LEAST_CARDS, MOST_CARDS = 2, 10
CARD_BODY, CARD_LINE_BREAKS = 160, 2
MEDIA_HEADERS = ("image", "video")
CARD_TYPES = ("cta_url", "product")


def read_carousel(interactive: dict[str, Any], context: SendContext) -> Bubble:
    """Read a body and the cards under it; there is neither an outer header nor a footer."""
    cards = fields.list_at(action_of(interactive), "cards", ACTION)
    if not LEAST_CARDS <= len(cards) <= MOST_CARDS:
        raise Refused(131009, f"Invalid cards count. Min allowed: {LEAST_CARDS}, Max allowed: {MOST_CARDS}")
    shown = tuple(_card(card, index, context) for index, card in enumerate(cards))
    if len({_likeness(card) for card in shown}) > 1:
        raise Refused(131009, "All cards must have the same kind of header and of buttons")
    return replace(framed(interactive, context, footer=False), cards=shown)


def _card(value: Any, index: int, context: SendContext) -> Card:
    path = f"{ACTION}['cards'][{index}]"
    card = fields.an_object(value, path)
    number = fields.required(card, "card_index", path)
    if isinstance(number, bool) or number != index:
        raise Refused(131009, f"Param {path}['card_index'] must count from 0 in the order of the cards")
    kind = fields.one_of(card, "type", path, CARD_TYPES)
    action = fields.object_at(card, "action", path)
    if kind == "product":
        return Card(product=product_of(action, f"{path}['action']"))
    header = fields.object_at(card, "header", path)
    media = fields.one_of(header, "type", f"{path}['header']", MEDIA_HEADERS)
    source = fields.object_at(header, media, f"{path}['header']")
    return Card(
        media=read_source(source, media, f"{path}['header']['{media}']", context),
        text=_text(card, path),
        buttons=_buttons(action, f"{path}['action']", index),
    )


def _text(card: dict[str, Any], path: str) -> str | None:
    if card.get("body") is None:
        return None
    body = fields.object_at(card, "body", path)
    text = fields.bounded(body, "text", f"{path}['body']", label="Card body text", limit=CARD_BODY)
    if text.count("\n") > CARD_LINE_BREAKS:
        raise Refused(131009, f"Card body text has at most {CARD_LINE_BREAKS} line breaks")
    return text


def _buttons(action: dict[str, Any], path: str, index: int) -> tuple[Button, ...]:
    if action.get("buttons") is None:
        fields.one_of(action, "name", path, ("cta_url",))
        return (link_button(action, path, str(index)),)
    buttons = [fields.an_object(button, path) for button in fields.list_at(action, "buttons", path)]
    if not buttons:
        raise Refused(131009, "A card needs a button")
    for button in buttons:
        fields.one_of(button, "type", path, ("quick_reply",))
    return tuple(reply_button(fields.object_at(button, "quick_reply", path), path) for button in buttons)


def _likeness(card: Card) -> tuple[str | None, tuple[str, ...]]:
    return (card.media.kind if card.media is not None else None, tuple(button.kind for button in card.buttons))
