"""The store's clock: what servers note for each other goes by it, since their own clocks differ."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import text
from sqlalchemy.engine import Connection

from rasa_whatsapp.clock import SharedClock, SystemClock
from rasa_whatsapp.storage.database import Database
from rasa_whatsapp.storage.engines import is_sqlite

_NOW = text("SELECT clock_timestamp()")  # now() is the moment at which the transaction began


async def put_right(clock: SharedClock, database: Database) -> None:
    """Let a clock go by the store's. An SQLite file is on this machine and has none of its own."""
    measured = await database.run(ahead)
    if measured is not None:
        clock.put_right(*measured)


def ahead(connection: Connection) -> tuple[timedelta, timedelta] | None:
    """Return by how much the store's clock is ahead of this machine's, at least and at most; None if they are the same."""
    if is_sqlite(connection):
        return None
    own = SystemClock()
    before = own.now()
    at: datetime = connection.execute(_NOW).scalar_one()
    return at - own.now(), at - before
