"""The way out, one contact at a time: which request is next, what its answer means.

Each function is one transaction. The gate judges at the moment of sending, so a message that waited is judged again.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Union

from sqlalchemy.engine import Connection

from rasa_whatsapp import media_fallback
from rasa_whatsapp.cloud import outbound
from rasa_whatsapp.cloud.answers import Accepted, Answer, Refused
from rasa_whatsapp.cloud.graph_errors import Disposition
from rasa_whatsapp.cloud.media_links import MediaLink, links_of, with_ids
from rasa_whatsapp.cloud.outbound import GraphRequest
from rasa_whatsapp.cloud.templates import TemplateBook
from rasa_whatsapp.cloud.web_addresses import is_at
from rasa_whatsapp.cloud.wire import JSONDict
from rasa_whatsapp.errors import UnknownContact
from rasa_whatsapp.policy.consent import stopped_at_meta
from rasa_whatsapp.policy.gate import Circumstances, Proposal, Refuse, SendTemplate, decide
from rasa_whatsapp.policy.pacing import PAIR
from rasa_whatsapp.policy.retry import GiveUp, after_failure
from rasa_whatsapp.storage import contacts, identity, lanes, merging, outbox, uploads
from rasa_whatsapp.storage.contacts import Contact
from rasa_whatsapp.storage.lanes import Lane
from rasa_whatsapp.storage.one_at_a_time import wait_for_identities
from rasa_whatsapp.storage.outbox import Message, State

logger = logging.getLogger(__name__)

_UNTIL_MERGED = timedelta(seconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryRules:
    """What an operator may set about sending.

    `settle` is how long a status may take to tell that an unanswered request arrived; `age_limit` how long a message stays
    worth sending; `order_wait` how long a part of an answer waits for the one before it to be delivered; `upload_hosts` are the hosts whose media this process may fetch and upload.
    """

    templates: TemplateBook = field(default_factory=TemplateBook)
    fallback_languages: Sequence[str] = ()
    utility_needs_opt_in: bool = False
    settle: timedelta = timedelta(seconds=10)
    age_limit: timedelta = timedelta(hours=23)
    order_wait: timedelta = timedelta(0)
    upload_hosts: Collection[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Send:
    """Make this request."""

    lane: Lane
    contact: Contact
    message: Message
    request: GraphRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """Fetch this media and give it to Meta under this business number, then look again."""

    number_id: str
    media: MediaLink


# what to do now; or whether to look again at once (True), since the lane is finished or given back if not
Next = Union[Send, Upload, bool]


def begin_next(
    connection: Connection, lane: Lane, rules: DeliveryRules, now: datetime, stopped: Mapping[str, datetime]
) -> Next:
    """Return the contact's next request, noted in the outbox before it is made; finish the lane when nothing is owed.

    `stopped` tells until when nothing may go from which business numbers.
    """
    lanes.hold(connection, lane)
    message = outbox.head(connection, lane.contact_id)
    if message is None:
        lanes.finish(connection, lane)
        return False
    if message.state is State.SENDING:
        _settle_interrupted(connection, message, rules, now)
        return True
    if message.not_before is not None and message.not_before > now:
        return _wait(connection, lane, message, message.not_before)
    if now - message.created_at > rules.age_limit:
        return _too_late(connection, message, rules)
    contact = contacts.read(connection, lane.contact_id)
    if contact is None:
        raise UnknownContact(lane.contact_id)
    ready_at = _ready_at(connection, message, contact, rules, now, stopped)
    if ready_at > now:
        return _wait(connection, lane, message, ready_at)
    return _pass_gate(connection, lane, message, contact, rules, now)


def record(
    connection: Connection, sent: Send, answer: Answer, rules: DeliveryRules, now: datetime, jitter: float
) -> bool:
    """Note what Graph answered, also if the lane was lost meanwhile; return whether to look again, else the lane is finished.

    `jitter` in 0..1 spreads retries.
    """
    is_held = lanes.is_held(connection, sent.lane)
    message = sent.message
    if isinstance(answer, Accepted):
        outbox.accept(connection, message, answer.message_id, now)
        _record_acceptance(connection, sent, answer, now)
    else:
        _record_refusal(connection, message, answer, rules, now, jitter)
    if not is_held or outbox.head(connection, sent.lane.contact_id) is not None:
        return True
    lanes.finish(connection, sent.lane)
    return False


def record_upload(connection: Connection, upload: Upload, media_id: str | None, now: datetime) -> None:
    """Note under which id Meta has the media now; None if it could not be uploaded."""
    if media_id is None:
        uploads.failed(connection, upload.number_id, upload.media.link, now)
    else:
        uploads.keep(connection, upload.number_id, upload.media.link, media_id, now)


def _record_acceptance(connection: Connection, sent: Send, answer: Accepted, now: datetime) -> None:
    contact = sent.contact
    if contact.free_entry.is_waiting:
        contacts.record_referral_answered(connection, contact.id, now)
    if answer.wa_id and answer.wa_id != contact.recipient.wa_id:
        wait_for_identities(connection)
        identity.learn_number(connection, contact.id, answer.wa_id, now)


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
    if answer.disposition in (Disposition.RETRY, Disposition.UNCERTAIN, Disposition.STOP_SENDING):
        _try_later(connection, message, answer, rules, now, jitter)
    elif answer.disposition is Disposition.NEEDS_TEMPLATE and message.form == "free_form":
        window = contacts.window_to_change(connection, message.contact_id)
        contacts.record_window(connection, message.contact_id, window.with_refusal(message.tried_at or now))
        outbox.reopen(connection, message)
    else:
        outbox.settle(connection, message.id, State.FAILED, reason=answer.explanation, code=answer.code)
        if media_fallback.applies(answer.code, message):
            media_fallback.say_otherwise(connection, message, answer.code, now)
        if answer.disposition is Disposition.STOP_CONTACTING:
            contacts.record_consent(connection, message.contact_id, stopped_at_meta(answer.code, now, message.key))


def _settle_interrupted(connection: Connection, message: Message, rules: DeliveryRules, now: datetime) -> None:
    """Give a status time to tell the fate of a request whose answer was not noted: the process died, or the store failed."""
    unnoted = Refused(Disposition.UNCERTAIN, 0, "its answer was not noted; it may have been sent")
    _try_later(connection, message, unnoted, rules, now, jitter=0.5)


def _wait(connection: Connection, lane: Lane, message: Message, until: datetime) -> bool:
    rank = lanes.Rank.BULK if message.proactive else lanes.Rank.REPLY
    lanes.give_back(connection, lane, until, rank)
    return False


def _too_late(connection: Connection, message: Message, rules: DeliveryRules) -> bool:
    reason = f"it could not be sent within {rules.age_limit}, which is too late to be useful"
    outbox.settle(connection, message.id, State.REFUSED, reason=reason)
    logger.warning("A message to %s was not sent: %s.", message.contact_id, reason, extra={"action": "message_refused"})
    return True


def _ready_at(
    connection: Connection,
    message: Message,
    contact: Contact,
    rules: DeliveryRules,
    now: datetime,
    stopped: Mapping[str, datetime],
) -> datetime:
    """Return when the message may go: its number may send, its customer may be sent to, what it follows has arrived."""
    arrived = _follows_at(connection, message, rules)
    rested = now + PAIR.wait(contact.rested_at, now)
    return max(rested, stopped.get(contact.number_id, now), arrived or now)


def _follows_at(connection: Connection, message: Message, rules: DeliveryRules) -> datetime | None:
    """Return until when a part of an answer waits for the part before it to be delivered, as Meta keeps no order; None: not at all.

    https://developers.facebook.com/documentation/business-messaging/whatsapp/messages/send-messages
    """
    if not rules.order_wait or message.key.endswith("#1"):
        return None
    before = outbox.previous(connection, message)
    if before is None or before.state not in (State.ACCEPTED, State.SENT) or before.accepted_at is None:
        return None
    return before.accepted_at + rules.order_wait


def _pass_gate(
    connection: Connection, lane: Lane, message: Message, contact: Contact, rules: DeliveryRules, now: datetime
) -> Next:
    if not contact.recipient.is_known:
        return _without_recipient(connection, message, contact, now)
    circumstances = Circumstances(
        now=now,
        window=contact.window,
        consent=contact.consent,
        templates=rules.templates,
        fallback_languages=rules.fallback_languages,
        utility_needs_opt_in=rules.utility_needs_opt_in,
        is_paused=contact.is_paused(now),
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
        return True
    if not isinstance(decision, SendTemplate):
        return _begin_free_form(connection, lane, message, contact, now, rules)
    if outbox.went_as_template(connection, message.utterance, but=message.id):
        outbox.settle(connection, message.id, State.REPLACED, reason="the response went as its template")
        return True
    content = {"type": "template", "template": decision.message.content}
    return _begin(connection, lane, message, contact, content, "template", now)


def _without_recipient(connection: Connection, message: Message, contact: Contact, now: datetime) -> bool:
    """The contact gave up its names: the new ones come with a merge, or with the customer's next message."""
    if merging.is_waiting(connection, contact.id):
        outbox.defer(connection, message, now + _UNTIL_MERGED)
        return True
    reason = "the customer's number and user id are not known any more: wait for their next message"
    outbox.settle(connection, message.id, State.REFUSED, reason=reason)
    logger.warning("A message to %s was refused: %s.", contact.id, reason, extra={"action": "message_refused"})
    return True


