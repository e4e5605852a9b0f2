"""Make two contacts one that turned out to be one person: the older one's conversation goes on, and nothing of either is lost.

While the newer one is in the middle of a turn or a request, the merge is kept in `merges` and made as soon as that is over.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import delete, insert, select, update
from sqlalchemy.engine import Connection

from rasa_whatsapp.policy.window import CareWindow
from rasa_whatsapp.storage import aliases, lanes, written
from rasa_whatsapp.storage.one_at_a_time import try_identities
from rasa_whatsapp.storage.parked import unpark
from rasa_whatsapp.storage.schema import consent, contacts, follow_ups, inbox, merges, outbox


def merge(connection: Connection, one: str, other: str, now: datetime) -> tuple[str, bool]:
    """Return the contact who is both from now on, and whether they are one already.

    What was parked for the one goes if the other has written in the last 24 hours.
    """
    kept, gone = sorted((one, other), key=lambda contact: (_created_at(connection, contact), contact))
    lanes.wait_for_all(connection, gone)  # what begins there at this moment is seen then
    if _is_busy(connection, gone):
        _keep_for_later(connection, kept, gone)
        return one, False
    _drop_replaced_follow_ups(connection, kept, gone)
    aliases.move(connection, gone, kept)
    lanes.move(connection, gone, kept)
    written.move(connection, gone, kept)
    for table in (inbox, outbox, consent, follow_ups):
        connection.execute(update(table).where(table.c.contact_id == gone).values(contact_id=kept))
    latest = _latest(connection, kept, gone)
    connection.execute(update(contacts).where(contacts.c.id == kept).values(**latest))
    led_there = (contacts.c.id == gone) | (contacts.c.merged_into == gone)
    connection.execute(update(contacts).where(led_there).values(merged_into=kept))
    window = CareWindow(latest.get("window_opened_at"), latest.get("window_refused_at"))
    if window.is_open(now) and unpark(connection, kept, now):
        lanes.wake(connection, lanes.Kind.SENDS, kept, now)
    return kept, True


def merge_waiting(connection: Connection, now: datetime) -> None:
    """Make the merges that had to wait, unless another process says who is who at this moment."""
    if not connection.execute(select(merges).limit(1)).first() or not try_identities(connection):
        return
    for row in connection.execute(select(merges)).all():
        one, other = _resolved(connection, row.one), _resolved(connection, row.other)
        if one == other or merge(connection, one, other, now)[1]:
            connection.execute(delete(merges).where((merges.c.one == row.one) & (merges.c.other == row.other)))


def is_waiting(connection: Connection, contact_id: str) -> bool:
    """Tell whether this contact is to become one with another, as soon as neither is in the middle of something."""
    mine = (merges.c.one == contact_id) | (merges.c.other == contact_id)
    return connection.execute(select(merges.c.one).where(mine).limit(1)).first() is not None


def not_joined(connection: Connection, contact_id: str) -> list[str]:
    """Return the contacts merged into this one whose conversations the dialogue has not joined to its own yet."""
    apart = (contacts.c.merged_into == contact_id) & contacts.c.joined_at.is_(None)
    return [
        str(gone) for (gone,) in connection.execute(select(contacts.c.id).where(apart).order_by(contacts.c.created_at))
    ]


def mark_joined(connection: Connection, gone: str, now: datetime) -> None:
    """Note that the dialogue holds this merged contact's conversation."""
    connection.execute(update(contacts).where(contacts.c.id == gone).values(joined_at=now))


def _created_at(connection: Connection, contact_id: str) -> Any:
    return connection.execute(select(contacts.c.created_at).where(contacts.c.id == contact_id)).scalar_one()


def _resolved(connection: Connection, contact_id: str) -> str:
    into = connection.execute(select(contacts.c.merged_into).where(contacts.c.id == contact_id)).scalar()
    return _resolved(connection, into) if into else contact_id


def _is_busy(connection: Connection, contact_id: str) -> bool:
    running = select(inbox.c.id).where(inbox.c.contact_id == contact_id, inbox.c.state == "running")
    sending = select(outbox.c.id).where(outbox.c.contact_id == contact_id, outbox.c.state == "sending")
    return any(connection.execute(query.limit(1)).first() for query in (running, sending))


def _keep_for_later(connection: Connection, kept: str, gone: str) -> None:
    pair = (merges.c.one == kept) & (merges.c.other == gone)
    if connection.execute(select(merges).where(pair)).first() is None:
        connection.execute(insert(merges).values(one=kept, other=gone))


def _drop_replaced_follow_ups(connection: Connection, kept: str, gone: str) -> None:
    """A name stands for one pending follow-up of a person: of two, the one of the conversation that goes on stays."""
    pending = follow_ups.c.state == "pending"
    names = select(follow_ups.c.name).where(pending, follow_ups.c.contact_id == kept)
    double = pending & (follow_ups.c.contact_id == gone) & follow_ups.c.name.in_(names.scalar_subquery())
    connection.execute(delete(follow_ups).where(double))


def _latest(connection: Connection, kept: str, gone: str) -> dict[str, Any]:
    """Return name, window, free entry point, pause and pacing of the two: each from whom it is newer, the name from who has one."""
    both = select(contacts).where(contacts.c.id.in_((kept, gone))).order_by(contacts.c.created_at)
    found = connection.execute(both).mappings().all()
    values: dict[str, Any] = {"name": next((row["name"] for row in found if row["name"]), None)}
    for lead, others in (
        ("window_opened_at", ("window_refused_at",)),
        ("referred_at", ("referral_answered_at",)),
        ("paused_until", ()),
        ("rested_at", ()),
    ):
        having = [row for row in found if row[lead] is not None]
        if having:
            newest = max(having, key=lambda row: row[lead])
            values |= {name: newest[name] for name in (lead, *others)}
    return values
