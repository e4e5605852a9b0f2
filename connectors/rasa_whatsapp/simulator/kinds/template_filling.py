"""Header and body of a template, or of one of its cards: the parameters sent, held against what was approved."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from rasa_whatsapp.simulator.bubbles import Media
from rasa_whatsapp.simulator.catalogue import VARIABLE, Template, variables
from rasa_whatsapp.simulator.kinds import fields
from rasa_whatsapp.simulator.kinds.cards import read_location
from rasa_whatsapp.simulator.kinds.context import SendContext
from rasa_whatsapp.simulator.kinds.media import read_source
from rasa_whatsapp.simulator.kinds.shop import product_of
from rasa_whatsapp.simulator.refusals import Refused

FILLED_HEADER = 60
FILLED_BODY = 1024
CODE = 15  # M:templates/authentication-templates
CODE_BODY = "{{1}} is your verification code."  # Meta's own words, where the file has none
MEDIA = ("IMAGE", "VIDEO", "DOCUMENT")
# Observed: body variables take no line break, no tab, and at most four spaces in a row (fact sheet 6.1).
_UNRULY = re.compile(r"[\n\r\t]| {5}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """What the phone shows above the body: a text, a file, or a place or product among the bubble's parts."""

    text: str | None = None
    media: Media | None = None
    parts: Mapping[str, Any] = field(default_factory=dict)


def read_components(sent: dict[str, Any], path: str, known: Collection[str]) -> list[dict[str, Any]]:
    """Return the components with their types in small letters and their parameters as a list."""
    if sent.get("components") is None:
        return []
    read = []
    for index, part in enumerate(fields.list_at(sent, "components", path)):
        place = f"{path}['components'][{index}]"
        kind = fields.string_at(fields.an_object(part, place), "type", place).lower()
        if kind not in known:
            raise Refused(131051, f"The simulator does not play template components of type {kind}")
        read.append({**part, "type": kind, "parameters": _parameters(part, place)})
    return read


def _parameters(part: dict[str, Any], path: str) -> list[dict[str, Any]]:
    values = part.get("parameters")
    if values is None:
        return []
    if not isinstance(values, list):
        raise Refused(100, f"Param {path}['parameters'] must be an array.")
    return [fields.an_object(value, f"{path}['parameters'][{index}]") for index, value in enumerate(values)]


def single(components: list[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    """Return the parameters of the only component of a type; none if it is not there."""
    found = [part for part in components if part["type"] == kind]
    if len(found) > 1:
        raise Refused(100, f"Only one {kind} component is allowed")
    return list(found[0]["parameters"]) if found else []


def filled_header(template: Template, parameters: list[dict[str, Any]], context: SendContext) -> Header:
    """Return the header with what was sent for it."""
    header = template.component("HEADER")
    if header is None:
        _check_count("header", len(parameters), 0)
        return Header()
    kind = str(header.get("format", "TEXT")).upper()
    if kind == "TEXT":
        text = _filled(template, str(header.get("text", "")), parameters, "header")
        if fields.units(text) > FILLED_HEADER:
            raise Refused(132005, f"Translated text too long: at most {FILLED_HEADER} characters in the header")
        return Header(text=text)
    _check_count("header", len(parameters), 1)
    received = str(parameters[0].get("type", "unknown")).upper()
    if received != kind:
        raise Refused(132012, f"header: Format mismatch, expected {kind}, received {received}")
    name = kind.lower()
    sent = fields.object_at(parameters[0], name, "header")
    if kind == "LOCATION":
        return Header(parts=read_location(sent, context).parts)
    if kind == "PRODUCT":
        return Header(parts={"product": product_of(sent, "header['product']")})
    if kind not in MEDIA:
        raise Refused(131051, f"The simulator does not play headers of format {kind}")
    return Header(media=read_source(sent, name, f"header['{name}']", context))


def filled_body(template: Template, parameters: list[dict[str, Any]], most: int) -> str:
    """Return the body with what was sent for it; a card may have none."""
    is_code = template.category == "AUTHENTICATION"
    text = str((template.component("BODY") or {}).get("text", CODE_BODY if is_code else ""))
    if is_code and any(fields.units(str(parameter.get("text", ""))) > CODE for parameter in parameters):
        raise Refused(131009, f"body: a code has at most {CODE} characters")
    filled = _filled(template, text, parameters, "body")
    if fields.units(filled) > most:
        raise Refused(132005, f"Translated text too long: at most {most} characters")
    return filled


def _filled(template: Template, text: str, parameters: list[dict[str, Any]], part: str) -> str:
    names = variables(text)
    _check_count(part, len(parameters), len(names))
    values = [_value(parameter, part) for parameter in parameters]
    if template.parameter_format == "NAMED":
        given = [_parameter_name(parameter) for parameter in parameters]
        if sorted(given) != sorted(names):
            raise Refused(100, f"{part}: parameter names do not match the names in the created template")
        filling = dict(zip(given, values, strict=True))
    else:
        filling = dict(zip(sorted(names, key=int), values, strict=True))
    return VARIABLE.sub(lambda match: filling[match.group(1)], text)


def _check_count(part: str, given: int, expected: int) -> None:
    if given != expected:
        raise Refused(
            132000,
            f"{part}: number of localizable_params ({given}) does not match the expected number of params ({expected})",
        )


def _parameter_name(parameter: dict[str, Any]) -> str:
    name = parameter.get("parameter_name")
    if not isinstance(name, str) or not name:
        raise Refused(100, "Parameter name is missing or empty")
    return name


def _value(parameter: dict[str, Any], part: str) -> str:
    kind = parameter.get("type")
    if kind in ("currency", "date_time"):
        legacy = fields.object_at(parameter, str(kind), part)
        return fields.string_at(legacy, "fallback_value", f"{part}['{kind}']")
    if kind != "text":
        raise Refused(132012, f"{part}: Format mismatch, expected TEXT, received {str(kind or 'unknown').upper()}")
    text = parameter.get("text")
    if not isinstance(text, str) or not text.strip():
        raise Refused(131008, "Parameter of type text is missing text value")
    if _UNRULY.search(text):
        raise Refused(132018, "Param text cannot have new-line/tab characters or more than 4 consecutive spaces")
    return text
