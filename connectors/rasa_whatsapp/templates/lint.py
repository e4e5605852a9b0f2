"""A catalogue of templates, a file or a folder of them, to everything in it that Meta would refuse or the bot would miss, with its place.

Nothing of Meta or Rasa is asked; what cannot be read is a finding, too. The rules for one template stand in cloud/templates/rules.py, what a
bot lacks beside its templates in proactive.py.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from rasa_whatsapp.cloud import languages
from rasa_whatsapp.cloud.scalars import meant
from rasa_whatsapp.cloud.templates import read_translation
from rasa_whatsapp.cloud.templates.declared import Declared, faults_of_keys
from rasa_whatsapp.cloud.templates.key_rules import misspelt_keys
from rasa_whatsapp.cloud.templates.rules import faults
from rasa_whatsapp.responses.domain import Domain
from rasa_whatsapp.templates.catalogue import Entry, clashes, read_catalogue
from rasa_whatsapp.templates.proactive import Bot, lacks
from rasa_whatsapp.templates.samples import faults_of_samples


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """One thing that is wrong at one place; `template` or `response` names whose affair it is, if that is known.

    `advice` is what the bot would miss and Meta takes all the same.
    """

    file: Path
    line: int
    template: str
    text: str
    response: str = ""
    advice: bool = False

    def __str__(self) -> str:
        return ": ".join(filter(None, (f"{self.file}:{self.line}", self.template or self.response, self.text)))


def lint(path: Path, bot: Bot | None = None, spoken: Collection[str] = ()) -> tuple[int, list[Finding]]:
    """Return how many templates were read, each language apart, and all findings in the order of files and lines.

    With a bot, also the templates that no response uses, and what the bot lacks; `spoken` are the languages that it speaks.
    """
    catalogue = read_catalogue(path)
    entries = catalogue.entries
    found = [Finding(misread.file, misread.line, "", misread.text) for misread in catalogue.misread]
    for entry in entries:
        wrong = [*faults(entry.content), *faults_of_keys(entry.content), *faults_of_samples(entry)]
        found += [_finding(entry, fault.text, fault.where) for fault in wrong]
        # Advice, since it may be a key of Meta's that is new.
        found += [_advice(entry, fault.text, fault.where) for fault in misspelt_keys(entry.content)]
    found += [_finding(entry, text, [key]) for entry, key, text in clashes(entries)]
    found += [*_alike(entries), *_languages(entries, spoken), *_variables(entries)]
    if bot is not None:
        found += _of_the_bot(bot, entries)
    return len(entries), sorted(found)


def _of_the_bot(bot: Bot, entries: Sequence[Entry]) -> Iterator[Finding]:
    """Yield what cannot be read of a bot; what it lacks only if all could be read."""
    misread = [*bot.misread, *bot.actions.misread]
    yield from (Finding(problem.file, problem.line, "", problem.text) for problem in bot.domain.problems)
    yield from (Finding(problem.file, problem.line, "", problem.text) for problem in misread)
    if not bot.domain.problems:
        yield from _unused(entries, bot)
        yield from _unknown_names(entries, bot.domain)
    if not bot.domain.problems and not misread:
        declared = {response for _, use in _declared(entries) for response in use.responses}
        yield from (Finding(lack.file, lack.line, "", lack.text, lack.response) for lack in lacks(bot, declared))


def _finding(entry: Entry, text: str, where: Sequence[str | int] = ()) -> Finding:
    """Return a finding about the part of the entry that the keys and positions lead to."""
    return Finding(entry.file, entry.line(where), entry.title, text)


def _advice(entry: Entry, text: str, where: Sequence[str | int] = ()) -> Finding:
    return replace(_finding(entry, text, where), advice=True)


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


def _languages(entries: Sequence[Entry], spoken: Collection[str]) -> Iterator[Finding]:
    """Yield the templates that lack a language which the bot speaks, or others have: a customer would read another one."""
    have: dict[str, list[Entry]] = {}
    for entry in entries:
        have.setdefault(entry.name, []).append(entry)
    everywhere = {entry.language for entry in entries if entry.language}
    for translations in have.values():
        have_it = {entry.language for entry in translations}
        unread = sorted(language for language in spoken if languages.best(language, have_it) is None)
        if unread:
            yield _advice(translations[0], f"it has no translation into {', '.join(unread)}, which the bot speaks")
        missing = sorted(everywhere - have_it - set(unread))
        if missing:
            yield _advice(
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


def _unused(entries: Sequence[Entry], bot: Bot) -> Iterator[Finding]:
    used = {*bot.templates, *(name for variation in bot.domain.variations for name in variation.templates)}
    if any("{" in name for name in used):
        return  # a slot, or the environment, tells which template it is
    declared = {entry.name for entry, _ in _declared(entries)}
    told: set[str] = set()
    for entry in entries:
        if entry.name not in used | told | declared:
            told.add(entry.name)
            yield _finding(entry, "no response of the domain uses it (custom.template.name)", ["name"])


def _declared(entries: Sequence[Entry]) -> list[tuple[Entry, Declared]]:
    """Return the entries that say which responses use the template."""
    return [(entry, use) for entry in entries if (use := entry.use) is not None]


def _unknown_names(entries: Sequence[Entry], domain: Domain) -> Iterator[Finding]:
    """Yield responses and slots that the domain does not know."""
    for entry, use in _declared(entries):
        for response in use.responses:
            if response not in domain.names:
                told = f"the domain has no response {response!r} for WhatsApp{meant(response, sorted(domain.names))}"
                yield _finding(entry, told, ["response"])
        for name, source in use.parameters.items():
            if source.kind == "slot" and source.value not in domain.slots:
                told = f"the domain has no slot {source.value!r}{meant(source.value, sorted(domain.slots))}"
                yield _finding(entry, f"parameters.{name}: {told}", ["parameters", name])


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f"{{{{{name}}}}}" for name in sorted(names)) or "none"
