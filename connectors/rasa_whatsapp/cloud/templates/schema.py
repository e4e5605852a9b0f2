"""The rules for templates as a JSON Schema, for editors that complete and check `data/whatsapp_templates.yml` while it is written.

It says what such a schema can: lengths (in code points), words, parts. How parts go together (variables and their examples, the order of
buttons, translations) only `rasa-whatsapp templates lint` tells. Draft 7, which the language servers of YAML read.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from rasa_whatsapp.cloud import limits
from rasa_whatsapp.cloud.templates.declared import KEYS, SOURCES
from rasa_whatsapp.cloud.templates.part_rules import (
    BUTTON_TYPES,
    FLOWS,
    FORMATS,
    MEDIA,
    MEDIA_ID,
    PHONE_NUMBER,
    SAMPLE_FILE,
    WEB_ADDRESS,
)
from rasa_whatsapp.cloud.templates.promotion_rules import CARD_BUTTONS, CARD_PARTS
from rasa_whatsapp.cloud.templates.rules import (
    APP,
    CATEGORIES,
    CHECKS,
    CODE_MINUTES,
    LANGUAGE,
    NAME,
    OTP_TYPES,
    OTP_TYPES_FOR_APPS,
    SECONDS,
)
from rasa_whatsapp.cloud.wire import JSONDict

_NO_VARIABLE = r"^(?![\s\S]*(\{\{|\}\}))"
_PLAIN = (
    r"(?!(\{\{[^{}]*\}\}|[^{])*([*_~\n\r]|```))"  # no line break or markup outside of variables; emoji only lint tells
)
_WORD = r"(?=[\s\S]*\S)"
_BODY = r"^(?!\s*\{\{)(?![\s\S]*\}\}\s*$)(?![\s\S]*\}\}\s*\{\{)" + _WORD


def schema() -> JSONDict:
    """Return the schema of a catalogue of templates."""
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "Templates of a WhatsApp account",
        "description": "In Meta's own words: what GET /{account}/message_templates returns.",
        "type": "object",
        "required": ["whatsapp_templates"],
        "properties": {"whatsapp_templates": {"type": "array", "items": _template()}},
    }


def _template() -> JSONDict:
    ordinary = _components(
        {"HEADER": _header(), "BODY": _body(), "FOOTER": _footer(), "BUTTONS": _buttons(), **_promotions()}
    )
    return {
        "type": "object",
        "required": ["name", "language", "category", "components"],
        "properties": {
            "name": _text(f"^{NAME.pattern}$", limits.TEMPLATE_NAME, "Small letters, digits and underscores."),
            "language": _text(f"^{LANGUAGE.pattern}$", None, "Meta's code: en, en_US, pt_BR."),
            "category": _one_of(CATEGORIES),
            "status": {"type": "string", "description": "Meta's; without it the template counts as APPROVED."},
            "parameter_format": {
                **_one_of(FORMATS),
                "description": "NAMED: {{order_id}}; POSITIONAL, the default: {{1}}.",
            },
            "message_send_ttl_seconds": {"description": "For how long Meta tries to deliver it; -1 for 30 days."},
            "components": {"type": "array"},
            **_ours(),
        },
        "allOf": [
            *(_if({"category": category}, _lifetime(category)) for category in CATEGORIES),
            {
                **_if({"category": "AUTHENTICATION"}, {"properties": {"components": _code_components()}}),
                "else": {"properties": {"components": ordinary}},
            },
            *({"if": {"required": [key]}, "then": {"required": ["response"]}} for key in KEYS),
            *({"if": _having(kind), "then": _only_for("MARKETING")} for kind in _promotions()),
            {"if": _having("CAROUSEL"), "then": _of_parts(("BODY", "CAROUSEL"))},
            {"if": _having("LIMITED_TIME_OFFER"), "then": _of_parts([kind for kind in CHECKS if kind != "FOOTER"])},
        ],
    }


def _ours() -> JSONDict:
    """Return the keys that are the catalogue's own."""
    name = {"type": "string", "minLength": 1}
    source = {
        "type": "object",
        "minProperties": 1,
        "maxProperties": 1,
        "additionalProperties": False,
        "properties": {**dict.fromkeys(SOURCES, name), "literal": {"type": ["string", "number"], "minLength": 1}},
    }
    return {
        "response": {
            "description": "Ours: the response that uses the template, or a list of them.",
            "anyOf": [name, {"type": "array", "items": name, "minItems": 1}],
        },
        "parameters": {
            "description": "Ours: what fills each variable: {slot: name}, {entity: name} or {literal: text}.",
            "type": "object",
            "additionalProperties": source,
        },
        "payloads": {
            "description": "Ours: what a tap on each quick reply means.",
            "type": "array",
            "items": name,
        },
    }


