"""Approved templates: find the translation, check and fill its parameters, show what the customer will read.

Plain data in Meta's own vocabulary (what GET /{waba}/message_templates returns) comes in, a `TemplateMessage` goes out.
https://developers.facebook.com/documentation/business-messaging/whatsapp/templates/components
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from rasa_whatsapp.cloud import limits
from rasa_whatsapp.cloud.wire import JSONDict

_VARIABLE = re.compile(r"\{\{\s*([a-z0-9_]+)\s*\}\}")
_UNLAWFUL_BLANKS = re.compile(r"[\n\t\r]| {5,}")
_UNFILLED = re.compile(r"\{[^{}\n]+\}")
APPROVED = "APPROVED"


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateUse:
    """What a response asks for: a template by name, and what goes into it."""

    name: str
    parameters: Mapping[str, str]
    language: str | None = None
    payloads: Sequence[str] = ()

    @property
    def choices(self) -> dict[str, str]:
        """Return what a tap on its quick replies brings back, and means."""
        return {payload: payload for payload in self.payloads}


@dataclass(frozen=True, slots=True, kw_only=True)
class Translation:
    """One template in one language, as Meta has it."""

    name: str
    language: str
    category: str
    status: str
    named: bool
    header: str
    body: str
    quick_replies: tuple[tuple[int, str], ...]  # (index over all buttons, label)

    @property
    def header_variables(self) -> tuple[str, ...]:
        """Return the variables of a text header in order."""
        return tuple(dict.fromkeys(_VARIABLE.findall(self.header)))

    @property
    def body_variables(self) -> tuple[str, ...]:
        """Return the variables of the body in the order in which Meta expects their values."""
        found = tuple(dict.fromkeys(_VARIABLE.findall(self.body)))
        return found if self.named else tuple(sorted(found, key=int))


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateMessage:
    """A translation with its values: `content` is the Graph object, `preview` what the customer reads."""

    name: str
    language: str
    category: str
    content: JSONDict
    preview: str


class TemplateUnusable(Exception):
    """The template cannot be sent as asked; the text says why, for a designer."""


@dataclass(frozen=True, slots=True)
class TemplateBook:
    """The catalogue."""

    translations: tuple[Translation, ...] = ()

    def prepare(self, use: TemplateUse, fallback_languages: Sequence[str] = ()) -> TemplateMessage:
        """Return the filled template in the best approved language; raises TemplateUnusable."""
        return fill(self.find(use.name, [use.language or "", *fallback_languages]), use)

    def find(self, name: str, languages: Sequence[str]) -> Translation:
        """Return the approved translation in the first language that has one; raises TemplateUnusable.

        `de` also finds `de_AT`, and `de_CH` also finds `de`: Meta itself matches exactly and answers 132001.
        """
        named = [translation for translation in self.translations if translation.name == name]
        if not named:
            raise TemplateUnusable(f"template {name!r} is not in the catalogue")
        approved = [translation for translation in named if translation.status == APPROVED]
        if not approved:
            raise TemplateUnusable(f"template {name!r} is not approved (it is {named[0].status})")
        for language in filter(None, languages):
            found = _best_match(approved, language)
            if found:
                return found
        have = ", ".join(sorted(translation.language for translation in approved))
        raise TemplateUnusable(
            f"template {name!r} has no approved translation for {[language for language in languages if language]}; it has {have}"
        )


def fill(translation: Translation, use: TemplateUse) -> TemplateMessage:
    """Return the message with the response's values in it; raises TemplateUnusable, naming template and parameter."""
    _refuse_unknown(translation, use)
    components: list[JSONDict] = []
    for kind, variables in (("header", translation.header_variables), ("body", translation.body_variables)):
        if variables:
            values = [_parameter(translation, use, variable) for variable in variables]
            components.append({"type": kind, "parameters": values})
    components.extend(_quick_replies(translation, use))
    body = _substitute(translation.body, use.parameters)
    if limits.length(body) > limits.TEMPLATE_BODY:
        raise TemplateUnusable(
            f"template {translation.name!r}: its body has {limits.length(body)} characters once filled; "
            f"Meta allows {limits.TEMPLATE_BODY}. Shorten a parameter"
        )
    content: JSONDict = {"name": translation.name, "language": {"code": translation.language}}
    if components:
        content["components"] = components
    return TemplateMessage(
        name=translation.name,
        language=translation.language,
        category=translation.category,
        content=content,
        preview=body,
    )


