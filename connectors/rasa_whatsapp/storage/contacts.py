"""Contacts: one per business number and person; their window, consent, free entry point, and pauses of the bot."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import bindparam, insert, select, text, update
from sqlalchemy.engine import Connection

from rasa_whatsapp.cloud.outbound import Recipient
from rasa_whatsapp.policy.consent import Choice, Consent, ConsentGiven, Scope
from rasa_whatsapp.policy.free_entry import FreeEntryPoint
from rasa_whatsapp.policy.window import CareWindow
from rasa_whatsapp.storage import aliases
from rasa_whatsapp.storage.schema import consent, contacts

# Statements of every message are built once: building one costs several times what running it does.
_READ = select(contacts).where(contacts.c.id == bindparam("contact"))
_READ_TO_CHANGE = _READ.with_for_update(key_share=True)  # nobody else changes it until this transaction ends
_READ_IF_AT_REST = _READ.with_for_update(key_share=True, skip_locked=True)
_SET_WINDOW = (
    update(contacts)
    .where(contacts.c.id == bindparam("contact"))
    .values(window_opened_at=bindparam("opened_at"), window_refused_at=bindparam("refused_at"))
)
_SET_RESTED = update(contacts).where(contacts.c.id == bindparam("contact")).values(rested_at=bindparam("rested"))
_MICROSECOND = timedelta(microseconds=1)
_SHIFT_REST = text("UPDATE contacts SET rested_at = rested_at + :more WHERE id = :contact")
_OF_ALL = bindparam("contacts", expanding=True)
_READ_MANY = select(contacts).where(contacts.c.id.in_(_OF_ALL), contacts.c.merged_into.is_(None))
_CHOICES = select(consent).where(consent.c.contact_id.in_(_OF_ALL)).order_by(consent.c.at, consent.c.id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """Everything about a contact that decisions need."""

    id: str
    number_id: str
    name: str | None
    recipient: Recipient
    window: CareWindow
    consent: Consent
    free_entry: FreeEntryPoint
    paused_until: datetime | None
    rested_at: datetime | None

    def is_paused(self, now: datetime) -> bool:
        """Tell whether a human answers in this chat, so that the bot stays silent."""
        return self.paused_until is not None and now < self.paused_until


def read(connection: Connection, contact_id: str) -> Contact | None:
    """Return the contact that this id means now, or None."""
    row = _row(connection, contact_id)
    if row is None:
        return None
    return _contacts(connection, [row])[row.id]


def read_many(connection: Connection, contact_ids: Collection[str]) -> dict[str, Contact]:
    """Return these contacts by their ids, but not those who were merged into others."""
    rows = connection.execute(_READ_MANY, {"contacts": list(contact_ids)}).all() if contact_ids else []
    return _contacts(connection, rows)


def _contacts(connection: Connection, rows: Sequence[Any]) -> dict[str, Contact]:
    ids = [row.id for row in rows]
    names = aliases.current_of(connection, ids)
    choices = _choices(connection, ids)
    return {row.id: _contact(row, names.get(row.id, {}), choices.get(row.id, [])) for row in rows}


def _contact(row: Any, names: Mapping[str, str], choices: Sequence[ConsentGiven]) -> Contact:
    return Contact(
        id=row.id,
        number_id=row.number_id,
        name=row.name,
        recipient=Recipient(names.get(aliases.NUMBER), names.get(aliases.USER_ID)),
        window=CareWindow(row.window_opened_at, row.window_refused_at),
        consent=Consent(tuple(choices)),
        free_entry=FreeEntryPoint(row.referred_at, row.referral_answered_at),
        paused_until=row.paused_until,
        rested_at=row.rested_at,
    )


def resolve(connection: Connection, contact_id: str) -> str | None:
    """Return the contact that this id means now: another one if it was merged into that, None if there is none."""
    row = _row(connection, contact_id)
    return None if row is None else str(row.id)


def _row(connection: Connection, contact_id: str) -> Any:
    row = connection.execute(_READ, {"contact": contact_id}).first()
    return _row(connection, row.merged_into) if row is not None and row.merged_into else row


def number_ids(connection: Connection, contact_ids: Collection[str]) -> dict[str, str]:
    """Return the business number of each of these contacts."""
    rows = connection.execute(select(contacts.c.id, contacts.c.number_id).where(contacts.c.id.in_(list(contact_ids))))
    return {str(row.id): str(row.number_id) for row in rows}


def record_window(connection: Connection, contact_id: str, window: CareWindow) -> None:
    """Remember the contact's window."""
    values = {"contact": contact_id, "opened_at": window.opened_at, "refused_at": window.refused_at}
    connection.execute(_SET_WINDOW, values)


def window_to_change(connection: Connection, contact_id: str) -> CareWindow:
    """Return the contact's window, which nobody else changes until this transaction ends."""
    return _window(connection.execute(_READ_TO_CHANGE, {"contact": contact_id}).first())


def window_at_rest(connection: Connection, contact_id: str) -> CareWindow | None:
    """Return the contact's window, which nobody else changes until this transaction ends; None if somebody does at this moment.

    For who holds the contact's lane: to wait here for one who waits for the lane would be a deadlock.
    """
    row = connection.execute(_READ_IF_AT_REST, {"contact": contact_id}).first()
    return None if row is None else _window(row)


def _window(row: Any) -> CareWindow:
    return CareWindow(row.window_opened_at, row.window_refused_at) if row else CareWindow(None)


def record_referral(connection: Connection, contact_id: str, at: datetime) -> None:
    """Note that the contact came from an ad or a post; an older referral changes nothing."""
    newer = contacts.c.referred_at.is_(None) | (contacts.c.referred_at < at)
    values = {"referred_at": at, "referral_answered_at": None}
    connection.execute(update(contacts).where((contacts.c.id == contact_id) & newer).values(**values))


def record_referral_answered(connection: Connection, contact_id: str, at: datetime) -> None:
    """Note the first answer to a referral, from which the free entry point counts."""
    waiting = contacts.c.referred_at.isnot(None) & contacts.c.referral_answered_at.is_(None)
    connection.execute(update(contacts).where((contacts.c.id == contact_id) & waiting).values(referral_answered_at=at))


def pause(connection: Connection, contact_id: str, until: datetime) -> None:
    """Keep the bot silent in this chat until then; a pause that lasts longer stays."""
    shorter = contacts.c.paused_until.is_(None) | (contacts.c.paused_until < until)
    connection.execute(update(contacts).where((contacts.c.id == contact_id) & shorter).values(paused_until=until))


def record_sending(connection: Connection, rested: Mapping[str, datetime]) -> None:
    """Note when messages to these contacts will be back at their full burst."""
    values = [{"contact": contact_id, "rested": rested_at} for contact_id, rested_at in rested.items()]
    if values:
        connection.execute(_SET_RESTED, values)


def shift_rest(connection: Connection, later: Mapping[str, timedelta]) -> None:
    """Let these contacts be back at their full burst later by so much."""
    values = [{"contact": contact_id, "more": more // _MICROSECOND} for contact_id, more in later.items()]
    if values:
        connection.execute(_SHIFT_REST, values)


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


def _choices(connection: Connection, contact_ids: Collection[str]) -> dict[str, list[ConsentGiven]]:
    found: dict[str, list[ConsentGiven]] = {}
    for row in connection.execute(_CHOICES, {"contacts": list(contact_ids)}) if contact_ids else ():
        given = ConsentGiven(
            scope=Scope(row.scope), choice=Choice(row.choice), at=row.at, source=row.source, evidence=row.evidence
        )
        found.setdefault(row.contact_id, []).append(given)
    return found
