"""A bot's rules and stories, a file or a folder of them, to what follows an intent there: without Rasa, with the places.

What follows is all up to the customer's next message, also where a checkpoint leads from one story to others.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
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
    stories = [item for item in found if isinstance(item, _Story)]
    return _steps(stories), [item for item in found if isinstance(item, Misread)]


@dataclass(frozen=True, slots=True)
class _Story:
    """A rule or story, and where its document has it."""

    file: Path
    document: Document
    where: tuple[str | int, ...]
    content: Mapping[str, Any]

    def line(self, position: int) -> int:
        """Return the line of one of its steps."""
        return self.document.line([*self.where, "steps", position])


def _items(file: Path) -> Iterator[_Story | Misread]:
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
        for position, content in enumerate(_mappings(_mapping(document.content).get(kind))):
            yield _Story(file, document, (kind, position), content)


# What is being followed at one point of a story: intents, each with whether the care window is open there; in their order.
_Following = dict[tuple[str, bool], None]


def _steps(stories: Sequence[_Story]) -> list[Step]:
    """Return what follows intents, gone through until nothing new comes to any checkpoint: they may lead in circles."""
    at_checkpoints: dict[str, _Following] = {}
    known = -1
    while known != (known := sum(map(len, at_checkpoints.values()))):
        found = [step for story in stories for step in _follow(story, at_checkpoints)]
    return list(dict.fromkeys(found))


def _follow(story: _Story, at_checkpoints: dict[str, _Following]) -> Iterator[Step]:
    """Yield the actions of a story; what leads to one of its checkpoints is noted there, and what led to it before goes on."""
    condition = any(_opens(step) for step in _mappings(story.content.get("condition")))
    following: _Following = {}
    for position, step in enumerate(_mappings(story.content.get("steps"))):
        said = _intents(step)
        if said or "user" in step:
            following = dict.fromkeys((intent, condition) for intent in said)
        if isinstance(step.get("checkpoint"), str):
            there = at_checkpoints.setdefault(step["checkpoint"], {})
            there.update(following)
            following = dict(there)
        if _opens(step):
            following = dict.fromkeys((intent, True) for intent, _ in following)
        action = step.get("action")
        if isinstance(action, str):
            line = story.line(position)
            yield from (Step(intent, action, is_inside, story.file, line) for intent, is_inside in following)


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
