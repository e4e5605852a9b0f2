"""What waits in the outbox for its customer to write, and whether they were asked to.

A parked message goes when they write, or is refused if that takes too long, or gives its place to a newer one of its kind.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import bindparam, func, literal, literal_column, select, update
from sqlalchemy.engine import Connection

from rasa_whatsapp.cloud.wire import JSONDict
from rasa_whatsapp.policy.asking import may_ask_again
from rasa_whatsapp.storage.outbox import Message, State, cause_of
from rasa_whatsapp.storage.schema import outbox

_IS_PARKED = outbox.c.state == literal_column(f"'{State.PARKED.value}'")  # as the index has it, not as a parameter
_PARKED_BEFORE = select(outbox.c.utterance).where(
    outbox.c.contact_id == bindparam("contact"), outbox.c.id < bindparam("row"), _IS_PARKED
)


def park(connection: Connection, message: Message, now: datetime, *, reason: str, decision: JSONDict) -> None:
    """Let a message wait until its customer writes, in place of older ones of its kind that wait for that."""
    older = (outbox.c.contact_id == message.contact_id) & (outbox.c.state == State.PARKED.value)
    if message.kind is not None:
        same = older & (outbox.c.kind == message.kind) & (outbox.c.utterance != message.utterance)
        gone = {"state": State.REPLACED.value, "reason": f"a newer {message.kind} was parked in its place"}
        connection.execute(update(outbox).where(same).values(**gone))
    values = {"state": State.PARKED.value, "parked_at": now, "reason": reason, "decision": decision}
    connection.execute(update(outbox).where(outbox.c.id == message.id).values(**values))


def unpark(connection: Connection, contact_id: str, now: datetime) -> bool:
    """Let go what waited for this customer to write; return whether there is any."""
    mine = (outbox.c.contact_id == contact_id) & (outbox.c.state == State.PARKED.value)
    values = {"state": State.PENDING.value, "fresh_at": now, "not_before": None, "reason": None}
    return bool(connection.execute(update(outbox).where(mine).values(**values)).rowcount)


def expire_parked(connection: Connection, before: datetime, contact_id: str | None = None) -> int:
    """Refuse what was parked before then, of one customer or of all; return how many there were."""
    old = _IS_PARKED & (outbox.c.parked_at < before)
    if contact_id is not None:
        old &= outbox.c.contact_id == contact_id
    why = literal("it was parked, and the customer did not write in time: ") + func.coalesce(outbox.c.reason, "")
    values = {"state": State.REFUSED.value, "reason": why}
    return int(connection.execute(update(outbox).where(old).values(**values)).rowcount)


def count_parked(connection: Connection, contact_id: str) -> int:
    """Return how many messages wait for this customer to write."""
    mine = select(func.count()).select_from(outbox).where(_IS_PARKED & (outbox.c.contact_id == contact_id))
    return int(connection.execute(mine).scalar_one())


def follows_parked(connection: Connection, message: Message) -> bool:
    """Tell whether something is parked that the same cause led to before this message."""
    parked = connection.execute(_PARKED_BEFORE, {"contact": message.contact_id, "row": message.id})
    return any(cause_of(row.utterance) == cause_of(message.utterance) for row in parked)


def is_asked(connection: Connection, contact_id: str, asks: str, now: datetime) -> bool:
    """Tell whether the customer was asked to write, by a message whose key begins so; one that did not go did not ask, save where it would fail again."""
    asked = (outbox.c.contact_id == contact_id) & outbox.c.key.startswith(asks, autoescape=True)
    rows = connection.execute(select(outbox.c.state, outbox.c.error_code, outbox.c.tried_at).where(asked))
    gone = (State.FAILED.value, State.REFUSED.value)
    return any(row.state not in gone or not may_ask_again(row.error_code, row.tried_at, now) for row in rows)
