"""The dialogue's work, one contact at a time: which turn is next, what it is made of, how it ended.

Each function is one transaction. A due follow-up stands in the same line as the customer's messages, so that both have the
same order, the same protection against crashes and the same way out.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Union

from sqlalchemy.engine import Connection

from rasa_whatsapp import slots
from rasa_whatsapp.cloud import limits
from rasa_whatsapp.cloud.content import Tapped, TextTyped
from rasa_whatsapp.cloud.inbound import MessageReceived, read_message
from rasa_whatsapp.cloud.wire import JSONDict, MalformedField
from rasa_whatsapp.dialogue import COMMAND_PREFIX, Turn
from rasa_whatsapp.errors import UnknownContact
from rasa_whatsapp.logs import trace
from rasa_whatsapp.policy.consent import Choice, keyword_choice
from rasa_whatsapp.storage import contacts, follow_ups, inbox, outbox
from rasa_whatsapp.storage.contacts import Contact
from rasa_whatsapp.storage.follow_ups import FollowUp, NewFollowUp

logger = logging.getLogger(__name__)

EXTERNAL_PREFIX = "EXTERNAL: "  # how Rasa writes the text of an external turn
FOLLOW_UP_CAUSE = "follow-up:"
_MOST_CRASHES = 10
_LONGEST_CAUSE = limits.CALLBACK_DATA - 40  # room for the ordinal, the part, a replay
CONSENT_INTENTS = {Choice.OPT_OUT: "whatsapp_opt_out", Choice.OPT_IN: "whatsapp_opt_in"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """A turn to take now. `again` when an earlier run of it may have happened: the tracker tells."""

    row: inbox.Row
    turn: Turn
    contact: Contact
    again: bool


# what to do now, or the pause until there may be something (none at all: look again), or nothing at all
Next = Union[Due, timedelta, None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancellation:
    """Which follow-ups of a conversation a turn cancels: those that match everything given, but never its own."""

    contact_id: str
    but: str | None
    name: str | None
    intent: str | None
    entities: Sequence[dict[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Keywords:
    """Words that opt out or in when they are the whole message."""

    opt_out: Sequence[str]
    opt_in: Sequence[str]


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
    if row.kind is inbox.Kind.FOLLOW_UP:
        return _begin_follow_up(connection, row, contact, now)
    return _begin_message(connection, row, contact, keywords, now)


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


def said(connection: Connection, contact_id: str, message: MessageReceived) -> tuple[str, bool]:
    """Return the text of a message, and whether it is a command: only the payload of a choice that we offered can be."""
    if isinstance(message.content, TextTyped):
        return message.content.text, False
    if not isinstance(message.content, Tapped):
        raise TypeError(f"a {type(message.content).__name__} is no turn")
    tapped = message.content
    payload = outbox.choice(connection, contact_id, message.context_id or "", tapped.choice_id)
    if payload is None:
        return tapped.title or tapped.choice_id, False
    return payload, payload.startswith(COMMAND_PREFIX)


def _park(connection: Connection, row: inbox.Row, reason: str, now: datetime) -> timedelta:
    """Set aside a row that can never become a turn; the lane looks at the next one at once."""
    inbox.finish(connection, row.id, inbox.State.PARKED, now, reason)
    return timedelta(0)


def _begin_message(connection: Connection, row: inbox.Row, contact: Contact, keywords: Keywords, now: datetime) -> Next:
    try:
        turn = _message_turn(connection, row, contact, keywords, now)
    except MalformedField as problem:
        return _park(connection, row, f"it cannot be read: {problem}", now)
    except (ArithmeticError, LookupError, TypeError, ValueError) as problem:  # a defect must not hold up the lane
        logger.error("Message %d cannot become a turn: %s", row.id, trace(problem), extra={"action": "turn_parked"})
        return _park(connection, row, f"{type(problem).__name__} while making its turn", now)
    inbox.begin(connection, row)
    if not row.attempts:
        follow_ups.overtaken(connection, contact.id, now)
    return Due(row=row, turn=turn, contact=contact, again=row.attempts > 0)


def _begin_follow_up(connection: Connection, row: inbox.Row, contact: Contact, now: datetime) -> Next:
    follow_up = follow_ups.read(connection, row.body["follow_up"])
    if follow_up is None or follow_up.state is not follow_ups.State.FIRED:
        inbox.finish(connection, row.id, inbox.State.IGNORED, now, "the follow-up was cancelled before its turn")
        return timedelta(0)
    inbox.begin(connection, row)
    return Due(row=row, turn=_follow_up_turn(row, follow_up, contact, now), contact=contact, again=row.attempts > 0)


def _follow_up_turn(row: inbox.Row, follow_up: FollowUp, contact: Contact, now: datetime) -> Turn:
    return Turn(
        contact_id=contact.id,
        message_id=_message_id(row),
        cause=_cause(row),
        sent_at=row.sent_at,
        text=f"{EXTERNAL_PREFIX}{follow_up.intent}",
        intent=follow_up.intent,
        follow_up_id=follow_up.id,
        entities=slots.values(contact.window, contact.consent, now),
        event_entities=follow_up.entities,
        metadata={"whatsapp": {"type": "follow_up", "follow_up": follow_up.name}},
    )


def _message_turn(connection: Connection, row: inbox.Row, contact: Contact, keywords: Keywords, now: datetime) -> Turn:
    message = read_message(row.number_id, row.body)
    text, is_command = said(connection, contact.id, message)
    choice = None if is_command else keyword_choice(text, opt_out=keywords.opt_out, opt_in=keywords.opt_in)
    return Turn(
        contact_id=contact.id,
        message_id=_message_id(row),
        cause=_cause(row),
        sent_at=row.sent_at,
        text=text,
        is_command=is_command,
        intent=CONSENT_INTENTS[choice] if choice else None,
        entities=slots.values(contact.window, contact.consent, now),
        metadata={"whatsapp": _metadata(message)},
    )


def _message_id(row: inbox.Row) -> str:
    """Return the id under which the dialogue knows the turn; a replay is another turn, since the first may be in the tracker."""
    return f"{row.message_id}/replay-{row.replays}" if row.replays else row.message_id


def _cause(row: inbox.Row) -> str:
    """Return what the keys of the turn's answers begin with: short enough for Meta to carry back."""
    message_id = _message_id(row)
    if len(message_id) <= _LONGEST_CAUSE:
        return message_id
    return f"sha256:{hashlib.sha256(message_id.encode()).hexdigest()}"


def _metadata(message: MessageReceived) -> JSONDict:
    """Return what the dialogue may know of the message, for UserMessage.metadata["whatsapp"]."""
    wire = message.raw["message"]
    known: dict[str, Any] = {
        "message_id": message.message_id,
        "type": wire.get("type"),
        "timestamp": message.sent_at.isoformat(),
        "number_id": message.number_id,
        "wa_id": message.sender.wa_id,
        "user_id": message.sender.user_id,
        "profile_name": message.sender.name,
        "context": wire.get("context"),
        "referral": wire.get("referral"),
    }
    return {name: value for name, value in known.items() if value is not None}
