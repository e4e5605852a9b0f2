"""Readers for the fields of a Graph body: present, of the right type, not too long, or `Refused`.

Lengths are counted in UTF-16 units, the strictest reading of Meta's "characters" (fact sheet 5.4, open point).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rasa_whatsapp.simulator.refusals import Refused


def units(text: str) -> int:
    """Return the length of a text in UTF-16 units."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def an_object(value: Any, path: str) -> dict[str, Any]:
    """Return the value if it is a JSON object."""
    if not isinstance(value, dict):
        raise Refused(100, f"Param {path} must be a JSON object.")
    return value


def object_at(container: dict[str, Any], name: str, path: str) -> dict[str, Any]:
    """Return the required object `name`."""
    return an_object(required(container, name, path), f"{path}['{name}']")


def list_at(container: dict[str, Any], name: str, path: str) -> list[Any]:
    """Return the required array `name`."""
    value = required(container, name, path)
    if not isinstance(value, list):
        raise Refused(100, f"Param {path}['{name}'] must be an array.")
    return value


def required(container: dict[str, Any], name: str, path: str) -> Any:
    """Return the value of a field that must be there."""
    if container.get(name) is None:
        raise Refused(100, f"The parameter {path}['{name}'] is required.")
    return container[name]


def string_at(container: dict[str, Any], name: str, path: str) -> str:
    """Return the required text `name`, of any length."""
    value = required(container, name, path)
    if not isinstance(value, str):
        raise Refused(100, f"Param {path}['{name}'] must be a string.")
    return value


def bounded(container: dict[str, Any], name: str, path: str, *, label: str, limit: int) -> str:
    """Return the required text `name`, not blank and at most `limit` units long; `label` is Meta's word for it."""
    value = string_at(container, name, path)
    if not value.strip() or units(value) > limit:
        raise Refused(131009, f"{label} length invalid. Min length: 1, Max length: {limit}")
    return value


def optional_bounded(container: dict[str, Any], name: str, path: str, *, label: str, limit: int) -> str | None:
    """Return the text `name` like `bounded`, or None if it is absent."""
    if container.get(name) is None:
        return None
    return bounded(container, name, path, label=label, limit=limit)


def refuse_duplicates(values: list[str], what: str) -> None:
    """Refuse a list that holds a value twice."""
    if len(set(values)) != len(values):
        raise Refused(131009, f"{what} must be unique")


def optional_string(container: dict[str, Any], name: str, path: str) -> str | None:
    """Return the text `name`, or None if it is absent."""
    return None if container.get(name) is None else string_at(container, name, path)


def optional_flag(container: dict[str, Any], name: str, path: str) -> bool:
    """Return the boolean `name`, false if it is absent."""
    value = container.get(name)
    if value is not None and not isinstance(value, bool):
        raise Refused(100, f"Param {path}['{name}'] must be a boolean.")
    return bool(value)


def one_of(container: dict[str, Any], name: str, path: str, allowed: Sequence[str]) -> str:
    """Return the required text `name`, one of the allowed ones."""
    value = string_at(container, name, path)
    if value not in allowed:
        raise Refused(100, f"Param {path}['{name}'] must be one of {{{', '.join(allowed).upper()}}}.")
    return value


def identifier(container: dict[str, Any], name: str, path: str) -> str:
    """Return the required text `name`, which is not blank."""
    value = string_at(container, name, path)
    if not value.strip():
        raise Refused(131009, f"Param {path}['{name}'] must not be empty")
    return value
