"""Meta's rules for what only marketing templates may have: a carousel of cards, or a limited-time offer.

What each part holds, and which other parts may stand beside it.
https://developers.facebook.com/documentation/business-messaging/whatsapp/templates/marketing-templates
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from rasa_whatsapp.cloud import limits
from rasa_whatsapp.cloud.templates.part_rules import (
    Fault,
    body_faults,
    buttons_faults,
    has_braces,
    header_faults,
    length_faults,
    text_of,
)
from rasa_whatsapp.cloud.wire import JSONDict

# header of a card -> the buttons that it may have, and how many of them
CARD_BUTTONS = {
    "IMAGE": (("QUICK_REPLY", "URL", "PHONE_NUMBER"), limits.TEMPLATE_CARD_BUTTONS),
    "VIDEO": (("QUICK_REPLY", "URL", "PHONE_NUMBER"), limits.TEMPLATE_CARD_BUTTONS),
    "PRODUCT": (("SPM", "URL"), 1),
}
CARD_PARTS = ("HEADER", "BODY", "BUTTONS")
_OFFER_HEADERS = ("IMAGE", "VIDEO")


def offer_faults(part: JSONDict, _: str) -> Iterator[Fault]:
    """Yield what Meta would refuse in a component LIMITED_TIME_OFFER."""
    offer = part.get("limited_time_offer")
    if not isinstance(offer, dict):
        yield Fault((), "limited_time_offer is missing or not a mapping with text and has_expiration")
        return
    for fault in length_faults(offer, "offer", limits.TEMPLATE_OFFER):
        yield Fault(("limited_time_offer", *fault.where), fault.text)
    if has_braces(offer):
        yield Fault(("limited_time_offer", "text"), "the offer has a variable; Meta allows none")
    if not isinstance(offer.get("has_expiration", False), bool):
        yield Fault(("limited_time_offer", "has_expiration"), "has_expiration is true or false")


def carousel_faults(part: JSONDict, form: str) -> Iterator[Fault]:
    """Yield what Meta would refuse in a component CAROUSEL; `form` is the template's parameter format."""
    cards = part.get("cards")
    if not isinstance(cards, list) or not all(isinstance(card, dict) for card in cards):
        yield Fault(("cards",), "cards is missing or not a list of mappings with components")
        return
    if not limits.FEWEST_CARDS <= len(cards) <= limits.CARDS:
        yield Fault(
            ("cards",), f"the carousel has {len(cards)} cards; Meta wants {limits.FEWEST_CARDS} to {limits.CARDS}"
        )
    first = None
    for position, card in enumerate(cards):
        found = list(_card_faults(card, form))
        yield from (Fault(("cards", position, *fault.where), fault.text) for fault in found)
        if found:
            continue
        made_of = _made_of(card)
        first = first or made_of
        if made_of != first:
            yield Fault(("cards", position), f"the card has {made_of}, another one {first}: all need the same")


def _card_faults(card: JSONDict, form: str) -> Iterator[Fault]:
    parts = card.get("components")
    if not isinstance(parts, list) or not all(isinstance(part, dict) for part in parts):
        yield Fault(("components",), "components is missing or not a list of mappings")
        return
    kinds = [text_of(part, "type").upper() for part in parts]
    for kind, count in Counter(kinds).items():
        if kind not in CARD_PARTS or count > 1:
            yield Fault(
                ("components", kinds.index(kind)),
                f"{count} components of type {kind!r} on a card; it has one each of {', '.join(CARD_PARTS)}",
            )
    if "HEADER" not in kinds:
        yield Fault(("components",), f"the card has no HEADER; it is one of {', '.join(CARD_BUTTONS)}")
    header = parts[kinds.index("HEADER")] if "HEADER" in kinds else {}
    for position, (kind, part) in enumerate(zip(kinds, parts, strict=True)):
        for fault in _card_part_faults(kind, part, form, text_of(header, "format").upper()):
            yield Fault(("components", position, *fault.where), fault.text)


