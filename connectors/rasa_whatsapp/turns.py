"""The dialogue's work, one contact at a time: which turn is next, what it is made of, how it ended.

Each function is one transaction. A due follow-up stands in the same line as the customer's messages, so that both have the
same order, the same protection against crashes and the same way out.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Union

from sqlalchemy.engine import Connection

from rasa_whatsapp import meaning, turn_sources
from rasa_whatsapp.cloud.inbound import MessageReceived, read_message
from rasa_whatsapp.cloud.pages import page_of
from rasa_whatsapp.cloud.wire import MalformedField
from rasa_whatsapp.errors import UnknownContact
from rasa_whatsapp.logs import trace
from rasa_whatsapp.storage import contacts, follow_ups, inbox, merging, offers, outbox
from rasa_whatsapp.storage.contacts import Contact
from rasa_whatsapp.storage.follow_ups import NewFollowUp
from rasa_whatsapp.turn import Turn
from rasa_whatsapp.turn_sources import Keywords

logger = logging.getLogger(__name__)

FOLLOW_UP_CAUSE = "follow-up:"
_MOST_CRASHES = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """A turn to take now. `again` when an earlier run of it may have happened: the tracker tells.

    `join` names contacts who turned out to be this one, and whose conversations the dialogue still holds apart.
    """

    row: inbox.Row
    turn: Turn
    contact: Contact
    again: bool
    join: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Answered:
    """The turn needed no dialogue: this contact is owed what the channel itself had to say."""

    contact_id: str


# what to do now, or the pause until there may be something (none at all: look again), or nothing at all
Next = Union[Due, Answered, timedelta, None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancellation:
    """Which follow-ups of a conversation a turn cancels: those that match everything given, but never its own."""

    contact_id: str
    but: str | None
    name: str | None
    intent: str | None
    entities: Sequence[dict[str, Any]]


def begin_next(connection: Connection, contact_id: str, keywords: Keywords, now: datetime) -> Next:
    """Return the contact's next turn and mark it as running; None when the lane is empty."""
    row = inbox.head(connection, contact_id)
    if row is None:
        return None
    if row.not_before is not None and row.not_before > now:
        return row.not_before - now
    if row.crashes >= _MOST_CRASHES:
        return _park(connection, row, f"the process died {row.crashes} times while it ran", now)
    contact = contacts.read(connection, contact_id)
    if contact is None:
        return _park(connection, row, "its contact is gone", now)
    return _begin(connection, row, contact, keywords, now)


def begin_again(connection: Connection, due: Due, now: datetime) -> None:
    """Undo what an interrupted run of the turn had scheduled; for when the tracker shows that the run did not end."""
    follow_ups.forget_caused_by(connection, due.turn.contact_id, due.turn.cause)
    if due.row.kind is inbox.Kind.MESSAGE:
        follow_ups.overtaken(connection, due.turn.contact_id, now)


def end(connection: Connection, due: Due, now: datetime) -> bool:
    """Note that the turn was taken; return whether the lane holds another."""
    inbox.finish(connection, due.row.id, inbox.State.DONE, now)
    if due.row.kind is inbox.Kind.FOLLOW_UP:
        follow_ups.finish(connection, due.row.body["follow_up"], follow_ups.State.DONE, now)
    return inbox.head(connection, due.row.contact_id) is not None


def drop(connection: Connection, due: Due, now: datetime, reason: str) -> None:
    """Note that the dialogue made this follow-up pointless before it ran."""
    inbox.finish(connection, due.row.id, inbox.State.IGNORED, now, reason)
    follow_ups.finish(connection, due.row.body["follow_up"], follow_ups.State.CANCELLED, now, reason)


def fail(connection: Connection, due: Due, now: datetime, *, reason: str, pause: timedelta, last_attempt: int) -> bool:
    """Note that the turn broke; return True if that was its last attempt and it is parked now."""
    if due.row.attempts - due.row.crashes + 1 >= last_attempt:
        inbox.finish(connection, due.row.id, inbox.State.PARKED, now, reason)
        return True
    inbox.postpone(connection, due.row.id, now + pause, reason, attempts=due.row.attempts + 1)
    return False


def put_back(connection: Connection, due: Due, now: datetime, *, reason: str, pause: timedelta) -> None:
    """Note that the dialogue was not there; the attempt does not count."""
    inbox.postpone(connection, due.row.id, now + pause, reason, attempts=due.row.attempts)


def schedule(connection: Connection, follow_up: NewFollowUp, now: datetime) -> None:
    """Keep a follow-up until it is due; raises UnknownContact."""
    contact_id = contacts.resolve(connection, follow_up.contact_id)
    if contact_id is None:
        raise UnknownContact(follow_up.contact_id)
    follow_ups.schedule(connection, replace(follow_up, contact_id=contact_id), now)


