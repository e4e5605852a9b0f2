"""What only one transaction at a time may do: say who is who. SQLite's transactions follow each other anyway.

Two webhooks of a new customer, taken in by two servers at once, would make two contacts of one person.
https://www.postgresql.org/docs/current/explicit-locking.html#ADVISORY-LOCKS
"""

from __future__ import annotations

from sqlalchemy import text
from sqlalchemy.engine import Connection

from rasa_whatsapp.storage.engines import is_sqlite

_IDENTITIES = 7_239_401_002  # any number that nobody else locks in this database
_WAIT = text("SELECT pg_advisory_xact_lock(:lock)")
_TRY = text("SELECT pg_try_advisory_xact_lock(:lock)")


def wait_for_identities(connection: Connection) -> None:
    """Return when no other transaction says who is who, until this one ends."""
    if not is_sqlite(connection):
        connection.execute(_WAIT, {"lock": _IDENTITIES})


def try_identities(connection: Connection) -> bool:
    """Do the same if it can be done at once; tell whether."""
    return is_sqlite(connection) or bool(connection.execute(_TRY, {"lock": _IDENTITIES}).scalar())
