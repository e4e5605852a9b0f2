"""What Graph's answers mean for the messages that were sent: accepted, to be tried again, or not to be had.

Each function is part of one transaction, for many messages at a time.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy.engine import Connection

from rasa_whatsapp import media_fallback, template_fallback, unasked
from rasa_whatsapp.cloud import direct_send
from rasa_whatsapp.cloud.answers import Accepted, Answer, Refused
from rasa_whatsapp.cloud.graph_errors import Disposition
from rasa_whatsapp.policy.consent import stopped_at_meta
from rasa_whatsapp.policy.retry import GiveUp, after_failure
from rasa_whatsapp.policy.slowdown import concerns_all_servers
from rasa_whatsapp.storage import contacts, identity, lanes, otherwise, outbox, template_states, troubles
from rasa_whatsapp.storage.one_at_a_time import wait_for_identities
from rasa_whatsapp.storage.outbox import Message, State
from rasa_whatsapp.storage.troubles import Trouble

if TYPE_CHECKING:
    from rasa_whatsapp.delivery import DeliveryRules, Send

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a request was answered. `jitter` in 0..1 spreads retries."""

    sent: Send
    answer: Answer
    jitter: float


def record(connection: Connection, answered: Sequence[Receipt], rules: DeliveryRules, now: datetime) -> list[bool]:
    """Note answers, also where the lane was lost meanwhile; return for each whether to look again, else its lane is finished."""
    held = lanes.held(connection, [receipt.sent.lane for receipt in answered])
    accepted = [
        (receipt.sent.message, receipt.answer.message_id)
        for receipt in answered
        if isinstance(receipt.answer, Accepted)
    ]
    outbox.accept(connection, accepted, now)
    contacts.shift_rest(
        connection, {receipt.sent.contact.id: now - at for receipt in answered for at in _first_of_burst(receipt)}
    )
    for receipt in answered:
        if isinstance(receipt.answer, Accepted):
            _record_acceptance(connection, receipt.sent, receipt.answer, now)
        else:
            _record_refusal(connection, receipt.sent, receipt.answer, rules, now, receipt.jitter)
            if concerns_all_servers(receipt.answer.code, receipt.answer.disposition):
                troubles.note(connection, Trouble(receipt.sent.contact.number_id, receipt.answer.code, now))
    more = outbox.owed(connection, [lane.contact_id for lane in held])
    lanes.finish_all(connection, [lane for lane in held if lane.contact_id not in more])
    return [receipt.sent.lane not in held or receipt.sent.lane.contact_id in more for receipt in answered]


def _first_of_burst(receipt: Receipt) -> Iterator[datetime]:
    """Yield when a message was tried with which Meta begins to count a burst: that is when Meta took it, not when it was tried."""
    at, rested_at = receipt.sent.message.tried_at, receipt.sent.contact.rested_at
    if isinstance(receipt.answer, Accepted) and at is not None and (rested_at is None or rested_at <= at):
        yield at


def settle_interrupted(connection: Connection, message: Message, rules: DeliveryRules, now: datetime) -> None:
    """Give a status time to tell the fate of a request whose answer was not noted: the process died, or the store failed."""
    unnoted = Refused(Disposition.UNCERTAIN, 0, "its answer was not noted; it may have been sent")
    _try_later(connection, message, unnoted, rules, now, jitter=0.5)


def _record_acceptance(connection: Connection, sent: Send, answer: Accepted, now: datetime) -> None:
    contact = sent.contact
    if contact.free_entry.is_waiting:
        contacts.record_referral_answered(connection, contact.id, now)
    if answer.wa_id and answer.wa_id != contact.recipient.wa_id:
        wait_for_identities(connection)
        identity.learn_number(connection, contact.id, answer.wa_id, now)


def _record_refusal(
    connection: Connection, sent: Send, answer: Refused, rules: DeliveryRules, now: datetime, jitter: float
) -> None:
    message = sent.message
    logger.warning(
        "Graph did not take message %s of %s: error %s, %s.",
        message.key[-24:],  # the head of a wamid holds the customer's number
        message.contact_id,
        answer.code,
        answer.disposition.value,
        extra={"action": "send_refused", "code": answer.code, "disposition": answer.disposition.value},
    )
    if answer.disposition in (Disposition.RETRY, Disposition.UNCERTAIN, Disposition.STOP_SENDING):
        _try_later(connection, message, answer, rules, now, jitter)
    elif answer.disposition is Disposition.NEEDS_TEMPLATE and message.form == "free_form":
        window = contacts.window_to_change(connection, message.contact_id)
        contacts.record_window(connection, message.contact_id, window.with_refusal(message.tried_at or now))
        otherwise.reopen(connection, message)
    elif message.form == outbox.DIRECTLY and direct_send.is_turned_down(answer.code):
        otherwise.turn_down(connection, message, reason=answer.explanation, code=answer.code)
    else:
        outbox.settle(connection, message.id, State.FAILED, reason=answer.explanation, code=answer.code)
        template_states.note_refusal(connection, sent.request.body, answer.code, message.tried_at or now)
        if media_fallback.applies(answer.code, message):
            media_fallback.say_otherwise(connection, message, answer.code, now)
        elif answer.code in template_fallback.CODES:
            template_fallback.say_otherwise(connection, message, sent.template, now, later_rungs=rules.later_rungs)
        unasked.tell(connection, message, answer.explanation, now, answer.code)
        if answer.disposition is Disposition.STOP_CONTACTING:
            contacts.record_consent(connection, message.contact_id, stopped_at_meta(answer.code, now, message.key))


def _try_later(
    connection: Connection, message: Message, refused: Refused, rules: DeliveryRules, now: datetime, jitter: float
) -> None:
    uncertain = refused.disposition is Disposition.UNCERTAIN
    copies = message.copies + uncertain
    verdict = after_failure(
        attempts=message.attempts,
        copies=copies,
        created_at=message.waits_since,
        now=now,
        code=refused.code,
        age_limit=rules.age_limit,
        jitter=jitter,
    )
    if isinstance(verdict, GiveUp):
        reason = f"{verdict.reason}; last: {refused.explanation}"
        outbox.settle(connection, message.id, State.FAILED, reason=reason, code=refused.code)
        unasked.tell(connection, message, reason, now, refused.code)
        return
    until = max(verdict.at, now + rules.settle) if uncertain else verdict.at
    state = State.UNSETTLED if uncertain else State.PENDING
    outbox.postpone(connection, message, state, until, code=refused.code, reason=refused.explanation, copies=copies)
