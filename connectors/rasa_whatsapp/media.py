"""A customer's media for custom actions: the reference in a message becomes a checked file in a folder of yours.

The token goes to the provider and its media hosts alone, whatever address an answer names; nothing is kept that was not checked.
An action server can use it: it loads neither Rasa nor a model, and of the credentials it reads the accounts alone.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rasa_whatsapp.cloud.media import (
    INBOUND_BYTES,
    Reference,
    Resolved,
    check_type,
    file_name,
    read_reference,
    read_resolved,
)
from rasa_whatsapp.cloud.providers import Account
from rasa_whatsapp.credentials import default_path, load_accounts
from rasa_whatsapp.errors import ConfigInvalid, MediaRefused, MediaUnavailable
from rasa_whatsapp.transport import Fetch, Fetched, fetch

__all__ = ["MediaRefused", "MediaUnavailable", "StoredFile", "download", "media_of"]

_ATTEMPTS = 3  # an address holds for five minutes: ask for a new one twice
_ANSWER_BYTES = 64 * 1024
_EXPIRED = (404, 410)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredFile:
    """A file that was downloaded; `sha256` in hex digits, `size` in bytes."""

    path: Path
    mime_type: str
    sha256: str
    size: int


def media_of(tracker: Any) -> dict[str, Any] | None:
    """Return the media object of the latest message, None if it has none; `number_id` in it is the number that received it.

    `tracker` is the one that an action is run with.
    """
    metadata = (tracker.latest_message or {}).get("metadata") or {}
    whatsapp = metadata.get("whatsapp") or {}
    media = whatsapp.get("media")
    return {"number_id": whatsapp.get("number_id"), **media} if isinstance(media, dict) else None


async def download(
    media: Mapping[str, Any],
    *,
    to: Path,
    number_id: str | None = None,
    credentials: Path | None = None,
    most_bytes: int = INBOUND_BYTES,
    timeout_seconds: float = 120.0,
) -> StoredFile:
    """Download a customer's file into the folder `to`, which is made if it is missing, and return where it is.

    `media` is what `media_of` returns, or the value of the entity `whatsapp_media`; `number_id` names the business number that
    received it if `media` does not and there are several. Size, MIME type and SHA-256 are checked while it comes; the file
    appears under its name when it is whole, readable for its owner only, and never in the place of another one. The same
    media downloaded again is the same file. Meta keeps it for 7 days: download at once.

    The token is looked up in the file `credentials`, by default the one that RASA_WHATSAPP_CREDENTIALS names, else
    `credentials.yml` in the current folder; `${NAME}` comes from the environment, and the webhook's secrets may be missing.

    A custom action uses it so:

        photo = media.media_of(tracker)
        if photo is None:
            return []
        try:
            stored = await media.download(photo, to=Path("photos"))
        except media.MediaUnavailable:  # gone, or not to be had now
            dispatcher.utter_message(response="utter_send_photo_again")
            return []
        except media.MediaRefused:
            dispatcher.utter_message(response="utter_photo_not_usable")
            return []
        return [SlotSet("photo", stored.path.name)]

    Raises MediaUnavailable (gone or not to be had now), MediaRefused (too large, another type, host or hash than it must be),
    ConfigInvalid for credentials that cannot be used, OSError for a folder that cannot be written.
    """
    reference = read_reference(media)
    account = await asyncio.to_thread(_account, credentials or default_path(), number_id or media.get("number_id"))
    await asyncio.to_thread(to.mkdir, parents=True, exist_ok=True)
    work = _attempts(reference, account, _Limits(folder=to, most_bytes=most_bytes, timeout_seconds=timeout_seconds))
    try:
        return await asyncio.wait_for(work, timeout_seconds)
    except asyncio.TimeoutError:
        raise MediaUnavailable(f"it did not come within {timeout_seconds:g} seconds: try again later") from None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Limits:
    folder: Path
    most_bytes: int
    timeout_seconds: float


class _PartFile:
    """A file that grows in the target folder and is hashed as it does; it goes unless it is kept under its name."""

    def __init__(self, folder: Path) -> None:
        descriptor, name = tempfile.mkstemp(prefix=".rasa-whatsapp-", suffix=".part", dir=folder)
        self._file = os.fdopen(descriptor, "wb")
        self._hash = hashlib.sha256()
        self.path = folder / Path(name).name
        self.size = 0

    @property
    def digest(self) -> bytes:
        """Return the SHA-256 of what was written."""
        return self._hash.digest()

    def write(self, piece: bytes) -> None:
        """Add bytes."""
        self._file.write(piece)
        self._hash.update(piece)
        self.size += len(piece)

    def keep(self, name: str) -> Path:
        """Give it its name, or a numbered one if another file has it; if that is the same file, it is taken instead."""
        self._file.close()
        for ordinal in range(1, 1000):
            path = self.path.with_name(name if ordinal == 1 else f"{Path(name).stem}-{ordinal}{Path(name).suffix}")
            if _claim(self.path, path) or self._is_in(path):
                return path
        raise MediaRefused("a thousand other files have its name")

    def _is_in(self, path: Path) -> bool:
        is_plain = path.is_file() and not path.is_symlink()
        return is_plain and path.stat().st_size == self.size and _hash_of(path) == self.digest

    def remove(self) -> None:
        """Remove what is left under the temporary name."""
        self._file.close()
        self.path.unlink(missing_ok=True)


async def _attempts(reference: Reference, account: Account, limits: _Limits) -> StoredFile:
    for _ in range(_ATTEMPTS):
        resolved = await _resolve(reference, account, limits)
        part = _PartFile(limits.folder)
        try:
            fetched = await _bytes_of(resolved, account, limits, part)
            if fetched.status == 200:
                return await asyncio.to_thread(_kept, part, reference, resolved, fetched)
        finally:
            await asyncio.to_thread(part.remove)
        if fetched.status not in _EXPIRED:
            raise MediaUnavailable(f"HTTP {fetched.status} instead of its bytes: try again later")
    raise MediaUnavailable(f"its address had expired {_ATTEMPTS} times: it is gone; ask for it again")


async def _resolve(reference: Reference, account: Account, limits: _Limits) -> Resolved:
    answer = bytearray()
    rules = Fetch(
        may_ask=account.trusts,
        most_bytes=_ANSWER_BYTES,
        timeout_seconds=limits.timeout_seconds,
        redirects=0,
        wants_errors=True,
    )
    url = account.media_url(reference.media_id)
    fetched = await fetch(url, rules, answer.extend, headers=account.headers)
    resolved = read_resolved(fetched.status, bytes(answer))
    if resolved.size is not None and resolved.size > limits.most_bytes:
        raise MediaRefused(f"it has {resolved.size} bytes; at most {limits.most_bytes} are allowed")
    return resolved


async def _bytes_of(resolved: Resolved, account: Account, limits: _Limits, part: _PartFile) -> Fetched:
    rules = Fetch(may_ask=account.trusts, most_bytes=limits.most_bytes, timeout_seconds=limits.timeout_seconds)
    return await fetch(account.download_url(resolved.url), rules, part.write, headers=account.headers)


def _kept(part: _PartFile, reference: Reference, resolved: Resolved, fetched: Fetched) -> StoredFile:
    """Check what came against what was announced, then give it its name."""
    mime_type = check_type(reference.mime_type, resolved.mime_type, fetched.content_type)
    for who, digest in (("webhook", reference.sha256), ("provider", resolved.sha256)):
        if digest not in (None, part.digest):
            raise MediaRefused(f"its SHA-256 is not the one that the {who} gives")
    if resolved.size not in (None, part.size):
        raise MediaRefused(f"it has {part.size} bytes, but {resolved.size} were announced")
    path = part.keep(file_name(reference, mime_type))
    return StoredFile(path=path, mime_type=mime_type, sha256=part.digest.hex(), size=part.size)


def _claim(part: Path, path: Path) -> bool:
    """Give a finished file its name in one step; return False if the name is taken."""
    try:
        os.link(part, path)
    except FileExistsError:
        return False
    except OSError:  # a file system without hard links: take the name first, then move over it
        try:
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        except FileExistsError:
            return False
        part.replace(path)
    return True


def _hash_of(path: Path) -> bytes:
    found = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(1024 * 1024):
            found.update(piece)
    return found.digest()


def _account(credentials: Path, number_id: Any) -> Account:
    known = load_accounts(credentials)
    if number_id is None and len(known) == 1:
        return next(iter(known.values()))
    if number_id not in known:
        text = "several business numbers are there: give number_id" if number_id is None else "it has no such number_id"
        raise ConfigInvalid(str(credentials), [text])
    return known[str(number_id)]
