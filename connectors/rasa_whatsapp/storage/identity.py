"""Who a sender is: contacts by their aliases, which come late, change, are given up, or turn out to be one person's.

The user id decides: a number that comes with another user id than its contact has at that time belongs to somebody else.
https://developers.facebook.com/documentation/business-messaging/whatsapp/business-scoped-user-ids
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.engine import Connection

from rasa_whatsapp.cloud.inbound import Sender
from rasa_whatsapp.storage import aliases, merging
from rasa_whatsapp.storage.aliases import NUMBER, USER_ID, Alias
from rasa_whatsapp.storage.schema import contacts

_ADD = insert(contacts)
_RENAME = update(contacts).where(contacts.c.id == bindparam("contact")).values(name=bindparam("new_name"))


@dataclass(frozen=True, slots=True)
class Identified:
    """Who a sender is; `merged` if that made two contacts one, which may owe something now."""

    contact_id: str
    merged: bool = False


def identify(connection: Connection, number_id: str, sender: Sender, *, sent_at: datetime, now: datetime) -> Identified:
    """Return the contact who is this sender; a new sender becomes a contact, a new alias is remembered."""
    at = min(sent_at, now)  # a moment in the future would keep an alias from ever passing on
    found = _recognise(connection, number_id, sender, at)
    if found is None:
        found = _find(connection, number_id, sender, at, now) or Identified(_add(connection, number_id, now))
        for kind, value in _aliases_in(sender):
            aliases.see(connection, number_id, kind, value, found.contact_id, at)
        if sender.wa_id and sender.user_id:
            _give_up_with_number(connection, found.contact_id, sender)
    if sender.name:
        connection.execute(_RENAME, {"contact": found.contact_id, "new_name": sender.name})
    return found


def succeed(
    connection: Connection, number_id: str, before: Sender, after: Sender, *, at: datetime, now: datetime
) -> Identified | None:
    """Note that a customer has another number or user id since this moment; None if the customer was never heard of.

    The conversation follows the person. Their new alias may already be a contact's, if a message overtook this news.
    """
    at = min(at, now)
    known = _find(connection, number_id, before, at, now)
    if known is None:
        return None
    for kind, value in _aliases_in(after):
        namesake = _overtaker(connection, number_id, known.contact_id, (kind, value), at)
        if namesake is not None:
            known = _both(connection, known, namesake, now)
        else:
            aliases.see(connection, number_id, kind, value, known.contact_id, at)
    _give_up(connection, known.contact_id, after, at)
    return known


def learn_number(connection: Connection, contact_id: str, wa_id: str, now: datetime) -> None:
    """Note the number under which Meta knows the contact: in Brazil and Mexico it may not be the one that was dialled."""
    known = aliases.current(connection, contact_id)
    if known.get(NUMBER) == wa_id:
        return
    number_id = connection.execute(select(contacts.c.number_id).where(contacts.c.id == contact_id)).scalar_one()
    owner = _owner(connection, number_id, wa_id, now)
    if owner is None or owner.contact_id == contact_id:
        aliases.see(connection, number_id, NUMBER, wa_id, contact_id, now)
    elif USER_ID not in known or USER_ID not in aliases.current(connection, owner.contact_id):
        merging.merge(connection, contact_id, owner.contact_id, now)  # else two people: their own messages will tell


def _recognise(connection: Connection, number_id: str, sender: Sender, at: datetime) -> Identified | None:
    """Return who writes with the same aliases as ever, which nobody else ever had; None if it is not so simple.

    Nearly every message is such a one: two statements where all the questions below take seven.
    """
    names = dict(_aliases_in(sender))
    held = aliases.of_holders(connection, number_id, names)
    mine = [alias for alias in held if alias.value == names.get(alias.kind)]
    is_one = len({alias.contact_id for alias in held}) == 1 and len(mine) == len(names)
    if not is_one or any(alias.retired_at is not None for alias in held) or any(alias.first_at > at for alias in mine):
        return None
    aliases.see_again(connection, [alias for alias in mine if alias.seen_at < at], at)
    return Identified(mine[0].contact_id)


def _find(connection: Connection, number_id: str, sender: Sender, at: datetime, now: datetime) -> Identified | None:
    by_user_id = _person(connection, number_id, sender.user_id)
    owner = _owner(connection, number_id, sender.wa_id, at)
    if owner is None or owner.contact_id == by_user_id:
        return None if by_user_id is None else Identified(by_user_id)
    if by_user_id is not None:
        if _others(connection, owner.contact_id, sender.user_id, at):
            return Identified(by_user_id)  # somebody else's number before, or later
        return _both(connection, Identified(by_user_id), owner.contact_id, now)
    if sender.user_id and _is_somebody_else(connection, owner, sender.user_id, at):
        return None
    return Identified(owner.contact_id)


def _both(connection: Connection, one: Identified, other: str, now: datetime) -> Identified:
    """Make two contacts one, or note that they are to become one as soon as neither is in the middle of something."""
    contact_id, done = merging.merge(connection, one.contact_id, other, now)
    return Identified(contact_id, merged=one.merged or done)


def _person(connection: Connection, number_id: str, user_id: str | None) -> str | None:
    """Return the contact with this user id: one person's for ever."""
    found = aliases.of_value(connection, number_id, USER_ID, user_id) if user_id else []
    return found[0].contact_id if found else None