def cancel(connection: Connection, which: Cancellation, now: datetime) -> None:
    """Cancel follow-ups, but never the one that is the cause: it is running."""
    follow_ups.cancel(
        connection,
        contacts.resolve(connection, which.contact_id) or which.contact_id,
        now,
        name=which.name,
        intent=which.intent,
        entities=which.entities,
        but=which.but,
    )


def fire_due(connection: Connection, now: datetime) -> int:
    """Put follow-ups whose time has come into their contacts' lanes; return how many."""
    fired = follow_ups.due(connection, now)
    for follow_up in fired:
        contact = contacts.read(connection, follow_up.contact_id)
        follow_ups.mark_fired(connection, follow_up.id)
        inbox.add(
            connection,
            inbox.NewRow(
                number_id=contact.number_id if contact else "",
                message_id=f"{FOLLOW_UP_CAUSE}{follow_up.id}",
                contact_id=follow_up.contact_id,
                kind=inbox.Kind.FOLLOW_UP,
                body={"follow_up": follow_up.id},
                sent_at=now,
                received_at=now,
            ),
        )
    return len(fired)


def _park(connection: Connection, row: inbox.Row, reason: str, now: datetime) -> timedelta:
    """Set aside a row that can never become a turn; the lane looks at the next one at once."""
    inbox.finish(connection, row.id, inbox.State.PARKED, now, reason)
    return timedelta(0)


def _begin(connection: Connection, row: inbox.Row, contact: Contact, keywords: Keywords, now: datetime) -> Next:
    if contact.is_paused(now):
        return _stay_silent(connection, row, contact.paused_until or now, now)
    if row.kind is inbox.Kind.FOLLOW_UP:
        return _begin_follow_up(connection, row, contact, now)
    return _begin_message(connection, row, contact, keywords, now)


def _stay_silent(connection: Connection, row: inbox.Row, until: datetime, now: datetime) -> timedelta:
    """A human answers in this chat: what the customer writes is theirs to answer, a follow-up can wait."""
    if row.kind is inbox.Kind.FOLLOW_UP:
        inbox.put_last(connection, row.id, until, "a human answers in this chat")
    else:
        inbox.finish(
            connection, row.id, inbox.State.IGNORED, now, f"a human answers in this chat until {until:%H:%M} UTC"
        )
    return timedelta(0)


def _begin_message(connection: Connection, row: inbox.Row, contact: Contact, keywords: Keywords, now: datetime) -> Next:
    try:
        if row.kind is inbox.Kind.CALL:
            turn = turn_sources.of_call(row, contact, now)
        else:
            message = read_message(row.number_id, row.body)
            if meaning.asks_for_more(message) and _show_more(connection, row, contact, message, now):
                return Answered(contact.id)
            turn = turn_sources.of_message(connection, row, message, contact, keywords, now)
    except MalformedField as problem:
        return _park(connection, row, f"it cannot be read: {problem}", now)
    except (ArithmeticError, LookupError, TypeError, ValueError) as problem:  # a defect must not hold up the lane
        logger.error("Message %d cannot become a turn: %s", row.id, trace(problem), extra={"action": "turn_parked"})
        return _park(connection, row, f"{type(problem).__name__} while making its turn", now)
    inbox.begin(connection, row)
    if not row.attempts:
        follow_ups.overtaken(connection, contact.id, now)
    return _due(connection, row, turn, contact)


def _due(connection: Connection, row: inbox.Row, turn: Turn, contact: Contact) -> Due:
    join = merging.not_joined(connection, contact.id)
    return Due(row=row, turn=turn, contact=contact, again=row.attempts > 0, join=join)


def _show_more(
    connection: Connection, row: inbox.Row, contact: Contact, message: MessageReceived, now: datetime
) -> bool:
    """Keep a menu's next page for delivery; False if the tapped menu is not one that we sent."""
    more = offers.more(connection, contact.id, message.context_id or "")
    if more is None:
        return False
    page = page_of(more)
    key = f"{turn_sources.cause_of(row)}#1"
    outbox.add_once(connection, outbox.of_draft(page, key=key, utterance=key, contact_id=contact.id), now)
    inbox.finish(connection, row.id, inbox.State.DONE, now, "the menu's next page was shown")
    return True


def _begin_follow_up(connection: Connection, row: inbox.Row, contact: Contact, now: datetime) -> Next:
    follow_up = follow_ups.read(connection, row.body["follow_up"])
    if follow_up is None or follow_up.state is not follow_ups.State.FIRED:
        inbox.finish(connection, row.id, inbox.State.IGNORED, now, "the follow-up was cancelled before its turn")
        return timedelta(0)
    inbox.begin(connection, row)
    return _due(connection, row, turn_sources.of_follow_up(row, follow_up, contact, now), contact)