def _lifetime(category: str) -> JSONDict:
    least, most = SECONDS[category]
    month = [] if category == "MARKETING" else [{"const": -1}]
    span = {"type": "integer", "minimum": least, "maximum": most}
    return {"properties": {"message_send_ttl_seconds": {"anyOf": [span, {"type": "null"}, *month]}}}


def _components(parts: JSONDict, needed: Iterable[str] = ("BODY",)) -> JSONDict:
    """Return the schema of a list of components, each of one of these types; some are needed."""
    return {
        "type": "array",
        "items": {
            "type": "object",
            "required": ["type"],
            "properties": {"type": _one_of(parts)},
            "allOf": [_if({"type": kind}, part) for kind, part in parts.items()],
        },
        "allOf": [{"contains": _is({"type": kind})} for kind in needed],
    }


def _header() -> JSONDict:
    text = {"properties": {"text": _text(f"^{_PLAIN}{_WORD}", limits.TEMPLATE_HEADER)}, "required": ["text"]}
    without_text = [*MEDIA, "LOCATION", "PRODUCT"]
    return {
        "required": ["format"],
        "properties": {"format": _one_of(["TEXT", *without_text])},
        "allOf": [
            {"if": {"properties": {"format": _one_of(["TEXT"])}}, "then": text},
            *(_if({"format": kind}, _sample()) for kind in MEDIA),
        ],
    }


def _sample() -> JSONDict:
    handle = _text(f"^(?!{MEDIA_ID.pattern}$)", None, "A handle of Meta's upload API, such as 4::aW..., no media id.")
    handles = {"type": "array", "minItems": 1, "maxItems": 1, "items": handle}
    file = _text(_WORD, None, "Ours: the path of a sample that `templates push` uploads, from this file's folder.")
    example = {
        "type": "object",
        "properties": {"header_handle": handles, SAMPLE_FILE: file},
        "oneOf": [{"required": ["header_handle"]}, {"required": [SAMPLE_FILE]}],
    }
    return {"required": ["example"], "properties": {"example": example}}


def _body(most: int = limits.TEMPLATE_BODY) -> JSONDict:
    text = _text(_BODY, most, "No variable at the beginning or the end, nor two side by side.")
    return {"required": ["text"], "properties": {"text": text}}


def _footer() -> JSONDict:
    return {"required": ["text"], "properties": {"text": _text(_NO_VARIABLE + _WORD, limits.TEMPLATE_FOOTER)}}


def _buttons(kinds: Iterable[str] = BUTTON_TYPES, most: int = limits.TEMPLATE_BUTTONS) -> JSONDict:
    label = {"required": ["text"], "properties": {"text": _text(_NO_VARIABLE + _PLAIN + _WORD, limits.TEMPLATE_BUTTON)}}
    phone = {"phone_number": _text(f"^{PHONE_NUMBER.pattern}$", None, "Digits with the country's code.")}
    button = {
        "type": "object",
        "required": ["type"],
        "properties": {"type": _one_of([kind for kind in kinds if kind != "OTP"])},
        "allOf": [
            {**_if({"type": "COPY_CODE"}, _coupon()), "else": label},
            _if({"type": "PHONE_NUMBER"}, {"required": ["phone_number"], "properties": phone}),
            _if({"type": "URL"}, _address()),
            _if({"type": "FLOW"}, {"anyOf": [{"required": [key]} for key in FLOWS]}),
        ],
    }
    return _list_under("buttons", button, 1, most)


def _coupon() -> JSONDict:
    code = {"type": "string", "minLength": 1, "maxLength": limits.COUPON_CODE}
    either = {"anyOf": [code, {"type": "array", "items": code, "minItems": 1, "maxItems": 1}]}
    return {"required": ["example"], "properties": {"example": either}}


def _address() -> JSONDict:
    one_variable_at_the_end = r"(\{\{[^{}]*\}\})?$"
    url = _text(f"^(?={WEB_ADDRESS.pattern})[^{{}}\\s]*{one_variable_at_the_end}", limits.TEMPLATE_URL)
    examples = {"type": "array", "items": {"type": "string", "minLength": 1}, "minItems": 1, "maxItems": 1}
    has_variable = {"properties": {"url": {"pattern": r"\{\{"}}, "required": ["url"]}
    return {
        "required": ["url"],
        "properties": {"url": url},
        "allOf": [{"if": has_variable, "then": {"required": ["example"], "properties": {"example": examples}}}],
    }


