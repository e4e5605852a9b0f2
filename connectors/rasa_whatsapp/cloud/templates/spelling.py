"""`custom.template` of a response to a TemplateUse, and a stored one back: the same spelling, so the same reader.

Only the form is checked here; texts and numbers become texts, since a slot may hold either. Raises DraftImpossible naming the key.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from rasa_whatsapp.cloud.scalars import kind_of, meant
from rasa_whatsapp.cloud.templates.uses import TemplateUse, Values
from rasa_whatsapp.cloud.wire import JSONDict
from rasa_whatsapp.errors import DraftImpossible

_KEYS = (
    "name", "language", "parameters", "header", "buttons", "payloads", "code", "limited_time_offer", "cards",
)  # fmt: skip
_CARD_KEYS = ("parameters", "header", "buttons")
_FILE = ("id", "link")
_HEADERS: Mapping[str, Sequence[str]] = {
    "text": (),
    "image": _FILE,
    "video": _FILE,
    "document": (*_FILE, "filename"),
    "location": ("latitude", "longitude", "name", "address"),
    "product": ("product_retailer_id", "catalog_id"),
}
_MEDIA = ("image", "video", "document")
# The older kinds of a value, which Meta may write in the customer's own way (fact sheet 6.1).
_LEGACY: Mapping[str, Sequence[str]] = {
    "currency": ("fallback_value", "code", "amount_1000"),
    "date_time": ("fallback_value",),
}
_BUTTONS = ({"payload"}, {"suffix"}, {"code"}, {"flow"}, {"thumbnail"}, {"thumbnail", "sections"})
_BUTTON_KEYS = ("payload", "suffix", "code", "flow", "thumbnail", "sections")


def read_use(template: Any, path: str, customer_language: str | None = None) -> TemplateUse:
    """Return what `custom.template` asks for, a mapping or a list of them; raises DraftImpossible naming the key below `path`."""
    if not isinstance(template, list):
        return replace(_use(template, path), customer_language=customer_language)
    if not template:
        raise DraftImpossible(f"{path} is an empty list")
    found: TemplateUse | None = None
    for position in reversed(range(len(template))):
        use = _use(template[position], f"{path}[{position}]")
        found = replace(use, customer_language=customer_language, otherwise=found)
    assert found is not None
    return found


def use_from_json(stored: Mapping[str, Any]) -> TemplateUse:
    """Return what `TemplateUse.to_json` made, of this version or an earlier one."""
    otherwise = stored.get("otherwise")
    use = _use({key: value for key, value in stored.items() if key in _KEYS}, "template")
    return replace(
        use,
        customer_language=stored.get("customer_language"),
        otherwise=use_from_json(otherwise) if otherwise else None,
    )


def _use(template: Any, path: str) -> TemplateUse:
    if not isinstance(template, Mapping) or not isinstance(template.get("name"), str):
        raise DraftImpossible(f"{path} needs a name")
    _refuse_unknown(template, _KEYS, path)
    values = _values(template, path)
    payloads = _list(template, "payloads", path)
    if payloads and any("payload" in button for button in values.buttons):
        raise DraftImpossible(f"{path}.payloads is the short form of buttons with a payload; give one of them")
    offer = _mapping(template, "limited_time_offer", path)
    _refuse_unknown(offer or {}, ("expires_at",), f"{path}.limited_time_offer")
    return TemplateUse(
        name=template["name"],
        language=_word(template.get("language"), f"{path}.language") or None,
        parameters=values.parameters,
        header=values.header,
        buttons=values.buttons,
        payloads=tuple(_word(payload, f"{path}.payloads[{at}]") for at, payload in enumerate(payloads)),
        code=_optional(template, "code", path),
        expires_at=None if offer is None else _word(offer.get("expires_at"), f"{path}.limited_time_offer.expires_at"),
        cards=tuple(
            _card(card, f"{path}.cards[{position}]") for position, card in enumerate(_list(template, "cards", path))
        ),
    )


def _card(card: Any, path: str) -> Values:
    if not isinstance(card, Mapping):
        raise DraftImpossible(f"{path} is {kind_of(card)}, not a mapping")
    _refuse_unknown(card, _CARD_KEYS, path)
    return _values(card, path)


def _values(holder: Mapping[str, Any], path: str) -> Values:
    return Values(
        parameters=_parameters(holder.get("parameters"), f"{path}.parameters"),
        header=_header(_mapping(holder, "header", path), f"{path}.header"),
        buttons=tuple(
            _button(button, f"{path}.buttons[{position}]")
            for position, button in enumerate(_list(holder, "buttons", path))
        ),
    )


def _parameters(given: Any, path: str) -> dict[str, str | JSONDict]:
    """Return the values by their names, or by their numbers from 1 on if they are a list."""
    if isinstance(given, list):
        given = dict(enumerate(given, start=1))
    if not isinstance(given or {}, Mapping):
        raise DraftImpossible(f"{path} must be a mapping of names to values, or a list of values")
    return {str(name): _parameter(value, f"{path}.{name}") for name, value in (given or {}).items()}


def _parameter(value: Any, path: str) -> str | JSONDict:
    if not isinstance(value, Mapping):
        return _word(value, path)
    kind = str(next(iter(value), ""))
    if len(value) != 1 or kind not in _LEGACY or not isinstance(value[kind], Mapping):
        raise DraftImpossible(f"{path} is neither a text nor one mapping under {' or '.join(_LEGACY)}")
    return {kind: _words(value[kind], _LEGACY[kind], f"{path}.{kind}")}


def _header(header: Mapping[str, Any] | None, path: str) -> JSONDict | None:
    if header is None:
        return None
    _refuse_unknown(header, tuple(_HEADERS), path)
    if len(header) != 1:
        raise DraftImpossible(f"{path} needs one of {', '.join(_HEADERS)}")
    kind, value = next(iter(header.items()))
    if kind == "text":
        return {"text": _word(value, f"{path}.text")}
    if not isinstance(value, Mapping):
        raise DraftImpossible(f"{path}.{kind} is {kind_of(value)}, not a mapping with {', '.join(_HEADERS[kind])}")
    if kind in _MEDIA and len(set(value) & set(_FILE)) != 1:
        raise DraftImpossible(f"{path}.{kind} needs either a link or the id of an uploaded file")
    return {kind: _words(value, _HEADERS[kind], f"{path}.{kind}")}


def _button(button: Any, path: str) -> JSONDict:
    if not isinstance(button, Mapping):
        raise DraftImpossible(f"{path} is {kind_of(button)}, not a mapping")
    _refuse_unknown(button, _BUTTON_KEYS, path)
    if set(button) not in _BUTTONS:
        raise DraftImpossible(
            f"{path} needs one of payload, suffix, code, flow or thumbnail; sections need a thumbnail"
        )
    read: JSONDict = {}
    for key, value in button.items():
        if key == "flow":
            read[key] = _flow(value, f"{path}.flow")
        elif key == "sections":
            read[key] = [
                _section(section, f"{path}.sections[{at}]") for at, section in enumerate(_list(button, key, path))
            ]
        else:
            read[key] = _word(value, f"{path}.{key}")
    return read


def _flow(flow: Any, path: str) -> JSONDict:
    """Return what a form starts with; `data` is the designer's own, for the form's first screen."""
    if not isinstance(flow, Mapping):
        raise DraftImpossible(f"{path} is {kind_of(flow)}, not a mapping with token or data")
    _refuse_unknown(flow, ("token", "data"), path)
    data = _mapping(flow, "data", path)
    return {"token": _word(flow.get("token"), f"{path}.token"), "data": None if data is None else dict(data)}


def _section(section: Any, path: str) -> JSONDict:
    if not isinstance(section, Mapping):
        raise DraftImpossible(f"{path} is {kind_of(section)}, not a mapping with title and products")
    _refuse_unknown(section, ("title", "products"), path)
    products = _list(section, "products", path)
    return {
        "title": _word(section.get("title"), f"{path}.title"),
        "products": [_word(product, f"{path}.products[{at}]") for at, product in enumerate(products)],
    }


def _refuse_unknown(holder: Mapping[Any, Any], known: Sequence[str], path: str) -> None:
    unknown = sorted(str(key) for key in holder if key not in known)
    if unknown:
        expected = " or ".join(filter(None, (", ".join(known[:-1]), known[-1])))
        raise DraftImpossible(f"{path}.{unknown[0]} is not known; expected {expected}{meant(unknown[0], known)}")


def _words(holder: Mapping[str, Any], known: Sequence[str], path: str) -> dict[str, str]:
    _refuse_unknown(holder, known, path)
    return {key: _word(value, f"{path}.{key}") for key, value in holder.items()}


def _word(value: Any, path: str) -> str:
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        raise DraftImpossible(f"{path} is {kind_of(value)}, not a text")
    return str(value)


def _optional(holder: Mapping[str, Any], key: str, path: str) -> str | None:
    return _word(holder[key], f"{path}.{key}") if holder.get(key) is not None else None


def _list(holder: Mapping[str, Any], key: str, path: str) -> list[Any]:
    value = holder.get(key) or []
    if not isinstance(value, list):
        raise DraftImpossible(f"{path}.{key} is {kind_of(value)}, not a list")
    return value


def _mapping(holder: Mapping[str, Any], key: str, path: str) -> Mapping[str, Any] | None:
    value = holder.get(key)
    if value is not None and not isinstance(value, Mapping):
        raise DraftImpossible(f"{path}.{key} is {kind_of(value)}, not a mapping")
    return value
