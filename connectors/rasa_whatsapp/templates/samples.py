"""The files of samples beside a catalogue: whether each can be uploaded, and its handle, which Meta's upload API gives for it.

A path counts from the folder of the file that declares the template. A file is uploaded once, whatever names it how often.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Protocol

from rasa_whatsapp.cloud.templates.management_errors import Failure, Scope
from rasa_whatsapp.cloud.templates.part_rules import Fault
from rasa_whatsapp.cloud.templates.plan import Create, Edit, key_of
from rasa_whatsapp.cloud.templates.samples import BEGINNING_BYTES, Sample, samples, type_of, unlawful, with_handles
from rasa_whatsapp.cloud.wire import JSONDict
from rasa_whatsapp.templates.account import CallFailed, MediaFile
from rasa_whatsapp.templates.catalogue import Entry


class Uploader(Protocol):
    """Whoever uploads a file."""

    def upload(self, file: MediaFile) -> str:
        """Return the handle of a file; raises CallFailed."""


def faults_of_samples(entry: Entry) -> Iterator[Fault]:
    """Yield the samples of an entry whose files are not there, or are none that Meta takes."""
    for sample in samples(entry.content):
        path = path_of(entry, sample)
        try:
            with path.open("rb") as file:
                beginning = file.read(BEGINNING_BYTES)
            wrong = unlawful(sample.format, beginning, path.stat().st_size)
        except (OSError, ValueError) as problem:  # a path with NUL is no path
            wrong = _unreadable(problem)
        if wrong:
            yield Fault(sample.where, f"the sample {path} {wrong}")


def path_of(entry: Entry, sample: Sample) -> Path:
    """Return where the file of a sample is."""
    return entry.file.parent / sample.file


class Samples:
    """The samples of declared templates, uploaded when a step hands them in."""

    def __init__(self, entries: Iterable[Entry], uploader: Uploader, told: Callable[[Path], None]) -> None:
        """Take the entries, who uploads, and who is told of each file that is uploaded."""
        self._entries = {key_of(entry.content): entry for entry in entries}
        self._uploader = uploader
        self._told = told
        self._handles: dict[Path, str] = {}

    def named_by(self, step: Create | Edit) -> list[tuple[Sample, Path]]:
        """Return the samples that a step hands in, and their files."""
        entry = self._entries[key_of(step.declared)]
        return [(sample, path_of(entry, sample)) for sample in samples(step.body)]

    def handed_in(self, step: Create | Edit) -> JSONDict:
        """Return what a step sends, its samples uploaded; raises CallFailed."""
        return with_handles(
            step.body, {sample.file: self._handle(sample, path) for sample, path in self.named_by(step)}
        )

    def _handle(self, sample: Sample, path: Path) -> str:
        place = path.resolve()
        if place not in self._handles:
            self._handles[place] = self._uploader.upload(_read(sample, path))
            self._told(path)
        return self._handles[place]


def _read(sample: Sample, path: Path) -> MediaFile:
    try:
        content = path.read_bytes()
    except OSError as problem:
        raise CallFailed(Failure(Scope.TEMPLATE, f"the sample {path} {_unreadable(problem)}")) from None
    mime_type, wrong = type_of(content), unlawful(sample.format, content, len(content))
    if wrong or mime_type is None:  # it was looked at before; somebody has changed it since
        raise CallFailed(Failure(Scope.TEMPLATE, f"the sample {path} {wrong}"))
    return MediaFile(path.name, mime_type, content)


def _unreadable(problem: OSError | ValueError) -> str:
    if isinstance(problem, FileNotFoundError):
        return "is not there: its path counts from the folder of this file"
    return f"cannot be read: {getattr(problem, 'strerror', None) or problem}"
