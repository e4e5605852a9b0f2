"""Contacts: one per business number and person, known by number and by business-scoped user id; their window and consent."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, delete, insert, select, update
from sqlalchemy.engine import Connection

from rasa_whatsapp.cloud.inbound import Sender
from rasa_whatsapp.cloud.outbound import Recipient
from rasa_whatsapp.policy.consent import Choice, Consent, ConsentGiven, Scope
from rasa_whatsapp.policy.window import CareWindow
from rasa_whatsapp.storage.schema import aliases, consent, contacts, follow_ups, inbox, outbox

# Statements of every message are built once: building one costs several times what running it does.
_ADD = insert(contacts)
_READ = select(contacts).where(contacts.c.id == bindparam("contact"))
_RENAME = update(contacts).where(contacts.c.id == bindparam("contact")).values(name=bindparam("new_name"))
_SET_WINDOW = (
    update(contacts)
    .where(contacts.c.id == bindparam("contact"))
    .values(window_opened_at=bindparam("opened_at"), window_refused_at=bindparam("refused_at"))
)
_FIND = select(aliases.c.contact_id).where(
    aliases.c.number_id == bindparam("number"),
    aliases.c.kind == bindparam("alias_kind"),
    aliases.c.value == bindparam("alias_value"),
)
_ALIASES = (
    select(aliases.c.kind, aliases.c.value)
    .where(aliases.c.contact_id == bindparam("contact"))
    .order_by(aliases.c.seen_at)
)
_CHOICES = select(consent).where(consent.c.contact_id == bindparam("contact")).order_by(consent.c.at, consent.c.id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """Everything about a contact that decisions need."""

    id: str
    number_id: str
    name: str | None
    recipient: Recipient
    window: CareWindow
    consent: Consent


@dataclass(frozen=True, slots=True)
class Identified:
    """Who a sender is; `merged` if that made two contacts one, which may owe something now."""

    contact_id: str
    merged: bool = False


def identify(connection: Connection, number_id: str, sender: Sender, now: datetime) -> Identified:
    """Return the contact who is this sender; a new sender becomes a contact, a new alias is remembered.

    The business-scoped user id decides. A number that comes with another user id than its contact's has a new owner.
    """
    found = _find(connection, number_id, sender) or Identified(_add(connection, number_id, now))
    known = _aliases(connection, found.contact_id)
    for kind, value in (("user_id", sender.user_id), ("wa_id", sender.wa_id)):
        if value and known.get(kind) != value and not _is_only_alias(connection, number_id, kind, value):
            _remember_alias(connection, number_id, kind, value, found.contact_id, now)
    if sender.name:
        connection.execute(_RENAME, {"contact": found.contact_id, "new_name": sender.name})
    return found


def _find(connection: Connection, number_id: str, sender: Sender) -> Identified | None:
    by_user_id = _contact_of(connection, number_id, "user_id", sender.user_id)
    by_wa_id = _contact_of(connection, number_id, "wa_id", sender.wa_id)
    if by_wa_id is not None and by_wa_id != by_user_id and sender.user_id:
        if "user_id" in _aliases(connection, by_wa_id):
            by_wa_id = None  # somebody else's number before
        elif by_user_id is not None:
            return _merge(connection, by_user_id, by_wa_id)
    contact_id = by_user_id or by_wa_id
    return None if contact_id is None else Identified(contact_id)


def _add(connection: Connection, number_id: str, now: datetime) -> str:
    contact_id = f"wa-{secrets.token_hex(10)}"
    connection.execute(_ADD, {"id": contact_id, "number_id": number_id, "created_at": now})
    return contact_id


def read(connection: Connection, contact_id: str) -> Contact | None:
    """Return the contact that this id means now, or None."""
    row = _row(connection, contact_id)
    if row is None:
        return None
    known = _aliases(connection, row.id)
    return Contact(
        id=row.id,
        number_id=row.number_id,
        name=row.name,
        recipient=Recipient(known.get("wa_id"), known.get("user_id")),
        window=CareWindow(row.window_opened_at, row.window_refused_at),
        consent=Consent(_choices(connection, row.id)),
    )


def resolve(connection: Connection, contact_id: str) -> str | None:
    """Return the contact that this id means now: another one if it was merged into that, None if there is none."""
    row = _row(connection, contact_id)
    return None if row is None else str(row.id)


def _row(connection: Connection, contact_id: str) -> Any:
    row = connection.execute(_READ, {"contact": contact_id}).first()
    return _row(connection, row.merged_into) if row is not None and row.merged_into else row


def _merge(connection: Connection, one: str, other: str) -> Identified:
    """Make two contacts one, because they turned out to be the same person; the older one's conversation goes on.

    Not while the other is in the middle of a turn or a request: then the next message tries again.
    """
    rows = {contact: connection.execute(_READ, {"contact": contact}).one() for contact in (one, other)}
    kept, gone = sorted(rows, key=lambda contact: rows[contact].created_at)
    if _is_busy(connection, gone):
        return Identified(one)
    _drop_replaced_follow_ups(connection, kept, gone)
    for table in (aliases, inbox, outbox, consent, follow_ups):
        connection.execute(update(table).where(table.c.contact_id == gone).values(contact_id=kept))
    opened = [row for row in rows.values() if row.window_opened_at is not None]
    if opened:
        latest = max(opened, key=lambda row: row.window_opened_at)
        record_window(connection, kept, CareWindow(latest.window_opened_at, latest.window_refused_at))
    connection.execute(update(contacts).where(contacts.c.id == gone).values(merged_into=kept))
    return Identified(kept, merged=True)


def _is_busy(connection: Connection, contact_id: str) -> bool:
    running = select(inbox.c.id).where(inbox.c.contact_id == contact_id, inbox.c.state == "running")
    sending = select(outbox.c.id).where(outbox.c.contact_id == contact_id, outbox.c.state == "sending")
    return any(connection.execute(query.limit(1)).first() for query in (running, sending))


def _drop_replaced_follow_ups(connection: Connection, kept: str, gone: str) -> None:
    """A name stands for one pending follow-up of a person: of two, the one of the conversation that goes on stays."""
    pending = follow_ups.c.state == "pending"
    names = select(follow_ups.c.name).where(pending, follow_ups.c.contact_id == kept)
    double = pending & (follow_ups.c.contact_id == gone) & follow_ups.c.name.in_(names.scalar_subquery())
    connection.execute(delete(follow_ups).where(double))


def record_window(connection: Connection, contact_id: str, window: CareWindow) -> None:
    """Remember the contact's window."""
    values = {"contact": contact_id, "opened_at": window.opened_at, "refused_at": window.refused_at}
    connection.execute(_SET_WINDOW, values)


