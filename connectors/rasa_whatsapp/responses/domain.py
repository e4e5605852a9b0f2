"""A bot's domain, a file or a folder of them as for Rasa, to the response variations that WhatsApp would get, with their places.

Slots and forms come along as they are declared.

Rasa itself is not needed for it. What is no domain that Rasa could read is a Problem at its place; nothing is raised.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rasa_whatsapp import yaml_files
from rasa_whatsapp.turn import CHANNEL_NAME
from rasa_whatsapp.yaml_files import Document

SLOT = re.compile(r"(?<!\{)\{[^{}\n]+\}(?!\})")  # as Rasa fills it in a response
_PATH = re.compile(r"[A-Za-z_]\w*(?:\.\w+|\[\d+\])*")
_STEP = re.compile(r"\w+|\[\d+\]")


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong at one place of a domain; `response` is its name, if it is about one."""

    file: Path
    line: int
    response: str | None
    text: str

    def __str__(self) -> str:
        return ": ".join(filter(None, (f"{self.file}:{self.line}", self.response, self.text)))


@dataclass(frozen=True, slots=True)
class Variation:
    """One variation of a response: what Rasa would hand to the channel, its slots not yet filled."""

    response: str
    content: Mapping[str, Any]
    file: Path
    document: Document
    position: int

    @property
    def templates(self) -> tuple[str, ...]:
        """Return the names of the templates that it carries (`custom.template`), in the order in which they are tried."""
        custom = self.content.get("custom")
        template = custom.get("template") if isinstance(custom, dict) else None
        tried = template if isinstance(template, list) else [template]
        return tuple(str(each["name"]) for each in tried if isinstance(each, dict) and each.get("name"))

    @property
    def place(self) -> str:
        """Return where it begins, as file and line."""
        return f"{self.file}:{self.document.line(['responses', self.response, self.position])}"

    def problem(self, text: str) -> Problem:
        """Return a problem of this variation; a path at the text's beginning (`custom.whatsapp.type ...`) leads to its line."""
        line = self.document.line(["responses", self.response, self.position, *path_in(text)])
        return Problem(self.file, line, self.response, text)


@dataclass(frozen=True, slots=True)
class Declared:
    """A slot or a form, as it is declared."""

    kind: str
    name: str
    content: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Domain:
    """What was found: the variations that WhatsApp would get, and what could not be read; `slots` and `forms` as they are declared."""

    variations: tuple[Variation, ...]
    problems: tuple[Problem, ...]
    slots: Mapping[str, Mapping[str, Any]]
    forms: Mapping[str, Mapping[str, Any]]

    @property
    def names(self) -> frozenset[str]:
        """Return the names of the responses that have variations for WhatsApp."""
        return frozenset(variation.response for variation in self.variations)

    def values_of(self, slot: str) -> frozenset[str]:
        """Return what a slot is known to hold: its values, if it is categorical, its initial one, and those that responses ask for."""
        declared = self.slots.get(slot, {})
        values = declared.get("values")
        conditions = [variation.content.get("condition") for variation in self.variations]
        asked = [each for condition in conditions if isinstance(condition, list) for each in condition]
        found = [
            *(values if isinstance(values, list) else ()),
            declared.get("initial_value"),
            *(each.get("value") for each in asked if isinstance(each, dict) and each.get("name") == slot),
        ]
        return frozenset(value for value in found if isinstance(value, str))


def read_domain(path: Path) -> Domain:
    """Return the responses of a domain file, or of all YAML files of a folder."""
    found = [item for file in _files(path) for item in _items(file)]
    declared = [item for item in found if isinstance(item, Declared)]
    return Domain(
        tuple(item for item in found if isinstance(item, Variation)),
        tuple(item for item in found if isinstance(item, Problem)),
        {item.name: item.content for item in declared if item.kind == "slots"},
        {item.name: item.content for item in declared if item.kind == "forms"},
    )


def path_in(text: str) -> list[str | int]:
    """Return the keys and positions of the path that a text begins with: `buttons[1].title is ...` has three."""
    found = _PATH.match(text)
    steps = _STEP.findall(found[0]) if found else []
    return [int(step.strip("[]")) if step.startswith("[") else step for step in steps]


def _files(path: Path) -> list[Path]:
    """Return the file, or the YAML files below the folder, links followed as Rasa does it."""
    if not path.is_dir():
        return [path]
    found = (Path(folder) / name for folder, _, names in os.walk(path, followlinks=True) for name in names)
    return sorted(file for file in found if file.suffix in (".yml", ".yaml"))


def _items(file: Path) -> Iterator[Variation | Declared | Problem]:
    try:
        document = yaml_files.load_with_lines(file)
    except yaml_files.Unreadable as problem:
        yield Problem(file, problem.line or 1, None, f"it cannot be read: {problem}")
        return
    content = document.content if isinstance(document.content, dict) else {}
    for kind in ("slots", "forms"):
        named = content.get(kind)
        for name, declared in named.items() if isinstance(named, dict) else ():
            yield Declared(kind, str(name), declared if isinstance(declared, dict) else {})
    responses = content.get("responses")
    if responses is None:
        return
    if not isinstance(responses, dict):
        line = document.line(["responses"])
        yield Problem(file, line, None, "responses is not a mapping of names to lists of variations")
        return
    for name, variations in responses.items():
        yield from _variations(file, document, str(name), variations)


def _variations(file: Path, document: Document, name: str, variations: Any) -> Iterator[Variation | Problem]:
    if not isinstance(variations, list) or not variations:
        line = document.line(["responses", name])
        yield Problem(file, line, name, "it has no list of variations; begin each with a dash, such as `- text: Hello`")
        return
    only_ours = any(_is_always_ours(content) for content in variations)
    for position, content in enumerate(variations):
        if not isinstance(content, dict):
            line = document.line(["responses", name, position])
            yield Problem(file, line, name, "the variation is not a mapping; write `- text: Hello`")
        elif content.get("channel") == CHANNEL_NAME or (content.get("channel") is None and not only_ours):
            yield Variation(name, content, file, document, position)


def _is_always_ours(content: Any) -> bool:
    """Tell whether Rasa hands this variation to WhatsApp whenever none of WhatsApp's own with a condition fits."""
    return isinstance(content, dict) and content.get("channel") == CHANNEL_NAME and content.get("condition") is None
