"""What Meta reports about messages that we sent: each status once, the message's state moved forward by it, never back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Integer, bindparam, select, text, update
from sqlalchemy.engine import Connection

from rasa_whatsapp.cloud.pricing import Told
from rasa_whatsapp.cloud.wire import JSONDict
from rasa_whatsapp.storage.outbox import NOT_DIRECTLY, Message, State, add_once, message_of
from rasa_whatsapp.storage.schema import Json, Moment, outbox, statuses

# Statuses of Meta in their order; what is not listed (deleted, warning) changes nothing.
_RANK = {
    "pending": 0,
    "sending": 0,
    "unsettled": 0,
    "accepted": 1,
    "sent": 2,
    "failed": 2,
    "delivered": 3,
    "read": 4,
    "played": 5,
}
# What is parked may have been tried before, and that copy may have arrived all the same.
_RANK_OF_STATE = {**_RANK, "parked": 2}

# Many at once: what is asked for one by one costs ten times as much.
_KNOWN = select(statuses.c.message_id, statuses.c.status, statuses.c.at, statuses.c.pricing).where(
    statuses.c.message_id.in_(bindparam("ids", expanding=True))
)
_BY_META_ID = select(outbox).where(outbox.c.message_id.in_(bindparam("ids", expanding=True)))
_BY_KEY = select(outbox).where(outbox.c.key.in_(bindparam("keys", expanding=True)))
_ADD_STATUS = text(
    """
    INSERT INTO statuses (message_id, status, at, error_code, pricing)
    VALUES (:message_id, :status, :at, :error_code, :pricing)
    ON CONFLICT (message_id, status) DO NOTHING
    """
).bindparams(bindparam("at", type_=Moment), bindparam("pricing", type_=Json), bindparam("error_code", type_=Integer))
_ADVANCE = (
    update(outbox)
    .where(outbox.c.id == bindparam("row"))
    .values(state=bindparam("reached"), message_id=bindparam("meta_id"), reason=None, error_code=None)
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A status as Meta told it; `key` is what the message carried, if the status tells."""

    message_id: str
    status: str
    at: datetime
    code: int | None
    pricing: JSONDict | None
    key: str | None


def told_before(connection: Connection, reports: Sequence[Report]) -> dict[str, list[Told]]:
    """Return what is known already of the messages of these reports, by Meta's ids."""
    found: dict[str, list[Told]] = {}
    for row in connection.execute(_KNOWN, {"ids": [report.message_id for report in reports]}):
        found.setdefault(row.message_id, []).append(Told(row.status, row.at, row.pricing))
    return found


def keep_new(connection: Connection, reports: Sequence[Report], before: Mapping[str, Sequence[Told]]) -> list[Report]:
    """Keep each status once; return those that were not told before, in their order."""
    known = {(message_id, told.status) for message_id, statuses_told in before.items() for told in statuses_told}
    new: dict[tuple[str, str], Report] = {}
    for report in reports:
        if (report.message_id, report.status) not in known:
            new.setdefault((report.message_id, report.status), report)
    if new:
        connection.execute(_ADD_STATUS, [_values(report) for report in new.values()])
    return list(new.values())


def find_sent(connection: Connection, reports: Sequence[Report]) -> dict[str, Message]:
    """Return the messages that we sent, by the ids in these reports: found by Meta's id, or else by the key they carried."""
    rows = connection.execute(_BY_META_ID, {"ids": [report.message_id for report in reports]})
    found = {row.message_id: message_of(row) for row in rows}
    ids = {report.key: report.message_id for report in reports if report.key and report.message_id not in found}
    if ids:
        rows = connection.execute(_BY_KEY, {"keys": list(ids)})
        found |= {ids[row.key]: message_of(row) for row in rows}
    return found


def advance(connection: Connection, reached: Mapping[int, Message]) -> None:
    """Note the state and Meta's id of messages that moved forward."""
    values = [
        {"row": row_id, "reached": message.state.value, "meta_id": message.message_id}
        for row_id, message in reached.items()
    ]
    if values:
        connection.execute(_ADVANCE, values)


def advanced(message: Message, status: str, message_id: str) -> Message | None:
    """Return the message as it is after a status of Meta; None if that would be a step back, or changes nothing."""
    rank, reached = _RANK.get(status, -1), _RANK_OF_STATE.get(message.state.value, 99)
    if rank <= reached or (message.failed_copy == message_id and rank < _RANK["delivered"]):
        return None
    known = None if message.failed_copy else message.message_id
    return replace(message, state=State(status), message_id=known or message_id)


def _values(report: Report) -> dict[str, Any]:
    return {
        "message_id": report.message_id,
        "status": report.status,
        "at": report.at,
        "error_code": report.code,
        "pricing": report.pricing,
    }


def add_fallback(connection: Connection, failed: Message, now: datetime) -> None:
    """After a free-form message came back with 131047: say the utterance again as its template, once, or refuse it."""
    if failed.template is None:
        return
    again = failed.again(f"{failed.utterance}/template")
    add_once(connection, replace(again, free_form=None, numbers=(), more=None), now)


def fail(connection: Connection, row: Message, message_id: str, *, reason: str, code: int | None) -> None:
    """Note Meta's status `failed`."""
    values = {"state": State.FAILED.value, "reason": reason, "error_code": code, "message_id": message_id}
    connection.execute(update(outbox).where(outbox.c.id == row.id).values(**values))


def reopen(
    connection: Connection, row: Message, message_id: str, until: datetime, *, reason: str, code: int, copies: int
) -> None:
    """Let a message go again whose copy under this id of Meta's failed; if Graph's answer for that copy comes late, it changes nothing."""
    values = {
        "state": State.PENDING.value,
        "not_before": until,
        "reason": reason,
        "error_code": code,
        "message_id": message_id,
        "copies": copies,
    }
    connection.execute(update(outbox).where(outbox.c.id == row.id).values(**values))


def turn_down(connection: Connection, row: Message, message_id: str, now: datetime, *, reason: str, code: int) -> None:
    """Let a message pass the gate again whose copy under this id did not go by Direct Send; that is not tried a second time."""
    reopen(connection, row, message_id, now, reason=reason, code=code, copies=row.copies)
    connection.execute(update(outbox).where(outbox.c.id == row.id).values(form=NOT_DIRECTLY))


def may_fail(row: Message, message_id: str) -> bool:
    """Tell whether a `failed` status still counts.

    A delivered message stays delivered (a linked device may fail alone), and the failure of an earlier copy with the same
    key says nothing about the copy that was accepted since.
    """
    is_this_copy = row.message_id in (None, message_id) or row.failed_copy is not None
    return is_this_copy and _RANK.get(row.state.value, 99) < _RANK["delivered"]
