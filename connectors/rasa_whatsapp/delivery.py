"""The way out, many contacts at a time: which request is next for each.

Each function is one transaction. The gate judges at the moment of sending, so a message that waited is judged again. What the
answers mean stands in receipts.py.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Union

from sqlalchemy.engine import Connection

from rasa_whatsapp import media_fallback, receipts, unasked
from rasa_whatsapp.cloud import direct_send, languages, outbound
from rasa_whatsapp.cloud.media_links import MediaLink, links_of, with_ids
from rasa_whatsapp.cloud.outbound import GraphRequest
from rasa_whatsapp.cloud.templates import TemplateBook, TemplateUse
from rasa_whatsapp.cloud.web_addresses import is_at
from rasa_whatsapp.cloud.wire import JSONDict
from rasa_whatsapp.errors import UnknownContact
from rasa_whatsapp.policy.gate import (
    Circumstances,
    Decision,
    Park,
    Proposal,
    Refuse,
    SendDirectly,
    SendFreeForm,
    SendTemplate,
    decide,
    to_record,
)
from rasa_whatsapp.policy.pacing import PAIR
from rasa_whatsapp.stops import Stopped
from rasa_whatsapp.storage import arrivals, contacts, lanes, merging, otherwise, outbox, parked, uploads, written
from rasa_whatsapp.storage.contacts import Contact
from rasa_whatsapp.storage.lanes import Lane
from rasa_whatsapp.storage.outbox import Message, State

logger = logging.getLogger(__name__)

_UNTIL_MERGED = timedelta(seconds=1)
_UNTIL_HEARD = timedelta(seconds=1)
_UNTIL_AT_REST = timedelta(milliseconds=20)  # what is taken in of a customer takes a few


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryRules:
    """What an operator may set about sending.

    `written_languages` are those that customers' texts are told from; if there is none, it does not matter in which one they write.
    `settle` is how long a status may take to tell that an unanswered request arrived; `age_limit` how long a message stays worth
    sending; `order_wait` how long a part of an answer waits for the one before it to be delivered; `upload_hosts` are the hosts whose
    media this process may fetch and upload. `margin` is the time before the window's end in which a template goes first; `direct_send`
    lets words go by Meta's Direct Send where no template may; `re_engagement` is the template that asks customers to write again, so
    that messages can be parked.
    """

    templates: TemplateBook = field(default_factory=TemplateBook)
    fallback_languages: Sequence[str] = ()
    written_languages: Sequence[str] = ()
    utility_needs_opt_in: bool = False
    settle: timedelta = timedelta(seconds=30)
    age_limit: timedelta = timedelta(hours=23)
    order_wait: timedelta = timedelta(0)
    upload_hosts: Collection[str] = ()
    margin: timedelta = timedelta(0)
    direct_send: bool = False
    re_engagement: TemplateUse | None = None

    @property
    def later_rungs(self) -> bool:
        """Tell whether the ladder has rungs after a response's templates."""
        return self.direct_send or self.re_engagement is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Send:
    """Make this request."""

    lane: Lane
    contact: Contact
    message: Message
    request: GraphRequest
    decision: JSONDict

    @property
    def template(self) -> str | None:
        """Return the name of the template that is sent, if it is one."""
        template = self.request.body.get("template")
        return str(template["name"]) if template else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """Fetch this media and give it to Meta under this business number, then look again."""

    number_id: str
    media: MediaLink


# What to do now; or whether to look again at once (True), since the lane is finished or given back if not; None: it is lost.
Next = Union[Send, Upload, bool, None]


def begin_next(
    connection: Connection,
    wanted: Sequence[Lane],
    rules: DeliveryRules,
    now: datetime,
    stopped: Stopped,
    well_since: datetime,
) -> list[Next]:
    """Return the next request of each lane, noted in the outbox before it is made; lanes in which nothing is owed are finished.

    `stopped` tells until when what may not go from which business numbers, `well_since` from when on statuses could be stored: what
    may have been sent waits for them, and the time before does not count.
    """
    held = lanes.held(connection, wanted)
    heads = outbox.heads(connection, [lane.contact_id for lane in held])
    known = contacts.read_many(connection, list(heads))
    is_unsure = any(message.state is State.UNSETTLED for message in heads.values())
    heard_until = arrivals.heard_until(connection) if is_unsure else None
    turn = _Round(connection, rules, now, stopped, well_since, heard_until)
    steps = [
        turn.next(lane, heads.get(lane.contact_id), known) if lane in held else _not_held(connection, lane)
        for lane in wanted
    ]
    sends = [step for step in steps if isinstance(step, Send)]
    outbox.begin(connection, [(send.message, send.request.body, send.decision) for send in sends])
    contacts.record_sending(connection, {send.contact.id: PAIR.after(send.contact.rested_at, now) for send in sends})
    lanes.finish_all(connection, [lane for lane in held if lane.contact_id not in heads])
    return steps