def read_translation(plain: JSONDict) -> Translation:
    """Return one entry of the catalogue; raises ValueError naming the field."""
    for key in ("name", "language", "category"):
        if not isinstance(plain.get(key), str) or not plain[key]:
            raise ValueError(f"{key} is missing or not a text")
    category = str(plain["category"]).upper()
    if category not in ("UTILITY", "MARKETING", "AUTHENTICATION"):
        raise ValueError(f"category is {plain['category']!r}; expected UTILITY, MARKETING or AUTHENTICATION")
    parts = _components_by_type(plain.get("components"))
    if not isinstance(parts.get("BODY", {}).get("text"), str):
        raise ValueError("components has no BODY with a text")
    translation = Translation(
        name=plain["name"],
        language=plain["language"],
        category=category,
        status=str(plain.get("status", APPROVED)).upper(),
        named=str(plain.get("parameter_format", "POSITIONAL")).upper() == "NAMED",
        header=str(parts.get("HEADER", {}).get("text", "")),
        body=parts["BODY"]["text"],
        quick_replies=_labels(parts.get("BUTTONS", {}).get("buttons")),
    )
    if not translation.named and any(not variable.isdigit() for variable in _VARIABLE.findall(translation.body)):
        raise ValueError("the body has named variables: parameter_format must be NAMED")
    return translation


def _components_by_type(components: object) -> dict[str, JSONDict]:
    if not isinstance(components, list) or not all(isinstance(part, dict) for part in components):
        raise ValueError("components is missing or not a list of objects")
    return {str(part.get("type", "")).upper(): part for part in components}


def _labels(buttons: object) -> tuple[tuple[int, str], ...]:
    if buttons is None:
        return ()
    if not isinstance(buttons, list) or not all(isinstance(button, dict) for button in buttons):
        raise ValueError("buttons is not a list of objects")
    return tuple(
        (index, str(button.get("text", "")))
        for index, button in enumerate(buttons)
        if str(button.get("type", "")).upper() == "QUICK_REPLY"
    )


def _best_match(approved: Iterable[Translation], language: str) -> Translation | None:
    by_language = {translation.language: translation for translation in approved}
    wanted = language.replace("-", "_")
    if wanted in by_language:
        return by_language[wanted]
    root = wanted.split("_")[0]
    alike = sorted(code for code in by_language if code.split("_")[0] == root)
    return by_language[alike[0]] if alike else None


def _refuse_unknown(translation: Translation, use: TemplateUse) -> None:
    known = {*translation.header_variables, *translation.body_variables}
    unknown = sorted(set(use.parameters) - known)
    if unknown:
        raise TemplateUnusable(
            f"template {use.name!r} has no parameter {unknown[0]!r}; it has {sorted(known) or 'none'}"
        )
    if len(use.payloads) > len(translation.quick_replies):
        raise TemplateUnusable(
            f"template {use.name!r} has {len(translation.quick_replies)} quick-reply buttons; "
            f"the response gives {len(use.payloads)} payloads"
        )


def _parameter(translation: Translation, use: TemplateUse, variable: str) -> JSONDict:
    value = use.parameters.get(variable, "").strip()
    # Rasa writes an empty slot as the word None and leaves an unknown slot's braces as they are.
    if value in ("", "None") or _UNFILLED.search(value):
        raise TemplateUnusable(f"template {use.name!r}: parameter {variable!r} has no value; fill its slot first")
    parameter: JSONDict = {"type": "text", "text": lawful(value)}
    return {"type": "text", "parameter_name": variable, "text": lawful(value)} if translation.named else parameter


def lawful(value: str) -> str:
    """Return the value without what Meta refuses inside a parameter: line breaks, tabs, more than four blanks in a row."""
    return re.sub(r" {5,}", " ", re.sub(r"[\n\t\r]+", " ", value)) if _UNLAWFUL_BLANKS.search(value) else value


def _quick_replies(translation: Translation, use: TemplateUse) -> list[JSONDict]:
    return [
        {
            "type": "button",
            "sub_type": "quick_reply",
            "index": str(index),
            "parameters": [{"type": "payload", "payload": payload}],
        }
        for (index, _), payload in zip(translation.quick_replies, use.payloads, strict=False)
    ]


def _substitute(text: str, parameters: Mapping[str, str]) -> str:
    return _VARIABLE.sub(lambda found: lawful(parameters.get(found[1], "").strip()), text)
