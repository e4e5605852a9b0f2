"""Contacts: one per business number and person, known by number and by business-scoped user id; their window and consent."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, insert, select, update
from sqlalchemy.engine import Connection

from rasa_whatsapp.cloud.inbound import Sender
from rasa_whatsapp.cloud.outbound import Recipient
from rasa_whatsapp.policy.consent import Choice, Consent, ConsentGiven, Scope
from rasa_whatsapp.policy.window import CareWindow
from rasa_whatsapp.storage.schema import aliases, consent, contacts


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """Everything about a contact that decisions need."""

    id: str
    number_id: str
    name: str | None
    recipient: Recipient
    window: CareWindow
    consent: Consent


def identify(connection: Connection, number_id: str, sender: Sender, now: datetime) -> str:
    """Return the id of the contact who is this sender; a new sender becomes a contact, a new alias is remembered.

    The business-scoped user id decides. A number that comes with another user id than its contact's has a new owner.
    """
    by_user_id = _contact_of(connection, number_id, "user_id", sender.user_id)
    by_wa_id = _contact_of(connection, number_id, "wa_id", sender.wa_id)
    if by_user_id is None and by_wa_id is not None and sender.user_id and _alias_of(connection, by_wa_id, "user_id"):
        by_wa_id = None
    contact_id = by_user_id or by_wa_id
    if contact_id is None:
        contact_id = f"wa-{secrets.token_hex(10)}"
        connection.execute(insert(contacts).values(id=contact_id, number_id=number_id, created_at=now))
    for kind, value in (("user_id", sender.user_id), ("wa_id", sender.wa_id)):
        if value and _alias_of(connection, contact_id, kind) != value:
            _remember_alias(connection, number_id, kind, value, contact_id, now)
    if sender.name:
        connection.execute(update(contacts).where(contacts.c.id == contact_id).values(name=sender.name))
    return contact_id


def read(connection: Connection, contact_id: str) -> Contact | None:
    """Return the contact with this id, or None."""
    row = connection.execute(select(contacts).where(contacts.c.id == contact_id)).first()
    if row is None:
        return None
    return Contact(
        id=row.id,
        number_id=row.number_id,
        name=row.name,
        recipient=Recipient(_alias_of(connection, contact_id, "wa_id"), _alias_of(connection, contact_id, "user_id")),
        window=CareWindow(row.window_opened_at, row.window_refused_at),
        consent=Consent(_choices(connection, contact_id)),
    )


def record_window(connection: Connection, contact_id: str, window: CareWindow) -> None:
    """Remember the contact's window."""
    values = {"window_opened_at": window.opened_at, "window_refused_at": window.refused_at}
    connection.execute(update(contacts).where(contacts.c.id == contact_id).values(**values))


def window_of(connection: Connection, contact_id: str) -> CareWindow:
    """Return the contact's window."""
    columns = (contacts.c.window_opened_at, contacts.c.window_refused_at)
    row = connection.execute(select(*columns).where(contacts.c.id == contact_id)).first()
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
    same = (aliases.c.number_id == number_id) & (aliases.c.kind == kind) & (aliases.c.value == value)
    found = connection.execute(select(aliases.c.contact_id).where(same)).scalar() if value else None
    return None if found is None else str(found)


def _alias_of(connection: Connection, contact_id: str, kind: str) -> str | None:
    """Return the alias of this kind that the contact used last."""
    mine = (aliases.c.contact_id == contact_id) & (aliases.c.kind == kind)
    found = connection.execute(select(aliases.c.value).where(mine).order_by(aliases.c.seen_at.desc()).limit(1)).scalar()
    return None if found is None else str(found)


def _remember_alias(
    connection: Connection, number_id: str, kind: str, value: str, contact_id: str, now: datetime
) -> None:
    same = (aliases.c.number_id == number_id) & (aliases.c.kind == kind) & (aliases.c.value == value)
    connection.execute(delete(aliases).where(same))
    row = {"number_id": number_id, "kind": kind, "value": value, "contact_id": contact_id, "seen_at": now}
    connection.execute(insert(aliases).values(**row))


def _choices(connection: Connection, contact_id: str) -> tuple[ConsentGiven, ...]:
    rows = connection.execute(
        select(consent).where(consent.c.contact_id == contact_id).order_by(consent.c.at, consent.c.id)
    )
    return tuple(
        ConsentGiven(
            scope=Scope(row.scope), choice=Choice(row.choice), at=row.at, source=row.source, evidence=row.evidence
        )
        for row in rows
    )
