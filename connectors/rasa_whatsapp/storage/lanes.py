"""Lanes: the contacts for whom there is something to do, by kind of work. Who owns a lane works on it, and nobody else.

nobody's -> claimed by a server -> given up: done (the row goes), or nobody's again from a later moment on

Whoever adds work wakes the lane, in the same transaction. Whoever works holds the lane first in each transaction: so work that
is added meanwhile is seen or comes after, and a server that was taken for dead (servers.py) can change nothing any more.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import Enum, IntEnum

from sqlalchemy import bindparam, text
from sqlalchemy.engine import Connection

from rasa_whatsapp.errors import LaneLost
from rasa_whatsapp.storage.engines import is_sqlite
from rasa_whatsapp.storage.listening import notify
from rasa_whatsapp.storage.schema import Moment


class Kind(Enum):
    """What is done in a lane."""

    TURNS = "turns"
    SENDS = "sends"


class Rank(IntEnum):
    """What goes first when there is not time for all: answers to customers before what the bot says by itself."""

    REPLY = 0
    BULK = 1


@dataclass(frozen=True, slots=True)
class Lane:
    """A lane as its owner has it. `owner` is the server's id, new at each start."""

    kind: Kind
    contact_id: str
    owner: str


# In SQL that both databases read; MIN of two values is spelt differently in them.
_UPSERT = """
    INSERT INTO lanes (kind, contact_id, owner, ready_at, rank) VALUES (:kind, :contact, :claimant, :ready_at, :rank)
    ON CONFLICT (kind, contact_id) DO UPDATE SET
        ready_at = CASE WHEN excluded.ready_at < lanes.ready_at THEN excluded.ready_at ELSE lanes.ready_at END,
        rank = CASE WHEN excluded.rank < lanes.rank THEN excluded.rank ELSE lanes.rank END,
        owner = COALESCE(lanes.owner, excluded.owner)
    """
_WAKE = text(f"{_UPSERT} RETURNING owner").bindparams(bindparam("ready_at", type_=Moment))
_WAKE_MANY = text(_UPSERT).bindparams(bindparam("ready_at", type_=Moment))
_STIR = text(
    "UPDATE lanes SET ready_at = :ready_at"
    " WHERE kind = :kind AND contact_id = :contact AND ready_at > :ready_at RETURNING owner"
).bindparams(bindparam("ready_at", type_=Moment))
_CLAIM = """
    WITH free AS {materialized} (
        SELECT contact_id FROM lanes WHERE kind = :kind AND owner IS NULL AND rank <= :rank AND ready_at <= :now
        ORDER BY rank, ready_at LIMIT :most {lock}
    )
    UPDATE lanes SET owner = :owner
    WHERE kind = :kind AND owner IS NULL AND contact_id IN (SELECT contact_id FROM free) RETURNING contact_id
    """
_CLAIM_SQLITE = text(_CLAIM.format(materialized="", lock="")).bindparams(bindparam("now", type_=Moment))
_CLAIM_POSTGRESQL = text(_CLAIM.format(materialized="MATERIALIZED", lock="FOR UPDATE SKIP LOCKED")).bindparams(
    bindparam("now", type_=Moment)
)
_NEXT = text(
    "SELECT min(ready_at) AS ready_at FROM lanes WHERE kind = :kind AND owner IS NULL AND rank <= :rank"
).columns(ready_at=Moment)
_OWNED = text("SELECT contact_id FROM lanes WHERE kind = :kind AND owner = :owner")
_MINE = "kind = :kind AND contact_id = :contact AND owner = :owner"
_ANOTHERS = text("SELECT 1 FROM lanes WHERE kind = :kind AND contact_id = :contact AND owner <> :owner")
_HOLD_SQLITE = text(f"SELECT 1 FROM lanes WHERE {_MINE}")
_HOLD_POSTGRESQL = text(f"SELECT 1 FROM lanes WHERE {_MINE} FOR UPDATE")
_SOME = (
    "kind = :kind AND contact_id IN :contacts AND owner = :owner ORDER BY contact_id"  # in one order, against deadlocks
)
_HELD_SQLITE = text(f"SELECT contact_id FROM lanes WHERE {_SOME}").bindparams(bindparam("contacts", expanding=True))
_HELD_POSTGRESQL = text(f"SELECT contact_id FROM lanes WHERE {_SOME} FOR UPDATE").bindparams(
    bindparam("contacts", expanding=True)
)
_ALL_OF = text("SELECT 1 FROM lanes WHERE contact_id = :contact ORDER BY kind FOR UPDATE")
_GIVE_BACK = text(f"UPDATE lanes SET owner = NULL, ready_at = :ready_at, rank = :rank WHERE {_MINE}").bindparams(
    bindparam("ready_at", type_=Moment)
)
_FINISH = text(f"DELETE FROM lanes WHERE {_MINE}")
_MOVE = text("DELETE FROM lanes WHERE kind = :kind AND contact_id = :contact RETURNING ready_at, rank").columns(
    ready_at=Moment
)


