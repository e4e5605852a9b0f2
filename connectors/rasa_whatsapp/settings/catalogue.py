"""The approved templates, a file or a folder of them, to a TemplateBook, and what they say of their use; what can't be used is told with its place."""

from __future__ import annotations

from pathlib import Path

from rasa_whatsapp.cloud.templates import TemplateBook, Translation, read_translation
from rasa_whatsapp.cloud.templates.declared import Declared, faults_of_keys
from rasa_whatsapp.templates import catalogue
from rasa_whatsapp.templates.catalogue import Entry


def read_catalogue(path: Path, problems: list[str]) -> tuple[TemplateBook, dict[str, Declared]]:
    """Return the templates of a file or a folder, and those that responses without one use; adds what is wrong with them."""
    found = catalogue.read_catalogue(path)
    wrong = [(misread.file, misread.line, misread.text) for misread in found.misread]
    translations = [_translation(entry, wrong) for entry in found.entries]
    clashes = list(catalogue.clashes(found.entries))
    wrong += [(entry.file, entry.line([key]), f"{entry.title}: {text}") for entry, key, text in clashes]
    problems += [f"templates: {file}:{line}: {text}" for file, line, text in sorted(wrong)]
    uses = [entry.use for entry in found.entries if entry.use is not None]
    return TemplateBook(tuple(filter(None, translations))), {
        response: use for use in uses for response in use.responses
    }


def _translation(entry: Entry, wrong: list[tuple[Path, int, str]]) -> Translation | None:
    try:
        translation = read_translation(entry.content)
        faults = [fault.text for fault in faults_of_keys(entry.content)]
        if faults:
            raise ValueError("; ".join(faults))
    except ValueError as problem:
        wrong.append((entry.file, entry.line(), f"{entry.title}: {problem}"))
        return None
    return translation
