"""What a phone shows of a message, in either direction: text, media, header, footer, buttons, a list, a carousel.

Pure data. `to_json` is the part of the control API's chat messages that concerns appearance.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from rasa_whatsapp.simulator.media_table import StoredMedia


@dataclass(frozen=True, slots=True, kw_only=True)
class Button:
    """Something that can be tapped; `id` is what a tap names, `payload` what a template's button sends back."""

    id: str
    title: str
    kind: str = "reply"
    payload: str | None = None
    url: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the button as the control API shows it; what it has not is left out."""
        shown = {"id": self.id, "title": self.title, "kind": self.kind, "payload": self.payload, "url": self.url}
        return _present(shown)


@dataclass(frozen=True, slots=True, kw_only=True)
class Media:
    """A picture, recording or file: one that the simulator has, or a foreign link, which it never fetches."""

    kind: str
    stored: StoredMedia | None = None
    link: str | None = None
    filename: str | None = None
    voice: bool = False
    animated: bool = False

    def to_json(self) -> dict[str, Any]:
        """Return the media as the control API shows them."""
        shown: dict[str, Any] = {"kind": self.kind, "link": self.link, "filename": self.filename}
        if self.stored is not None:
            shown |= {
                "id": self.stored.id,
                "url": f"/control/media/{self.stored.id}",
                "mime_type": self.stored.mime_type,
                "size": self.stored.size,
                "filename": self.filename or self.stored.filename,
            }
        return _present(shown) | ({"voice": True} if self.voice else {}) | ({"animated": True} if self.animated else {})


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """One card of a carousel; `product` as on the wire."""

    media: Media | None = None
    text: str | None = None
    buttons: tuple[Button, ...] = ()
    product: dict[str, str] | None = None

    def to_json(self, index: int) -> dict[str, Any]:
        """Return the card as the control API shows it."""
        media = self.media.to_json() if self.media is not None else None
        optional = {"media": media, "text": self.text, "product": self.product}
        return {"card_index": index, "buttons": [button.to_json() for button in self.buttons], **_present(optional)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Bubble:
    """One message as it looks; `parts` are what only some kinds have, by their names in the control API."""

    text: str
    media: Media | None = None
    header: str | None = None
    footer: str | None = None
    buttons: tuple[Button, ...] = ()
    menu: dict[str, Any] | None = None  # {"button": str, "sections": [...]}, as it was sent
    template: dict[str, str] | None = None  # {"name", "language", "category"}
    cards: tuple[Card, ...] = ()
    parts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def links(self) -> bool:
        """Tell whether something in the bubble would have to be fetched from a foreign host."""
        shown = (self.media, *(card.media for card in self.cards))
        return any(media is not None and media.link is not None for media in shown)

    def to_json(self) -> dict[str, Any]:
        """Return the bubble as the control API shows it."""
        shown: dict[str, Any] = {"text": self.text, "buttons": [button.to_json() for button in self.buttons]}
        optional = {
            "media": self.media.to_json() if self.media is not None else None,
            "header": self.header,
            "footer": self.footer,
            "list": self.menu,
            "template": self.template,
            "carousel": [card.to_json(index) for index, card in enumerate(self.cards)] or None,
        }
        return shown | _present(optional) | dict(self.parts)


def _present(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}
