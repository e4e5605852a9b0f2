"""Bodies of webhooks that were only written down, in the order in which they came, until they are taken in.

Those that came at once share a row: what a database and its driver do for each row would cost several times what the bodies do.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import accumulate

from sqlalchemy import bindparam, delete, func, insert, select
from sqlalchemy.engine import Connection

from rasa_whatsapp.storage.schema import arrivals

_MOST_IN_ONE_ROW = 50
_LENGTH_BYTES = 4
_SOME = 65_536  # bytes, for which new pages are needed

_ADD = insert(arrivals)
_ANY = select(arrivals.c.id).limit(1)
_OLDEST = select(arrivals.c.received_at).order_by(arrivals.c.id).limit(1)
_SIZES = select(arrivals.c.id, arrivals.c.amount).order_by(arrivals.c.id).limit(bindparam("most"))
_UP_TO = select(arrivals).where(arrivals.c.id <= bindparam("last")).order_by(arrivals.c.id)
_AMOUNT = select(func.coalesce(func.sum(arrivals.c.amount), 0))
_MESSAGES = select(func.coalesce(func.sum(arrivals.c.messages), 0))
_REMOVE = delete(arrivals).where(arrivals.c.id == bindparam("row"))


@dataclass(frozen=True, slots=True)
class Arrival:
    """Bodies that came at one moment, in their order."""

    id: int
    bodies: Sequence[bytes]
    received_at: datetime


def write_down(
    connection: Connection, bodies: Sequence[bytes], now: datetime, statuses: Collection[bytes] = frozenset()
) -> None:
    """Keep bodies to be taken in later; `statuses` are those of them that hold nothing else, and so are no backlog."""
    parts = [bodies[begin : begin + _MOST_IN_ONE_ROW] for begin in range(0, len(bodies), _MOST_IN_ONE_ROW)]
    rows = [
        {
            "amount": len(part),
            "messages": sum(body not in statuses for body in part),
            "received_at": now,
            "packed": _pack(part),
        }
        for part in parts
    ]
    connection.execute(_ADD, rows)


def try_out(connection: Connection, now: datetime) -> None:
    """Write something down and take it out again: a disk may be full while everything can be read."""
    row = connection.execute(_ADD, {"amount": 0, "messages": 0, "received_at": now, "packed": bytes(_SOME)})
    connection.execute(_REMOVE, {"row": row.inserted_primary_key[0]})


def are_waiting(connection: Connection) -> bool:
    """Tell whether there is any body that is not taken in yet."""
    return connection.execute(_ANY).first() is not None


def heard_until(connection: Connection) -> datetime | None:
    """Return until when all that came is taken in; None if nothing waits."""
    moment: datetime | None = connection.execute(_OLDEST).scalar()
    return moment


def waiting(connection: Connection, most: int) -> list[Arrival]:
    """Return the oldest bodies, not more than `most` unless those of the first row are."""
    rows = connection.execute(_SIZES, {"most": most}).all()
    totals = accumulate(row.amount for row in rows)
    chosen = [row.id for row, total in zip(rows, totals, strict=True) if total <= most] or [row.id for row in rows[:1]]
    found = connection.execute(_UP_TO, {"last": chosen[-1]}) if chosen else ()
    return [Arrival(row.id, list(_unpack(row.packed)), row.received_at) for row in found]


def remove(connection: Connection, taken: Iterable[Arrival]) -> None:
    """Forget bodies that are taken in."""
    rows = [{"row": arrival.id} for arrival in taken]
    if rows:
        connection.execute(_REMOVE, rows)


def count(connection: Connection) -> int:
    """Return how many wait."""
    return int(connection.execute(_AMOUNT).scalar_one())


def backlog(connection: Connection) -> int:
    """Return how many of those that wait are more than statuses."""
    return int(connection.execute(_MESSAGES).scalar_one())


def _pack(bodies: Iterable[bytes]) -> bytes:
    """Return the bodies one after the other, each behind its length: whatever their bytes are, they come back."""
    return b"".join(len(body).to_bytes(_LENGTH_BYTES, "big") + body for body in bodies)


def _unpack(packed: bytes | memoryview) -> Iterator[bytes]:
    whole, begin = bytes(packed), 0
    while begin < len(whole):
        end = begin + _LENGTH_BYTES
        begin = end + int.from_bytes(whole[begin:end], "big")
        yield whole[end:begin]
