"""The servers at work on the store: each says every few seconds that it lives, and what a dead one owned is given back.

A lease goes by the database's own clock, since the clocks of servers differ. A server that was cut off for too long finds that
its id is gone: it works on under a new one, and what it still had in hand is refused by its lost lanes.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import bindparam, text
from sqlalchemy.engine import Connection

from rasa_whatsapp.storage.engines import is_sqlite
from rasa_whatsapp.storage.schema import Moment

# Microseconds since 1970, now and not when the transaction began.
_POSTGRESQL_NOW = "CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS BIGINT)"

# On an SQLite file there is one server, which the lock beside the file sees to: it needs no lease.
_JOIN_SQLITE = text("INSERT INTO servers (id, alive_until) VALUES (:id, NULL)")
_OTHERS_SQLITE = text("SELECT id FROM servers WHERE id <> :id")
_JOIN_POSTGRESQL = text(f"INSERT INTO servers (id, alive_until) VALUES (:id, {_POSTGRESQL_NOW} + :lease)")
_BEAT = text(f"UPDATE servers SET alive_until = {_POSTGRESQL_NOW} + :lease WHERE id = :id RETURNING id")
_DEAD_POSTGRESQL = text(
    f"SELECT id FROM servers WHERE id <> :id AND alive_until < {_POSTGRESQL_NOW} FOR UPDATE SKIP LOCKED"
)
_LEAVE = text("DELETE FROM servers WHERE id = :id")
_NO_SERVER_HAS_IT = "owner IS NOT NULL AND owner NOT IN (SELECT id FROM servers)"
_INTERRUPTED = text(
    f"""
    UPDATE inbox SET state = 'received', crashes = crashes + 1 WHERE state = 'running' AND contact_id IN
        (SELECT contact_id FROM lanes WHERE kind = 'turns' AND {_NO_SERVER_HAS_IT})
    """
)
_GIVE_BACK = text(f"UPDATE lanes SET owner = NULL, ready_at = :now WHERE {_NO_SERVER_HAS_IT}").bindparams(
    bindparam("now", type_=Moment)
)


def join(connection: Connection, server: str, lease_seconds: float) -> None:
    """Enter a server."""
    if is_sqlite(connection):
        connection.execute(_JOIN_SQLITE, {"id": server})
    else:
        connection.execute(_JOIN_POSTGRESQL, {"id": server, "lease": int(lease_seconds * 1_000_000)})


def beat(connection: Connection, server: str, lease_seconds: float) -> bool:
    """Renew a server's lease; return False if it was taken for dead."""
    if is_sqlite(connection):
        return True
    return connection.execute(_BEAT, {"id": server, "lease": int(lease_seconds * 1_000_000)}).first() is not None


def bury(connection: Connection, survivor: str, now: datetime) -> list[str]:
    """Take out servers whose lease is over and give back what they owned; return their ids."""
    dead = _OTHERS_SQLITE if is_sqlite(connection) else _DEAD_POSTGRESQL
    ids = [str(server) for (server,) in connection.execute(dead, {"id": survivor})]
    if ids:
        connection.execute(_LEAVE, [{"id": server} for server in ids])
        free_lanes(connection, now)
    return ids


def leave(connection: Connection, server: str, now: datetime) -> None:
    """Take out a server: its lanes are nobody's, and a turn that it was in the middle of is to be taken again."""
    connection.execute(_LEAVE, {"id": server})
    free_lanes(connection, now)


def free_lanes(connection: Connection, now: datetime) -> None:
    """Give back lanes whose owners are not entered, and the turns in them that were under way.

    A transaction that was under way when its server was taken out may claim lanes for it afterwards. Costs a look at all lanes.
    """
    connection.execute(_INTERRUPTED)
    connection.execute(_GIVE_BACK, {"now": now})
