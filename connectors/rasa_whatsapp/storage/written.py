"""The language in which a contact writes, and when they wrote what told it; nothing of the text."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import bindparam, delete, insert, select, update
from sqlalchemy.engine import Connection

from rasa_whatsapp.storage.schema import written

# A table of its own, since turns learn it: they hold the contact's lane, and must not wait then for who takes a message of theirs in.
_MINE = written.c.contact_id == bindparam("contact")
_READ = select(written).where(_MINE)
_ADD = insert(written)
_CHANGE = update(written).where(_MINE).values(language=bindparam("now_in"), written_at=bindparam("newest"))
_FORGET = delete(written).where(_MINE)


def language(connection: Connection, contact_id: str) -> str | None:
    """Return the language in which the contact last wrote, or None if nothing told it yet."""
    found = connection.execute(_READ, {"contact": contact_id}).first()
    return None if found is None else str(found.language)


def learn(connection: Connection, contact_id: str, told: str, written_at: datetime) -> None:
    """Note what a message of that moment told; one that is older than what is known changes nothing."""
    known = connection.execute(_READ, {"contact": contact_id}).first()
    if known is None:
        connection.execute(_ADD, {"contact_id": contact_id, "language": told, "written_at": written_at})
    elif known.written_at <= written_at:
        connection.execute(_CHANGE, {"contact": contact_id, "now_in": told, "newest": written_at})


def move(connection: Connection, gone: str, kept: str) -> None:
    """Give what is known of one contact to another, who is the same person, unless that one's is newer."""
    known = connection.execute(_READ, {"contact": gone}).first()
    if known is not None:
        learn(connection, kept, known.language, known.written_at)
        connection.execute(_FORGET, {"contact": gone})
