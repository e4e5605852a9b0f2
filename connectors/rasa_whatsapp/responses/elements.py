"""The elements of a response: a carousel where Meta's rules allow one that shows everything, else one message after the other.

https://developers.facebook.com/documentation/business-messaging/whatsapp/messages/interactive-media-carousel-messages
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rasa_whatsapp.cloud import limits
from rasa_whatsapp.cloud.drafts import MORE_ID, Card, Carousel, Draft
from rasa_whatsapp.errors import DraftImpossible
from rasa_whatsapp.responses.attachments import Attachment, attachment_of
from rasa_whatsapp.responses.fields import buttons_in, mappings_in, words_in
from rasa_whatsapp.responses.layout import Parts, drafts_of
from rasa_whatsapp.responses.options import Choice, MenuWords, choice_of, with_short_end


@dataclass(frozen=True, slots=True)
class Element:
    """One element: title, subtitle and perhaps an address as its text, its image, what it offers."""

    key: str
    text: str
    image: Attachment | None
    choice: Choice

    @property
    def shape(self) -> tuple[int, int]:
        """Return how many options and how many addresses it has; the cards of a carousel are alike in it."""
        return len(self.choice.options), len(self.choice.addresses)


def elements_of(value: Any, marked: Callable[[str], str]) -> list[Element]:
    """Return what the elements hold, their words passed through `marked`; raises DraftImpossible."""
    taken = {MORE_ID}
    found = mappings_in(value, "elements")
    return [_element(f"elements[{index}]", element, marked, taken) for index, element in enumerate(found)]


def drafts_of_elements(text: str, elements: Sequence[Element], words: MenuWords) -> list[Draft]:
    """Return the elements under a text as a carousel, or the text and then each element; raises DraftImpossible."""
    if text and _fit_a_carousel(elements):
        before, end = with_short_end(text, limits.INTERACTIVE_BODY)
        return [*before, Carousel(end, tuple(_card(element) for element in elements))]
    drafts = drafts_of(Parts(text=text), words)
    for element in elements:
        images = (element.image,) if element.image else ()
        parts = Parts(text=element.text, attachments=images, choice=element.choice, key=f"{element.key}.")
        drafts.extend(drafts_of(parts, words))
    return drafts


def _element(key: str, element: Mapping[str, Any], marked: Callable[[str], str], taken: set[str]) -> Element:
    image = element.get("image_url") or element.get("image")
    choice = choice_of(buttons_in(element, f"{key}."), taken)
    action = element.get("default_action")
    opened = [words_in(element, "item_url", key)]
    opened += [words_in(action, "url", f"{key}.default_action")] if isinstance(action, Mapping) else []
    known = {"", *(address.url for address in choice.addresses)}
    lines = [marked(words_in(element, name, key)) for name in ("title", "subtitle")]
    text = "\n".join(line for line in (*lines, *dict.fromkeys(url for url in opened if url not in known)) if line)
    if not text and not image and not choice.options and not choice.addresses:
        raise DraftImpossible(f"{key} has neither title nor image")
    return Element(key, text, attachment_of(f"{key}.image_url", image, "image") if image else None, choice)


def _fit_a_carousel(elements: Sequence[Element]) -> bool:
    """Tell whether Meta's rules allow cards that show all of every element."""
    shapes = {element.shape for element in elements}
    if not limits.FEWEST_CARDS <= len(elements) <= limits.CARDS or len(shapes) != 1:
        return False
    options, addresses = shapes.pop()
    one_kind = (options == 0 and addresses == 1) or (1 <= options <= limits.CARD_BUTTONS and addresses == 0)
    return one_kind and all(_fits_a_card(element) for element in elements)


def _fits_a_card(element: Element) -> bool:
    titles = [option.title for option in element.choice.options]
    return (
        element.image is not None
        and not element.image.caption
        and not element.choice.lines
        and limits.length(element.text) <= limits.CARD_BODY
        and element.text.count("\n") <= limits.CARD_LINE_BREAKS
        and len(set(titles)) == len(titles)
        and all(limits.length(title) <= limits.REPLY_BUTTON_TITLE and "\n" not in title for title in titles)
        and not any(option.description for option in element.choice.options)
    )


def _card(element: Element) -> Card:
    assert element.image is not None
    address = element.choice.addresses[0] if element.choice.addresses else None
    title, url = (address.title, address.url) if address else ("", "")
    return Card(element.image.media, element.text, element.choice.options, title, url)
