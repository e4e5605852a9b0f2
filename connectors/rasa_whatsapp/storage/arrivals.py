"""Bodies of webhooks that were only written down, in the order in which they came, until they are taken in."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, delete, func, insert, select
from sqlalchemy.engine import Connection

from rasa_whatsapp.storage.schema import arrivals

_ADD = insert(arrivals)
_NEXT = select(arrivals).order_by(arrivals.c.id).limit(bindparam("most"))
_ANY = select(arrivals.c.id).limit(1)
_OLDEST = select(arrivals.c.received_at).order_by(arrivals.c.id).limit(1)
_SPAN = select(func.min(arrivals.c.id).label("first"), func.max(arrivals.c.id).label("last"))
_REMOVE = delete(arrivals).where(arrivals.c.id == bindparam("row"))


@dataclass(frozen=True, slots=True)
class Arrival:
    """A body as it came."""

    id: int
    body: bytes
    received_at: datetime


def write_down(connection: Connection, bodies: Iterable[bytes], now: datetime) -> None:
    """Keep bodies to be taken in later."""
    connection.execute(_ADD, [{"body": body, "received_at": now} for body in bodies])


def are_waiting(connection: Connection) -> bool:
    """Tell whether there is any body that is not taken in yet."""
    return connection.execute(_ANY).first() is not None


def heard_until(connection: Connection) -> datetime | None:
    """Return until when all that came is taken in; None if nothing waits."""
    moment: datetime | None = connection.execute(_OLDEST).scalar()
    return moment


def waiting(connection: Connection, most: int) -> list[Arrival]:
    """Return the oldest bodies."""
    rows = connection.execute(_NEXT, {"most": most})
    return [Arrival(row.id, bytes(row.body), row.received_at) for row in rows]


def remove(connection: Connection, taken: Sequence[Arrival]) -> None:
    """Forget bodies that are taken in."""
    connection.execute(_REMOVE, [{"row": arrival.id} for arrival in taken])


def count(connection: Connection) -> int:
    """Return how many wait, at the most: they are taken in by their ids, which go with time."""
    row = connection.execute(_SPAN).one()
    return 0 if row.last is None else int(row.last - row.first + 1)
