"""Take the events of a webhook into the store, in one transaction: what is new becomes a row, a status, a choice, a name.

Where something cannot be stored, each event has its own savepoint: that one is parked with its reason, and the others are not touched.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy.engine import Connection

from rasa_whatsapp.cloud.inbound import (
    Broken,
    Called,
    EchoSent,
    Event,
    IdentityChanged,
    MessageReceived,
    PreferenceChanged,
    StatusChanged,
    TemplateChanged,
    Unused,
    read_message,
)
from rasa_whatsapp.cloud.wire import MalformedField
from rasa_whatsapp.intake import messages, people, statuses, templates
from rasa_whatsapp.intake.desk import NOBODY, Claimant, Desk, IntakeRules, TakenIn
from rasa_whatsapp.logs import trace
from rasa_whatsapp.storage import inbox
from rasa_whatsapp.storage.engines import is_trouble
from rasa_whatsapp.storage.inbox import State
from rasa_whatsapp.storage.one_at_a_time import wait_for_identities

__all__ = ["Claimant", "IntakeRules", "TakenIn", "park", "replay", "take_in"]

logger = logging.getLogger(__name__)


def take_in(
    connection: Connection,
    events: Iterable[Event],
    rules: IntakeRules,
    now: datetime,
    *,
    claimant: Claimant = NOBODY,
    careful: bool = True,
) -> TakenIn:
    """Store what is new among the events, and wake the lanes that have work then.

    If not `careful`, what cannot be stored raises, and the transaction is to be run again carefully: that costs less where
    there is nothing to be careful about.
    """
    desk = Desk(connection, rules, now)
    statuses_told: list[StatusChanged] = []
    for event in events:
        if careful:
            _take_carefully(desk, event)
        elif isinstance(event, StatusChanged):
            statuses_told.append(event)
        else:
            _take_one(desk, event)
    if statuses_told:
        statuses.take(desk, statuses_told)
    return desk.wake(claimant)


def park(connection: Connection, body: bytes, reason: str, now: datetime) -> None:
    """Keep a whole body in which not even the events can be told apart; an operator finds it with its reason."""
    raw = {"webhook": body.decode("utf-8", "replace")}
    inbox.add(
        connection,
        inbox.NewRow(
            number_id="",
            message_id=f"webhook/{hashlib.sha256(body).hexdigest()}/{now.isoformat()}",
            kind=inbox.Kind.OTHER,
            body=raw,
            sent_at=now,
            received_at=now,
            state=State.PARKED,
            reason=reason,
        ),
    )


def replay(connection: Connection, row_ids: list[int], rules: IntakeRules, now: datetime) -> list[int]:
    """Put parked rows back into their lanes; a broken message is read anew. Return the ids of those that now wait."""
    wait_for_identities(connection)
    desk = Desk(connection, rules, now)
    replayed = inbox.replay(connection, row_ids)
    desk.turns.update(replayed.values())
    done = [*replayed, *(row_id for row_id in row_ids if _reread(desk, row_id))]
    desk.wake(NOBODY)
    return done


def _take_carefully(desk: Desk, event: Event) -> None:
    try:
        with desk.connection.begin_nested():
            _take_one(desk, event)
    except Exception as problem:
        if is_trouble(problem):
            raise  # such as a deadlock: no fault of the event
        # Whatever it is, the body's other events must not pay for it.
        logger.error("An event could not be stored; it is parked: %s", trace(problem), extra={"action": "event_parked"})
        # What cannot even be parked must not be acknowledged: this raises, and Meta delivers the body again.
        desk.keep(event, State.PARKED, f"{type(problem).__name__} while storing it")


# event -> who takes it, if it is for a business number of ours
_TAKERS: dict[type, Callable[[Desk, Any], None]] = {
    MessageReceived: messages.take,
    PreferenceChanged: people.take_preference,
    IdentityChanged: people.take_identity,
    EchoSent: people.take_echo,
    Called: people.take_call,
}


def _take_one(desk: Desk, event: Event) -> None:
    if isinstance(event, StatusChanged):
        statuses.take(desk, [event])
    elif isinstance(event, (Broken, Unused)):
        desk.keep(event, State.PARKED if isinstance(event, Broken) else State.IGNORED, event.reason)
    elif isinstance(event, TemplateChanged):
        templates.take(desk, event)
    elif not _is_ours(event, desk.rules):
        desk.keep(event, State.IGNORED, "the phone number id is not one of this bot's")
        _warn_of_foreign(event.number_id, tuple(desk.rules.number_ids))
    else:
        _TAKERS[type(event)](desk, event)


@lru_cache(maxsize=100)  # once for each: all webhooks may be for it
def _warn_of_foreign(number_id: str, ours: Sequence[str]) -> None:
    logger.warning(
        "Webhooks come for phone_number_id %r, which this bot does not have (it has %s): they are kept as ignored. "
        "Correct phone_number_id in the credentials, or take the number out of this webhook.",
        number_id,
        ", ".join(ours),
        extra={"action": "foreign_number"},
    )


def _is_ours(event: Event, rules: IntakeRules) -> bool:
    """Tell whether an event is for a number of this bot; a new user id may come without naming one."""
    return event.number_id in rules.number_ids or (isinstance(event, IdentityChanged) and not event.number_id)


def _reread(desk: Desk, row_id: int) -> bool:
    row = inbox.parked_message(desk.connection, row_id)
    if row is None:
        return False
    try:
        event = read_message(row.number_id, row.body)
    except MalformedField:
        return False
    inbox.remove(desk.connection, row_id)
    _take_one(desk, event)
    return True
