"""A declared template and the one that the account has, to what is different between them.

Both are brought into one form first: Meta changes the case of types, adds defaults and labels of its own, and gives examples back
in another order and media under another address. What only one side says and that means nothing is no difference.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from rasa_whatsapp.cloud.templates.part_rules import SAMPLE_FILE
from rasa_whatsapp.cloud.wire import JSONDict

_VARIABLE = re.compile(r"\{\{\s*(.*?)\s*\}\}")
# words of a fixed set, which Meta takes and gives in any case
_WORDS = frozenset({"type", "format", "otp_type", "flow_action"})
# what is said at creation and not given back, or given back as something else
_NOT_GIVEN_BACK = frozenset(
    {"example", "flow_name", "flow_json", "autofill_text", "supported_apps", "zero_tap_terms_accepted"}
)


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that is not the same; `part` names it (`body.text`), None stands for nothing."""

    part: str
    declared: Any
    at_meta: Any


def differences(declared: JSONDict, at_meta: JSONDict) -> list[Difference]:
    """Return what is different in a template in one language: category, lifetime, form of the parameters, components."""
    return [*_of_the_whole(declared, at_meta), *_of_components(_parts(declared), _parts(at_meta))]


def category_of(template: JSONDict) -> str:
    """Return a template's category as Meta writes it."""
    return str(template.get("category", "")).upper()


def is_same(key: str, declared: Any, at_meta: Any) -> bool:
    """Tell whether a value of a component or button means the same on both sides."""
    ours, theirs = _value(key, declared), _value(key, at_meta)
    if isinstance(ours, dict) and isinstance(theirs, dict):
        theirs = {name: theirs.get(name) for name in ours}
    return key in _NOT_GIVEN_BACK or bool(ours == theirs or not (ours or theirs))  # a false one need not be told


def examples_differ(declared: JSONDict, at_meta: JSONDict) -> bool:
    """Tell whether both give examples, and not the same ones."""
    ours, theirs = _examples(declared), _examples(at_meta)
    return bool(ours and theirs and ours != theirs)


def _of_the_whole(declared: JSONDict, at_meta: JSONDict) -> Iterator[Difference]:
    ours, theirs = category_of(declared), category_of(at_meta)
    if ours != theirs:
        yield Difference("category", ours, theirs)
    ours, theirs = _form(declared), _form(at_meta)
    if ours != theirs and _has_variables(declared):  # without variables the form says nothing
        yield Difference("parameter_format", ours, theirs)
    key = "message_send_ttl_seconds"
    if declared.get(key) is not None and declared[key] != at_meta.get(key):  # Meta tells its own default, too
        yield Difference(key, declared[key], at_meta.get(key))


def _of_components(
    declared: dict[str, JSONDict], at_meta: dict[str, JSONDict], within: str = ""
) -> Iterator[Difference]:
    for kind in dict.fromkeys((*declared, *at_meta)):
        ours, theirs = declared.get(kind), at_meta.get(kind)
        part = f"{within}{kind.lower()}"
        if ours is None or theirs is None:
            yield Difference(part, _plain(ours), _plain(theirs))
        elif kind == "BUTTONS":
            yield from _of_a_list(f"{within}button", ours.get("buttons"), theirs.get("buttons"))
        elif kind == "CAROUSEL":
            yield from _of_cards(within, ours.get("cards"), theirs.get("cards"))
        else:
            yield from _of_a_part(part, ours, theirs)


def _of_a_list(what: str, declared: Any, at_meta: Any) -> Iterator[Difference]:
    ours, theirs = _objects(declared), _objects(at_meta)
    for position in range(max(len(ours), len(theirs))):
        our, their = _at(ours, position), _at(theirs, position)
        part = f"{what} {position + 1}"
        if our and their and _is_code_button(our, their):
            continue
        if our is None or their is None or _word(our.get("type")) != _word(their.get("type")):
            yield Difference(part, _plain(our), _plain(their))
        else:
            yield from _of_a_part(part, our, their)


