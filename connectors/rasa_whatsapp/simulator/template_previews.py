"""A template as the phone would show it, its variables filled with the examples that its author gave. Pure."""

from __future__ import annotations

from typing import Any

from rasa_whatsapp.simulator.bubbles import Bubble, Button, Media
from rasa_whatsapp.simulator.catalogue import VARIABLE, Template, variables

PLACES = ("IMAGE", "VIDEO", "DOCUMENT", "GIF", "LOCATION")


def preview(template: Template) -> Bubble:
    """Return what the phone would show; a variable without an example stays as it is written."""
    header = template.component("HEADER") or {}
    kind = str(header.get("format", "TEXT")).upper()
    is_text = kind not in PLACES
    return Bubble(
        header=_filled(header, "header") if header and is_text else None,
        media=None if is_text else Media(kind="video" if kind == "GIF" else kind.lower()),
        text=_filled(template.component("BODY") or {}, "body"),
        footer=(template.component("FOOTER") or {}).get("text"),
        buttons=tuple(
            Button(id=str(index), title=str(button.get("text", "")), kind=str(button["type"]).lower())
            for index, button in enumerate(template.buttons())
        ),
        template={"name": template.name, "language": template.language, "category": template.category},
    )


def _filled(part: dict[str, Any], what: str) -> str:
    text = str(part.get("text", ""))
    examples = _examples(part.get("example"), what, variables(text))
    return VARIABLE.sub(lambda match: examples.get(match.group(1), match.group(0)), text)


def _examples(example: Any, what: str, names: list[str]) -> dict[str, str]:
    """Return the examples by name; what is not as Meta has it counts as none, a file may say anything."""
    if not isinstance(example, dict):
        return {}
    named = example.get(f"{what}_text_named_params")
    if isinstance(named, list):
        return {str(one.get("param_name")): str(one.get("example", "")) for one in named if isinstance(one, dict)}
    values = example.get(f"{what}_text")
    if what == "body" and isinstance(values, list):
        values = values[0] if values else None
    numbers = sorted(name for name in names if name.isdecimal())
    texts = values if isinstance(values, list) else []
    return {name: str(texts[int(name) - 1]) for name in numbers if 0 < int(name) <= len(texts)}
