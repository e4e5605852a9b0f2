"""Take the events of a webhook into the store, in one transaction: what is new becomes a row, a status, a choice.

Each event has its own savepoint: one that cannot be stored is parked with its reason, and the others are not touched.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy.engine import Connection

from rasa_whatsapp.cloud.content import OtherKind
from rasa_whatsapp.cloud.graph_errors import CODES, Disposition
from rasa_whatsapp.cloud.inbound import (
    Broken,
    Event,
    MessageReceived,
    PreferenceChanged,
    StatusChanged,
    Unused,
    read_message,
)
from rasa_whatsapp.cloud.wire import MalformedField
from rasa_whatsapp.logs import trace
from rasa_whatsapp.policy.consent import (
    OPT_IN_KEYWORDS,
    OPT_OUT_KEYWORDS,
    Choice,
    ConsentGiven,
    Scope,
    keyword_choice,
    stopped_at_meta,
)
from rasa_whatsapp.policy.window import OPENING_NOTHING
from rasa_whatsapp.storage import contacts, follow_ups, inbox, outbox
from rasa_whatsapp.storage.inbox import Kind, NewRow, State
from rasa_whatsapp.turns import said

logger = logging.getLogger(__name__)

_REENGAGEMENT = 131047
_PREFERENCES = {"stop": Choice.OPT_OUT, "resume": Choice.OPT_IN, "signup": Choice.OPT_IN}


@dataclass(frozen=True, slots=True, kw_only=True)
class IntakeRules:
    """Which business numbers are ours, and which words opt out or in."""

    number_ids: Sequence[str]
    opt_out_keywords: Sequence[str] = OPT_OUT_KEYWORDS
    opt_in_keywords: Sequence[str] = OPT_IN_KEYWORDS


@dataclass(frozen=True, slots=True)
class TakenIn:
    """Whose lanes have new work: turns to take, messages to send."""

    turns: set[str] = field(default_factory=set)
    deliveries: set[str] = field(default_factory=set)


def take_in(connection: Connection, events: Iterable[Event], rules: IntakeRules, now: datetime) -> TakenIn:
    """Store what is new among the events."""
    taken = TakenIn()
    for event in events:
        try:
            with connection.begin_nested():
                _take_one(connection, event, rules, now, taken)
        except Exception as problem:  # noqa: BLE001 - whatever it is, the body's other events must not pay for it
            logger.error(
                "An event could not be stored; it is parked: %s", trace(problem), extra={"action": "event_parked"}
            )
            # What cannot even be parked must not be acknowledged: this raises, and Meta delivers the body again.
            _keep(connection, event, State.PARKED, f"{type(problem).__name__} while storing it", now)
    return taken


def replay(connection: Connection, row_ids: list[int], rules: IntakeRules, now: datetime) -> list[int]:
    """Put parked rows back into their lanes; a broken message is read anew. Return the ids of those that now wait."""
    return inbox.replay(connection, row_ids) + [row_id for row_id in row_ids if _reread(connection, row_id, rules, now)]


def _take_one(connection: Connection, event: Event, rules: IntakeRules, now: datetime, taken: TakenIn) -> None:
    if isinstance(event, StatusChanged):
        _take_status(connection, event, taken)
    elif not isinstance(event, (Broken, Unused)) and event.number_id not in rules.number_ids:
        _keep(connection, event, State.IGNORED, "the phone number id is not one of this bot's", now)
    elif isinstance(event, MessageReceived):
        _take_message(connection, event, rules, now, taken)
    elif isinstance(event, PreferenceChanged):
        _take_preference(connection, event, now)
    else:
        state = State.PARKED if isinstance(event, Broken) else State.IGNORED
        _keep(connection, event, state, event.reason, now)


def _take_message(
    connection: Connection, event: MessageReceived, rules: IntakeRules, now: datetime, taken: TakenIn
) -> None:
    if inbox.is_known(connection, event.number_id, event.message_id):
        return
    identified = contacts.identify(connection, event.number_id, event.sender, now)
    contact_id = identified.contact_id
    if identified.merged:
        taken.deliveries.add(contact_id)
    _note_keyword(connection, contact_id, event, rules, now)
    is_turn = not isinstance(event.content, OtherKind)
    if is_turn or _kind(event) not in OPENING_NOTHING:
        # A moment in the future would keep the window open for longer than 24 hours.
        window = contacts.window_of(connection, contact_id).with_message(min(event.sent_at, now))
        contacts.record_window(connection, contact_id, window)
        follow_ups.overtaken(connection, contact_id, now)
    inbox.add(
        connection,
        NewRow(
            number_id=event.number_id,
            message_id=event.message_id,
            contact_id=contact_id,
            kind=Kind.MESSAGE,
            body=event.raw,
            sent_at=event.sent_at,
            received_at=now,
            state=State.RECEIVED if is_turn else State.IGNORED,
            reason=None if is_turn else f"the kind {_kind(event)} has no meaning for the dialogue",
        ),
    )
    if is_turn:
        taken.turns.add(contact_id)


def _note_keyword(
    connection: Connection, contact_id: str, event: MessageReceived, rules: IntakeRules, now: datetime
) -> None:
    if isinstance(event.content, OtherKind):
        return
    text, is_command = said(connection, contact_id, event)  # a template's button may be called STOP
    if is_command:
        return  # what the bot means by its own button, the bot says
    choice = keyword_choice(text, opt_out=rules.opt_out_keywords, opt_in=rules.opt_in_keywords)
    if choice is not None:
        given = ConsentGiven(
            scope=Scope.ALL, choice=choice, at=min(event.sent_at, now), source="keyword", evidence=event.message_id
        )
        contacts.record_consent(connection, contact_id, given)


def _take_preference(connection: Connection, event: PreferenceChanged, now: datetime) -> None:
    choice = _PREFERENCES.get(event.value)
    if choice is None:
        _keep(connection, event, State.IGNORED, f"the marketing preference {event.value[:32]} is not known", now)
        return
    contact_id = contacts.identify(connection, event.number_id, event.sender, now).contact_id
    given = ConsentGiven(
        scope=Scope.MARKETING, choice=choice, at=min(event.at, now), source="user_preferences", evidence=event.value
    )
    contacts.record_consent(connection, contact_id, given)


def _take_status(connection: Connection, event: StatusChanged, taken: TakenIn) -> None:
    code = event.error.code if event.error else None
    is_new = outbox.record_status(
        connection, event.message_id, event.status[:20], event.at, code=code, pricing=event.pricing
    )
    row = outbox.find_sent(connection, event.message_id, event.key)
    if row is None or not is_new:
        return  # sent by another tool over the same number, or told before
    taken.deliveries.add(row.contact_id)
    if event.status != "failed":
        outbox.advance(connection, row, event.status, event.message_id)
    elif outbox.may_fail(row, event.message_id):
        _take_failure(connection, row, event)


def _take_failure(connection: Connection, row: outbox.SentRow, event: StatusChanged) -> None:
    code = event.error.code if event.error else None
    if code is None:
        outbox.fail(connection, row, event.message_id, reason="Meta gave no error code", code=None)
        return
    disposition, remedy = CODES.get(code, (Disposition.GIVE_UP, "see Meta's list of error codes"))
    outbox.fail(
        connection, row, event.message_id, reason=f"Meta's error {code}: {remedy}{_in_detail(event)}", code=code
    )
    if code == _REENGAGEMENT and row.form == "free_form":
        window = contacts.window_of(connection, row.contact_id)
        contacts.record_window(connection, row.contact_id, window.with_refusal(row.tried_at or event.at))
        outbox.add_fallback(connection, row, event.at)
    elif disposition is Disposition.STOP_CONTACTING:
        contacts.record_consent(connection, row.contact_id, stopped_at_meta(code, event.at, row.key))


def _in_detail(event: StatusChanged) -> str:
    return f" ({event.error.details})" if event.error and event.error.details else ""


def _keep(connection: Connection, event: Event, state: State, reason: str, now: datetime) -> None:
    """Record something that is no turn, once."""
    message_id = event.message_id if isinstance(event, (MessageReceived, Broken, Unused)) else _name(event)
    if inbox.is_known(connection, event.number_id, message_id):
        return
    inbox.add(
        connection,
        NewRow(
            number_id=event.number_id,
            message_id=message_id,
            kind=Kind.OTHER,
            body=event.raw,
            sent_at=now,
            received_at=now,
            state=state,
            reason=reason,
        ),
    )


def _name(event: StatusChanged | PreferenceChanged) -> str:
    """Return what to call an event that is no message and has no id of its own."""
    if isinstance(event, StatusChanged):
        return f"{event.message_id}/{event.status}"
    return f"user_preferences/{event.sender.user_id or event.sender.wa_id}/{event.at.isoformat()}"


def _reread(connection: Connection, row_id: int, rules: IntakeRules, now: datetime) -> bool:
    row = inbox.parked_message(connection, row_id)
    if row is None:
        return False
    try:
        event = read_message(row.number_id, row.body)
    except MalformedField:
        return False
    inbox.remove(connection, row_id)
    _take_one(connection, event, rules, now, TakenIn())
    return True


def _kind(event: MessageReceived) -> str:
    return event.content.kind if isinstance(event.content, OtherKind) else ""
