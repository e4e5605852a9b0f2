"""The dialogue's work, one contact at a time: which turn is next, what it is made of, how it ended.

Each function is one transaction, in which the lane is held first. A due follow-up stands in the same line as the customer's messages, so that both have the
same order, the same protection against crashes and the same way out.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Union

from sqlalchemy.engine import Connection

from rasa_whatsapp import joining, learning, meaning, slots, turn_sources
from rasa_whatsapp.cloud.inbound import MessageReceived, read_message
from rasa_whatsapp.cloud.pages import page_of
from rasa_whatsapp.cloud.wire import MalformedField
from rasa_whatsapp.errors import UnknownContact
from rasa_whatsapp.logs import trace
from rasa_whatsapp.storage import contacts, follow_ups, inbox, lanes, merging, offers, outbox
from rasa_whatsapp.storage.contacts import Contact
from rasa_whatsapp.storage.follow_ups import NewFollowUp
from rasa_whatsapp.storage.lanes import Lane
from rasa_whatsapp.turn import Turn
from rasa_whatsapp.turn_sources import Keywords

logger = logging.getLogger(__name__)

_MOST_CRASHES = 10
_SUSPECT_CRASHES = 3  # a turn that was under way at so many: it may be what kills the process
_UNTIL_THE_OTHER_SUSPECT_IS_DONE = timedelta(seconds=1)
_MOST_WAITS = 200  # with the pauses of gateway.py: for more than an hour
_NOW = timedelta(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnRules:
    """How turns are made: the words that opt out or in, and for how long quick messages wait to be joined to one turn.

    `languages` are those that customers' texts are told from; none if it is not to be learned in which one they write.
    """

    keywords: Keywords
    join: timedelta = _NOW
    languages: Collection[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """A turn to take now. `again` when an earlier run of it may have happened: the tracker tells.

    `join` names contacts who turned out to be this one, and whose conversations the dialogue still holds apart.
    """

    lane: Lane
    row: inbox.Row
    turn: Turn
    contact: Contact
    again: bool
    join: Sequence[str] = ()

    @property
    def is_orphan(self) -> bool:
        """Tell whether a server died while it took this turn."""
        return self.row.crashes > 0


@dataclass(frozen=True, slots=True)
class Answered:
    """The turn needed no dialogue; the contact's delivery has work."""


