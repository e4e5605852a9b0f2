"""Aliases: how Meta names contacts, by number (wa_id) and by business-scoped user id; each from the first to the latest time seen.

All times are Meta's own, since webhooks come late and in any order. A number passes from contact to contact, one at a time; a user
id is one person's for ever. An alias that was given up still means the contact for what was sent before.
https://developers.facebook.com/documentation/business-messaging/whatsapp/business-scoped-user-ids
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, delete, insert, select, union_all, update
from sqlalchemy.engine import Connection

from rasa_whatsapp.storage.schema import aliases

NUMBER, USER_ID = "wa_id", "user_id"

# Statements of every message are built once: building one costs several times what running it does.
_OF_VALUE = (
    select(aliases)
    .where(
        aliases.c.number_id == bindparam("number"),
        aliases.c.kind == bindparam("alias_kind"),
        aliases.c.value == bindparam("alias_value"),
    )
    .order_by(aliases.c.first_at)
)
_OF_CONTACT = select(aliases).where(aliases.c.contact_id == bindparam("contact")).order_by(aliases.c.seen_at)
_OF_HOLDERS = select(aliases).where(
    aliases.c.contact_id.in_(
        union_all(  # with OR, SQLite would read all aliases of the number
            *(
                select(aliases.c.contact_id).where(
                    aliases.c.number_id == bindparam("number"),
                    aliases.c.kind == kind,
                    aliases.c.value == bindparam(kind),
                )
                for kind in (NUMBER, USER_ID)
            )
        )
    )
)
_HELD = (
    select(aliases.c.contact_id, aliases.c.kind, aliases.c.value)
    .where(aliases.c.contact_id.in_(bindparam("contacts", expanding=True)), aliases.c.retired_at.is_(None))
    .order_by(aliases.c.seen_at)
)
_ADD = insert(aliases)
_SAME = (
    (aliases.c.number_id == bindparam("number"))
    & (aliases.c.kind == bindparam("alias_kind"))
    & (aliases.c.value == bindparam("alias_value"))
    & (aliases.c.contact_id == bindparam("contact"))
)
_SET = (
    update(aliases)
    .where(_SAME)
    .values(first_at=bindparam("first"), seen_at=bindparam("seen"), retired_at=bindparam("retired"))
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Alias:
    """An alias of a contact, and when it was one."""

    number_id: str
    kind: str
    value: str
    contact_id: str
    first_at: datetime
    seen_at: datetime
    retired_at: datetime | None

    def holds(self, at: datetime) -> bool:
        """Tell whether it may have been the contact's alias at that moment, or later became it."""
        return self.retired_at is None or at <= self.retired_at


def of_value(connection: Connection, number_id: str, kind: str, value: str) -> list[Alias]:
    """Return the contacts whose alias this is or was, the earliest first."""
    named = {"number": number_id, "alias_kind": kind, "alias_value": value}
    return [_alias(row) for row in connection.execute(_OF_VALUE, named)]


def of_contact(connection: Connection, contact_id: str) -> list[Alias]:
    """Return all aliases of a contact, the latest seen last."""
    return [_alias(row) for row in connection.execute(_OF_CONTACT, {"contact": contact_id})]


def of_holders(connection: Connection, number_id: str, names: Mapping[str, str]) -> list[Alias]:
    """Return all aliases of the contacts who have, or once had, one of these, by kind."""
    named = {"number": number_id, NUMBER: names.get(NUMBER), USER_ID: names.get(USER_ID)}
    return [_alias(row) for row in connection.execute(_OF_HOLDERS, named)]


def current(connection: Connection, contact_id: str) -> dict[str, str]:
    """Return the alias of each kind that the contact used last and has not given up."""
    return {alias.kind: alias.value for alias in of_contact(connection, contact_id) if alias.retired_at is None}


def current_of(connection: Connection, contact_ids: Collection[str]) -> dict[str, dict[str, str]]:
    """Return the same for many contacts, by their ids."""
    found: dict[str, dict[str, str]] = {}
    for row in connection.execute(_HELD, {"contacts": list(contact_ids)}) if contact_ids else ():
        found.setdefault(row.contact_id, {})[row.kind] = row.value
    return found


def numbers_of(connection: Connection, contact_ids: Collection[str]) -> dict[str, str]:
    """Return the present number of each of these contacts who has one."""
    known = current_of(connection, contact_ids)
    return {contact_id: names[NUMBER] for contact_id, names in known.items() if NUMBER in names}


def see(connection: Connection, number_id: str, kind: str, value: str, contact_id: str, at: datetime) -> None:
    """Note that the contact had this alias at that moment; a number that somebody else had before is theirs no longer."""
    known = of_value(connection, number_id, kind, value)
    mine = next((alias for alias in known if alias.contact_id == contact_id), None)
    others = [alias for alias in known if alias.contact_id != contact_id]
    later = [alias.first_at for alias in others if alias.first_at > at]
    if mine is None:
        row = {"number_id": number_id, "kind": kind, "value": value, "contact_id": contact_id}
        times = {"first_at": at, "seen_at": at, "retired_at": min(later, default=None)}
        connection.execute(_ADD, {**row, **times})
    elif at < mine.first_at or at > mine.seen_at:
        again = mine.retired_at is not None and at > mine.retired_at
        retired = min(later, default=None) if again else mine.retired_at
        _set(connection, mine, min(mine.first_at, at), max(mine.seen_at, at), retired)
    for alias in others:
        if alias.retired_at is None and alias.seen_at < at:
            retire(connection, alias, at)


def see_again(connection: Connection, known: Iterable[Alias], at: datetime) -> None:
    """Note that a contact still had these aliases at that moment, the latest so far."""
    rows = [_values(alias, alias.first_at, at, alias.retired_at) for alias in known]
    if rows:
        connection.execute(_SET, rows)


def retire(connection: Connection, alias: Alias, at: datetime) -> None:
    """Note that the contact gave this alias up at that moment."""
    _set(connection, alias, alias.first_at, alias.seen_at, at)


def move(connection: Connection, gone: str, kept: str) -> None:
    """Give all aliases of one contact to another, who is the same person."""
    theirs = {(alias.kind, alias.value): alias for alias in of_contact(connection, kept)}
    for alias in of_contact(connection, gone):
        twin = theirs.get((alias.kind, alias.value))
        if twin is not None:
            ends = (alias.retired_at, twin.retired_at)
            retired = None if None in ends else max(filter(None, ends))
            connection.execute(delete(aliases).where(_SAME), _named(alias))
            _set(connection, twin, min(alias.first_at, twin.first_at), max(alias.seen_at, twin.seen_at), retired)
    connection.execute(update(aliases).where(aliases.c.contact_id == gone).values(contact_id=kept))


def _set(connection: Connection, alias: Alias, first: datetime, seen: datetime, retired: datetime | None) -> None:
    connection.execute(_SET, _values(alias, first, seen, retired))


def _values(alias: Alias, first: datetime, seen: datetime, retired: datetime | None) -> dict[str, Any]:
    return {**_named(alias), "first": first, "seen": seen, "retired": retired}


def _named(alias: Alias) -> dict[str, Any]:
    return {
        "number": alias.number_id,
        "alias_kind": alias.kind,
        "alias_value": alias.value,
        "contact": alias.contact_id,
    }


def _alias(row: Any) -> Alias:
    return Alias(
        number_id=row.number_id,
        kind=row.kind,
        value=row.value,
        contact_id=row.contact_id,
        first_at=row.first_at,
        seen_at=row.seen_at,
        retired_at=row.retired_at,
    )