def _owner(connection: Connection, number_id: str, wa_id: str | None, at: datetime) -> Alias | None:
    """Return whose number it was at that moment; what is older than everybody is the first one's."""
    held = (
        [alias for alias in aliases.of_value(connection, number_id, NUMBER, wa_id) if alias.holds(at)] if wa_id else []
    )
    begun = [alias for alias in held if alias.first_at <= at]
    return begun[-1] if begun else next(iter(held), None)


def _others(connection: Connection, contact_id: str, user_id: str | None, at: datetime) -> list[Alias]:
    """Return other user ids of the contact than this one, save those given up by then."""
    known = [alias for alias in aliases.of_contact(connection, contact_id) if alias.kind == USER_ID]
    return [alias for alias in known if alias.value != user_id and (alias.retired_at is None or alias.retired_at > at)]


def _is_somebody_else(connection: Connection, owner: Alias, user_id: str, at: datetime) -> bool:
    """Tell whether an unknown user id under this number is not its contact's: they had another one at that time."""
    others = _others(connection, owner.contact_id, user_id, at)
    return any(alias.first_at <= at or owner.first_at > at for alias in others)


def _overtaker(
    connection: Connection, number_id: str, contact_id: str, alias: tuple[str, str], at: datetime
) -> str | None:
    """Return the contact who is there under a customer's new alias because a message came before the news."""
    kind, value = alias
    known = aliases.of_value(connection, number_id, kind, value)
    if contact_id in [owned.contact_id for owned in known]:
        return None
    # A number that was somebody's before the change is a stranger's who gave it up; a user id is nobody else's.
    since = [owned.contact_id for owned in known if kind == USER_ID or owned.first_at >= at]
    return next(iter(since), None)


def _give_up(connection: Connection, contact_id: str, after: Sender, at: datetime) -> None:
    """Let go the aliases that the new ones replace.

    A new number always means a new user id (fact sheet 2.6), which another webhook or the next message tells.
    """
    kinds = (NUMBER, USER_ID) if after.wa_id else (USER_ID,)
    for alias in aliases.of_contact(connection, contact_id):
        is_old = alias.value not in (after.wa_id, after.user_id) and alias.seen_at <= at
        if alias.kind in kinds and is_old and alias.retired_at is None:
            aliases.retire(connection, alias, at)


def _give_up_with_number(connection: Connection, contact_id: str, sender: Sender) -> None:
    """A message that came late names a user id beside a number which the customer gave up since: so was the user id.

    Not if somebody else was only seen with the number: then nothing told that the customer has a new user id.
    """
    mine = {alias.value: alias for alias in aliases.of_contact(connection, contact_id)}
    number, user_id = mine.get(str(sender.wa_id)), mine.get(str(sender.user_id))
    if number is None or user_id is None or number.retired_at is None or user_id.retired_at is not None:
        return
    known = aliases.of_value(connection, number.number_id, NUMBER, number.value)
    was_taken = any(alias.first_at == number.retired_at for alias in known)
    if user_id.seen_at <= number.retired_at and not was_taken:
        aliases.retire(connection, user_id, number.retired_at)


def _add(connection: Connection, number_id: str, now: datetime) -> str:
    contact_id = f"wa-{secrets.token_hex(10)}"
    connection.execute(_ADD, {"id": contact_id, "number_id": number_id, "created_at": now})
    return contact_id


def _aliases_in(sender: Sender) -> Iterator[tuple[str, str]]:
    for kind, value in ((USER_ID, sender.user_id), (NUMBER, sender.wa_id)):
        if value:
            yield kind, value
