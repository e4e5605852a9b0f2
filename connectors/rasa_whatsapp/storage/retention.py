"""Forget what is finished and old: messages, statuses, follow-ups, and links of media that went out. Some rows at a time, so that nobody waits for it.

Meta delivers a webhook again for up to seven days, so what it is known by is kept for longer than that. Parked rows stay until an
operator has decided about them.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Table, and_, bindparam, delete, select, tuple_
from sqlalchemy.engine import Connection

from rasa_whatsapp.storage.schema import follow_ups, inbox, outbox, statuses, uploads

AT_A_TIME = 500

# table -> (when its rows came, the states in which something is still to be done)
_LINES: dict[Table, tuple[str, frozenset[str]]] = {
    inbox: ("received_at", frozenset({"received", "running", "joined", "parked"})),
    outbox: ("created_at", frozenset({"pending", "sending", "unsettled", "parked"})),
}
LINES = tuple(_LINES)
_FINISHED_FOLLOW_UPS = and_(
    follow_ups.c.state.in_(("done", "cancelled", "missed")), follow_ups.c.fire_at < bindparam("before")
)
_OLD_FOLLOW_UPS = select(follow_ups.c.id).where(_FINISHED_FOLLOW_UPS).limit(AT_A_TIME)
_OLD_STATUSES = (
    select(statuses.c.message_id, statuses.c.status).where(statuses.c.at < bindparam("before")).limit(AT_A_TIME)
)
_OLD_UPLOADS = (
    select(uploads.c.number_id, uploads.c.link).where(uploads.c.used_at < bindparam("before")).limit(AT_A_TIME)
)
_FORGET_FOLLOW_UPS = delete(follow_ups).where(follow_ups.c.id.in_(_OLD_FOLLOW_UPS.scalar_subquery()))
_FORGET_STATUSES = delete(statuses).where(tuple_(statuses.c.message_id, statuses.c.status).in_(_OLD_STATUSES))
_FORGET_UPLOADS = delete(uploads).where(tuple_(uploads.c.number_id, uploads.c.link).in_(_OLD_UPLOADS))


def forget_in_line(connection: Connection, table: Table, before: datetime, after: int) -> int | None:
    """Delete what is finished of the next rows of inbox or outbox, which came before then; return where to go on, or None.

    Rows are looked at by their ids, which go with time: so it ends at the first young one, and needs no index of its own.
    """
    came, open_states = _LINES[table]
    chosen = select(table.c.id, table.c.state, table.c[came].label("came"))
    rows = connection.execute(chosen.where(table.c.id > after).order_by(table.c.id).limit(AT_A_TIME)).all()
    old = [row for row in rows if row.came < before]
    finished = [row.id for row in old if row.state not in open_states]
    connection.execute(delete(table).where(table.c.id.in_(finished)))
    return int(old[-1].id) if old and len(old) == AT_A_TIME else None


def forget_rest(connection: Connection, before: datetime) -> int:
    """Delete some statuses, finished follow-ups and links from before then; return how many."""
    statements = (_FORGET_STATUSES, _FORGET_FOLLOW_UPS, _FORGET_UPLOADS)
    return sum(connection.execute(statement, {"before": before}).rowcount for statement in statements)
