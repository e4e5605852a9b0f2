"""Read the fields of Rasa's response dicts: words, lists of mappings; anything else is refused by its key.

A value that a slot filled may be of any kind. None of them is ever said the way that Python writes it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rasa_whatsapp.cloud.scalars import kind_of
from rasa_whatsapp.errors import DraftImpossible


def words_in(holder: Mapping[str, Any], name: str, key: str) -> str:
    """Return the words under a name without blanks around them, "" for nothing; `key` is the holder's place."""
    value = holder.get(name)
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        raise DraftImpossible(f"{key}.{name} is {kind_of(value)}, not a text")
    return str(value).strip()


def mappings_in(value: Any, key: str) -> list[Mapping[str, Any]]:
    """Return a list of mappings, empty for nothing."""
    if not value:
        return []
    if not isinstance(value, list) or not all(isinstance(entry, Mapping) for entry in value):
        raise DraftImpossible(f"{key} is not a list of mappings")
    return value


def buttons_in(holder: Mapping[str, Any], prefix: str = "") -> list[tuple[str, Mapping[str, Any]]]:
    """Return the buttons and quick replies of a response or an element, each with its key (`buttons[2]`)."""
    found: list[tuple[str, Mapping[str, Any]]] = []
    for name in ("buttons", "quick_replies"):
        entries = mappings_in(holder.get(name), f"{prefix}{name}")
        found.extend((f"{prefix}{name}[{index}]", entry) for index, entry in enumerate(entries))
    return found
