"""A translation and what a response gives for it, to the Graph object; or to all by which they do not fit.

`header`, `body`, `limited_time_offer`, a component for each button, `carousel`: only what the response fills is sent, in this order.
https://developers.facebook.com/documentation/business-messaging/whatsapp/messages/template-messages
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rasa_whatsapp.cloud import limits
from rasa_whatsapp.cloud.scalars import link, number
from rasa_whatsapp.cloud.templates.buttons import buttons_of
from rasa_whatsapp.cloud.templates.translations import AUTHENTICATION, Part, Translation, substituted
from rasa_whatsapp.cloud.templates.uses import TemplateUse, Values
from rasa_whatsapp.cloud.templates.values import Misfit, ValueReader
from rasa_whatsapp.cloud.wire import JSONDict

_MEDIA = ("image", "video", "document")
_PRODUCT = "product"
_HEADERS = ("", "text", *_MEDIA, "location", _PRODUCT)


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateMessage:
    """A translation with its values: `content` is the Graph object, `preview` the body that the customer reads."""

    name: str
    language: str
    category: str
    content: JSONDict
    preview: str


class TemplateUnusable(Exception):
    """The template cannot be sent as asked; the text says why, for a designer."""


def fill(translation: Translation, use: TemplateUse) -> TemplateMessage:
    """Return the message with the response's values in it; raises TemplateUnusable, naming template, parameter and unfilled slot."""
    reader = ValueReader()
    components, preview = _components(translation, use, reader)
    if reader.misfits:
        raise TemplateUnusable(f"template {translation.name!r}: {'; '.join(misfit.text for misfit in reader.misfits)}")
    content: JSONDict = {"name": translation.name, "language": {"code": translation.language}}
    if components:
        content["components"] = components
    return TemplateMessage(
        name=translation.name,
        language=translation.language,
        category=translation.category,
        content=content,
        preview=preview,
    )


def misfits(translation: Translation, use: TemplateUse) -> Sequence[Misfit]:
    """Return all by which a response of a domain, its slots not yet filled, does not fit a translation."""
    reader = ValueReader(slots_pending=True)
    _components(translation, use, reader)
    return reader.misfits


def _components(translation: Translation, use: TemplateUse, reader: ValueReader) -> tuple[list[JSONDict], str]:
    if translation.category == AUTHENTICATION:
        return _code(translation, use, reader)
    if use.code is not None:
        reader.note(
            "code", "code belongs to a template of category AUTHENTICATION; a button that copies one is {code: ...}"
        )
    _refuse_unknown(translation, use, "", reader)
    body, preview = _body(translation, use, "", limits.TEMPLATE_BODY, reader)
    components = [
        *_header(translation, use, "", reader),
        *body,
        *_offer(translation, use, reader),
        *buttons_of(translation.buttons, use.buttons, "", reader, use.payloads),
        *_carousel(translation, use, reader),
    ]
    return components, preview


def _code(translation: Translation, use: TemplateUse, reader: ValueReader) -> tuple[list[JSONDict], str]:
    """Return the code twice: for the body, which Meta words itself, and for the button that copies it."""
    variable = next(iter(translation.body_variables), "1")
    path = f"parameters.{variable}" if use.code is None and variable in use.parameters else "code"
    given = use.parameters.get(variable) if use.code is None else use.code
    code = reader.text(given if isinstance(given, str) else None, path, limits.ONE_TIME_CODE)
    others = [name for name in use.parameters if name != variable or use.code is not None]
    if others or use.header or use.buttons or use.payloads or use.cards or use.expires_at is not None:
        reader.note("name", "a template of category AUTHENTICATION takes a code and nothing else")
    components: list[JSONDict] = [{"type": "body", "parameters": [_named(translation, variable, _text(code))]}]
    if translation.buttons:
        components.append({"type": "button", "sub_type": "url", "index": "0", "parameters": [_text(code)]})
    return components, substituted(translation.body, lambda _: code) or code


def _refuse_unknown(part: Part, values: Values, at: str, reader: ValueReader) -> None:
    known = {*part.body_variables, *part.header_variables}
    for name in values.parameters:
        if name not in known:
            reader.note(f"{at}parameters.{name}", f"it has no parameter {name!r}; it has {_listed(known)}")


def _header(part: Part, values: Values, at: str, reader: ValueReader) -> list[JSONDict]:
    given, kind = values.header or {}, part.header_kind
    if kind not in _HEADERS:
        reader.note(f"{at}header", f"its header is {_shown(kind)}, which cannot be sent in a message of this API")
        return []
    if given and kind not in given:
        reader.note(f"{at}header", f"its header is {_shown(kind)}; the response gives {_shown(next(iter(given)))}")
        return []
    if kind == "text":
        return _text_header(part, values, at, reader)
    if not kind:
        return []
    if not given:
        reader.note(f"{at}header", f"its header is {_shown(kind)}: give header: {{{kind}: ...}}")
        return []
    value, path = given[kind], f"{at}header.{kind}"
    if kind in _MEDIA:
        sent = _file(value, path, reader)
    elif kind == "location":
        sent = _location(value, path, reader)
    else:
        sent = {key: reader.text(value.get(key), f"{path}.{key}") for key in ("product_retailer_id", "catalog_id")}
    return [{"type": "header", "parameters": [{"type": kind, kind: sent}]}]