def window_of(connection: Connection, contact_id: str) -> CareWindow:
    """Return the contact's window."""
    row = connection.execute(_READ, {"contact": contact_id}).first()
    return CareWindow(row.window_opened_at, row.window_refused_at) if row else CareWindow(None)


def record_consent(connection: Connection, contact_id: str, given: ConsentGiven) -> None:
    """Add a choice to the contact's ledger; the same one only once."""
    same = (
        (consent.c.contact_id == contact_id)
        & (consent.c.scope == given.scope.value)
        & (consent.c.choice == given.choice.value)
        & (consent.c.at == given.at)
        & (consent.c.source == given.source)
        & (consent.c.evidence == given.evidence)
    )
    if connection.execute(select(consent.c.id).where(same)).first():
        return
    connection.execute(
        insert(consent).values(
            contact_id=contact_id,
            scope=given.scope.value,
            choice=given.choice.value,
            at=given.at,
            source=given.source,
            evidence=given.evidence,
        )
    )


def _contact_of(connection: Connection, number_id: str, kind: str, value: str | None) -> str | None:
    if value is None:
        return None
    found = connection.execute(_FIND, {"number": number_id, "alias_kind": kind, "alias_value": value}).scalar()
    return None if found is None else str(found)


def _aliases(connection: Connection, contact_id: str) -> dict[str, str]:
    """Return the alias of each kind that the contact used last."""
    return {row.kind: row.value for row in connection.execute(_ALIASES, {"contact": contact_id})}


def _is_only_alias(connection: Connection, number_id: str, kind: str, value: str) -> bool:
    """Tell whether another contact could not be answered any more without this alias."""
    owner = _contact_of(connection, number_id, kind, value)
    return owner is not None and set(_aliases(connection, owner)) == {kind}


def _remember_alias(
    connection: Connection, number_id: str, kind: str, value: str, contact_id: str, now: datetime
) -> None:
    same = (aliases.c.number_id == number_id) & (aliases.c.kind == kind) & (aliases.c.value == value)
    connection.execute(delete(aliases).where(same))
    row = {"number_id": number_id, "kind": kind, "value": value, "contact_id": contact_id, "seen_at": now}
    connection.execute(insert(aliases).values(**row))


def _choices(connection: Connection, contact_id: str) -> tuple[ConsentGiven, ...]:
    return tuple(
        ConsentGiven(
            scope=Scope(row.scope), choice=Choice(row.choice), at=row.at, source=row.source, evidence=row.evidence
        )
        for row in connection.execute(_CHOICES, {"contact": contact_id})
    )
