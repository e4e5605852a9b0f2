"""What a response asks of a template: by name, with what goes into it, and which one otherwise; as JSON while it waits to be sent.

How it is spelled in a response is read by spelling.py, whether it fits the approved template is told by filling.py.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from rasa_whatsapp.cloud.wire import JSONDict


@dataclass(frozen=True, slots=True, kw_only=True)
class Values:
    """What goes into a template, or into one card of its carousel, in the words of the response."""

    parameters: Mapping[str, str | JSONDict]
    header: JSONDict | None = None
    buttons: Sequence[JSONDict] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateUse(Values):
    """What a response asks for: a template by name, and what goes into it; `otherwise` is tried if it cannot be sent.

    `payloads` are the short form of quick-reply buttons. `code` is the one of an authentication template, `expires_at` the end of a
    limited-time offer. `language` is what the response asks for, `customer_language` what the dialogue knew of the customer.
    """

    name: str
    language: str | None = None
    customer_language: str | None = None
    payloads: Sequence[str] = ()
    code: str | None = None
    expires_at: str | None = None
    cards: Sequence[Values] = ()
    otherwise: TemplateUse | None = None

    @property
    def in_order(self) -> Iterator[TemplateUse]:
        """Yield the templates in the order in which they are to be tried."""
        use: TemplateUse | None = self
        while use is not None:
            yield use
            use = use.otherwise

    def without(self, name: str) -> TemplateUse | None:
        """Return what is left to be tried when the template of this name was not taken; what stood before it is judged anew."""
        rest = self.otherwise.without(name) if self.otherwise else None
        return rest if self.name == name else replace(self, otherwise=rest)

    @property
    def choices(self) -> dict[str, str]:
        """Return what a tap on its quick replies, or on those of the templates after it, brings back, and means."""
        return {payload: payload for use in self.in_order for payload in _payloads(use)}

    @property
    def links(self) -> tuple[str, ...]:
        """Return the links to files in headers, of the templates after it, too."""
        headers = [part.header or {} for use in self.in_order for part in (use, *use.cards)]
        files = [file for header in headers for file in header.values() if isinstance(file, dict)]
        return tuple(dict.fromkeys(file["link"] for file in files if "link" in file))

    @property
    def languages(self) -> tuple[str, ...]:
        """Return the languages that the response and the dialogue want, the first one first."""
        return tuple(filter(None, (self.language, self.customer_language)))

    def to_json(self) -> JSONDict:
        """Return it as the store keeps it; what it does not have is left out."""
        more: JSONDict = {
            "customer_language": self.customer_language,
            "code": self.code,
            "limited_time_offer": {"expires_at": self.expires_at} if self.expires_at is not None else None,
            "cards": [_to_json(card) for card in self.cards],
            "otherwise": self.otherwise.to_json() if self.otherwise else None,
        }
        return {
            "name": self.name,
            "language": self.language,
            "payloads": list(self.payloads),
            **_to_json(self),
            **{key: value for key, value in more.items() if value is not None and value != []},
        }


def _payloads(use: TemplateUse) -> Iterator[str]:
    yield from use.payloads
    for holder in (use, *use.cards):
        yield from (button["payload"] for button in holder.buttons if "payload" in button)


def _to_json(values: Values) -> JSONDict:
    more = {"header": values.header, "buttons": [dict(button) for button in values.buttons]}
    return {"parameters": dict(values.parameters), **{key: value for key, value in more.items() if value}}
