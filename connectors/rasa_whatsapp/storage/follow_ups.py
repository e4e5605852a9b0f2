"""Follow-ups: Rasa's reminders, kept per conversation until they are due, cancelled, or overtaken by the customer.

pending -> fired (it stands in the contact's lane) -> done, or cancelled with its reason
pending -> missed: no server was there to fire it until it was too late

It fires at `fire_at`: when it is due, or after the quiet hours of its customer. Scheduling a name again replaces the
pending one of that conversation, as Rasa does it for the whole server.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any

from sqlalchemy import bindparam, delete, insert, select, update
from sqlalchemy.engine import Connection

from rasa_whatsapp.cloud.wire import JSONDict
from rasa_whatsapp.storage.schema import follow_ups


class State(Enum):
    """Where a follow-up is on its way."""

    PENDING = "pending"
    FIRED = "fired"
    DONE = "done"
    CANCELLED = "cancelled"
    MISSED = "missed"


_IS_OPEN = follow_ups.c.state.in_((State.PENDING.value, State.FIRED.value))

# Runs with every message, so it is built once.
_OVERTAKE = (
    update(follow_ups)
    .where(
        follow_ups.c.contact_id == bindparam("contact"),
        _IS_OPEN,
        follow_ups.c.kill_on_user_message.is_(True),
    )
    .values(state=State.CANCELLED.value, finished_at=bindparam("now"), reason="the customer wrote first")
)


_OVERTAKE_UNHELD = _OVERTAKE.where(
    follow_ups.c.id.in_(
        select(follow_ups.c.id)
        .where(follow_ups.c.contact_id == bindparam("contact"), _IS_OPEN)
        .with_for_update(skip_locked=True)
        .scalar_subquery()
    )
)
_DUE = (
    select(follow_ups)
    .where(follow_ups.c.state == State.PENDING.value, follow_ups.c.fire_at <= bindparam("now"))
    .order_by(follow_ups.c.fire_at)
    .limit(bindparam("most"))
    .with_for_update(skip_locked=True)  # two servers never fire the same one
)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewFollowUp:
    """What an action asked for; `cause` is the turn that it ran in."""

    contact_id: str
    name: str
    intent: str
    entities: Sequence[dict[str, Any]]
    due_at: datetime
    kill_on_user_message: bool
    cause: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowUp:
    """A stored follow-up."""

    id: str
    contact_id: str
    name: str
    intent: str
    entities: Sequence[dict[str, Any]]
    due_at: datetime
    fire_at: datetime
    state: State


def schedule(connection: Connection, wanted: NewFollowUp, now: datetime) -> str:
    """Keep a follow-up, in place of the pending one of the same conversation and name; return its id."""
    same = (follow_ups.c.contact_id == wanted.contact_id) & (follow_ups.c.name == wanted.name)
    connection.execute(delete(follow_ups).where(same & (follow_ups.c.state == State.PENDING.value)))
    follow_up_id = uuid.uuid4().hex
    connection.execute(
        insert(follow_ups).values(
            id=follow_up_id,
            contact_id=wanted.contact_id,
            name=wanted.name,
            intent=wanted.intent,
            entities=list(wanted.entities),
            due_at=wanted.due_at,
            fire_at=wanted.due_at,
            kill_on_user_message=wanted.kill_on_user_message,
            state=State.PENDING.value,
            cause=wanted.cause,
            created_at=now,
        )
    )
    return follow_up_id


def forget_caused_by(connection: Connection, contact_id: str, cause: str) -> None:
    """Drop what an interrupted run of a turn had scheduled: the turn runs again and schedules it again.

    Also what has fired since: it stands in the lane behind this turn, and finds itself cancelled there.
    """
    mine = (follow_ups.c.contact_id == contact_id) & (follow_ups.c.cause == cause)
    connection.execute(delete(follow_ups).where(mine & _IS_OPEN))


def cancel(
    connection: Connection,
    contact_id: str,
    now: datetime,
    *,
    name: str | None = None,
    intent: str | None = None,
    entities: Sequence[dict[str, Any]] | None = None,
    but: str | None = None,
) -> int:
    """Cancel the conversation's open follow-ups that match everything given, `but` not this one; return how many."""
    open_ones = _open_of(contact_id)
    if but:
        open_ones &= follow_ups.c.id != but
    if name:
        open_ones &= follow_ups.c.name == name
    if intent:
        open_ones &= follow_ups.c.intent == intent
    found = connection.execute(select(follow_ups.c.id, follow_ups.c.entities).where(open_ones))
    ids = [row.id for row in found if not entities or row.entities == list(entities)]
    _settle(connection, follow_ups.c.id.in_(ids), State.CANCELLED, now, "cancelled by the dialogue")
    return len(ids)


