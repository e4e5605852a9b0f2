"""A catalogue of templates, a file or a folder of them, to its entries with their places.

Its law: nothing is raised. What cannot be read, or is no entry, is a Misread at its place; what an entry says is not judged here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from rasa_whatsapp import yaml_files
from rasa_whatsapp.cloud.templates.declared import Declared, faults_of_keys, read_declared
from rasa_whatsapp.cloud.wire import JSONDict
from rasa_whatsapp.yaml_files import Document

KEY = "whatsapp_templates"


@dataclass(frozen=True, slots=True)
class Misread:
    """What cannot be read, or is no entry of a catalogue."""

    file: Path
    line: int
    text: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.text}"


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

    @property
    def use(self) -> Declared | None:
        """Return which responses use it and how, as far as the entry says that rightly."""
        return None if any(faults_of_keys(self.content)) else read_declared(self.content)

    @property
    def title(self) -> str:
        """Return whose affair a finding about it is."""
        return f"{self.name or 'a template'} ({self.language or 'no language'})"

    @property
    def place(self) -> str:
        """Return where it begins, as file and line."""
        return f"{self.file}:{self.line()}"

    def line(self, where: Sequence[str | int] = ()) -> int:
        """Return the line of the part of the entry that the keys and positions lead to."""
        return self.document.line([KEY, self.position, *where])

    def component(self, kind: str) -> JSONDict:
        """Return the component of this type, or an empty one."""
        parts = self.content.get("components")
        found = (part for part in (parts if isinstance(parts, list) else ()) if isinstance(part, dict))
        return next((part for part in found if str(part.get("type", "")).upper() == kind), {})


@dataclass(frozen=True, slots=True)
class Catalogue:
    """What was found, in the order of files and lines."""

    entries: tuple[Entry, ...]
    misread: tuple[Misread, ...]


def read_catalogue(path: Path) -> Catalogue:
    """Return the templates of a file, or of all YAML files below a folder."""
    files = files_of(path)
    found = [item for file in files for item in _items(file)]
    if not files:
        found.append(Misread(path, 1, "the folder has no YAML file"))
    return Catalogue(
        tuple(item for item in found if isinstance(item, Entry)),
        tuple(item for item in found if isinstance(item, Misread)),
    )


def clashes(entries: Iterable[Entry]) -> Iterator[tuple[Entry, str, str]]:
    """Yield the entries that say what an earlier one says otherwise: which, in what key, and what is wrong.

    A translation may be there once; all translations of a template say the same of its use, and a response has one template.
    """
    by_key: dict[tuple[str, str], Entry] = {}
    by_name: dict[str, tuple[Entry, Declared]] = {}
    by_response: dict[str, Entry] = {}
    for entry in entries:
        before = by_key.setdefault((entry.name, entry.language), entry)
        if before is not entry:
            yield entry, "name", f"it is there twice: see {before.place}"
        use = entry.use
        if use is None:
            continue
        user, other = by_name.setdefault(entry.name, (entry, use))
        if other != use:
            text = f"response, parameters and payloads are others than at {user.place}: say them once, or the same"
            yield entry, "response", text
        for response in use.responses:
            first = by_response.setdefault(response, entry)
            if first.name != entry.name:
                yield entry, "response", f"{response} has the template {first.name}, {first.place}, already"


def files_of(path: Path) -> list[Path]:
    """Return the file itself, or the YAML files below a folder."""
    return sorted((*path.glob("**/*.yml"), *path.glob("**/*.yaml"))) if path.is_dir() else [path]


def _items(file: Path) -> Iterator[Entry | Misread]:
    try:
        document = yaml_files.load_with_lines(file)
    except yaml_files.Unreadable as problem:
        yield Misread(file, problem.line or 1, f"it cannot be read: {problem}")
        return
    templates = document.content.get(KEY) if isinstance(document.content, dict) else None
    if not isinstance(templates, list):
        yield Misread(file, document.line([KEY]), f"it has no list under the key {KEY}")
        return
    for position, content in enumerate(templates):
        if isinstance(content, dict):
            yield Entry(content, file, document, position)
        else:
            yield Misread(file, document.line([KEY, position]), "the entry is not a mapping")
