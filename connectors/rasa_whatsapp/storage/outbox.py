"""The outbox: everything the bot wants to say, keyed by its cause, kept before it is sent and after.

pending -> sending -> accepted -> sent -> delivered -> read        what Meta reports; never backwards
sending -> pending      Meta said "later", or surely did not get it
sending -> unsettled    it may have been sent; a status with our key settles it, else it is sent again after a silence
pending -> refused      the gate said no, with its reason
pending -> parked       until the customer writes: then pending again, or refused if that was too long ago, or replaced by a newer one of its kind
pending -> replaced     the response went as one template instead, or the text went with the one before it
sending, accepted, sent -> failed
failed, parked -> delivered, if what was tried turns out to have arrived all the same
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum
from typing import Any

from sqlalchemy import and_, bindparam, case, func, insert, null, or_, select, update
from sqlalchemy.engine import Connection

from rasa_whatsapp.cloud.drafts import Draft, content_of, numbers_of, options_of
from rasa_whatsapp.cloud.pages import more_of
from rasa_whatsapp.cloud.templates import TemplateUse
from rasa_whatsapp.cloud.templates.spelling import use_from_json
from rasa_whatsapp.cloud.wire import JSONDict
from rasa_whatsapp.policy.outcome import Outcome, outcome_of
from rasa_whatsapp.storage.schema import outbox


class State(Enum):
    """Where a message is on its way."""

    PENDING = "pending"
    SENDING = "sending"
    UNSETTLED = "unsettled"
    ACCEPTED = "accepted"
    SENT = "sent"
    DELIVERED = "delivered"
    READ = "read"
    PLAYED = "played"
    FAILED = "failed"
    REFUSED = "refused"
    REPLACED = "replaced"
    PARKED = "parked"


DIRECTLY = "direct_send"  # the form of what goes by Direct Send
NOT_DIRECTLY = "not_direct"  # its form after Meta turned that down
OTHERWISE = "/otherwise"  # the key of what tries the next template for a response ends so
NUDGE = "nudge:"  # the keys of what asks a customer to write again begin so
OPEN = (State.PENDING.value, State.SENDING.value, State.UNSETTLED.value)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewMessage:
    """One message of an utterance: its free form if there is one, and what the utterance's template is.

    `choices` maps the ids of what can be tapped to what a tap means; `numbers` are the meanings of 1, 2, 3 ... typed back; `more`
    holds a menu's further pages. `must_upload` when Meta could not load its media by link. `kind` is the response's name in the domain,
    `language` what the dialogue knew of the customer's when it was said.
    """

    key: str
    utterance: str
    contact_id: str
    proactive: bool
    free_form: JSONDict | None
    template: TemplateUse | None
    choices: Mapping[str, str]
    numbers: Sequence[str] = ()
    more: JSONDict | None = None
    must_upload: bool = False
    kind: str | None = None
    language: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Message(NewMessage):
    """A message in the outbox; `message_id` is Meta's, `request` what was tried last.

    `copies` counts tries that may have arrived, `error_code` is what Meta refused it with last, `decision` what the gate decided last,
    and from what.
    """

    id: int
    state: State
    form: str | None
    request: JSONDict | None
    message_id: str | None
    attempts: int
    not_before: datetime | None
    first_tried_at: datetime | None
    tried_at: datetime | None
    copies: int
    error_code: int | None
    decision: JSONDict | None
    created_at: datetime
    fresh_at: datetime | None

    @property
    def template_sent(self) -> str | None:
        """Return as which template it was tried last."""
        template = (self.request or {}).get("template") or {}
        name: str | None = template.get("name")
        return name

    @property
    def waits_since(self) -> datetime:
        """Return from when on it may be sent: it grows too old from then."""
        return self.fresh_at or self.created_at

    @property
    def is_bulk(self) -> bool:
        """Tell whether replies go before it: nobody waits for it, as for an answer or for what was parked until the customer wrote."""
        return self.proactive and self.fresh_at is None

    @property
    def is_open(self) -> bool:
        """Tell whether it is still to be sent, as far as is known."""
        return self.state.value in OPEN

    @property
    def comes_after_templates(self) -> bool:
        """Tell whether it had templates, and Meta took none of them."""
        return self.template is None and (self.form == "template" or bool((self.decision or {}).get("after_templates")))

    @property
    def is_turned_down(self) -> bool:
        """Tell whether Meta did not take it by Direct Send: that is not tried again."""
        return self.form == NOT_DIRECTLY

    @property
    def tries_next_template(self) -> bool:
        """Tell whether it stands for a whole response of which Meta did not take a template."""
        return self.key.endswith(OTHERWISE)

    @property
    def asks_to_write(self) -> bool:
        """Tell whether it only asks the customer to write, as something is parked."""
        return self.key.startswith(NUDGE)

    @property
    def failed_copy(self) -> str | None:
        """Return Meta's id of the copy that failed, if it is to be sent again for that reason."""
        return self.message_id if self.is_open else None

    def again(self, key: str) -> NewMessage:
        """Return the same to be said under another key."""
        return NewMessage(
            key=key,
            utterance=self.utterance,
            contact_id=self.contact_id,
            proactive=self.proactive,
            free_form=self.free_form,
            template=self.template,
            choices=self.choices,
            numbers=self.numbers,
            more=self.more,
            kind=self.kind,
            language=self.language,
        )

    def begun(self, form: str, now: datetime) -> Message:
        """Return the message as it is while its request is under way."""
        return replace(
            self,
            state=State.SENDING,
            form=form,
            attempts=self.attempts + 1,
            first_tried_at=self.first_tried_at or now,
            tried_at=now,
        )


