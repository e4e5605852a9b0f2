"""A catalogue of templates, a file or a folder of them, to everything in it that Meta would refuse or the bot would miss, with its place.

Nothing of Meta or Rasa is asked; what is no catalogue is a finding, too. The rules for one template stand in cloud/templates/rules.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rasa_whatsapp.cloud.templates import read_translation
from rasa_whatsapp.cloud.templates.rules import faults
from rasa_whatsapp.responses.domain import Domain
from rasa_whatsapp.templates.catalogue import Entry, read_catalogue


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """One thing that is wrong at one place; `template` names whose affair it is, if that is known."""

    file: Path
    line: int
    template: str
    text: str

    def __str__(self) -> str:
        return ": ".join(filter(None, (f"{self.file}:{self.line}", self.template, self.text)))


def lint(path: Path, domain: Domain | None = None) -> tuple[int, list[Finding]]:
    """Return how many templates were read, each language apart, and all findings in the order of files and lines.

    With a domain, also the templates that no response uses.
    """
    catalogue = read_catalogue(path)
    entries = catalogue.entries
    found = [Finding(misread.file, misread.line, "", misread.text) for misread in catalogue.misread]
    for entry in entries:
        found += [_finding(entry, fault.text, fault.where) for fault in faults(entry.content)]
    found += [*_twice(entries), *_alike(entries), *_languages(entries), *_variables(entries)]
    if domain is not None and domain.problems:
        found += [Finding(problem.file, problem.line, "", problem.text) for problem in domain.problems]
    elif domain is not None:
        found += _unused(entries, domain)
    return len(entries), sorted(found)


def _finding(entry: Entry, text: str, where: Sequence[str | int] = ()) -> Finding:
    """Return a finding about the part of the entry that the keys and positions lead to."""
    whose = f"{entry.name or 'a template'} ({entry.language or 'no language'})"
    return Finding(entry.file, entry.line(where), whose, text)


def _twice(entries: Sequence[Entry]) -> Iterator[Finding]:
    first: dict[tuple[str, str], Entry] = {}
    for entry in entries:
        before = first.setdefault((entry.name, entry.language), entry)
        if before is not entry:
            yield _finding(entry, f"it is there twice: see {before.place}", ["name"])


def _alike(entries: Sequence[Entry]) -> Iterator[Finding]:
    first: dict[tuple[Any, Any], Entry] = {}
    for entry in entries:
        body, footer = entry.component("BODY").get("text"), entry.component("FOOTER").get("text")
        if not isinstance(body, str):
            continue
        before = first.setdefault((body, str(footer)), entry)
        if before.name != entry.name:
            yield _finding(
                entry,
                f"body and footer are those of {before.name} ({before.language}), {before.place}: Meta refuses that",
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
            yield _finding(
                translations[0], f"it has no translation into {', '.join(missing)}, which other templates have"
            )


def _variables(entries: Sequence[Entry]) -> Iterator[Finding]:
    """Yield translations with other variables than the first one: a response fills the same ones in each language."""
    first: dict[str, tuple[Entry, set[str]]] = {}
    for entry in entries:
        try:
            translation = read_translation(entry.content)
        except ValueError as problem:
            if not faults(entry.content):  # else they are told
                yield _finding(entry, f"the channel cannot send it: {problem}")
            continue
        variables = {*translation.header_variables, *translation.body_variables}
        before, expected = first.setdefault(entry.name, (entry, variables))
        if variables != expected:
            yield _finding(
                entry,
                f"its variables are {_listed(variables)}; in {before.language} they are {_listed(expected)}",
                ["components"],
            )


def _unused(entries: Sequence[Entry], domain: Domain) -> Iterator[Finding]:
    used = {name for variation in domain.variations for name in variation.templates}
    if any("{" in name for name in used):
        return  # a slot tells which template it is
    told: set[str] = set()
    for entry in entries:
        if entry.name not in used | told:
            told.add(entry.name)
            yield _finding(entry, "no response of the domain uses it (custom.template.name)", ["name"])


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f"{{{{{name}}}}}" for name in sorted(names)) or "none"
