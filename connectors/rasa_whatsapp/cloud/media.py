"""Media by id: what a webhook and Graph say of a file, what Meta takes, and a file name that no sender can make harmful.

https://developers.facebook.com/documentation/business-messaging/whatsapp/business-phone-numbers/media
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rasa_whatsapp.cloud.graph_errors import disposition_of
from rasa_whatsapp.errors import MediaRefused, MediaUnavailable

INBOUND_BYTES = 100 * 1024 * 1024  # above it the customer's message comes as error 131052
FILE_NAME_BYTES = 96  # which leaves room for a number of three digits, and 100 in all

# What Meta takes from us, by kind: MIME type -> the extension that a file of it gets.
TYPES: dict[str, dict[str, str]] = {
    "image": {"image/jpeg": ".jpg", "image/png": ".png"},
    "sticker": {"image/webp": ".webp"},
    "audio": {
        "audio/aac": ".aac",
        "audio/amr": ".amr",
        "audio/mpeg": ".mp3",
        "audio/mp4": ".m4a",
        "audio/ogg": ".ogg",
    },
    "video": {"video/mp4": ".mp4", "video/3gpp": ".3gp"},
    "document": {
        "text/plain": ".txt",
        "application/pdf": ".pdf",
        "application/msword": ".doc",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document": ".docx",
        "application/vnd.ms-excel": ".xls",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": ".xlsx",
        "application/vnd.ms-powerpoint": ".ppt",
        "application/vnd.openxmlformats-officedocument.presentationml.presentation": ".pptx",
    },
}
MOST_BYTES = {
    "image": 5 * 1024 * 1024,
    "sticker": 500 * 1024,  # animated; a static one 100 KB, which only its bytes tell apart
    "audio": 16 * 1024 * 1024,
    "video": 16 * 1024 * 1024,
    "document": 100 * 1024 * 1024,
}
_OTHERS = {
    "text/csv": ".csv",
    "application/zip": ".zip",
    "image/gif": ".gif",
    "image/heic": ".heic",
    "audio/opus": ".opus",
}
_EXTENSIONS = {mime: extension for table in (*TYPES.values(), _OTHERS) for mime, extension in table.items()}
_UNKNOWN = ".bin"  # also for what a browser would run: HTML, SVG, scripts

_ID = re.compile(r"[A-Za-z0-9_-]{1,256}")
_TYPE = re.compile(r"[a-z0-9.+_-]{1,80}/[a-z0-9.+_-]{1,80}")
_HEX = re.compile(r"[0-9a-fA-F]{64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """A file as the webhook names it; everything but its id comes from the sender."""

    media_id: str
    kind: str
    mime_type: str | None
    sha256: bytes | None
    file_name: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolved:
    """A file as Graph knows it; `url` holds for five minutes."""

    url: str
    mime_type: str | None
    sha256: bytes | None
    size: int | None


def read_reference(media: Mapping[str, Any]) -> Reference:
    """Return what `media` (an entity `whatsapp_media`) refers to; raises MediaRefused if it cannot be a reference."""
    media_id = media.get("id")
    if not isinstance(media_id, str) or not _ID.fullmatch(media_id):
        raise MediaRefused("id: it is missing or not of the form of a media id")
    kind, mime_type, name = media.get("kind"), media.get("mime_type"), media.get("filename")
    return Reference(
        media_id=media_id,
        kind=kind if isinstance(kind, str) and kind in TYPES else "media",
        mime_type=bare_type(mime_type),
        sha256=digest_of(media.get("sha256")),
        file_name=name if isinstance(name, str) else None,
    )


def read_resolved(http_status: int, body: bytes) -> Resolved:
    """Return Graph's answer about a media id; raises MediaUnavailable if there is none, MediaRefused for a strange one."""
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):
        content = None
    if http_status != 200:
        raise MediaUnavailable(_explanation(http_status, content))
    if not isinstance(content, dict) or not isinstance(content.get("url"), str):
        raise MediaUnavailable("the provider's answer about it cannot be read: try again later")
    return Resolved(
        url=content["url"],
        mime_type=bare_type(content.get("mime_type")),
        sha256=digest_of(content.get("sha256")),
        size=_size(content.get("file_size")),
    )