@dataclass(frozen=True, slots=True)
class Previous:
    """The message before one: how far it is, and since when Meta has it."""

    state: State
    accepted_at: datetime | None


# Statements of every message are built once: building one costs several times what running it does.
_ADD = insert(outbox)
BY_KEY = select(outbox).where(outbox.c.key == bindparam("known_key"))
_MINE = outbox.c.contact_id.in_(bindparam("contacts", expanding=True)) & outbox.c.state.in_(OPEN)
_HEADS = (
    select(outbox)
    .where(outbox.c.id.in_(select(func.min(outbox.c.id)).where(_MINE).group_by(outbox.c.contact_id)))
    .with_for_update()  # a status that tells that one was sent comes before, or after
)
_FIRST_REPLY = (
    select(outbox)
    .where(outbox.c.contact_id == bindparam("contact"), outbox.c.state.in_(OPEN))
    .where(outbox.c.proactive.is_(False) | outbox.c.fresh_at.isnot(None))
    .order_by(outbox.c.id)
    .limit(1)
    .with_for_update()
)
_OWED = select(outbox.c.contact_id).where(_MINE).distinct()
_BEGIN = (
    update(outbox)
    .where(outbox.c.id == bindparam("row"))
    .values(
        state=State.SENDING.value,
        request=bindparam("made"),
        form=bindparam("as_form"),
        attempts=bindparam("tried"),
        first_tried_at=bindparam("first"),
        tried_at=bindparam("now"),
        decision=bindparam("decided"),
    )
)
_IS_OPEN = or_(*(outbox.c.state == state for state in OPEN))  # IN cannot be part of a statement for many rows
_WAS_SENT = and_(_IS_OPEN, or_(outbox.c.message_id.is_(None), outbox.c.message_id != bindparam("meta_id")))
_ACCEPT = (
    update(outbox)
    .where(outbox.c.id == bindparam("row"))
    .values(
        message_id=bindparam("meta_id"),
        accepted_at=bindparam("now"),
        state=case((_WAS_SENT, State.ACCEPTED.value), else_=outbox.c.state),
        reason=case((_WAS_SENT, null()), else_=outbox.c.reason),
    )
)
# What was replaced went in another message, what was refused in none: the phone shows neither.
_SAID = (outbox.c.contact_id == bindparam("contact")) & outbox.c.state.notin_(
    (State.REPLACED.value, State.REFUSED.value)
)
_PREVIOUS = (
    select(outbox.c.utterance, outbox.c.state, outbox.c.accepted_at)
    .where(_SAID, outbox.c.id < bindparam("row"))
    .order_by(outbox.c.id.desc())
    .limit(1)
)
_LAST_PROACTIVE = (
    select(outbox.c.state, outbox.c.form, outbox.c.reason)
    .where(outbox.c.contact_id == bindparam("contact"), outbox.c.proactive.is_(True))
    .where(outbox.c.state != State.REPLACED.value, outbox.c.key.notlike(f"{NUDGE}%"))
    .order_by(outbox.c.id.desc())
    .limit(1)
)
_LATEST = select(outbox).where(_SAID).order_by(outbox.c.id.desc()).limit(1)
_UNTRIED = (
    (outbox.c.contact_id == bindparam("contact"))
    & (outbox.c.state == State.PENDING.value)
    & (outbox.c.attempts == 0)
    & (outbox.c.not_before > bindparam("now"))
)
_WAITS = select(outbox.c.id).where(_UNTRIED).limit(1)
_LET_GO = update(outbox).where(_UNTRIED).values(not_before=None)


