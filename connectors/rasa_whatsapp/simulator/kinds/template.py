"""Template messages: the parameters sent, held against the approved template (M:messages/template-messages).

Static parts are never sent; each variable part needs its component, in number, name and format as approved.
"""

from __future__ import annotations

import re
from typing import Any

from rasa_whatsapp.simulator.bubbles import Bubble, Media
from rasa_whatsapp.simulator.catalogue import VARIABLE, Template, variables
from rasa_whatsapp.simulator.kinds import fields
from rasa_whatsapp.simulator.kinds.context import SendContext
from rasa_whatsapp.simulator.kinds.media import read_source
from rasa_whatsapp.simulator.kinds.template_buttons import read_buttons
from rasa_whatsapp.simulator.refusals import Refused

FILLED_BODY = 1024
MEDIA = ("IMAGE", "VIDEO", "DOCUMENT")
# Observed: body variables take no line break, no tab, and at most four spaces in a row (fact sheet 6.1).
_UNRULY = re.compile(r"[\n\r\t]| {5}")
_COMPONENTS = ("header", "body", "button")


def read_template(content: Any, context: SendContext) -> Bubble:
    """Read `{"name", "language": {"code"}, "components"?}`."""
    sent = fields.an_object(content, "template")
    template = _approved(sent, context)
    components = _components(sent)
    buttons = read_buttons(template, [part for part in components if part["type"] == "button"], context)
    header, media = _header(template, _single(components, "header"), context)
    return Bubble(
        header=header,
        media=media,
        text=_body(template, _single(components, "body")),
        footer=(template.component("FOOTER") or {}).get("text"),
        buttons=buttons,
        template={"name": template.name, "language": template.language, "category": template.category},
    )


def _approved(sent: dict[str, Any], context: SendContext) -> Template:
    name = fields.string_at(sent, "name", "template")
    language = fields.object_at(sent, "language", "template")
    code = fields.string_at(language, "code", "template['language']")
    template = context.find_template(name, code)
    if template is None:
        raise Refused(132001, f"template name ({name}) does not exist in {code}")
    if template.status == "PAUSED":
        raise Refused(132015, f"template name ({name}) is paused in {code} because of its low quality")
    if template.status == "DISABLED":
        raise Refused(132016, f"template name ({name}) is disabled in {code}")
    if template.status != "APPROVED":
        raise Refused(132001, f"template name ({name}) is not approved in {code}: {template.status}")
    return template


def _components(sent: dict[str, Any]) -> list[dict[str, Any]]:
    if sent.get("components") is None:
        return []
    parts = fields.list_at(sent, "components", "template")
    read = []
    for index, part in enumerate(parts):
        path = f"template['components'][{index}]"
        kind = fields.string_at(fields.an_object(part, path), "type", path).lower()
        if kind not in _COMPONENTS:
            raise Refused(131051, f"The simulator does not play template components of type {kind}")
        read.append({**part, "type": kind, "parameters": _parameters(part, path)})
    return read


def _parameters(part: dict[str, Any], path: str) -> list[dict[str, Any]]:
    values = part.get("parameters")
    if values is None:
        return []
    if not isinstance(values, list):
        raise Refused(100, f"Param {path}['parameters'] must be an array.")
    return [fields.an_object(value, f"{path}['parameters'][{index}]") for index, value in enumerate(values)]


def _single(components: list[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    found = [part for part in components if part["type"] == kind]
    if len(found) > 1:
        raise Refused(100, f"Only one {kind} component is allowed")
    return list(found[0]["parameters"]) if found else []


def _header(
    template: Template, parameters: list[dict[str, Any]], context: SendContext
) -> tuple[str | None, Media | None]:
    header = template.component("HEADER")
    if header is None:
        _check_count("header", len(parameters), 0)
        return None, None
    kind = str(header.get("format", "TEXT")).upper()
    if kind == "TEXT":
        return _filled(template, str(header.get("text", "")), parameters, "header"), None
    _check_count("header", len(parameters), 1)
    received = str(parameters[0].get("type", "unknown")).upper()
    if received != kind:
        raise Refused(132012, f"header: Format mismatch, expected {kind}, received {received}")
    name = kind.lower()
    if kind not in MEDIA:
        return f"[{name}]", None
    return None, read_source(fields.object_at(parameters[0], name, "header"), name, f"header['{name}']", context)


def _body(template: Template, parameters: list[dict[str, Any]]) -> str:
    text = _filled(template, str((template.component("BODY") or {})["text"]), parameters, "body")
    if fields.units(text) > FILLED_BODY:
        raise Refused(132005, f"Translated text too long: at most {FILLED_BODY} characters")
    return text


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
