"""The file with the approved templates to a TemplateBook; every entry that can't be used is told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rasa_whatsapp import yaml_files
from rasa_whatsapp.cloud.templates import TemplateBook, Translation, read_translation


def read_catalogue(path: Path, problems: list[str]) -> TemplateBook:
    """Return the templates of a file; adds what is wrong with it."""
    try:
        content = yaml_files.load(path)
    except yaml_files.Unreadable as problem:
        problems.append(f"templates: {path} cannot be read: {problem}")
        return TemplateBook()
    entries = content.get("whatsapp_templates") if isinstance(content, dict) else None
    if not isinstance(entries, list):
        problems.append(f"templates: {path} has no list whatsapp_templates")
        return TemplateBook()
    found = [_read_entry(path, position, entry, problems) for position, entry in enumerate(entries, start=1)]
    return TemplateBook(tuple(translation for translation in found if translation is not None))


def _read_entry(path: Path, position: int, entry: Any, problems: list[str]) -> Translation | None:
    try:
        if not isinstance(entry, dict):
            raise ValueError("it is not a mapping")
        return read_translation(entry)
    except ValueError as problem:
        name = entry.get("name") if isinstance(entry, dict) else None
        problems.append(f"templates: {path}, number {position} ({name or 'without a name'}): {problem}")
        return None
