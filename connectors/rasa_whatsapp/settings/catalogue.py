"""The file with the approved templates to a TemplateBook, and what it says of their use; every entry that can't be used is told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rasa_whatsapp import yaml_files
from rasa_whatsapp.cloud.templates import TemplateBook, Translation, read_translation
from rasa_whatsapp.cloud.templates.declared import Declared, by_response, faults_of_keys, read_declared


def read_catalogue(path: Path, problems: list[str]) -> tuple[TemplateBook, dict[str, Declared]]:
    """Return the templates of a file, and those that responses without one use; adds what is wrong with it."""
    try:
        content = yaml_files.load(path)
    except yaml_files.Unreadable as problem:
        problems.append(f"templates: {path} cannot be read: {problem}")
        return TemplateBook(), {}
    entries = content.get("whatsapp_templates") if isinstance(content, dict) else None
    if not isinstance(entries, list):
        problems.append(f"templates: {path} has no list whatsapp_templates")
        return TemplateBook(), {}
    found = [_read_entry(path, position, entry, problems) for position, entry in enumerate(entries, start=1)]
    declared = [use for _, use in filter(None, found) if use is not None]
    try:
        uses = by_response(declared)
    except ValueError as problem:
        problems.append(f"templates: {path}: {problem}")
        uses = {}
    return TemplateBook(tuple(translation for translation, _ in filter(None, found))), uses


def _read_entry(
    path: Path, position: int, entry: Any, problems: list[str]
) -> tuple[Translation, Declared | None] | None:
    try:
        if not isinstance(entry, dict):
            raise ValueError("it is not a mapping")
        translation = read_translation(entry)
        wrong = [fault.text for fault in faults_of_keys(entry)]
        if wrong:
            raise ValueError("; ".join(wrong))
        return translation, read_declared(entry)
    except ValueError as problem:
        name = entry.get("name") if isinstance(entry, dict) else None
        problems.append(f"templates: {path}, number {position} ({name or 'without a name'}): {problem}")
        return None