# what to do now; or whether to look again at once (True), since the lane is finished or given back if not
Next = Union[Due, Answered, bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancellation:
    """Which follow-ups of a conversation a turn cancels: those that match everything given, but never its own."""

    contact_id: str
    but: str | None
    name: str | None
    intent: str | None
    entities: Sequence[dict[str, Any]]


def begin_next(connection: Connection, lane: Lane, rules: TurnRules, now: datetime) -> Next:
    """Return the lane's next turn and mark it as running; finish the lane when there is none. Raises LaneLost."""
    return lanes.take_up(connection, lane) and _next(connection, lane, rules, now)


def _next(connection: Connection, lane: Lane, rules: TurnRules, now: datetime) -> Next:
    row = inbox.head(connection, lane.contact_id)
    if row is None:
        lanes.finish(connection, lane)
        return False
    joined_at = joining.ready_at(connection, row, rules.join, rules.keywords)
    ready_at = max(filter(None, (row.not_before, joined_at, _alone_at(connection, row, now))), default=now)
    if ready_at > now:
        lanes.give_back(connection, lane, ready_at, _rank(row))
        return False
    if row.crashes >= _MOST_CRASHES:
        return _park(connection, row, f"the process died {row.crashes} times while it ran", now)
    contact = contacts.read(connection, lane.contact_id)
    if contact is None:
        return _park(connection, row, "its contact is gone", now)
    if contact.id != lane.contact_id:  # it was merged while a follow-up of it was put into its lane
        inbox.move(connection, lane.contact_id, contact.id)
        lanes.move(connection, lane.contact_id, contact.id)
        return False
    return _begin(connection, lane, row, contact, rules, now)


def begin_again(connection: Connection, due: Due, now: datetime) -> None:
    """Undo what an interrupted run of the turn had scheduled; for when the tracker shows that the run did not end."""
    lanes.hold(connection, due.lane)
    follow_ups.forget_caused_by(connection, due.turn.contact_id, due.turn.cause)
    if due.row.kind is inbox.Kind.MESSAGE:
        follow_ups.overtaken(connection, due.turn.contact_id, now)


def end(connection: Connection, due: Due, now: datetime, *, merges_texts: bool = False) -> bool:
    """Note that the turn was taken; return whether the lane holds another. No text waits for more of the turn now."""
    lanes.hold(connection, due.lane)
    if merges_texts and outbox.waits(connection, due.contact.id, now):
        lanes.wake(connection, lanes.Kind.SENDS, due.contact.id, now, rank=_rank(due.row))
        outbox.let_go(connection, due.contact.id, now)
    _settle(connection, due.row, inbox.State.DONE, now)
    if due.row.kind is inbox.Kind.FOLLOW_UP:
        follow_ups.finish(connection, due.row.body["follow_up"], follow_ups.State.DONE, now)
    if inbox.head(connection, due.lane.contact_id) is not None:
        return True
    lanes.finish(connection, due.lane)
    return False


def drop(connection: Connection, due: Due, now: datetime, reason: str) -> None:
    """Note that the dialogue made this follow-up pointless before it ran."""
    lanes.hold(connection, due.lane)
    _settle(connection, due.row, inbox.State.IGNORED, now, reason)
    follow_ups.finish(connection, due.row.body["follow_up"], follow_ups.State.CANCELLED, now, reason)


def fail(connection: Connection, due: Due, now: datetime, *, reason: str, pause: timedelta, last_attempt: int) -> bool:
    """Note that the turn broke; return True if that was its last attempt and it is parked now."""
    lanes.hold(connection, due.lane)
    if due.row.failures + 1 >= last_attempt:
        _settle(connection, due.row, inbox.State.PARKED, now, reason)
        return True
    inbox.postpone(connection, due.row.id, now + pause, reason, failures=1)
    return False


def put_back(connection: Connection, due: Due, now: datetime, *, reason: str, pause: timedelta) -> bool:
    """Note that the dialogue was not there, which is no failure of the turn; return True if it waited for too long and is parked."""
    lanes.hold(connection, due.lane)
    if due.row.waits >= _MOST_WAITS:
        _settle(connection, due.row, inbox.State.PARKED, now, f"it waited for too long: {reason}")
        return True
    inbox.postpone(connection, due.row.id, now + pause, reason, waits=1)
    return False


def schedule(connection: Connection, follow_up: NewFollowUp, now: datetime, turn: Turn | None = None) -> None:
    """Keep a follow-up until it is due; raises UnknownContact, and LaneLost if the turn is not this server's any more."""
    hold(connection, turn)
    contact_id = contacts.resolve(connection, follow_up.contact_id)
    if contact_id is None:
        raise UnknownContact(follow_up.contact_id)
    follow_ups.schedule(connection, replace(follow_up, contact_id=contact_id), now)


def cancel(connection: Connection, which: Cancellation, now: datetime, turn: Turn | None = None) -> None:
    """Cancel follow-ups, but never the one that is the cause: it is running. Raises LaneLost."""
    hold(connection, turn)
    follow_ups.cancel(
        connection,
        contacts.resolve(connection, which.contact_id) or which.contact_id,
        now,
        name=which.name,
        intent=which.intent,
        entities=which.entities,
        but=which.but,
    )


def hold(connection: Connection, turn: Turn | None) -> None:
    """Keep the lane of a turn, if it has one, until this transaction ends; raises LaneLost if another server has it now."""
    if turn is not None and turn.owner is not None:
        lanes.hold(connection, Lane(lanes.Kind.TURNS, turn.contact_id, turn.owner))


def _settle(
    connection: Connection, row: inbox.Row, state: inbox.State, now: datetime, reason: str | None = None
) -> None:
    """Settle a row, and those that shared its turn unless it can be replayed with them."""
    inbox.finish(connection, row.id, state, now, reason)
    if state is not inbox.State.PARKED and row.kind is inbox.Kind.MESSAGE:
        inbox.finish_joined(connection, row, state, now)


def _alone_at(connection: Connection, row: inbox.Row, now: datetime) -> datetime | None:
    """Return when to look again whether a turn that may kill the process is alone with itself, or None if it may begin."""
    if row.crashes < _SUSPECT_CRASHES or not inbox.is_other_running(connection, row, _SUSPECT_CRASHES):
        return None
    return now + _UNTIL_THE_OTHER_SUSPECT_IS_DONE


def _rank(row: inbox.Row) -> lanes.Rank:
    return lanes.Rank.BULK if row.kind is inbox.Kind.FOLLOW_UP else lanes.Rank.REPLY


def _park(connection: Connection, row: inbox.Row, reason: str, now: datetime) -> bool:
    """Set aside a row that can never become a turn; the lane looks at the next one at once."""
    inbox.finish(connection, row.id, inbox.State.PARKED, now, reason)
    return True


def _begin(
    connection: Connection, lane: Lane, row: inbox.Row, contact: Contact, rules: TurnRules, now: datetime
) -> Next:
    if contact.is_paused(now):
        return _stay_silent(connection, row, contact.paused_until or now, now)
    if row.kind is inbox.Kind.FOLLOW_UP:
        return _begin_follow_up(connection, lane, row, contact, now)
    return _begin_message(connection, lane, row, contact, rules, now)


def _stay_silent(connection: Connection, row: inbox.Row, until: datetime, now: datetime) -> bool:
    """A human answers in this chat: what the customer writes is theirs to answer, a follow-up can wait."""
    if row.kind is inbox.Kind.FOLLOW_UP:
        inbox.put_last(connection, row.id, until, "a human answers in this chat")
    else:
        _settle(connection, row, inbox.State.IGNORED, now, f"a human answers in this chat until {until:%H:%M} UTC")
    return True


def _begin_message(
    connection: Connection, lane: Lane, row: inbox.Row, contact: Contact, rules: TurnRules, now: datetime
) -> Next:
    try:
        if row.kind is inbox.Kind.CALL:
            turn = turn_sources.of_call(row, contact, now)
        else:
            message = read_message(row.number_id, row.body)
            if meaning.asks_for_more(message) and _show_more(connection, row, contact, message, now):
                return Answered()
            turn = turn_sources.of_message(connection, row, message, contact, rules.keywords, now)
            turn = joining.join(connection, row, turn, rules.join, rules.keywords)
            if rules.languages:
                shared = joining.sharing(connection, row, rules.join)
                learning.learn(connection, row, message, shared, rules.languages, now)
    except MalformedField as problem:
        return _park(connection, row, f"it cannot be read: {problem}", now)
    except (ArithmeticError, LookupError, TypeError, ValueError) as problem:  # a defect must not hold up the lane
        logger.error("Message %d cannot become a turn: %s", row.id, trace(problem), extra={"action": "turn_parked"})
        return _park(connection, row, f"{type(problem).__name__} while making its turn", now)
    inbox.begin(connection, row)
    if not row.attempts:
        follow_ups.overtaken(connection, contact.id, now)
    return _due(connection, lane, row, turn, contact)


def _due(connection: Connection, lane: Lane, row: inbox.Row, turn: Turn, contact: Contact) -> Due:
    join = merging.not_joined(connection, contact.id)
    entities = {**turn.entities, **slots.of_outcome(outbox.last_proactive(connection, contact.id))}
    owned = replace(turn, owner=lane.owner, entities=entities)
    return Due(lane=lane, row=row, turn=owned, contact=contact, again=row.attempts > 0, join=join)


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
    lanes.wake(connection, lanes.Kind.SENDS, contact.id, now)
    inbox.finish(connection, row.id, inbox.State.DONE, now, "the menu's next page was shown")
    return True


def _begin_follow_up(connection: Connection, lane: Lane, row: inbox.Row, contact: Contact, now: datetime) -> Next:
    follow_up = follow_ups.read(connection, row.body["follow_up"])
    if follow_up is None or follow_up.state is not follow_ups.State.FIRED:
        inbox.finish(connection, row.id, inbox.State.IGNORED, now, "the follow-up was cancelled before its turn")
        return True
    inbox.begin(connection, row)
    return _due(connection, lane, row, turn_sources.of_follow_up(row, follow_up, contact, now), contact)
