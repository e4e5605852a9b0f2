"""The way out, one contact at a time: what a response becomes in the outbox, which request is next, what its answer means.

Each function is one transaction. The gate judges at the moment of sending, so a message that waited is judged again.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Union

from sqlalchemy.engine import Connection

from rasa_whatsapp.cloud import outbound
from rasa_whatsapp.cloud.drafts import content_of, options_of
from rasa_whatsapp.cloud.graph_errors import Disposition
from rasa_whatsapp.cloud.outbound import GraphRequest
from rasa_whatsapp.cloud.responses import Accepted, Answer, Refused
from rasa_whatsapp.cloud.templates import TemplateBook
from rasa_whatsapp.cloud.wire import JSONDict
from rasa_whatsapp.dialogue import ConsentNote, Utterance
from rasa_whatsapp.errors import UnknownContact
from rasa_whatsapp.policy.consent import ConsentGiven, stopped_at_meta
from rasa_whatsapp.policy.gate import Circumstances, Proposal, Refuse, SendTemplate, decide
from rasa_whatsapp.policy.retry import GiveUp, after_failure
from rasa_whatsapp.storage import contacts, outbox
from rasa_whatsapp.storage.contacts import Contact
from rasa_whatsapp.storage.outbox import Message, NewMessage, State

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryRules:
    """What an operator may set about sending.

    `settle` is how long a status may take to tell that an unanswered request arrived; `age_limit` how long a message stays
    worth sending.
    """

    templates: TemplateBook = field(default_factory=TemplateBook)
    fallback_languages: Sequence[str] = ()
    utility_needs_opt_in: bool = False
    settle: timedelta = timedelta(seconds=10)
    age_limit: timedelta = timedelta(hours=23)


@dataclass(frozen=True, slots=True, kw_only=True)
class Spoken:
    """A response of the dialogue: who caused it and when, which one in order it is, and what it asks for."""

    contact_id: str
    cause: str
    ordinal: int
    proactive: bool
    asked_at: datetime | None
    utterance: Utterance

    @property
    def key(self) -> str:
        """Return the key of the response, and of its first part."""
        return f"{self.cause}#{self.ordinal}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Send:
    """Make this request."""

    message: Message
    request: GraphRequest


# what to do now, or the pause until there may be something (none at all: look again), or nothing at all
Next = Union[Send, timedelta, None]


def keep(connection: Connection, spoken: Spoken, now: datetime) -> str:
    """Put a response into the outbox, each part under its key; a response whose key is known is not said again.

    Returns the contact who is owed it. Raises UnknownContact.
    """
    contact_id = _known_contact(connection, spoken.contact_id)
    if outbox.is_known(connection, spoken.key):
        return contact_id
    if spoken.utterance.consent is not None:
        _note_consent(connection, contact_id, spoken, spoken.utterance.consent, now)
    template = spoken.utterance.template
    payloads = {payload: payload for payload in template.payloads} if template else {}
    for part, draft in enumerate(spoken.utterance.drafts or (None,), start=1):
        choices = {option.choice_id: option.payload for option in options_of(draft)} if draft else {}
        message = NewMessage(
            key=spoken.key if part == 1 else f"{spoken.key}.{part}",
            utterance=spoken.key,
            contact_id=contact_id,
            proactive=spoken.proactive,
            free_form=content_of(draft) if draft else None,
            template=template,
            choices=choices | payloads,
        )
        outbox.add(connection, message, now)
    return contact_id


def keep_impossible(connection: Connection, contact_id: str, key: str, reason: str, now: datetime) -> None:
    """Record a response that WhatsApp cannot take."""
    known_as = _known_contact(connection, contact_id)
    outbox.add_refused(connection, contact_id=known_as, key=key, reason=reason, now=now)


def begin_next(connection: Connection, contact_id: str, rules: DeliveryRules, now: datetime) -> Next:
    """Return the contact's next request, noted in the outbox before it is made; None when nothing is owed."""
    message = outbox.head(connection, contact_id)
    if message is None:
        return None
    if message.state is State.SENDING:
        return _settle_interrupted(connection, message, rules, now)
    if message.not_before is not None and message.not_before > now:
        return message.not_before - now
    contact = contacts.read(connection, contact_id)
    if contact is None:
        raise UnknownContact(f"{contact_id!r} is no contact of this WhatsApp channel")
    return _pass_gate(connection, message, contact, rules, now)


def record(
    connection: Connection, message: Message, answer: Answer, rules: DeliveryRules, now: datetime, jitter: float
) -> bool:
    """Note what Graph answered; return whether the contact is owed more. `jitter` in 0..1 spreads retries."""
    if isinstance(answer, Accepted):
        outbox.accept(connection, message, answer.message_id)
    else:
        _record_refusal(connection, message, answer, rules, now, jitter)
    return outbox.head(connection, message.contact_id) is not None


