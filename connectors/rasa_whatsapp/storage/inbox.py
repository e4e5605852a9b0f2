"""The inbox: every message that came in, once, and what became of it. Due follow-ups stand in the same line.

received -> running -> done | ignored (nothing to do) | parked (with its reason; can be replayed). A row that was running when
its server died is received again. One that is joined shares the turn, and the fate, of an earlier row.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any

from sqlalchemy import bindparam, case, delete, func, insert, literal, select, update
from sqlalchemy.engine import Connection

from rasa_whatsapp.cloud.wire import JSONDict
from rasa_whatsapp.storage.schema import inbox


class State(Enum):
    """What happened to a row."""

    RECEIVED = "received"
    RUNNING = "running"
    DONE = "done"
    IGNORED = "ignored"
    PARKED = "parked"
    JOINED = "joined"


class Kind(Enum):
    """What a row holds."""

    MESSAGE = "message"
    FOLLOW_UP = "follow_up"
    CALL = "call"
    OTHER = "other"


_WAITING = (State.RECEIVED.value, State.RUNNING.value)


# Statements of every message are built once: building one costs several times what running it does.
_FIND = select(inbox.c.id).where(inbox.c.number_id == bindparam("number"), inbox.c.message_id == bindparam("message"))
_ADD = insert(inbox)
_HEAD = (
    select(inbox)
    .where(inbox.c.contact_id == bindparam("contact"), inbox.c.state.in_(_WAITING))
    .order_by(inbox.c.sent_at, inbox.c.id)
    .limit(1)
)
_BEGIN = (
    update(inbox).where(inbox.c.id == bindparam("row")).values(state=State.RUNNING.value, attempts=bindparam("tried"))
)
_FINISH = (
    update(inbox)
    .where(inbox.c.id == bindparam("row"))
    .values(state=bindparam("end"), finished_at=bindparam("now"), reason=bindparam("why"))
)


_WAITING_ROWS = (
    select(inbox)
    .where(inbox.c.contact_id == bindparam("contact"), inbox.c.state.in_(_WAITING))
    .order_by(inbox.c.sent_at, inbox.c.id)
    .limit(bindparam("most"))
)
_JOINED = (
    select(inbox)
    .where(
        inbox.c.contact_id == bindparam("contact"),  # the index goes by it
        inbox.c.state == State.JOINED.value,
        inbox.c.joined_to == bindparam("row"),
    )
    .order_by(inbox.c.sent_at, inbox.c.id)
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A row as the lane sees it."""

    id: int
    number_id: str
    message_id: str
    contact_id: str
    kind: Kind
    body: JSONDict
    sent_at: datetime
    received_at: datetime
    attempts: int
    crashes: int
    failures: int
    waits: int
    replays: int
    not_before: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ParkedMessage:
    """A message that could not be read when it came."""

    number_id: str
    body: JSONDict


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRow:
    """A row to be added."""

    number_id: str
    message_id: str
    kind: Kind
    body: JSONDict
    sent_at: datetime
    received_at: datetime
    contact_id: str | None = None
    state: State = State.RECEIVED
    reason: str | None = None


def is_known(connection: Connection, number_id: str, message_id: str) -> bool:
    """Tell whether this message came before."""
    return connection.execute(_FIND, {"number": number_id, "message": message_id}).first() is not None


def add(connection: Connection, row: NewRow) -> None:
    """Add a row; the caller has looked with `is_known`, the unique constraint is the last word."""
    add_all(connection, [row])


def add_all(connection: Connection, rows: Iterable[NewRow]) -> None:
    """Add rows by one statement."""
    connection.execute(_ADD, [_values(row) for row in rows])


def _values(row: NewRow) -> dict[str, Any]:
    return {
        "number_id": row.number_id,
        "message_id": row.message_id,
        "contact_id": row.contact_id,
        "kind": row.kind.value,
        "body": row.body,
        "sent_at": row.sent_at,
        "received_at": row.received_at,
        "state": row.state.value,
        "reason": row.reason,
    }


def backlog(connection: Connection, up_to: int) -> int:
    """Return how many rows wait for their turn, counted no further than `up_to`."""
    waiting = select(inbox.c.id).where(inbox.c.state.in_(_WAITING)).limit(up_to).subquery()
    return int(connection.execute(select(func.count()).select_from(waiting)).scalar_one())