def _text_header(part: Part, values: Values, at: str, reader: ValueReader) -> list[JSONDict]:
    given = (values.header or {}).get("text")
    variables = part.header_variables
    if given is not None and not variables:
        reader.note(f"{at}header.text", "its header has no variable")
    if not variables:
        return []
    filled: dict[str, str] = {}
    for variable in variables:
        value = values.parameters.get(variable) if given is None else given
        path = f"{at}parameters.{variable}" if given is None else f"{at}header.text"
        filled[variable] = reader.text(value if isinstance(value, str) else None, path)
    reader.whole(substituted(part.header, filled.__getitem__), f"{at}header", "header", limits.TEMPLATE_HEADER)
    return [{"type": "header", "parameters": [_named(part, name, _text(text)) for name, text in filled.items()]}]


def _file(value: JSONDict, path: str, reader: ValueReader) -> JSONDict:
    sent: JSONDict = {}
    if "id" in value:
        sent["id"] = reader.text(value["id"], f"{path}.id")
    else:
        sent["link"] = reader.shaped(value["link"], f"{path}.link", link)
    if "filename" in value:
        sent["filename"] = reader.text(value["filename"], f"{path}.filename")
    return sent


def _location(value: JSONDict, path: str, reader: ValueReader) -> JSONDict:
    """Return a place; Meta's page lists all four as what is sent."""
    return {
        "latitude": reader.shaped(value.get("latitude"), f"{path}.latitude", number(-90, 90, or_text=True)),
        "longitude": reader.shaped(value.get("longitude"), f"{path}.longitude", number(-180, 180, or_text=True)),
        "name": reader.text(value.get("name"), f"{path}.name"),
        "address": reader.text(value.get("address"), f"{path}.address"),
    }


def _body(part: Part, values: Values, at: str, most: int, reader: ValueReader) -> tuple[list[JSONDict], str]:
    sent: list[JSONDict] = []
    shown: dict[str, str] = {}
    for variable in part.body_variables:
        parameter, shown[variable] = _value(values.parameters.get(variable), f"{at}parameters.{variable}", reader)
        sent.append(_named(part, variable, parameter))
    text = substituted(part.body, shown.__getitem__)
    reader.whole(text, f"{at}parameters", "body", most)
    return [{"type": "body", "parameters": sent}] if sent else [], text


def _value(value: str | JSONDict | None, path: str, reader: ValueReader) -> tuple[JSONDict, str]:
    """Return a parameter of the body, and how it reads: an amount and a date of the older kinds in their fallback's words."""
    if not isinstance(value, dict):
        text = reader.text(value, path)
        return _text(text), text
    kind, given = next(iter(value.items()))
    text = reader.text(given.get("fallback_value"), f"{path}.{kind}.fallback_value")
    sent: JSONDict = {"fallback_value": text}
    if kind == "currency":
        sent["code"] = reader.text(given.get("code"), f"{path}.currency.code")
        sent["amount_1000"] = reader.integer(given.get("amount_1000"), f"{path}.currency.amount_1000")
    return {"type": kind, kind: sent}, text


def _offer(translation: Translation, use: TemplateUse, reader: ValueReader) -> list[JSONDict]:
    path = "limited_time_offer.expires_at"
    if use.expires_at is None:
        if translation.has_countdown:
            reader.note("limited_time_offer", f"its offer counts down: give {path}")
        return []
    if not translation.has_offer:
        reader.note("limited_time_offer", "it has no limited-time offer")
        return []
    offer = {"expiration_time_ms": reader.milliseconds(use.expires_at, path)}
    return [
        {
            "type": "limited_time_offer",
            "parameters": [{"type": "limited_time_offer", "limited_time_offer": offer}],
        }
    ]


def _carousel(translation: Translation, use: TemplateUse, reader: ValueReader) -> list[JSONDict]:
    """Return the cards: as many as approved, or of products as many as the response has."""
    parts = translation.cards
    if parts and parts[0].header_kind == _PRODUCT and limits.FEWEST_CARDS <= len(use.cards) <= limits.CARDS:
        parts = (parts[0],) * len(use.cards)
    if len(parts) != len(use.cards):
        reader.note("cards", f"it has {len(parts)} cards; the response gives {len(use.cards)}")
        return []
    cards = [
        {"card_index": index, "components": _card(part, card, f"cards[{index}].", reader)}
        for index, (part, card) in enumerate(zip(parts, use.cards, strict=True))
    ]
    return [{"type": "carousel", "cards": cards}] if cards else []


def _card(part: Part, card: Values, at: str, reader: ValueReader) -> list[JSONDict]:
    _refuse_unknown(part, card, at, reader)
    body, _ = _body(part, card, at, limits.CARD_BODY, reader)
    return [*_header(part, card, at, reader), *body, *buttons_of(part.buttons, card.buttons, at, reader)]


def _text(text: str) -> JSONDict:
    return {"type": "text", "text": text}


def _named(part: Part, variable: str, parameter: JSONDict) -> JSONDict:
    """Return a parameter with its name, if the template's have names and not numbers."""
    return {**parameter, "parameter_name": variable} if part.named else parameter


def _shown(kind: str) -> str:
    return {"": "none", "text": "a text", "image": "an image"}.get(kind, f"a {kind}")


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(names)) or "none"
