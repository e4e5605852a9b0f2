"""A catalogue of templates, a file or a folder of them, to everything in it that Meta would refuse or the bot would miss, with its place.

Nothing of Meta or Rasa is asked; what is no catalogue is a finding, too. The rules for one template stand in cloud/template_rules.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rasa_whatsapp import yaml_files
from rasa_whatsapp.cloud.template_rules import faults
from rasa_whatsapp.cloud.templates import read_translation
from rasa_whatsapp.cloud.wire import JSONDict
from rasa_whatsapp.responses.domain import Domain
from rasa_whatsapp.yaml_files import Document

KEY = "whatsapp_templates"


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """One thing that is wrong at one place; `template` names whose affair it is, if that is known."""

    file: Path
    line: int
    template: str
    text: str

    def __str__(self) -> str:
        return ": ".join(filter(None, (f"{self.file}:{self.line}", self.template, self.text)))


@dataclass(frozen=True, slots=True)
class Entry:
    """A template in one language, as it is declared."""

    content: JSONDict
    file: Path
    document: Document
    position: int

    @property
    def name(self) -> str:
        """Return the template's name, or nothing."""
        return str(self.content.get("name") or "")

    @property
    def language(self) -> str:
        """Return its language, or nothing."""
        return str(self.content.get("language") or "")

    def finding(self, text: str, where: Sequence[str | int] = ()) -> Finding:
        """Return a finding about the part of the entry that the keys and positions lead to."""
        line = self.document.line([KEY, self.position, *where])
        return Finding(self.file, line, f"{self.name or 'a template'} ({self.language or 'no language'})", text)

    def component(self, kind: str) -> JSONDict:
        """Return the component of this type, or an empty one."""
        parts = self.content.get("components")
        found = (part for part in (parts if isinstance(parts, list) else ()) if isinstance(part, dict))
        return next((part for part in found if str(part.get("type", "")).upper() == kind), {})


def lint(path: Path, domain: Domain | None = None) -> tuple[int, list[Finding]]:
    """Return how many templates were read, each language apart, and all findings in the order of files and lines.

    With a domain, also the templates that no response uses.
    """
    files = sorted((*path.glob("**/*.yml"), *path.glob("**/*.yaml"))) if path.is_dir() else [path]
    entries: list[Entry] = []
    found: list[Finding] = []
    for file in files:
        for item in _items(file):
            entries += [item] if isinstance(item, Entry) else []
            found += [item] if isinstance(item, Finding) else []
    if not files:
        found.append(Finding(path, 1, "", "the folder has no YAML file"))
    for entry in entries:
        found += [entry.finding(fault.text, fault.where) for fault in faults(entry.content)]
    found += [*_twice(entries), *_alike(entries), *_languages(entries), *_variables(entries)]
    if domain is not None and domain.problems:
        found += [Finding(problem.file, problem.line, "", problem.text) for problem in domain.problems]
    elif domain is not None:
        found += _unused(entries, domain)
    return len(entries), sorted(found)


def _items(file: Path) -> Iterator[Entry | Finding]:
    try:
        document = yaml_files.load_with_lines(file)
    except yaml_files.Unreadable as problem:
        yield Finding(file, problem.line or 1, "", f"it cannot be read: {problem}")
        return
    templates = document.content.get(KEY) if isinstance(document.content, dict) else None
    if not isinstance(templates, list):
        yield Finding(file, document.line([KEY]), "", f"it has no list under the key {KEY}")
        return
    for position, content in enumerate(templates):
        if isinstance(content, dict):
            yield Entry(content, file, document, position)
        else:
            yield Finding(file, document.line([KEY, position]), "", "the entry is not a mapping")


def _twice(entries: Sequence[Entry]) -> Iterator[Finding]:
    first: dict[tuple[str, str], Entry] = {}
    for entry in entries:
        before = first.setdefault((entry.name, entry.language), entry)
        if before is not entry:
            yield entry.finding(f"it is there twice: see {_place(before)}", ["name"])


def _alike(entries: Sequence[Entry]) -> Iterator[Finding]:
    first: dict[tuple[Any, Any], Entry] = {}
    for entry in entries:
        body, footer = entry.component("BODY").get("text"), entry.component("FOOTER").get("text")
        if not isinstance(body, str):
            continue
        before = first.setdefault((body, str(footer)), entry)
        if before.name != entry.name:
            yield entry.finding(
                f"body and footer are those of {before.name} ({before.language}), {_place(before)}: Meta refuses that",
                ["components"],
            )


def _languages(entries: Sequence[Entry]) -> Iterator[Finding]:
    """Yield the templates that lack a language which others have: a customer would read another one."""
    have: dict[str, list[Entry]] = {}
    for entry in entries:
        have.setdefault(entry.name, []).append(entry)
    everywhere = {entry.language for entry in entries if entry.language}
    for translations in have.values():
        missing = sorted(everywhere - {entry.language for entry in translations})
        if missing:
            yield translations[0].finding(
                f"it has no translation into {', '.join(missing)}, which other templates have"
            )


def _variables(entries: Sequence[Entry]) -> Iterator[Finding]:
    """Yield translations with other variables than the first one: a response fills the same ones in each language."""
    first: dict[str, tuple[Entry, set[str]]] = {}
    for entry in entries:
        try:
            translation = read_translation(entry.content)
        except ValueError as problem:
            if not faults(entry.content):  # else they are told
                yield entry.finding(f"the channel cannot send it: {problem}")
            continue
        variables = {*translation.header_variables, *translation.body_variables}
        before, expected = first.setdefault(entry.name, (entry, variables))
        if variables != expected:
            yield entry.finding(
                f"its variables are {_listed(variables)}; in {before.language} they are {_listed(expected)}",
                ["components"],
            )


def _unused(entries: Sequence[Entry], domain: Domain) -> Iterator[Finding]:
    used = {name for variation in domain.variations for name in _names(variation.content.get("custom"))}
    if any("{" in name for name in used):
        return  # a slot tells which template it is
    told: set[str] = set()
    for entry in entries:
        if entry.name not in used | told:
            told.add(entry.name)
            yield entry.finding("no response of the domain uses it (custom.template.name)", ["name"])


def _names(custom: Any) -> Iterator[str]:
    template = custom.get("template") if isinstance(custom, dict) else None
    if isinstance(template, dict) and template.get("name"):
        yield str(template["name"])


def _place(entry: Entry) -> str:
    return f"{entry.file}:{entry.document.line([KEY, entry.position])}"


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f"{{{{{name}}}}}" for name in sorted(names)) or "none"