def head(connection: Connection, contact_id: str) -> Row | None:
    """Return the contact's next row by the time it was sent, or None."""
    found = connection.execute(_HEAD, {"contact": contact_id}).first()
    return None if found is None else _row(found)


def waiting(connection: Connection, contact_id: str, most: int) -> list[Row]:
    """Return the contact's next rows, the first one first."""
    return [_row(found) for found in connection.execute(_WAITING_ROWS, {"contact": contact_id, "most": most})]


def joined(connection: Connection, row: Row) -> list[Row]:
    """Return the rows that share this one's turn, in their order."""
    return [_row(found) for found in connection.execute(_JOINED, {"contact": row.contact_id, "row": row.id})]


def join(connection: Connection, row: Row, others: Iterable[Row]) -> None:
    """Let other rows share this one's turn."""
    ids = [other.id for other in others]
    values = {"state": State.JOINED.value, "joined_to": row.id}
    connection.execute(update(inbox).where(inbox.c.id.in_(ids)).values(**values))


def finish_joined(connection: Connection, row: Row, state: State, now: datetime) -> None:
    """Settle the rows that share this one's turn as it is settled."""
    mine = (inbox.c.contact_id == row.contact_id) & (inbox.c.joined_to == row.id)
    values = {"state": state.value, "finished_at": now, "reason": f"it shared the turn of message {row.id}"}
    connection.execute(update(inbox).where(mine & (inbox.c.state == State.JOINED.value)).values(**values))


def _row(found: Any) -> Row:
    return Row(
        id=found.id,
        number_id=found.number_id,
        message_id=found.message_id,
        contact_id=found.contact_id,
        kind=Kind(found.kind),
        body=found.body,
        sent_at=found.sent_at,
        received_at=found.received_at,
        attempts=found.attempts,
        crashes=found.crashes,
        failures=found.failures,
        waits=found.waits,
        replays=found.replays,
        not_before=found.not_before,
    )


def last_message_id(connection: Connection, contact_id: str) -> str | None:
    """Return the id of the latest message that this contact sent, or None."""
    mine = (inbox.c.contact_id == contact_id) & (inbox.c.kind == Kind.MESSAGE.value)
    latest = select(inbox.c.message_id).where(mine).order_by(inbox.c.sent_at.desc(), inbox.c.id.desc()).limit(1)
    found = connection.execute(latest).scalar()
    return None if found is None else str(found)


def is_other_running(connection: Connection, row: Row, crashes: int) -> bool:
    """Tell whether another row is running, on whichever server, that was running at so many crashes at least."""
    others = (inbox.c.state == State.RUNNING.value) & (inbox.c.crashes >= crashes) & (inbox.c.id != row.id)
    return connection.execute(select(inbox.c.id).where(others).limit(1)).first() is not None


def begin(connection: Connection, row: Row) -> None:
    """Mark a row as running; the count of attempts survives a crash."""
    connection.execute(_BEGIN, {"row": row.id, "tried": row.attempts + 1})


def finish(connection: Connection, row_id: int, state: State, now: datetime, reason: str | None = None) -> None:
    """Settle a row."""
    connection.execute(_FINISH, {"row": row_id, "end": state.value, "now": now, "why": reason})


def postpone(
    connection: Connection, row_id: int, until: datetime, reason: str, *, failures: int = 0, waits: int = 0
) -> None:
    """Put a row back until later, with so many more failures and waits on its account."""
    values = {
        "state": State.RECEIVED.value,
        "not_before": until,
        "reason": reason,
        "failures": inbox.c.failures + failures,
        "waits": inbox.c.waits + waits,
    }
    connection.execute(update(inbox).where(inbox.c.id == row_id).values(**values))


def put_last(connection: Connection, row_id: int, until: datetime, reason: str) -> None:
    """Let a row wait until then without holding up the lane: what is sent before that moment goes first."""
    values = {"state": State.RECEIVED.value, "not_before": until, "sent_at": until, "reason": reason}
    connection.execute(update(inbox).where(inbox.c.id == row_id).values(**values))