def cause_of(utterance: str) -> str:
    """Return what led to an utterance: a customer's message, a follow-up, a call of Rasa's HTTP API."""
    return utterance.rsplit("#", 1)[0]


def is_known(connection: Connection, key: str) -> bool:
    """Tell whether a message with this key was kept before."""
    return connection.execute(BY_KEY, {"known_key": key}).first() is not None


def add(
    connection: Connection,
    message: NewMessage,
    now: datetime,
    *,
    not_before: datetime | None = None,
    state: State = State.PENDING,
    reason: str | None = None,
) -> None:
    """Keep a message; the caller has looked with `is_known`, the unique key is the last word."""
    values = {
        "key": message.key,
        "utterance": message.utterance,
        "contact_id": message.contact_id,
        "proactive": message.proactive,
        "free_form": message.free_form,
        "template": message.template.to_json() if message.template else None,
        "choices": dict(message.choices),
        "numbers": list(message.numbers) or None,
        "more": message.more,
        "must_upload": message.must_upload,
        "kind": message.kind,
        "language": message.language,
        "state": state.value,
        "not_before": not_before,
        "reason": reason,
        "created_at": now,
    }
    connection.execute(_ADD, values)


def add_once(connection: Connection, message: NewMessage, now: datetime) -> None:
    """Keep a message unless its key is known."""
    if not is_known(connection, message.key):
        add(connection, message, now)


def add_refused(connection: Connection, *, contact_id: str, key: str, reason: str, now: datetime) -> None:
    """Record under its key a response that could not even become a message."""
    if is_known(connection, key):
        return
    connection.execute(
        insert(outbox).values(
            key=key,
            utterance=key,
            contact_id=contact_id,
            proactive=False,
            choices={},
            state=State.REFUSED.value,
            reason=reason,
            created_at=now,
        )
    )


def heads(connection: Connection, contact_ids: Collection[str]) -> dict[str, Message]:
    """Return the next message to send of each of these contacts who is owed one, in the order in which they were said."""
    rows = connection.execute(_HEADS, {"contacts": list(contact_ids)}) if contact_ids else ()
    return {row.contact_id: message_of(row) for row in rows}


def first_reply(connection: Connection, contact_id: str) -> Message | None:
    """Return the next message to this contact that is no bulk."""
    row = connection.execute(_FIRST_REPLY, {"contact": contact_id}).first()
    return None if row is None else message_of(row)


def owed(connection: Connection, contact_ids: Collection[str]) -> set[str]:
    """Return those of these contacts who are owed something."""
    rows = connection.execute(_OWED, {"contacts": list(contact_ids)}) if contact_ids else ()
    return {str(contact_id) for (contact_id,) in rows}


def previous(connection: Connection, message: Message) -> Previous | None:
    """Return how far the message is that went to this contact before, if the same cause led to it."""
    row = connection.execute(_PREVIOUS, {"contact": message.contact_id, "row": message.id}).first()
    if row is None or cause_of(row.utterance) != cause_of(message.utterance):
        return None
    return Previous(State(row.state), row.accepted_at)


def last_proactive(connection: Connection, contact_id: str) -> Outcome | None:
    """Return how the last message went that was said to this contact without being asked, or None."""
    row = connection.execute(_LAST_PROACTIVE, {"contact": contact_id}).first()
    return None if row is None else outcome_of(row.state, row.form, row.reason)


def listed(connection: Connection, states: Sequence[str], contact_id: str | None, limit: int) -> list[JSONDict]:
    """Return messages in these states for the command line, the latest first, without their words."""
    columns = (outbox.c.id, outbox.c.contact_id, outbox.c.created_at, outbox.c.state, outbox.c.form, outbox.c.reason)
    query = select(*columns).where(outbox.c.state.in_(states)).order_by(outbox.c.id.desc()).limit(limit)
    if contact_id is not None:
        query = query.where(outbox.c.contact_id == contact_id)
    return [dict(row) for row in connection.execute(query).mappings()]


_SHOWN = (
    "id", "key", "contact_id", "proactive", "kind", "state", "form", "reason", "error_code", "message_id", "attempts",
    "copies", "created_at", "not_before", "first_tried_at", "tried_at", "accepted_at", "parked_at", "fresh_at", "decision",
)  # fmt: skip


def details(connection: Connection, row_id: int) -> JSONDict | None:
    """Return what is stored of a message, without its words, for the command line; None if there is none."""
    chosen = select(*(outbox.c[name] for name in _SHOWN)).where(outbox.c.id == row_id)
    found = connection.execute(chosen).mappings().first()
    return None if found is None else dict(found)


