"""Meta's templates into the files of a catalogue: comments, order and what is the catalogue's alone stay as they are.

Reads the files, and writes them only when it is told to.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.scalarstring import LiteralScalarString

from rasa_whatsapp import yaml_files
from rasa_whatsapp.cloud.templates.calls import GONE, AccountTemplate
from rasa_whatsapp.cloud.templates.differences import Difference, differences
from rasa_whatsapp.cloud.templates.entries import to_entry, update
from rasa_whatsapp.cloud.templates.plan import key_of
from rasa_whatsapp.templates.catalogue import KEY, files_of

Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Change:
    """What happens to one entry: the parts that change, none for an entry that is new."""

    key: Key
    parts: tuple[Difference, ...] = ()


@dataclass(frozen=True, slots=True)
class Rewrite:
    """A file that is not as Meta has it: what changes, and its new text."""

    file: Path
    changes: tuple[Change, ...]
    text: str

    def write(self) -> None:
        """Put the new text in place of the old one."""
        yaml_files.write(self.text, self.file)


def pulled(catalogue: Path, templates: Mapping[Key, AccountTemplate], *, new_in: Path) -> list[Rewrite]:
    """Return the files of a catalogue that change, and what changes; templates without an entry go into `new_in`.

    Raises yaml_files.Unreadable for a file that is no catalogue, and for one whose comments cannot be kept.
    """
    files = [file for file in files_of(catalogue) if file.exists()]
    contents = {file: _opened(file) for file in files}
    changes = {file: _update(contents[file][KEY], templates) for file in files}
    for file in files:
        _refuse_shared(file, contents[file][KEY], templates)
    known = {key_of(entry) for content in contents.values() for entry in content[KEY] if isinstance(entry, dict)}
    missing = [template for key, template in templates.items() if key not in known and template.status not in GONE]
    if missing:
        content = contents.setdefault(new_in, CommentedMap({KEY: CommentedSeq()}))
        for template in missing:
            _append(content[KEY], to_entry(template))
        changes.setdefault(new_in, []).extend(Change(template.key) for template in missing)
    return [
        Rewrite(file, tuple(changes[file]), yaml_files.edited(contents[file])) for file in contents if changes[file]
    ]


def _opened(file: Path) -> Any:
    try:
        content = yaml_files.load_for_editing(file)
    except yaml_files.Unreadable as problem:
        raise yaml_files.Unreadable(f"{file} cannot be read: {problem}") from None
    if not isinstance(content, dict) or not isinstance(content.get(KEY), list):
        raise yaml_files.Unreadable(f"{file} has no list under the key {KEY}")
    return content


def _update(entries: Sequence[Any], templates: Mapping[Key, AccountTemplate]) -> list[Change]:
    found: list[Change] = []
    for entry in entries:
        template = templates.get(key_of(entry)) if isinstance(entry, dict) else None
        had_status = template is None or "status" in entry
        parts = update(entry, template) if template else []
        if parts:
            found.append(Change(key_of(entry), tuple(parts)))
            _lay_out(entry)
        if not had_status and "status" in entry:  # at the end it would stand behind the comments of the next entry
            entry.insert(list(entry).index("category") + 1, "status", entry.pop("status"))
    return found


def _refuse_shared(file: Path, entries: Sequence[Any], templates: Mapping[Key, AccountTemplate]) -> None:
    """Refuse a file in which two entries share a part by an anchor that is not the same at Meta."""
    for entry in entries:
        template = templates.get(key_of(entry)) if isinstance(entry, dict) else None
        if template and differences(entry, to_entry(template)):
            raise yaml_files.Unreadable(
                f"{file}: {template.name} shares a part with another template (an anchor); write it out"
            )


def _append(entries: Any, entry: dict[str, Any]) -> None:
    """Add an entry at the end, a blank line before it."""
    entries.append(CommentedMap(entry))
    _lay_out(entries[-1])
    if len(entries) > 1:
        entries.yaml_set_comment_before_after_key(len(entries) - 1, before="\n")


def _lay_out(value: Any) -> None:
    """Let texts of several lines be written as such, where that changes nothing."""
    for key, item in value.items() if isinstance(value, dict) else enumerate(value):
        if isinstance(item, (dict, list)):
            _lay_out(item)
        elif type(item) is str and _fits_a_block(item):
            value[key] = LiteralScalarString(item)


def _fits_a_block(text: str) -> bool:
    lines = text.split("\n")
    return len(lines) > 1 and all(line.isprintable() and line == line.strip() for line in lines) and bool(lines[-1])