def check_type(of_webhook: str | None, of_graph: str | None, content_type: str | None) -> str:
    """Return the MIME type of a file; raises MediaRefused unless all who name one agree, the server of the bytes among them.

    What comes after a `;` is not compared: `audio/ogg; codecs=opus` is served as `audio/ogg`.
    """
    served = bare_type(content_type)
    if served is None:
        raise MediaRefused("it is served without a Content-Type")
    for who, named in (("webhook", of_webhook), ("provider", of_graph)):
        if named not in (None, served):
            raise MediaRefused(f"it is served as {served}, but the {who} says {named}")
    return served


def bare_type(value: Any) -> str | None:
    """Return the part of a MIME type before `;` in small letters, None if there is none; what is no type equals none."""
    bare = value.partition(";")[0].strip().lower() if isinstance(value, str) else ""
    return (bare if _TYPE.fullmatch(bare) else "something that is no type") if bare else None


def digest_of(value: Any) -> bytes | None:
    """Return a SHA-256 given as hex or as base64, None if none is given; raises MediaRefused for anything else."""
    if value is None or value == "":
        return None
    if isinstance(value, str) and _HEX.fullmatch(value):
        return bytes.fromhex(value)
    try:
        raw = base64.b64decode(str(value).rstrip("=") + "=", altchars=b"-_", validate=True)
    except ValueError:
        raw = b""
    if len(raw) != hashlib.sha256().digest_size:
        raise MediaRefused("sha256: neither 64 hex digits nor base64 of 32 bytes")
    return raw


def file_name(reference: Reference, mime_type: str) -> str:
    """Return a safe name of at most 96 bytes: kind, a digest of the id, what is harmless of the sender's name, extension.

    The extension goes by the MIME type alone, and there is only one: `invoice.pdf.exe` as a PDF ends in `-invoice_pdf.pdf`.
    """
    extension = _EXTENSIONS.get(mime_type, _UNKNOWN)
    start = f"{reference.kind}-{hashlib.sha256(reference.media_id.encode()).hexdigest()[:16]}"
    room = FILE_NAME_BYTES - len(f"{start}-{extension}")
    stem = _harmless(reference.file_name or "").encode()[:room].decode("utf-8", "ignore").strip("_-")
    return f"{start}-{stem}{extension}" if stem else f"{start}{extension}"


def _harmless(name: str) -> str:
    """Return the last part of a name without its extension; letters, digits and marks stay, a run of others becomes `_`."""
    last = re.split(r"[/\\]", unicodedata.normalize("NFC", name.encode("utf-8", "replace").decode()))[-1]
    stem = last.rpartition(".")[0] or last
    kept = (letter if letter == "-" or unicodedata.category(letter)[0] in "LMN" else "_" for letter in stem)
    return re.sub(r"_+", "_", "".join(kept)).strip("_-")


def _size(value: Any) -> int | None:
    """Return a size in bytes, which Graph also gives as a text."""
    text = str(value) if isinstance(value, (int, str)) and not isinstance(value, bool) else ""
    return int(text) if re.fullmatch(r"[0-9]{1,18}", text) else None


def _explanation(http_status: int, content: Any) -> str:
    error = content.get("error") if isinstance(content, dict) else None
    code = error.get("code") if isinstance(error, dict) else None
    if http_status in (400, 404, 410) and code in (None, 33, 100, 131009):
        return "its id is not known any more: media are kept for 7 days; ask for it again"
    known = code if isinstance(code, int) and not isinstance(code, bool) else -1
    named = f"Meta's error {known}" if known >= 0 else f"HTTP {http_status}"
    return f"{named}: {disposition_of(known, http_status)[1]}"
