"""Readers for the fields of a Graph body: present, of the right type, not too long, or `Refused`.

Lengths are counted in UTF-16 units, the strictest reading of Meta's "characters" (fact sheet 5.4, open point).
"""

from __future__ import annotations

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