def wake(
    connection: Connection,
    kind: Kind,
    contact_id: str,
    now: datetime,
    *,
    rank: Rank = Rank.REPLY,
    claimant: str | None = None,
) -> bool:
    """Note that there is something to do for a contact; return whether the lane is the claimant's now.

    A claimant has a place free for it; without one, any server takes it up.
    """
    values = {"kind": kind.value, "contact": contact_id, "claimant": claimant, "ready_at": now, "rank": int(rank)}
    owner = connection.execute(_WAKE, values).scalar()
    if owner is None:
        notify(connection)
    return claimant is not None and owner == claimant


def stir(connection: Connection, kind: Kind, contact_id: str, now: datetime) -> bool:
    """Let a contact's waiting lane be looked at now, if there is one; return whether it had waited."""
    found = connection.execute(_STIR, {"kind": kind.value, "contact": contact_id, "ready_at": now}).first()
    if found is None:
        return False
    if found.owner is None:
        notify(connection)
    return True


def stir_all(connection: Connection, kind: Kind, contact_ids: Iterable[str], now: datetime) -> bool:
    """Let the lanes of these contacts that wait be looked at now; return whether any had waited."""
    waited = [stir(connection, kind, contact_id, now) for contact_id in sorted(contact_ids)]
    return any(waited)


def claim(
    connection: Connection, kind: Kind, owner: str, now: datetime, most: int, rank: Rank = Rank.BULK
) -> list[Lane]:
    """Take up to so many lanes that are nobody's and ready, of this rank or before it; what waits longest first."""
    statement = _CLAIM_SQLITE if is_sqlite(connection) else _CLAIM_POSTGRESQL
    values = {"kind": kind.value, "owner": owner, "now": now, "most": most, "rank": int(rank)}
    return [Lane(kind, str(contact_id), owner) for (contact_id,) in connection.execute(statement, values)]


def claim_some(
    connection: Connection, kind: Kind, owner: str, now: datetime, most: int, most_bulk: int
) -> tuple[list[Lane], datetime | None]:
    """Claim up to `most` lanes, of bulk only as far as `most_bulk`; if there are none, tell when the next one will be ready."""
    claimed = claim(connection, kind, owner, now, most, Rank.REPLY)
    left = min(most, most_bulk) - len(claimed)
    if left > 0:
        claimed += claim(connection, kind, owner, now, left, Rank.BULK)
    return claimed, None if claimed else next_ready(connection, kind, Rank.BULK if left > 0 else Rank.REPLY)


def owned(connection: Connection, kind: Kind, owner: str) -> list[str]:
    """Return the contacts whose lanes of this kind a server owns."""
    return [str(contact_id) for (contact_id,) in connection.execute(_OWNED, {"kind": kind.value, "owner": owner})]


def next_ready(connection: Connection, kind: Kind, rank: Rank = Rank.BULK) -> datetime | None:
    """Return when the next lane that is nobody's will be ready, of this rank or before it; None if there is none."""
    found: datetime | None = connection.execute(_NEXT, {"kind": kind.value, "rank": int(rank)}).scalar()
    return found


def hold(connection: Connection, lane: Lane) -> None:
    """Keep the lane until this transaction ends; raises LaneLost if it is not its owner's any more."""
    if not is_held(connection, lane):
        raise lost(lane)


def take_up(connection: Connection, lane: Lane) -> bool:
    """Keep the lane until this transaction ends; return False if it was finished or given back, raise LaneLost if it is another server's."""
    if is_held(connection, lane):
        return True
    if is_anothers(connection, lane):
        raise lost(lane)
    return False  # what it was taken up for was seen in time


def lost(lane: Lane) -> LaneLost:
    """Return what is raised by who worked on a lane that is another server's now."""
    return LaneLost(f"the lane of {lane.contact_id} is another server's now")