def _begin_free_form(
    connection: Connection, lane: Lane, message: Message, contact: Contact, now: datetime, rules: DeliveryRules
) -> Next:
    """Return the request, or first the upload of a media file that goes out often or that Meta cannot load itself."""
    content = message.free_form or {}
    links = [media for media in links_of(content) if is_at(media.link, rules.upload_hosts)]
    ids: dict[str, str] = {}
    for media in links:
        media_id = uploads.media_id(connection, contact.number_id, media.link, now)
        if media_id is not None:
            ids[media.link] = media_id
        elif uploads.is_worth_it(connection, contact.number_id, media.link, now, anyway=message.must_upload):
            return Upload(number_id=contact.number_id, media=media)
    if message.must_upload and len(ids) < len(links_of(content)):
        media_fallback.say_plainly(connection, message, now)
        outbox.settle(connection, message.id, State.REPLACED, reason="its media cannot be uploaded either")
        return True
    for media in links:
        uploads.count_use(connection, contact.number_id, media.link)
    return _begin(connection, lane, message, contact, with_ids(content, ids), "free_form", now)


def _begin(
    connection: Connection,
    lane: Lane,
    message: Message,
    contact: Contact,
    content: JSONDict,
    form: str,
    now: datetime,
) -> Next:
    request = outbound.message(contact.number_id, contact.recipient, content, message.key)
    if not outbox.begin(connection, message, request=request.body, form=form, now=now):
        return True
    contacts.record_sending(connection, contact.id, PAIR.after(contact.rested_at, now))
    return Send(lane=lane, contact=contact, message=message.begun(form, now), request=request)


def _try_later(
    connection: Connection, message: Message, refused: Refused, rules: DeliveryRules, now: datetime, jitter: float
) -> None:
    uncertain = refused.disposition is Disposition.UNCERTAIN
    copies = message.copies + uncertain
    verdict = after_failure(
        attempts=message.attempts,
        copies=copies,
        created_at=message.created_at,
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
