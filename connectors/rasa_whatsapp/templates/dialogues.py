"""A bot's rules and stories, a file or a folder of them, to what follows an intent there: without Rasa, with the places.

What follows is all up to the customer's next message. Checkpoints are not followed from one story to another.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rasa_whatsapp import yaml_files
from rasa_whatsapp.slots import CARE_WINDOW_OPEN
from rasa_whatsapp.templates.catalogue import Misread, files_of
from rasa_whatsapp.yaml_files import Document

_KINDS = {"rules": "rule", "stories": "story"}
_HAS_SOME = re.compile(rb"^['\"]?(rules|stories)['\"]?\s*:", re.MULTILINE)  # training data can be long to read as YAML


@dataclass(frozen=True, slots=True)
class Step:
    """An action that follows an intent; `is_inside` if the rule or story says that the care window is open then."""

    intent: str
    action: str
    is_inside: bool
    file: Path
    line: int


def read_dialogues(path: Path) -> tuple[list[Step], list[Misread]]:
    """Return all actions that follow an intent in rules and stories; what cannot be read apart."""
    found = [item for file in files_of(path) for item in _items(file)]
    return [item for item in found if isinstance(item, Step)], [item for item in found if isinstance(item, Misread)]


def _items(file: Path) -> Iterator[Step | Misread]:
    try:
        if not _HAS_SOME.search(file.read_bytes()):
            return
        document = yaml_files.load_with_lines(file)
    except OSError as problem:
        yield Misread(file, 1, f"it cannot be read: {problem.strerror}")
        return
    except yaml_files.Unreadable as problem:
        yield Misread(file, problem.line or 1, f"it cannot be read: {problem}")
        return
    for kind in _KINDS:
        for position, story in enumerate(_mappings(_mapping(document.content).get(kind))):
            yield from _steps(file, document, [kind, position], story)


def _steps(file: Path, document: Document, where: list[str | int], story: Mapping[str, Any]) -> Iterator[Step]:
    condition = any(_opens(step) for step in _mappings(story.get("condition")))
    intents: list[str] = []
    is_inside = condition
    for position, step in enumerate(_mappings(story.get("steps"))):
        said = _intents(step)
        if said or "user" in step:
            intents, is_inside = said, condition
        is_inside = is_inside or _opens(step)
        action = step.get("action")
        if isinstance(action, str):
            line = document.line([*where, "steps", position])
            yield from (Step(intent, action, is_inside, file, line) for intent in intents)


def _intents(step: Mapping[str, Any]) -> list[str]:
    """Return the intents that a step stands for; several if it begins with `or`."""
    steps = _mappings(step["or"]) if "or" in step else [step]
    return [str(each["intent"]) for each in steps if isinstance(each.get("intent"), str)]


def _opens(step: Mapping[str, Any]) -> bool:
    """Tell whether a step or condition says that the care window is open."""
    slots = step.get("slot_was_set")
    return any(each.get(CARE_WINDOW_OPEN) is True for each in _mappings(slots) or [_mapping(slots)])


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _mappings(value: Any) -> list[Mapping[str, Any]]:
    """Return the mappings of a list, an empty one for anything else in it, so that positions stay."""
    return [_mapping(item) for item in value] if isinstance(value, list) else []
