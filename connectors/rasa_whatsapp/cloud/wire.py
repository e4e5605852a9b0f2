"""Open JSON from the wire safely: the few readers that say which field is wrong and keep text storable."""

from __future__ import annotations

from typing import Any

JSONDict = dict[str, Any]


class MalformedField(Exception):
    """A field of one message is missing or of the wrong kind; the text names the field, never its value."""


def as_object(value: Any, name: str) -> JSONDict:
    """Return the value if it is a JSON object; raises MalformedField."""
    if not isinstance(value, dict):
        raise MalformedField(f"{name} is not an object")
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
    return (cleaned(value) or None) if isinstance(value, str) else None


def cleaned(text: str) -> str:
    """Return the text without what no database stores: lone surrogates become U+FFFD, NUL goes."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace").replace("\x00", "")
