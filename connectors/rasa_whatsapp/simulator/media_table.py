"""Media files and the short-lived addresses of their bytes, in the simulator's database."""

from __future__ import annotations

from dataclasses import dataclass

from rasa_whatsapp.simulator.database import Database


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredMedia:
    """One file: whose number it belongs to, how it came, what it is; `sha256` in hex, `created_at` in unix seconds."""

    id: str
    number_id: str
    uploaded: bool  # by the business; else sent by a customer
    mime_type: str
    sha256: str
    size: int
    filename: str | None
    created_at: float
    deleted: bool = False


_COLUMNS = "id, number_id, uploaded, mime_type, sha256, size, filename, created_at, deleted"


class MediaTable:
    """The two media tables."""

    def __init__(self, db: Database) -> None:
        """Use a database whose tables exist."""
        self._db = db

    def add(self, media: StoredMedia, data: bytes) -> None:
        """Store a file."""
        values = (media.id, media.number_id, media.uploaded, media.mime_type, media.sha256, media.size, media.filename)
        self._db.write(
            f"insert into media ({_COLUMNS}, bytes) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",  # noqa: S608 - our own columns
            (*values, media.created_at, media.deleted, data),
        )

    def find(self, media_id: str) -> StoredMedia | None:
        """Return what is known of a file, also of one that is deleted or too old."""
        if not media_id.isascii():
            return None
        query = f"select {_COLUMNS} from media where id = ?"  # noqa: S608 - our own columns
        row = self._db.read(query, (media_id,)).fetchone()
        if row is None:
            return None
        media, number, uploaded, mime_type, sha256, size, filename, created_at, deleted = row
        return StoredMedia(
            id=media,
            number_id=number,
            uploaded=bool(uploaded),
            mime_type=mime_type,
            sha256=sha256,
            size=size,
            filename=filename,
            created_at=created_at,
            deleted=bool(deleted),
        )

    def data(self, media_id: str) -> bytes:
        """Return the bytes of a file that exists."""
        row = self._db.read("select bytes from media where id = ?", (media_id,)).fetchone()
        return bytes(row[0])

    def mark_deleted(self, media_id: str) -> None:
        """Remember that the business has deleted a file; the customer's phone keeps it."""
        self._db.write("update media set deleted = 1 where id = ?", (media_id,))

    def add_address(self, token: str, media_id: str, expires_at: float, now: float) -> None:
        """Remember an address, and forget those that have expired."""
        self._db.write("delete from media_addresses where expires_at <= ?", (now,))
        self._db.write("insert into media_addresses values (?, ?, ?)", (token, media_id, expires_at))

    def addressed(self, token: str, now: float) -> StoredMedia | None:
        """Return the file behind an address that has not expired."""
        query = "select media_id from media_addresses where token = ? and expires_at > ?"
        row = self._db.read(query, (token, now)).fetchone()
        return self.find(row[0]) if row else None
