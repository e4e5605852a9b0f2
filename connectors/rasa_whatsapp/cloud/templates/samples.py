"""The samples of media that a catalogue names by their files: which they are, whether Meta takes them, and handles in their place.

No I/O: who reads a file hands over how it begins and how long it is. What a file is its bytes tell, whatever its name ends with.
https://developers.facebook.com/docs/graph-api/guides/upload
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from rasa_whatsapp.cloud.media import MOST_BYTES
from rasa_whatsapp.cloud.templates.part_rules import MEDIA, SAMPLE_FILE
from rasa_whatsapp.cloud.wire import JSONDict

BEGINNING_BYTES = 12  # so much of a file tells what it is
_GIF_BYTES = 7 * 512 * 1024  # 3.5 MB (fact sheet 6.3)

# a header's format -> what it may be made of for the upload API, and of how many bytes (fact sheet 6.3, 10)
_LAWFUL: dict[str, tuple[tuple[str, ...], int]] = {
    "IMAGE": (("image/jpeg", "image/png"), MOST_BYTES["image"]),
    "VIDEO": (("video/mp4",), MOST_BYTES["video"]),
    "DOCUMENT": (("application/pdf",), MOST_BYTES["document"]),
    "GIF": (("video/mp4",), _GIF_BYTES),
}
_BEGINNINGS = ((b"\xff\xd8\xff", "image/jpeg"), (b"\x89PNG\r\n\x1a\n", "image/png"), (b"%PDF-", "application/pdf"))
# brands of the same container as MP4 that are something else: 3GPP, QuickTime, HEIF, AVIF, audio alone
_NO_MP4 = (b"3g", b"qt", b"he", b"mif", b"msf", b"avif", b"avis", b"M4A")


@dataclass(frozen=True, slots=True)
class Sample:
    """A header's sample: its file as it is written, the header's format, and the keys and positions that lead to it."""

    file: str
    format: str
    where: tuple[str | int, ...]


def samples(template: JSONDict) -> list[Sample]:
    """Return the samples that a template's headers, those of cards too, name by a file."""
    return [sample for sample, _ in _found(template)]


def type_of(beginning: bytes) -> str | None:
    """Return the MIME type of a file that begins like this, None if the upload API takes no such file."""
    if beginning[4:8] == b"ftyp":
        return None if beginning[8:12].startswith(_NO_MP4) else "video/mp4"
    return next((mime for start, mime in _BEGINNINGS if beginning.startswith(start)), None)


def unlawful(kind: str, beginning: bytes, size: int) -> str | None:
    """Return what is wrong with a file of so many bytes as the sample of a header of this format, None if nothing is."""
    types, most = _LAWFUL[kind]
    if type_of(beginning) not in types:
        return f"is no {' or '.join(types)}, which a header with {kind} needs"
    if size > most:
        return f"has {size:,} bytes; a header with {kind} may have {most:,}"
    return None


def with_handles(body: JSONDict, handles: Mapping[str, str]) -> JSONDict:
    """Return what is handed in, with the handles of uploaded files in place of the files."""
    filled = deepcopy(body)
    for sample, header in _found(filled):
        header["example"] = {"header_handle": [handles[sample.file]]}
    return filled


def _found(template: JSONDict) -> list[tuple[Sample, JSONDict]]:
    """Return the samples that are files, each with its header."""
    return [
        (Sample(file, kind, (*where, "example", SAMPLE_FILE)), header)
        for where, header in _headers(template)
        if (kind := str(header.get("format", "")).upper()) in MEDIA and (file := _file(header)) is not None
    ]


def _headers(holder: JSONDict, where: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], JSONDict]]:
    for position, part in enumerate(_list(holder.get("components"))):
        if not isinstance(part, dict):
            continue
        place = (*where, "components", position)
        if str(part.get("type", "")).upper() == "HEADER":
            yield place, part
        for number, card in enumerate(_list(part.get("cards"))):
            if isinstance(card, dict):
                yield from _headers(card, (*place, "cards", number))


def _file(header: JSONDict) -> str | None:
    example = header.get("example")
    file = example.get(SAMPLE_FILE) if isinstance(example, dict) else None
    return file if isinstance(file, str) and file.strip() else None


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
