"""A template as the phone would show it, its variables filled with the examples that its author gave. Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from rasa_whatsapp.simulator.bubbles import Bubble, Button, Card, Media
from rasa_whatsapp.simulator.catalogue import VARIABLE, Template, variables
from rasa_whatsapp.simulator.template_parts import COUPON_LABEL

PLACES = ("IMAGE", "VIDEO", "DOCUMENT", "GIF", "LOCATION")
_PRODUCT = "A product, named with each message"


def preview(template: Template) -> Bubble:
    """Return what the phone would show; a variable without an example stays as it is written."""
    header = template.component("HEADER") or {}
    media = _medium(header)
    offer = (template.component("LIMITED_TIME_OFFER") or {}).get("limited_time_offer") or {}
    body = _filled(template.component("BODY") or {}, "body")
    return Bubble(
        header=_filled(header, "header") if header and media is None else None,
        media=media,
        text="\n\n".join(filter(None, (offer.get("text"), body))),
        footer=(template.component("FOOTER") or {}).get("text"),
        buttons=_buttons(template),
        template={"name": template.name, "language": template.language, "category": template.category},
        cards=tuple(
            _card(replace(template, components=tuple(card["components"])))
            for card in (template.component("CAROUSEL") or {}).get("cards", ())
        ),
    )


def _card(card: Template) -> Card:
    """Return a card of a carousel, which is made as a template of its own."""
    header = card.component("HEADER") or {}
    is_product = str(header.get("format", "")).upper() == "PRODUCT"
    text = _PRODUCT if is_product else _filled(card.component("BODY") or {}, "body")
    return Card(media=_medium(header), text=text or None, buttons=_buttons(card))


def _medium(header: dict[str, Any]) -> Media | None:
    kind = str(header.get("format", "TEXT")).upper()
    return Media(kind="video" if kind == "GIF" else kind.lower()) if kind in PLACES else None


def _buttons(template: Template) -> tuple[Button, ...]:
    return tuple(
        Button(id=str(index), title=str(button.get("text") or COUPON_LABEL), kind=str(button["type"]).lower())
        for index, button in enumerate(template.buttons())
    )


def _filled(part: dict[str, Any], what: str) -> str:
    text = str(part.get("text", ""))
    examples = _examples(part.get("example"), what, variables(text))
    return VARIABLE.sub(lambda match: examples.get(match.group(1), match.group(0)), text)


def _examples(example: Any, what: str, names: list[str]) -> dict[str, str]:
    """Return the examples by name; what is not as Meta has it counts as none, a file may say anything."""
    if not isinstance(example, dict):
        return {}
    named = example.get(f"{what}_text_named_params")
    if isinstance(named, list):
        return {str(one.get("param_name")): str(one.get("example", "")) for one in named if isinstance(one, dict)}
    values = example.get(f"{what}_text")
    if what == "body" and isinstance(values, list):
        values = values[0] if values else None
    numbers = sorted(name for name in names if name.isdecimal())
    texts = values if isinstance(values, list) else []
    return {name: str(texts[int(name) - 1]) for name in numbers if 0 < int(name) <= len(texts)}
