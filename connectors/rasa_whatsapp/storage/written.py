"""The language in which a contact writes, and when they wrote what told it; nothing of the text."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import bindparam, delete, select, text
from sqlalchemy.engine import Connection

from rasa_whatsapp.storage.schema import Moment, written

# A table of its own, since turns learn it: they hold the contact's lane, and must not wait then for who takes a message of theirs in.
_MINE = written.c.contact_id == bindparam("contact")
_READ = select(written).where(_MINE)
# One statement: a turn and a merge may learn of the same contact at the same moment.
_LEARN = text(
    """
    INSERT INTO written (contact_id, language, written_at) VALUES (:contact, :told, :written_at)
    ON CONFLICT (contact_id) DO UPDATE SET language = excluded.language, written_at = excluded.written_at
    WHERE excluded.written_at >= written.written_at
    """
).bindparams(bindparam("written_at", type_=Moment))
_FORGET = delete(written).where(_MINE)


def language(connection: Connection, contact_id: str) -> str | None:
    """Return the language in which the contact last wrote, or None if nothing told it yet."""
    found = connection.execute(_READ, {"contact": contact_id}).first()
    return None if found is None else str(found.language)


def learn(connection: Connection, contact_id: str, told: str, written_at: datetime) -> None:
    """Note what a message of that moment told; one that is older than what is known changes nothing."""
    connection.execute(_LEARN, {"contact": contact_id, "told": told, "written_at": written_at})


def move(connection: Connection, gone: str, kept: str) -> None:
    """Give what is known of one contact to another, who is the same person, unless that one's is newer."""
    known = connection.execute(_READ, {"contact": gone}).first()
    if known is not None:
        learn(connection, kept, known.language, known.written_at)
        connection.execute(_FORGET, {"contact": gone})