def parked(connection: Connection) -> list[JSONDict]:
    """Return the parked rows for the command line, oldest first, without their bodies."""
    columns = (inbox.c.id, inbox.c.kind, inbox.c.contact_id, inbox.c.received_at, inbox.c.attempts, inbox.c.reason)
    rows = connection.execute(select(*columns).where(inbox.c.state == State.PARKED.value).order_by(inbox.c.id))
    return [dict(row) for row in rows.mappings()]


def listed(connection: Connection, states: Sequence[str], limit: int) -> list[JSONDict]:
    """Return rows in these states for the command line, the latest first, without their bodies."""
    columns = (inbox.c.id, inbox.c.kind, inbox.c.contact_id, inbox.c.received_at, inbox.c.state, inbox.c.reason)
    rows = connection.execute(
        select(*columns).where(inbox.c.state.in_(states)).order_by(inbox.c.id.desc()).limit(limit)
    )
    return [dict(row) for row in rows.mappings()]


def replay(connection: Connection, row_ids: list[int]) -> dict[int, str]:
    """Put parked rows that have a contact back into its line; return the contacts of those that were, by id."""
    ready = inbox.c.id.in_(row_ids) & (inbox.c.state == State.PARKED.value) & inbox.c.contact_id.isnot(None)
    found = {
        row.id: str(row.contact_id) for row in connection.execute(select(inbox.c.id, inbox.c.contact_id).where(ready))
    }
    values = {
        "state": State.RECEIVED.value,
        "attempts": 0,
        "crashes": 0,
        "failures": 0,
        "waits": 0,
        "replays": inbox.c.replays + 1,
        "not_before": None,
        "reason": None,
        "finished_at": None,
    }
    connection.execute(update(inbox).where(inbox.c.id.in_(list(found))).values(**values))
    return found


def details(connection: Connection, row_id: int) -> JSONDict | None:
    """Return a row for the command line, or None."""
    found = connection.execute(select(inbox).where(inbox.c.id == row_id)).mappings().first()
    return None if found is None else dict(found)


def discard(connection: Connection, row_ids: Iterable[int], now: datetime, reason: str) -> list[int]:
    """Settle those of these rows that are parked as ignored, the reason before the one they had; return their ids."""
    why = case((inbox.c.reason.is_(None), reason), else_=literal(f"{reason}: ") + inbox.c.reason)
    chosen = (inbox.c.id == bindparam("row")) & (inbox.c.state == State.PARKED.value)
    settled = update(inbox).where(chosen).values(state=State.IGNORED.value, finished_at=now, reason=why)
    done = [row_id for row_id in row_ids if connection.execute(settled, {"row": row_id}).rowcount]
    shared = inbox.c.joined_to.in_(done) & (inbox.c.state == State.JOINED.value)
    connection.execute(update(inbox).where(shared).values(state=State.IGNORED.value, finished_at=now, reason=reason))
    return done


def follow_ups_in(connection: Connection, row_ids: Iterable[int]) -> list[str]:
    """Return the ids of the follow-ups that stand in these rows."""
    mine = (inbox.c.id == bindparam("row")) & (inbox.c.kind == Kind.FOLLOW_UP.value)
    found = (connection.execute(select(inbox.c.body).where(mine), {"row": row_id}).scalar() for row_id in row_ids)
    return [str(body["follow_up"]) for body in found if body]


def parked_message(connection: Connection, row_id: int) -> ParkedMessage | None:
    """Return a parked row that never got a lane because it could not be read."""
    nowhere = (inbox.c.id == row_id) & (inbox.c.state == State.PARKED.value) & inbox.c.contact_id.is_(None)
    row = connection.execute(select(inbox.c.number_id, inbox.c.body).where(nowhere)).first()
    return None if row is None else ParkedMessage(number_id=row.number_id, body=row.body)


def move(connection: Connection, gone: str, kept: str) -> None:
    """Give all rows of one contact to another, who is the same person."""
    connection.execute(update(inbox).where(inbox.c.contact_id == gone).values(contact_id=kept))


def remove(connection: Connection, row_id: int) -> None:
    """Take out a row that is about to be taken in anew."""
    connection.execute(delete(inbox).where(inbox.c.id == row_id))
