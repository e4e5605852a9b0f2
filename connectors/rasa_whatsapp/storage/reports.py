"""What Meta reports about messages that we sent: each status once, the message's state moved forward by it, never back."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from sqlalchemy import Integer, bindparam, select, text, update
from sqlalchemy.engine import Connection

from rasa_whatsapp.cloud.wire import JSONDict
from rasa_whatsapp.storage.outbox import BY_KEY, Message, State, add_once, message_of
from rasa_whatsapp.storage.schema import Json, Moment, outbox

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

_BY_META_ID = select(outbox).where(outbox.c.message_id == bindparam("meta_id"))
_ADD_STATUS = text(
    """
    INSERT INTO statuses (message_id, status, at, error_code, pricing)
    VALUES (:message_id, :status, :at, :error_code, :pricing)
    ON CONFLICT (message_id, status) DO NOTHING
    """
).bindparams(bindparam("at", type_=Moment), bindparam("pricing", type_=Json), bindparam("error_code", type_=Integer))


def find_sent(connection: Connection, message_id: str, key: str | None) -> Message | None:
    """Return the message that we sent, by Meta's id or else by the key it carried; None for other tools' messages."""
    row = connection.execute(_BY_META_ID, {"meta_id": message_id}).first()
    if row is None and key is not None:
        row = connection.execute(BY_KEY, {"known_key": key}).first()
    return None if row is None else message_of(row)


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


def record_status(
    connection: Connection, message_id: str, status: str, at: datetime, *, code: int | None, pricing: JSONDict | None
) -> bool:
    """Keep a status once; return whether it was new."""
    values = {"message_id": message_id, "status": status, "at": at, "error_code": code, "pricing": pricing}
    return bool(connection.execute(_ADD_STATUS, values).rowcount)


def advance(connection: Connection, row: Message, status: str, message_id: str) -> None:
    """Move a message forward to a status of Meta; what would be a step back changes nothing."""
    if _RANK.get(status, -1) > _RANK.get(row.state.value, 99):
        values = {
            "state": status,
            "message_id": row.message_id or message_id,
            "reason": None,
            "error_code": None,
        }
        connection.execute(update(outbox).where(outbox.c.id == row.id).values(**values))


def may_fail(row: Message, message_id: str) -> bool:
    """Tell whether a `failed` status still counts.

    A delivered message stays delivered (a linked device may fail alone), and the failure of an earlier copy with the same
    key says nothing about the copy that was accepted since.
    """
    is_this_copy = row.message_id is None or row.message_id == message_id
    return is_this_copy and _RANK.get(row.state.value, 99) < _RANK["delivered"]
