"""Open JSON from the wire safely: what `read_json` returns every store takes, and the readers say which field is wrong.

Its law: texts hold neither NUL nor lone surrogates, numbers are finite, nothing is nested deeper than MOST_LEVELS. The readers rely on it.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from codecs import BOM_UTF8
from datetime import datetime, timezone
from typing import Any

JSONDict = dict[str, Any]

MOST_LEVELS = 64

# Only these escapes can bring NUL or half a surrogate pair into a text.
_DOUBTFUL = re.compile(r"\\u(?:0000|[dD][89a-fA-F])")
_NUMBER = re.compile(r"-?[0-9]{1,20}(\.[0-9]{1,20})?")
_SECONDS = re.compile(r"[0-9]{1,12}")
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*(?:"|$)|[\[\]{}]', re.DOTALL)
_TOO_DEEP = '"(nested too deeply)"'
_LONGEST_INTEGER = 300  # digits; a double holds 308


class MalformedField(Exception):
    """A field of one message is missing or of the wrong kind; the text names the field, never its value."""


def read_json(text: str | bytes) -> Any:
    """Return the value of a JSON text; raises ValueError.

    A number that no double holds becomes None, what lies too deep a text that says so, a byte that is no UTF-8 U+FFFD: none of
    them may spoil the rest of a batch.
    """
    if isinstance(text, bytes):
        text = text.removeprefix(BOM_UTF8).decode("utf-8", "replace")
    try:
        value = _DECODER.decode(text)
        # Openers are counted first: it is cheap, and a message alone has some dozen.
        deep = text.count("[") + text.count("{") > MOST_LEVELS and is_deep(value, MOST_LEVELS)
    except RecursionError:
        deep = True
    if deep:
        value = _DECODER.decode(_cut(text))
    return _storable(value) if _DOUBTFUL.search(text) else value


def is_deep(value: Any, levels: int) -> bool:
    """Tell whether lists and objects are nested in each other more than this number of times."""
    level = [value]
    for _ in range(levels):
        level = [
            child
            for holder in level
            if isinstance(holder, (dict, list))
            for child in (holder.values() if isinstance(holder, dict) else holder)
        ]
        if not level:
            return False
    return any(isinstance(holder, (dict, list)) for holder in level)


def cleaned(text: str) -> str:
    """Return the text without what no database stores: lone surrogates become U+FFFD, NUL goes."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace").replace("\x00", "")


def as_object(value: Any, name: str) -> JSONDict:
    """Return the value if it is a JSON object; raises MalformedField."""
    if not isinstance(value, dict):
        raise MalformedField(f"{name} is not an object")
    return value


def as_objects(value: Any, name: str) -> list[JSONDict]:
    """Return the value if it is a list of JSON objects and not empty; raises MalformedField."""
    if not isinstance(value, list) or not value or not all(isinstance(item, dict) for item in value):
        raise MalformedField(f"{name} is not a list of objects")
    return value


def required_text(holder: JSONDict, key: str) -> str:
    """Return a text that must be there and not empty; raises MalformedField."""
    text = optional_text(holder, key)
    if text is None:
        raise MalformedField(f"{key} is missing or not a text")
    return text


def optional_text(holder: JSONDict, key: str) -> str | None:
    """Return a text, or None when it is missing, empty or of another kind."""
    value = holder.get(key)
    return (value or None) if isinstance(value, str) else None


def required_id(holder: JSONDict, key: str) -> str:
    """Return an identifier that must be there; raises MalformedField."""
    identifier = optional_id(holder, key)
    if identifier is None:
        raise MalformedField(f"{key} is missing or not an identifier")
    return identifier


def optional_id(holder: JSONDict, key: str) -> str | None:
    """Return an identifier, also one of digits that comes as a number."""
    value = holder.get(key)
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return (value or None) if isinstance(value, str) else None


def required_number(holder: JSONDict, key: str, *, least: int, most: int) -> int | float:
    """Return a number in this range, also one that comes as a text; raises MalformedField."""
    value = holder.get(key)
    if isinstance(value, str) and (found := _NUMBER.fullmatch(value)):
        value = float(value) if found[1] else int(value)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not least <= value <= most:
        raise MalformedField(f"{key} is missing or not a number from {least} to {most}")
    return value


def required_moment(holder: JSONDict, key: str) -> datetime:
    """Return a moment given in unix seconds, as a text or a number; raises MalformedField."""
    value = holder.get(key)
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        raise MalformedField(f"{key} is missing or not in unix seconds")
    try:
        if not _SECONDS.fullmatch(str(value)):
            raise ValueError
        return datetime.fromtimestamp(int(value), timezone.utc)
    except (ValueError, OverflowError, OSError):
        raise MalformedField(f"{key} is not in unix seconds") from None


def digest(value: JSONDict) -> str:
    """Name something that has no id of its own by its content, so that a redelivery is known again."""
    return "sha256:" + hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


def _cut(text: str) -> str:
    """Return the JSON text with a text of ours in place of each list or object on a level too deep."""
    kept: list[str] = []
    level = begin = 0
    for token in _TOKEN.finditer(text):
        if token[0] in ("[", "{"):
            level += 1
            if level == MOST_LEVELS + 1:
                kept += (text[begin : token.start()], _TOO_DEEP)
        elif token[0] in ("]", "}"):
            level -= 1
            if level == MOST_LEVELS:
                begin = token.end()
    return "".join(kept) + text[begin:] if level <= MOST_LEVELS else ""


def _storable(value: Any) -> Any:
    if isinstance(value, str):
        return cleaned(value)
    if isinstance(value, dict):
        return {cleaned(key): _storable(child) for key, child in value.items()}
    return [_storable(child) for child in value] if isinstance(value, list) else value


def _integer(digits: str) -> int | None:
    return int(digits) if len(digits) <= _LONGEST_INTEGER else None


def _finite(digits: str) -> float | None:
    value = float(digits)
    return value if math.isfinite(value) else None


def _no_number(_: str) -> None:
    """NaN and Infinity are not JSON, but Python's decoder knows them."""


_DECODER = json.JSONDecoder(parse_int=_integer, parse_float=_finite, parse_constant=_no_number)