def _card_part_faults(kind: str, part: JSONDict, form: str, header: str) -> Iterator[Fault]:
    if kind == "HEADER" and header not in CARD_BUTTONS:
        yield Fault(("format",), f"header format {header!r} on a card: it is one of {', '.join(CARD_BUTTONS)}")
    elif kind == "HEADER":
        yield from header_faults(part, form)
    elif kind == "BODY":
        yield from body_faults(part, form, limits.CARD_BODY)
    elif kind == "BUTTONS":
        wrong = list(buttons_faults(part, form))
        yield from wrong or _card_buttons_faults(part["buttons"], header)


def _card_buttons_faults(buttons: Sequence[JSONDict], header: str) -> Iterator[Fault]:
    if header not in CARD_BUTTONS:
        return  # that is told
    allowed, most = CARD_BUTTONS[header]
    if len(buttons) > most:
        yield Fault(("buttons",), f"{len(buttons)} buttons on a card with {header}; Meta allows {most}")
    for position, button in enumerate(buttons):
        kind = text_of(button, "type").upper()
        if kind not in allowed:
            yield Fault(
                ("buttons", position, "type"),
                f"button type {kind} on a card with {header}: it is one of {', '.join(allowed)}",
            )


def _made_of(card: JSONDict) -> str:
    """Return what a card is made of, the same text for cards that may stand in one carousel."""
    parts = {text_of(part, "type").upper(): part for part in card["components"]}
    buttons = [text_of(button, "type").upper() for button in parts.get("BUTTONS", {}).get("buttons", ())]
    texts = ["a body"] if "BODY" in parts else []
    return ", ".join([f"a header with {text_of(parts['HEADER'], 'format').upper()}", *texts, *buttons])


def neighbour_faults(positions: Mapping[str, int], components: Sequence[JSONDict], category: str) -> Iterator[Fault]:
    """Yield what may not stand in one template with a carousel or an offer; `positions` are those of the component types."""
    for kind in ("CAROUSEL", "LIMITED_TIME_OFFER"):
        if kind in positions and category != "MARKETING":
            yield Fault(("category",), f"a template with {kind} is of category MARKETING")
    if "CAROUSEL" in positions:
        for kind in sorted(set(positions) - {"CAROUSEL", "BODY"}):
            yield Fault(("components", positions[kind]), f"beside a CAROUSEL there is only a BODY, no {kind}")
    elif "LIMITED_TIME_OFFER" in positions:
        yield from _beside_an_offer(positions, components)


def _beside_an_offer(positions: Mapping[str, int], components: Sequence[JSONDict]) -> Iterator[Fault]:
    parts = {kind: components[position] for kind, position in positions.items()}
    if "FOOTER" in parts:
        yield Fault(("components", positions["FOOTER"]), "beside a LIMITED_TIME_OFFER there is no FOOTER")
    header = str(parts.get("HEADER", {}).get("format", "TEXT")).upper()
    if "HEADER" in parts and header not in _OFFER_HEADERS:
        yield Fault(
            ("components", positions["HEADER"]),
            f"header format {header!r} beside a LIMITED_TIME_OFFER: it is one of {', '.join(_OFFER_HEADERS)}",
        )
    length = limits.length(text_of(parts.get("BODY", {}), "text"))
    if limits.TEMPLATE_OFFER_BODY < length <= limits.TEMPLATE_BODY:
        yield Fault(
            ("components", positions["BODY"], "text"),
            f"the body has {length} characters; beside a LIMITED_TIME_OFFER Meta allows {limits.TEMPLATE_OFFER_BODY}",
        )
    buttons = parts.get("BUTTONS", {}).get("buttons")
    kinds = [str(button.get("type", "")).upper() for button in _mappings(buttons)]
    if "COPY_CODE" in kinds[1:]:
        yield Fault(
            ("components", positions["BUTTONS"], "buttons"),
            "beside a LIMITED_TIME_OFFER the COPY_CODE button is the first one",
        )


def _mappings(value: object) -> list[JSONDict]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