def latest_untried(connection: Connection, contact_id: str) -> Message | None:
    """Return what was said to this contact last, if it is still as it was said: nobody has tried to send it yet.

    Whoever is going to change it has woken the contact's lane before, so that nobody tries until the transaction ends.
    """
    row = connection.execute(_LATEST, {"contact": contact_id}).first()
    return message_of(row) if row is not None and row.state == State.PENDING.value and not row.attempts else None


def move(connection: Connection, gone: str, kept: str) -> None:
    """Give the messages of one contact to another, who is the same person."""
    connection.execute(update(outbox).where(outbox.c.contact_id == gone).values(contact_id=kept))


def waits(connection: Connection, contact_id: str, now: datetime) -> bool:
    """Tell whether something that nobody has tried to send yet waits for its time."""
    return connection.execute(_WAITS, {"contact": contact_id, "now": now}).first() is not None


def let_go(connection: Connection, contact_id: str, now: datetime) -> None:
    """Let what nobody has tried to send yet go at once; the contact's lane is woken before."""
    connection.execute(_LET_GO, {"contact": contact_id, "now": now})


def begin(connection: Connection, begun: Sequence[tuple[Message, JSONDict, JSONDict]]) -> None:
    """Note requests before they are made, and that the attempts count: each with its message as it is then, and why it goes so."""
    values = [
        {
            "row": message.id,
            "made": request,
            "as_form": message.form,
            "tried": message.attempts,
            "first": message.first_tried_at,
            "now": message.tried_at,
            "decided": decision,
        }
        for message, request, decision in begun
    ]
    if values:
        connection.execute(_BEGIN, values)


def accept(connection: Connection, accepted: Sequence[tuple[Message, str]], now: datetime) -> None:
    """Note Meta's receipts, each by its id; a status that came before one is not undone, nor that this copy failed."""
    values = [{"row": message.id, "meta_id": meta_id, "now": now} for message, meta_id in accepted]
    if values:
        connection.execute(_ACCEPT, values)


def postpone(
    connection: Connection, message: Message, state: State, until: datetime, *, code: int, reason: str, copies: int
) -> None:
    """Try again later (PENDING), or wait whether it was sent (UNSETTLED); a status that settled it meanwhile stays."""
    values = {"state": state.value, "not_before": until, "error_code": code, "reason": reason, "copies": copies}
    mine = (outbox.c.id == message.id) & outbox.c.state.in_(OPEN)
    connection.execute(update(outbox).where(mine).values(**values))


def defer(connection: Connection, message: Message, until: datetime) -> None:
    """Let a message that was not tried wait until then."""
    connection.execute(update(outbox).where(outbox.c.id == message.id).values(not_before=until))


def settle(
    connection: Connection,
    row_id: int,
    state: State,
    *,
    reason: str,
    code: int | None = None,
    decision: JSONDict | None = None,
) -> None:
    """End a message that will not be sent: refused, replaced or failed; a status that settled it meanwhile stays."""
    values: dict[str, Any] = {"state": state.value, "reason": reason, "error_code": code}
    if decision is not None:
        values["decision"] = decision
    connection.execute(update(outbox).where((outbox.c.id == row_id) & outbox.c.state.in_(OPEN)).values(**values))


def of_draft(
    draft: Draft,
    *,
    key: str,
    utterance: str,
    contact_id: str,
    proactive: bool = False,
    template: TemplateUse | None = None,
    kind: str | None = None,
    language: str | None = None,
) -> NewMessage:
    """Return the message that says a draft."""
    return NewMessage(
        key=key,
        utterance=utterance,
        contact_id=contact_id,
        proactive=proactive,
        free_form=content_of(draft),
        template=template,
        choices={option.choice_id: option.payload for option in options_of(draft)}
        | (template.choices if template else {}),
        numbers=numbers_of(draft),
        more=more_of(draft),
        kind=kind,
        language=language,
    )


def message_of(row: Any) -> Message:
    """Return a row of the table as a message."""
    return Message(
        id=row.id,
        key=row.key,
        utterance=row.utterance,
        contact_id=row.contact_id,
        proactive=row.proactive,
        free_form=row.free_form,
        template=use_from_json(row.template) if row.template else None,
        choices=row.choices,
        numbers=row.numbers or (),
        more=row.more,
        must_upload=row.must_upload,
        state=State(row.state),
        form=row.form,
        request=row.request,
        message_id=row.message_id,
        attempts=row.attempts,
        not_before=row.not_before,
        first_tried_at=row.first_tried_at,
        tried_at=row.tried_at,
        copies=row.copies,
        error_code=row.error_code,
        decision=row.decision,
        created_at=row.created_at,
        fresh_at=row.fresh_at,
        kind=row.kind,
        language=row.language,
    )
