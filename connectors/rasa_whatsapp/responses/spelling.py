"""Keys of a response that look like one of Rasa's and are none: nothing reads them, so what they hold would never be shown.

Other unknown keys pass: a bot may keep things of its own there. https://rasa.com/docs/rasa/responses
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from rasa_whatsapp.cloud.scalars import NEAR

_RESPONSE = ("text", "image", "attachment", "buttons", "quick_replies", "elements", "custom", "channel", "condition")
_BUTTON = ("title", "payload", "url", "description", "type", "content_type")
_ELEMENT = ("title", "subtitle", "image_url", "buttons", "quick_replies", "default_action")


def misspelt(response: Mapping[str, Any]) -> Iterator[str]:
    """Yield a problem for each such key of a response, its buttons and elements."""
    yield from _in(response, _RESPONSE, "")
    yield from _in_buttons(response, "")
    for index, element in enumerate(_mappings(response.get("elements"))):
        place = f"elements[{index}]."
        yield from _in(element, _ELEMENT, place)
        yield from _in_buttons(element, place)


def _in_buttons(holder: Mapping[str, Any], place: str) -> Iterator[str]:
    for name in ("buttons", "quick_replies"):
        for index, button in enumerate(_mappings(holder.get(name))):
            yield from _in(button, _BUTTON, f"{place}{name}[{index}].")


def _in(holder: Mapping[str, Any], known: Sequence[str], place: str) -> Iterator[str]:
    free = [name for name in known if name not in holder]
    for key in holder:
        if isinstance(key, str) and key not in known:
            near = get_close_matches(key.lower(), free, n=1, cutoff=NEAR)
            if near:
                yield f"{place}{key} is not known; did you mean {near[0]}?"


def _mappings(value: Any) -> list[Mapping[str, Any]]:
    return [entry for entry in value if isinstance(entry, Mapping)] if isinstance(value, list) else []