def overtaken(connection: Connection, contact_id: str, now: datetime) -> None:
    """Cancel what should only be said if the customer stays silent: they have just written."""
    connection.execute(_OVERTAKE, {"contact": contact_id, "now": now})


def overtaken_unheld(connection: Connection, contact_id: str, now: datetime) -> None:
    """Do the same without waiting for a transaction that is at one of them: the turn of what they wrote sees to that one."""
    connection.execute(_OVERTAKE_UNHELD, {"contact": contact_id, "now": now})


def claim_due(connection: Connection, now: datetime, most: int) -> list[FollowUp]:
    """Return pending follow-ups whose time has come, the oldest first; they are this transaction's until it ends."""
    return [_follow_up(row) for row in connection.execute(_DUE, {"now": now, "most": most})]


def read(connection: Connection, follow_up_id: str) -> FollowUp | None:
    """Return the follow-up with this id, or None."""
    row = connection.execute(select(follow_ups).where(follow_ups.c.id == follow_up_id)).first()
    return None if row is None else _follow_up(row)


def mark_fired(connection: Connection, fired: Iterable[FollowUp]) -> None:
    """Note that follow-ups stand in their contacts' lanes now."""
    ids = [follow_up.id for follow_up in fired]
    connection.execute(update(follow_ups).where(follow_ups.c.id.in_(ids)).values(state=State.FIRED.value))


def put_off(connection: Connection, follow_up: FollowUp, until: datetime) -> None:
    """Let a follow-up fire at a later moment than it is due."""
    connection.execute(update(follow_ups).where(follow_ups.c.id == follow_up.id).values(fire_at=until))


def finish(connection: Connection, follow_up_id: str, state: State, now: datetime, reason: str | None = None) -> None:
    """Settle one follow-up."""
    _settle(connection, follow_ups.c.id == follow_up_id, state, now, reason)


def listed(
    connection: Connection, *, contact_id: str | None = None, finished: bool = False, limit: int
) -> list[JSONDict]:
    """Return open follow-ups for the command line, `finished` ones too if asked for; what is due first first."""
    kept = follow_ups.c
    columns = (kept.id, kept.contact_id, kept.name, kept.intent, kept.due_at, kept.state)
    query = select(*columns).order_by(kept.due_at, kept.id).limit(limit)
    if contact_id is not None:
        query = query.where(kept.contact_id == contact_id)
    if not finished:
        query = query.where(_IS_OPEN)
    return [dict(row) for row in connection.execute(query).mappings()]


def details(connection: Connection, follow_up_id: str) -> JSONDict | None:
    """Return everything that is stored of a follow-up, for the command line, or None."""
    found = connection.execute(select(follow_ups).where(follow_ups.c.id == follow_up_id)).mappings().first()
    return None if found is None else dict(found)


def states(connection: Connection, ids: Iterable[str]) -> dict[str, State]:
    """Return the state of each of these follow-ups that there is."""
    found = (read(connection, follow_up_id) for follow_up_id in ids)
    return {follow_up.id: follow_up.state for follow_up in found if follow_up is not None}


def cancel_by_id(connection: Connection, ids: Iterable[str], now: datetime, reason: str) -> list[str]:
    """Cancel those of these follow-ups that are open; return their ids."""
    values = {"state": State.CANCELLED.value, "finished_at": now, "reason": reason}
    return _change_each(connection, ids, _IS_OPEN, values)


def make_due(connection: Connection, ids: Iterable[str], now: datetime) -> list[str]:
    """Bring those of these follow-ups that are pending forward to now; return their ids."""
    return _change_each(connection, ids, follow_ups.c.state == State.PENDING.value, {"due_at": now, "fire_at": now})


def _change_each(connection: Connection, ids: Iterable[str], which: Any, values: JSONDict) -> list[str]:
    """Change one by one: a database takes only so many values in one statement."""
    change = update(follow_ups).where(follow_ups.c.id == bindparam("follow_up"), which).values(**values)
    return [each for each in ids if connection.execute(change, {"follow_up": each}).rowcount]


def _open_of(contact_id: str) -> Any:
    return (follow_ups.c.contact_id == contact_id) & _IS_OPEN


def _settle(connection: Connection, which: Any, state: State, now: datetime, reason: str | None) -> None:
    values = {"state": state.value, "finished_at": now, "reason": reason}
    connection.execute(update(follow_ups).where(which).values(**values))


def _follow_up(row: Any) -> FollowUp:
    return FollowUp(
        id=row.id,
        contact_id=row.contact_id,
        name=row.name,
        intent=row.intent,
        entities=row.entities or [],
        due_at=row.due_at,
        fire_at=row.fire_at,
        state=State(row.state),
    )