def _of_cards(within: str, declared: Any, at_meta: Any) -> Iterator[Difference]:
    ours, theirs = _objects(declared), _objects(at_meta)
    for position in range(max(len(ours), len(theirs))):
        our, their = _at(ours, position), _at(theirs, position)
        part = f"{within}card {position + 1}"
        if our is None or their is None:
            yield Difference(part, _plain(our), _plain(their))
        else:
            yield from _of_components(_parts(our), _parts(their), f"{part} ")


def _of_a_part(part: str, declared: JSONDict, at_meta: JSONDict) -> Iterator[Difference]:
    """Yield what is different in a component or button of the same type, by what the declaration says of it."""
    for key in sorted(declared):
        if not is_same(key, declared[key], at_meta.get(key)):
            yield Difference(f"{part}.{key}", _value(key, declared[key]), _value(key, at_meta.get(key)))
    if at_meta.get("format") is not None and "format" not in declared and _word(at_meta["format"]) != "TEXT":
        yield Difference(f"{part}.format", "TEXT", _word(at_meta["format"]))
    if examples_differ(declared, at_meta):
        yield Difference(f"{part}.example", _examples(declared), _examples(at_meta))


def _is_code_button(declared: JSONDict, at_meta: JSONDict) -> bool:
    """Tell whether the account's is what Meta makes of a button of type OTP: a link of its own (seen, not documented)."""
    url = str(at_meta.get("url", "")).lower()
    if _word(declared.get("type")) != "OTP" or not url.startswith("https://www.whatsapp.com/otp/code"):
        return False
    kind = _word(declared.get("otp_type")).lower()
    return "otp_type=" not in url or f"otp_type={kind}" in url


def _value(key: str, value: Any) -> Any:
    if key in _WORDS:
        return _word(value)
    if key == "phone_number":
        return str(value or "").lstrip("+")
    if isinstance(value, str):
        return _VARIABLE.sub(r"{{\1}}", value.strip())
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)  # ids and minutes come as numbers and as texts
    return value


def _examples(part: JSONDict) -> Any:
    """Return the examples in one form, whatever their order; samples of media are none, since Meta gives back addresses."""
    example = part.get("example")
    if not isinstance(example, dict):  # of a button: a text, or a list with one
        return example if isinstance(example, list) else [example] if example else []
    known: dict[str, str] = {}
    for key, values in example.items():
        if key in ("header_handle", SAMPLE_FILE):
            continue
        if key.endswith("_named_params"):
            known |= {str(item.get("param_name")): str(item.get("example")) for item in _objects(values)}
        else:
            known |= {str(number): str(value) for number, value in enumerate(_flat(values), start=1)}
    return known


def _flat(values: Any) -> list[Any]:
    """Return the positional examples of a header, or of a body, whose list is in a list."""
    listed = values if isinstance(values, list) else [values]
    return listed[0] if len(listed) == 1 and isinstance(listed[0], list) else listed


def _parts(holder: JSONDict) -> dict[str, JSONDict]:
    """Return the components by type, in their order, which means nothing to Meta; buttons without any count for none."""
    parts = {_word(part.get("type")): part for part in _objects(holder.get("components"))}
    return {kind: part for kind, part in parts.items() if kind != "BUTTONS" or part.get("buttons")}


def _plain(part: JSONDict | None) -> Any:
    """Return a part for people to read: its words, or its type."""
    if part is None:
        return None
    return part.get("text") or _word(part.get("format") or part.get("type")) or part


def _has_variables(template: JSONDict) -> bool:
    return any(_VARIABLE.search(str(part.get("text", ""))) for part in _parts(template).values())


def _form(template: JSONDict) -> str:
    return str(template.get("parameter_format") or "POSITIONAL").upper()


def _word(value: Any) -> str:
    return str(value or "").upper()


def _objects(values: Any) -> list[JSONDict]:
    return [value for value in values if isinstance(value, dict)] if isinstance(values, list) else []


def _at(items: list[JSONDict], position: int) -> JSONDict | None:
    return items[position] if position < len(items) else None