def _record_refusal(
    connection: Connection, message: Message, answer: Refused, rules: DeliveryRules, now: datetime, jitter: float
) -> None:
    logger.warning(
        "Graph did not take message %s of %s: error %s, %s.",
        message.key[-24:],  # the head of a wamid holds the customer's number
        message.contact_id,
        answer.code,
        answer.disposition.value,
        extra={"action": "send_refused", "code": answer.code, "disposition": answer.disposition.value},
    )
    if answer.disposition in (Disposition.RETRY, Disposition.UNCERTAIN):
        _try_later(connection, message, answer, rules, now, jitter)
    elif answer.disposition is Disposition.NEEDS_TEMPLATE and message.form == "free_form":
        window = contacts.window_of(connection, message.contact_id)
        contacts.record_window(connection, message.contact_id, window.with_refusal(message.tried_at or now))
        outbox.reopen(connection, message)
    else:
        outbox.settle(connection, message.id, State.FAILED, reason=answer.explanation, code=answer.code)
        if answer.disposition is Disposition.STOP_CONTACTING:
            contacts.record_consent(connection, message.contact_id, stopped_at_meta(answer.code, now, message.key))


def _settle_interrupted(connection: Connection, message: Message, rules: DeliveryRules, now: datetime) -> timedelta:
    """Give a status time to tell the fate of a request whose answer was not noted: the process died, or the store failed."""
    unnoted = Refused(Disposition.UNCERTAIN, 0, "its answer was not noted; it may have been sent")
    _try_later(connection, message, unnoted, rules, now, jitter=0.5)
    return timedelta(0)


def _pass_gate(connection: Connection, message: Message, contact: Contact, rules: DeliveryRules, now: datetime) -> Next:
    circumstances = Circumstances(
        now=now,
        window=contact.window,
        consent=contact.consent,
        templates=rules.templates,
        fallback_languages=rules.fallback_languages,
        utility_needs_opt_in=rules.utility_needs_opt_in,
    )
    proposal = Proposal(
        has_free_form=message.free_form is not None, template=message.template, proactive=message.proactive
    )
    decision = decide(proposal, circumstances)
    if isinstance(decision, Refuse):
        outbox.settle(connection, message.id, State.REFUSED, reason=decision.reason)
        logger.warning(
            "A message to %s was refused: %s.", contact.id, decision.reason, extra={"action": "message_refused"}
        )
        return timedelta(0)
    if not isinstance(decision, SendTemplate):
        return _begin(connection, message, contact, message.free_form or {}, "free_form", now)
    if outbox.went_as_template(connection, message.utterance, but=message.id):
        outbox.settle(connection, message.id, State.REPLACED, reason="the response went as its template")
        return timedelta(0)
    content = {"type": "template", "template": decision.message.content}
    return _begin(connection, message, contact, content, "template", now)


def _begin(
    connection: Connection, message: Message, contact: Contact, content: JSONDict, form: str, now: datetime
) -> Send:
    request = outbound.message(contact.number_id, contact.recipient, content, message.key)
    outbox.begin(connection, message, request=request.body, form=form, now=now)
    return Send(message=message.begun(form, now), request=request)


def _try_later(
    connection: Connection, message: Message, refused: Refused, rules: DeliveryRules, now: datetime, jitter: float
) -> None:
    uncertain = refused.disposition is Disposition.UNCERTAIN
    copies = message.copies + uncertain
    verdict = after_failure(
        attempts=message.attempts,
        copies=copies,
        first_tried_at=message.first_tried_at or now,
        now=now,
        code=refused.code,
        age_limit=rules.age_limit,
        jitter=jitter,
    )
    if isinstance(verdict, GiveUp):
        reason = f"{verdict.reason}; last: {refused.explanation}"
        outbox.settle(connection, message.id, State.FAILED, reason=reason, code=refused.code)
        return
    until = max(verdict.at, now + rules.settle) if uncertain else verdict.at
    state = State.UNSETTLED if uncertain else State.PENDING
    outbox.postpone(connection, message, state, until, code=refused.code, reason=refused.explanation, copies=copies)


def _known_contact(connection: Connection, contact_id: str) -> str:
    found = contacts.resolve(connection, contact_id)
    if found is None:
        raise UnknownContact(contact_id)
    return found


def _note_consent(connection: Connection, contact_id: str, spoken: Spoken, note: ConsentNote, now: datetime) -> None:
    """Note what the customer is told here that they agreed to: at the moment of the message that they agreed with.

    A turn may run later than a STOP that was typed after that message, and must not outdo it.
    """
    given = ConsentGiven(
        scope=note.scope,
        choice=note.choice,
        at=min(spoken.asked_at or now, now),
        source=note.source,
        evidence=spoken.cause,
    )
    contacts.record_consent(connection, contact_id, given)