def _promotions() -> JSONDict:
    card = {"type": "object", "required": ["components"], "properties": {"components": _card_components()}}
    offer = {
        "type": "object",
        "required": ["text"],
        "properties": {
            "text": _text(_NO_VARIABLE + _WORD, limits.TEMPLATE_OFFER),
            "has_expiration": {"type": "boolean", "description": "Whether it shows until when it lasts."},
        },
    }
    return {
        "CAROUSEL": _list_under("cards", card, limits.FEWEST_CARDS, limits.CARDS),
        "LIMITED_TIME_OFFER": {"required": ["limited_time_offer"], "properties": {"limited_time_offer": offer}},
    }


def _card_components() -> JSONDict:
    header = {"allOf": [{"properties": {"format": _one_of(CARD_BUTTONS)}}, _header()]}
    kinds = dict.fromkeys(kind for allowed, _ in CARD_BUTTONS.values() for kind in allowed)
    buttons = _buttons(kinds, limits.TEMPLATE_CARD_BUTTONS)
    parts = dict(zip(CARD_PARTS, (header, _body(limits.CARD_BODY), buttons), strict=True))
    return _components(parts, ["HEADER"])


def _code_components() -> JSONDict:
    not_ours: JSONDict = {"not": {"required": ["text"]}}
    app = {"required": list(APP), "properties": {key: {"type": "string", "minLength": 1} for key in APP}}
    apps = {
        "required": ["supported_apps"],
        "properties": {"supported_apps": {"type": "array", "minItems": 1, "items": app}},
    }
    accepted = {"required": ["zero_tap_terms_accepted"], "properties": {"zero_tap_terms_accepted": {"const": True}}}
    minutes = {"type": "integer", "minimum": min(CODE_MINUTES), "maximum": max(CODE_MINUTES)}
    button = {
        "type": "object",
        "required": ["type", "otp_type"],
        "properties": {
            "type": _one_of(["OTP"]),
            "otp_type": _one_of(OTP_TYPES),
            "text": _text(f"^{_PLAIN}{_WORD}", limits.TEMPLATE_BUTTON),
        },
        "allOf": [
            *({"if": _is({"otp_type": kind}), "then": {"anyOf": [apps, app]}} for kind in OTP_TYPES_FOR_APPS),
            {"if": _is({"otp_type": "ZERO_TAP"}), "then": accepted},
        ],
    }
    parts = {
        "BODY": {**not_ours, "properties": {"add_security_recommendation": {"type": "boolean"}}},
        "FOOTER": {
            **not_ours,
            "required": ["code_expiration_minutes"],
            "properties": {"code_expiration_minutes": minutes},
        },
        "BUTTONS": _list_under("buttons", button, 1, 1),
    }
    return _components(parts, ["BODY", "BUTTONS"])


def _list_under(key: str, item: JSONDict, least: int, most: int) -> JSONDict:
    return {
        "required": [key],
        "properties": {key: {"type": "array", "minItems": least, "maxItems": most, "items": item}},
    }


def _text(pattern: str, most: int | None, description: str | None = None) -> JSONDict:
    told = {"maxLength": most, "description": description, "patternErrorMessage": description}
    return {"type": "string", "pattern": pattern, **{key: value for key, value in told.items() if value is not None}}


def _one_of(words: Iterable[str]) -> JSONDict:
    """Return the schema of one of Meta's words, which may be written in small letters."""
    known = list(words)
    return {"type": "string", "enum": [*known, *(word.lower() for word in known)]}


def _is(words: dict[str, str]) -> JSONDict:
    """Return the schema of a mapping with these words under these keys."""
    return {"required": list(words), "properties": {key: _one_of([word]) for key, word in words.items()}}


def _if(words: dict[str, str], then: JSONDict) -> JSONDict:
    return {"if": _is(words), "then": then}


def _having(kind: str) -> JSONDict:
    """Return the schema of a template with a component of this type."""
    return {
        "required": ["components"],
        "properties": {"components": {"type": "array", "contains": _is({"type": kind})}},
    }


def _only_for(category: str) -> JSONDict:
    return {"properties": {"category": _one_of([category])}}


def _of_parts(kinds: Iterable[str]) -> JSONDict:
    parts: dict[str, Any] = {"items": {"properties": {"type": _one_of(kinds)}}}
    return {"properties": {"components": parts}}