def is_anothers(connection: Connection, lane: Lane) -> bool:
    """Tell whether another server owns the lane now; one that nobody owns was finished or given back."""
    return connection.execute(_ANOTHERS, _named(lane)).first() is not None


def is_held(connection: Connection, lane: Lane) -> bool:
    """Keep the lane until this transaction ends, if it is still its owner's; tell whether."""
    statement = _HOLD_SQLITE if is_sqlite(connection) else _HOLD_POSTGRESQL
    return connection.execute(statement, _named(lane)).first() is not None


def held(connection: Connection, some: Collection[Lane]) -> set[Lane]:
    """Keep those of some lanes of one kind that are still their owners', until this transaction ends; return them."""
    if not some:
        return set()
    statement = _HELD_SQLITE if is_sqlite(connection) else _HELD_POSTGRESQL
    found: set[Lane] = set()
    for owner in sorted({lane.owner for lane in some}):  # more than one for a moment, when a server was taken for dead
        theirs = {lane.contact_id: lane for lane in some if lane.owner == owner}
        kind = next(iter(theirs.values())).kind.value
        values = {"kind": kind, "contacts": list(theirs), "owner": owner}
        found |= {theirs[contact_id] for (contact_id,) in connection.execute(statement, values)}
    return found


def finish_all(connection: Connection, some: Collection[Lane]) -> None:
    """Give up lanes in which nothing is left to do."""
    if some:
        connection.execute(_FINISH, [_named(lane) for lane in some])


def give_back(connection: Connection, lane: Lane, ready_at: datetime, rank: Rank = Rank.REPLY) -> None:
    """Let any server take the lane up from this moment on."""
    connection.execute(_GIVE_BACK, {**_named(lane), "ready_at": ready_at, "rank": int(rank)})


def finish(connection: Connection, lane: Lane) -> None:
    """Give up a lane in which nothing is left to do."""
    connection.execute(_FINISH, _named(lane))


def wait_for_all(connection: Connection, contact_id: str) -> None:
    """Let the transactions end that hold a contact's lanes, and keep others from beginning until this one ends."""
    if not is_sqlite(connection):
        connection.execute(_ALL_OF, {"contact": contact_id})


def move(connection: Connection, gone: str, kept: str) -> None:
    """Wake a contact's lanes in place of those of another one, who is the same person."""
    for kind in Kind:
        found = connection.execute(_MOVE, {"kind": kind.value, "contact": gone}).first()
        if found is not None:
            wake(connection, kind, kept, found.ready_at, rank=Rank(found.rank))


def restore(connection: Connection, now: datetime) -> None:
    """Wake the lanes of everything that waits: what an older version stored has none."""
    for kind, waiting in _WAITING.items():
        connection.execute(_RESTORE[kind], {"kind": kind.value, "ready_at": now, **waiting})


_WAITING: dict[Kind, dict[str, str]] = {
    Kind.TURNS: {"one": "received", "two": "running", "three": "running"},
    Kind.SENDS: {"one": "pending", "two": "sending", "three": "unsettled"},
}
_RESTORE = {
    kind: text(
        f"""
        INSERT INTO lanes (kind, contact_id, owner, ready_at, rank)
        SELECT DISTINCT CAST(:kind AS VARCHAR(10)), contact_id, CAST(NULL AS VARCHAR(40)), CAST(:ready_at AS BIGINT), 0
        FROM {table} WHERE state IN (:one, :two, :three) AND contact_id IS NOT NULL
        ON CONFLICT (kind, contact_id) DO NOTHING
        """
    ).bindparams(bindparam("ready_at", type_=Moment))
    for kind, table in ((Kind.TURNS, "inbox"), (Kind.SENDS, "outbox"))
}


def _named(lane: Lane) -> dict[str, str]:
    return {"kind": lane.kind.value, "contact": lane.contact_id, "owner": lane.owner}


def wake_all(
    connection: Connection,
    kind: Kind,
    contact_ids: Iterable[str],
    now: datetime,
    rank: Rank,
    claimant: str | None = None,
) -> list[str]:
    """Wake many lanes, in the order that keeps two such transactions from waiting for each other; return those claimed."""
    ordered = sorted(set(contact_ids))
    if claimant is not None:
        return [each for each in ordered if wake(connection, kind, each, now, rank=rank, claimant=claimant)]
    if ordered:
        shared = {"kind": kind.value, "claimant": None, "ready_at": now, "rank": int(rank)}
        connection.execute(_WAKE_MANY, [{**shared, "contact": contact_id} for contact_id in ordered])
        notify(connection)
    return []
