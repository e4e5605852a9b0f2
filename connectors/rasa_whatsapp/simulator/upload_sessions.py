"""Meta's Resumable Upload API: sessions that take a file's bytes in pieces, and the handles of files that are whole (fact sheet 6.2).

The simulator's own opinion. Sessions live in memory and end with the process; a handle's type is kept.
https://developers.facebook.com/docs/graph-api/guides/upload
"""

from __future__ import annotations

import base64
import secrets
from collections.abc import Mapping
from dataclasses import dataclass

from rasa_whatsapp.simulator.refusals import Refused
from rasa_whatsapp.simulator.storage import Storage

MOST_BYTES = 100 * 1024 * 1024
# type -> how a file of it begins, and at which byte
TYPES: dict[str, tuple[int, bytes]] = {
    "application/pdf": (0, b"%PDF"),
    "image/jpeg": (0, b"\xff\xd8"),
    "image/jpg": (0, b"\xff\xd8"),
    "image/png": (0, b"\x89PNG"),
    "video/mp4": (4, b"ftyp"),
}
# format of a header -> the types that its sample may have
SAMPLES = {
    "IMAGE": ("image/jpeg", "image/jpg", "image/png"),
    "VIDEO": ("video/mp4",),
    "GIF": ("video/mp4",),
    "DOCUMENT": ("application/pdf",),
}
# Name in the store: handle -> type.
HANDLES = "upload_handles"


@dataclass(slots=True, kw_only=True)
class Session:
    """A file on its way: how much of it is here, and how it begins."""

    id: str
    mime_type: str
    length: int
    offset: int = 0
    beginning: bytes = b""

    @property
    def is_whole(self) -> bool:
        """Tell whether all bytes are here."""
        return self.offset == self.length

    def take(self, data: bytes) -> None:
        """Add bytes; refuse more than were announced."""
        if self.offset + len(data) > self.length:
            raise Refused(100, f"The file is longer than file_length, which is {self.length}.")
        self.beginning = (self.beginning + data[:16])[:16]
        self.offset += len(data)


class UploadSessions:
    """The files that a business uploads for its app."""

    def __init__(self, storage: Storage) -> None:
        """Take where handles are kept."""
        self._storage = storage
        self._sessions: dict[str, Session] = {}

    def begin(self, query: Mapping[str, str]) -> str:
        """Return the id of a new session for the file that a query describes."""
        mime_type, length = query.get("file_type", ""), query.get("file_length", "")
        if mime_type not in TYPES:
            raise Refused(100, f"file_type must be one of {', '.join(TYPES)}.")
        if not length.isdecimal() or not 0 < int(length) <= MOST_BYTES:
            raise Refused(100, f"file_length must be a number of bytes, at most {MOST_BYTES}.")
        if not query.get("file_name"):
            raise Refused(100, "The parameter file_name is required.")
        session_id = f"upload:{secrets.token_urlsafe(24)}?sig={secrets.token_urlsafe(12)}"
        self._sessions[session_id] = Session(id=session_id, mime_type=mime_type, length=int(length))
        return session_id

    def find(self, session_id: str) -> Session | None:
        """Return a session that was begun."""
        return self._sessions.get(session_id)

    def finish(self, session: Session) -> str:
        """Return the handle of a file that is whole."""
        place, beginning = TYPES[session.mime_type]
        if not session.beginning[place:].startswith(beginning):
            raise Refused(100, f"The file is not of type {session.mime_type}.")
        kind = base64.b64encode(session.mime_type.encode()).decode()
        handle = f"4:{base64.b64encode(b'simulator').decode()}:{kind}:{secrets.token_urlsafe(24)}"
        self._storage.keep(HANDLES, {**self._storage.kept(HANDLES, {}), handle: session.mime_type})
        return handle

    def type_of(self, handle: str) -> str | None:
        """Return the type of an uploaded file, or None for a handle that is not from here."""
        mime_type: str | None = self._storage.kept(HANDLES, {}).get(handle)
        return mime_type
