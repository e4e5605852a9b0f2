"""Contacts: one per business number and person, known by number and by business-scoped user id; their window and consent."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import insert, select, update
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
    """Return the id of the contact who is this sender; a new sender becomes a contact, a new alias is remembered."""
    given = [(kind, value) for kind, value in (("user_id", sender.user_id), ("wa_id", sender.wa_id)) if value]
    known = {kind: _contact_of(connection, number_id, kind, value) for kind, value in given}
    contact_id = next((found for found in known.values() if found), None)
    if contact_id is None:
        contact_id = f"wa-{secrets.token_hex(10)}"
        connection.execute(insert(contacts).values(id=contact_id, number_id=number_id, created_at=now))
    for kind, value in given:
        if known[kind] is None:
            row = {"number_id": number_id, "kind": kind, "value": value, "contact_id": contact_id}
            connection.execute(insert(aliases).values(**row))
    if sender.name:
        connection.execute(update(contacts).where(contacts.c.id == contact_id).values(name=sender.name))
    return contact_id


def read(connection: Connection, contact_id: str) -> Contact | None:
    """Return the contact with this id, or None."""
    row = connection.execute(select(contacts).where(contacts.c.id == contact_id)).first()
    if row is None:
        return None
    named = connection.execute(select(aliases.c.kind, aliases.c.value).where(aliases.c.contact_id == contact_id))
    ids = {str(kind): str(value) for kind, value in named}
    return Contact(
        id=row.id,
        number_id=row.number_id,
        name=row.name,
        recipient=Recipient(ids.get("wa_id"), ids.get("user_id")),
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
    """Add a choice to the contact's ledger; the same choice of the same moment and source only once."""
    same = (
        (consent.c.contact_id == contact_id)
        & (consent.c.scope == given.scope.value)
        & (consent.c.choice == given.choice.value)
        & (consent.c.at == given.at)
        & (consent.c.source == given.source)
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


def _contact_of(connection: Connection, number_id: str, kind: str, value: str) -> str | None:
    same = (aliases.c.number_id == number_id) & (aliases.c.kind == kind) & (aliases.c.value == value)
    found = connection.execute(select(aliases.c.contact_id).where(same)).scalar()
    return None if found is None else str(found)


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