def _not_held(connection: Connection, lane: Lane) -> Next:
    """Tell a lane that is lost from one that was finished meanwhile: what it was taken up for was seen in time."""
    return None if lanes.is_anothers(connection, lane) else False


def record_upload(connection: Connection, upload: Upload, media_id: str | None, now: datetime) -> None:
    """Note under which id Meta has the media now; None if it could not be uploaded."""
    if media_id is None:
        uploads.failed(connection, upload.number_id, upload.media.link, now)
    else:
        uploads.keep(connection, upload.number_id, upload.media.link, media_id, now)


@dataclass(frozen=True, slots=True)
class _Round:
    """What looking for the next requests shares."""

    connection: Connection
    rules: DeliveryRules
    now: datetime
    stopped: Stopped
    well_since: datetime
    heard_until: datetime | None

    def next(self, lane: Lane, message: Message | None, known: Mapping[str, Contact]) -> Next:
        """Return what to do for the head of a lane."""
        if message is None or not message.is_open:
            return message is not None  # a status has just told that it was sent: look at what follows it
        if message.state is State.SENDING:
            receipts.settle_interrupted(self.connection, message, self.rules, self.now)
            return True
        not_before = self._not_before(message)
        if not_before > self.now:
            return self._wait(lane, message, not_before, known)
        if self.now - message.waits_since > self.rules.age_limit:
            return self._refuse(
                message, f"it could not be sent within {self.rules.age_limit}, which is too late to be useful"
            )
        contact = known.get(lane.contact_id) or contacts.read(self.connection, lane.contact_id)
        if contact is None:
            raise UnknownContact(lane.contact_id)
        ready_at = self._ready_at(message, contact)
        if ready_at > self.now:
            return self._wait(lane, message, ready_at, known)
        return self._pass_gate(lane, message, contact)

    def _not_before(self, message: Message) -> datetime:
        """Return when the message may be tried again, if it was tried."""
        not_before = message.not_before or self.now
        if message.state is not State.UNSETTLED:
            return not_before
        if self.heard_until is not None and self.heard_until <= not_before:
            return max(not_before, self.now + _UNTIL_HEARD)  # its status may be in a body that is only written down yet
        return max(not_before, self.well_since + self.rules.settle)

    def _wait(self, lane: Lane, message: Message, until: datetime, known: Mapping[str, Contact]) -> Next:
        """Let the lane wait, or let a reply go before bulk that has to."""
        reply = outbox.first_reply(self.connection, message.contact_id) if message.is_bulk else None
        if reply is not None:
            return self.next(lane, reply, known)
        lanes.give_back(self.connection, lane, until, _rank(message))
        return False

    def _refuse(self, message: Message, reason: str, decision: JSONDict | None = None) -> bool:
        outbox.settle(self.connection, message.id, State.REFUSED, reason=reason, decision=decision)
        logger.warning(
            "A message to %s was refused: %s.", message.contact_id, reason, extra={"action": "message_refused"}
        )
        unasked.tell(self.connection, message, reason, self.now)
        return True

    def _ready_at(self, message: Message, contact: Contact) -> datetime:
        """Return when the message may go: its number may send, its customer may be sent to, what it follows has arrived."""
        rested = self.now + PAIR.wait(contact.rested_at, self.now)
        stopped = self.stopped.until(contact.number_id, self.now, is_reply=not message.is_bulk)
        return max(rested, stopped, self._follows_at(message) or self.now)

    def _follows_at(self, message: Message) -> datetime | None:
        """Return until when a part of an answer waits for the part before it to be delivered; None: not at all.

        Meta keeps no order by itself (fact sheet 5.1).
        """
        if not self.rules.order_wait or message.key.endswith("#1"):
            return None
        before = outbox.previous(self.connection, message)
        if before is None or before.state not in (State.ACCEPTED, State.SENT) or before.accepted_at is None:
            return None
        return before.accepted_at + self.rules.order_wait

    def _pass_gate(self, lane: Lane, message: Message, contact: Contact) -> Next:
        if contact.id != lane.contact_id:
            return self._hand_on(lane, contact)
        if not contact.recipient.is_known:
            return self._without_recipient(message, contact)
        if message.asks_to_write and contact.window.is_open(self.now):
            outbox.settle(self.connection, message.id, State.REPLACED, reason="the customer wrote before it went")
            return True
        proposal = Proposal(
            has_free_form=message.free_form is not None,
            template=message.template,
            proactive=message.proactive,
            after_templates=message.comes_after_templates,
            direct_misfit=self._direct_misfit(message, contact),
        )
        given = self._circumstances(message, contact)
        decision = decide(proposal, given)
        return self._obey(lane, message, contact, decision, to_record(proposal, given, decision))

    def _hand_on(self, lane: Lane, contact: Contact) -> bool:
        """Give what was said while this contact was merged into another to that one's lane: parked here, nothing would let it go."""
        outbox.move(self.connection, lane.contact_id, contact.id)
        lanes.finish(self.connection, lane)
        lanes.wake(self.connection, lane.kind, contact.id, self.now)
        return False

    def _obey(self, lane: Lane, message: Message, contact: Contact, decision: Decision, record: JSONDict) -> Next:
        if isinstance(decision, Refuse):
            return self._refuse(message, decision.reason, record)
        if message.tries_next_template and not isinstance(decision, SendTemplate):  # no other may go: all its words may
            otherwise.say_in_words(self.connection, message)
            outbox.settle(self.connection, message.id, State.REPLACED, reason="its words go instead", decision=record)
            return True
        if isinstance(decision, Park):
            return self._park(lane, message, contact, decision.reason, record)
        if isinstance(decision, SendDirectly):
            return self._directly(lane, message, contact, record)
        if isinstance(decision, SendFreeForm):
            return self._free_form(lane, message, contact, record)
        return self._template(lane, message, contact, decision.message.content, record)

    def _direct_misfit(self, message: Message, contact: Contact) -> str | None:
        """Return why Direct Send cannot carry a message; None if it can, or it is not asked for."""
        if not self.rules.direct_send or message.free_form is None or contact.window.is_open(self.now):
            return None
        if message.is_turned_down:
            return f"Meta did not take it so (error {message.error_code})"
        if self.stopped.is_direct_send_closed(self.now):
            return "Meta does not let this account use it at the moment"
        if parked.follows_parked(self.connection, message):
            return "what comes before it is parked"
        return direct_send.misfit(message.free_form)

    def _park(self, lane: Lane, message: Message, contact: Contact, reason: str, record: JSONDict) -> bool:
        """Let the message wait until the customer writes, and ask for that, unless it was asked since the window closed.

        A customer who writes at this very moment lets go only what is parked already: then it is looked at again.
        """
        window = contacts.window_at_rest(self.connection, contact.id)
        if window is not None and window != contact.window:
            return True
        if window is None:
            lanes.give_back(self.connection, lane, self.now + _UNTIL_AT_REST, _rank(message))
            return False
        parked.park(self.connection, message, self.now, reason=reason, decision=record)
        opened_at = contact.window.opened_at
        asks = f"{outbox.NUDGE}{int(opened_at.timestamp()) if opened_at else 0}:"
        if parked.is_asked(self.connection, contact.id, asks, self.now):
            return True
        key = f"{asks}{message.id}"
        template = self._re_engagement(message)
        nudge = outbox.NewMessage(
            key=key,
            utterance=key,
            contact_id=contact.id,
            proactive=True,
            free_form=None,
            template=template,
            choices=template.choices if template else {},
        )
        outbox.add_once(self.connection, nudge, self.now)
        return True

    def _circumstances(self, message: Message, contact: Contact) -> Circumstances:
        return Circumstances(
            now=self.now,
            window=contact.window,
            consent=contact.consent,
            templates=self.rules.templates,
            fallback_languages=self._languages(contact) if self._may_be_template(message, contact) else (),
            utility_needs_opt_in=self.rules.utility_needs_opt_in,
            is_paused=contact.is_paused(self.now),
            margin=self.rules.margin,
            direct_send=self.rules.direct_send,
            re_engagement=self._re_engagement(message),
        )

    def _may_be_template(self, message: Message, contact: Contact) -> bool:
        """Tell whether a template may come of it, so that its language matters: words in an open window ask nobody for one."""
        if message.free_form is not None and contact.window.is_open(self.now + self.rules.margin):
            return False
        return message.template is not None or self.rules.re_engagement is not None

    def _re_engagement(self, message: Message) -> TemplateUse | None:
        """Return the template that asks the customer to write, for the language that the dialogue knew."""
        use = self.rules.re_engagement
        return None if use is None else replace(use, customer_language=message.language)

    def _languages(self, contact: Contact) -> Sequence[str]:
        """Return what the customer writes, what is read in their country, and the configured languages."""
        names = contact.recipient.wa_id, contact.recipient.user_id
        told = written.language(self.connection, contact.id) if self.rules.written_languages else None
        wanted = (languages.as_written_in(told, *names) if told else None, languages.of_customer(*names))
        return [*filter(None, wanted), *self.rules.fallback_languages]

    def _without_recipient(self, message: Message, contact: Contact) -> bool:
        """The contact gave up its names: the new ones come with a merge, or with the customer's next message."""
        if merging.is_waiting(self.connection, contact.id):
            outbox.defer(self.connection, message, self.now + _UNTIL_MERGED)
            return True
        return self._refuse(
            message, "the customer's number and user id are not known any more: wait for their next message"
        )

    def _free_form(self, lane: Lane, message: Message, contact: Contact, record: JSONDict) -> Next:
        """Return the request, or first an upload; media that cannot be had in any way go as a plain link."""
        content = message.free_form or {}
        ids = self._media_ids(message, contact, content)
        if ids is None:
            media_fallback.say_plainly(self.connection, message, self.now)
            outbox.settle(self.connection, message.id, State.REPLACED, reason="its media cannot be uploaded either")
            return True
        if isinstance(ids, Upload):
            return ids
        return self._send(lane, message, contact, with_ids(content, ids), "free_form", record)

    def _directly(self, lane: Lane, message: Message, contact: Contact, record: JSONDict) -> Send:
        content = direct_send.fitted(message.free_form or {})
        return self._send(lane, message, contact, content, outbox.DIRECTLY, record, category=direct_send.CATEGORY)

    def _template(self, lane: Lane, message: Message, contact: Contact, template: JSONDict, record: JSONDict) -> Next:
        """Return the request, or first an upload for its header or cards; one template stands for all messages of a response."""
        if otherwise.went_as_template(self.connection, message.utterance, but=message.id):
            outbox.settle(self.connection, message.id, State.REPLACED, reason=otherwise.AS_TEMPLATE)
            return True
        content = {"type": "template", "template": template}
        ids = self._media_ids(message, contact, content)
        if ids is None:
            return self._refuse(message, "Meta cannot load the template's media, and they cannot be uploaded either")
        if isinstance(ids, Upload):
            return ids
        return self._send(lane, message, contact, with_ids(content, ids), "template", record)

    def _media_ids(self, message: Message, contact: Contact, content: JSONDict) -> Mapping[str, str] | Upload | None:
        """Return the ids that go in the place of links; first the upload of a file that goes out often, or must; None: it cannot be."""
        links = [media for media in links_of(content) if is_at(media.link, self.rules.upload_hosts)]
        ids: dict[str, str] = {}
        for media in links:
            media_id = uploads.media_id(self.connection, contact.number_id, media.link, self.now)
            if media_id is not None:
                ids[media.link] = media_id
            elif uploads.is_worth_it(
                self.connection, contact.number_id, media.link, self.now, anyway=message.must_upload
            ):
                return Upload(number_id=contact.number_id, media=media)
        if message.must_upload and len(ids) < len(links_of(content)):
            return None
        for media in links:
            uploads.count_use(self.connection, contact.number_id, media.link, self.now)
        return ids

    def _send(
        self,
        lane: Lane,
        message: Message,
        contact: Contact,
        content: JSONDict,
        form: str,
        record: JSONDict,
        category: str | None = None,
    ) -> Send:
        request = outbound.message(contact.number_id, contact.recipient, content, message.key, category)
        begun = message.begun(form, self.now)
        return Send(lane=lane, contact=contact, message=begun, request=request, decision=record)


def _rank(message: Message) -> lanes.Rank:
    return lanes.Rank.BULK if message.is_bulk else lanes.Rank.REPLY
