"""The media store on Meta's side: ids that live for days, addresses that live for minutes, both by the simulated clock.

An id belongs to the number that uploaded it or that it was sent to (fact sheet 10).
"""

from __future__ import annotations

import base64
import secrets
from hashlib import sha256
from typing import Any

from rasa_whatsapp.simulator.clock import Clock
from rasa_whatsapp.simulator.identifiers import new_media_id
from rasa_whatsapp.simulator.media_table import MediaTable, StoredMedia

DAY = 24 * 3600
UPLOAD_SECONDS = 30 * DAY
WEBHOOK_SECONDS = 7 * DAY
ADDRESS_SECONDS = 5 * 60


class Library:
    """All media of the business's numbers."""

    def __init__(self, table: MediaTable, clock: Clock) -> None:
        """Take where files are kept and what time it is."""
        self._table = table
        self._clock = clock

    def keep(
        self, data: bytes, *, number_id: str, uploaded: bool, mime_type: str, filename: str | None = None
    ) -> StoredMedia:
        """Store a file under a fresh id; a name that is no valid Unicode cannot be stored as it is."""
        name = filename.encode("utf-8", "replace").decode("utf-8") if filename is not None else None
        media = StoredMedia(
            id=new_media_id(),
            number_id=number_id,
            uploaded=uploaded,
            mime_type=mime_type,
            sha256=sha256(data).hexdigest(),
            size=len(data),
            filename=name,
            created_at=self._clock.timestamp(),
        )
        self._table.add(media, data)
        return media

    def find(self, media_id: str, number_id: str | None = None) -> StoredMedia | None:
        """Return a file that a business can still use: not deleted, not expired, and the number's if one is named."""
        media = self._table.find(media_id)
        if media is None or media.deleted or number_id not in (None, media.number_id):
            return None
        life = UPLOAD_SECONDS if media.uploaded else WEBHOOK_SECONDS
        return media if self._clock.timestamp() - media.created_at < life else None

    def on_phone(self, media_id: str) -> StoredMedia | None:
        """Return a file as a phone has it: whatever became of its id."""
        return self._table.find(media_id)

    def data(self, media: StoredMedia) -> bytes:
        """Return a file's bytes."""
        return self._table.data(media.id)

    def delete(self, media: StoredMedia) -> None:
        """Take the id out of use."""
        self._table.mark_deleted(media.id)

    def new_address(self, media: StoredMedia) -> str:
        """Return the path of a file's bytes, which is good for five minutes."""
        token, now = secrets.token_urlsafe(24), self._clock.timestamp()
        self._table.add_address(token, media.id, now + ADDRESS_SECONDS, now)
        return f"/media-bytes/{token}"

    def addressed(self, token: str) -> StoredMedia | None:
        """Return the file behind an address that is still good."""
        media = self._table.addressed(token, self._clock.timestamp())
        return media if media is not None and self.find(media.id) is not None else None


def answer(media: StoredMedia, url: str) -> dict[str, Any]:
    """Return what `GET /{media-id}` says; the size is a text, as in Meta's samples, and the hash is hex here."""
    return {
        "messaging_product": "whatsapp",
        "url": url,
        "mime_type": media.mime_type,
        "sha256": media.sha256,
        "file_size": str(media.size),
        "id": media.id,
    }


def webhook_hash(media: StoredMedia) -> str:
    """Return a file's hash as webhooks write it: base64."""
    return base64.b64encode(bytes.fromhex(media.sha256)).decode()
