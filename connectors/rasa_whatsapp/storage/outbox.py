"""The outbox: everything the bot wants to say, keyed by its cause, kept before it is sent and after.

pending -> sending -> accepted -> sent -> delivered -> read        what Meta reports; never backwards
sending -> pending      Meta said "later", or surely did not get it
sending -> unsettled    it may have been sent; a status with our key settles it, else it is sent again after a silence
pending -> refused      the gate said no, with its reason
pending -> replaced     the response went as one template instead
sending, accepted, sent -> failed; if it turns out to be delivered all the same, it is delivered
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum
from typing import Any

from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.engine import Connection

from rasa_whatsapp.cloud.templates import TemplateUse
from rasa_whatsapp.cloud.wire import JSONDict
from rasa_whatsapp.storage.schema import outbox, statuses

# Statuses of Meta in their order; what is not listed (deleted, warning) changes nothing.
_RANK = {
    "pending": 0,
    "sending": 0,
    "unsettled": 0,
    "accepted": 1,
    "sent": 2,
    "failed": 2,
    "delivered": 3,
    "read": 4,
    "played": 5,
}


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


_OPEN = (State.PENDING.value, State.SENDING.value, State.UNSETTLED.value)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewMessage:
    """One message of an utterance: its free form if there is one, and what the utterance's template is."""

    key: str
    utterance: str
    contact_id: str
    proactive: bool
    free_form: JSONDict | None
    template: TemplateUse | None
    choices: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A message in the outbox."""

    id: int
    key: str
    utterance: str
    contact_id: str
    proactive: bool
    free_form: JSONDict | None
    template: TemplateUse | None
    state: State
    form: str | None
    attempts: int
    not_before: datetime | None
    first_tried_at: datetime | None
    tried_at: datetime | None
    copies: int  # tries that may have arrived

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


@dataclass(frozen=True, slots=True, kw_only=True)
class SentRow:
    """A message that a status is about."""

    id: int
    key: str
    utterance: str
    contact_id: str
    proactive: bool
    state: str
    form: str | None
    message_id: str | None
    tried_at: datetime | None
    template: TemplateUse | None
    choices: Mapping[str, str]


# Statements of every message are built once: building one costs several times what running it does.
_ADD = insert(outbox)
_BY_KEY = select(outbox).where(outbox.c.key == bindparam("known_key"))
_BY_META_ID = select(outbox).where(outbox.c.message_id == bindparam("meta_id"))
_HEAD = (
    select(outbox)
    .where(outbox.c.contact_id == bindparam("contact"), outbox.c.state.in_(_OPEN))
    .order_by(outbox.c.id)
    .limit(1)
)
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
    )
)
_NAME = update(outbox).where(outbox.c.id == bindparam("row")).values(message_id=bindparam("meta_id"))
_ACCEPT = (
    update(outbox)
    .where(outbox.c.id == bindparam("row"), outbox.c.state.in_(_OPEN))
    .values(state=State.ACCEPTED.value, reason=None)
)
_KNOWN_STATUS = select(statuses.c.status).where(
    statuses.c.message_id == bindparam("meta_id"), statuses.c.status == bindparam("told")
)
_ADD_STATUS = insert(statuses)


def is_known(connection: Connection, key: str) -> bool:
    """Tell whether a message with this key was kept before."""
    return connection.execute(_BY_KEY, {"known_key": key}).first() is not None


def add(connection: Connection, message: NewMessage, now: datetime) -> None:
    """Keep a message; the caller has looked with `is_known`, the unique key is the last word."""
    values = {
        "key": message.key,
        "utterance": message.utterance,
        "contact_id": message.contact_id,
        "proactive": message.proactive,
        "free_form": message.free_form,
        "template": _template_to_json(message.template),
        "choices": dict(message.choices),
        "state": State.PENDING.value,
        "created_at": now,
    }
    connection.execute(_ADD, values)


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


def head(connection: Connection, contact_id: str) -> Message | None:
    """Return the contact's next message to send, in the order in which they were said, or None."""
    row = connection.execute(_HEAD, {"contact": contact_id}).first()
    return None if row is None else _message(row)


def lanes_waiting(connection: Connection) -> list[str]:
    """Return the contacts who are owed something."""
    waiting = select(outbox.c.contact_id).where(outbox.c.state.in_(_OPEN)).distinct()
    return [str(contact_id) for (contact_id,) in connection.execute(waiting)]


def begin(connection: Connection, message: Message, *, request: JSONDict, form: str, now: datetime) -> None:
    """Note the request before it is made, and that the attempt counts."""
    values = {
        "row": message.id,
        "made": request,
        "as_form": form,
        "tried": message.attempts + 1,
        "first": message.first_tried_at or now,
        "now": now,
    }
    connection.execute(_BEGIN, values)


def accept(connection: Connection, message: Message, message_id: str) -> None:
    """Note Meta's receipt; a status that came before it is not undone."""
    connection.execute(_NAME, {"row": message.id, "meta_id": message_id})
    connection.execute(_ACCEPT, {"row": message.id})


def postpone(
    connection: Connection, message: Message, state: State, until: datetime, *, code: int, reason: str, copies: int
) -> None:
    """Try again later (PENDING), or wait whether it was sent (UNSETTLED); a status that settled it meanwhile stays."""
    values = {"state": state.value, "not_before": until, "error_code": code, "reason": reason, "copies": copies}
    mine = (outbox.c.id == message.id) & outbox.c.state.in_(_OPEN)
    connection.execute(update(outbox).where(mine).values(**values))


def settle(connection: Connection, row_id: int, state: State, *, reason: str, code: int | None = None) -> None:
    """End a message that will not be sent: refused, replaced or failed; a status that settled it meanwhile stays."""
    values = {"state": state.value, "reason": reason, "error_code": code}
    connection.execute(update(outbox).where((outbox.c.id == row_id) & outbox.c.state.in_(_OPEN)).values(**values))


def fail(connection: Connection, row: SentRow, message_id: str, *, reason: str, code: int | None) -> None:
    """Note Meta's status `failed`."""
    values = {"state": State.FAILED.value, "reason": reason, "error_code": code, "message_id": message_id}
    connection.execute(update(outbox).where(outbox.c.id == row.id).values(**values))


def reopen(connection: Connection, message: Message) -> None:
    """After 131047 as an HTTP error: let the message pass the gate again, with the window closed now."""
    values = {"state": State.PENDING.value, "not_before": None}
    mine = (outbox.c.id == message.id) & outbox.c.state.in_(_OPEN)
    connection.execute(update(outbox).where(mine).values(**values))


def went_as_template(connection: Connection, utterance: str, *, but: int) -> bool:
    """Tell whether another message of the utterance carried its template already."""
    carried = (outbox.c.utterance == utterance) & (outbox.c.form == "template") & (outbox.c.id != but)
    alive = outbox.c.state.notin_((State.FAILED.value, State.REFUSED.value))
    return connection.execute(select(outbox.c.id).where(carried & alive)).first() is not None


def find_sent(connection: Connection, message_id: str, key: str | None) -> SentRow | None:
    """Return the message that we sent, by Meta's id or else by the key it carried; None for other tools' messages."""
    row = connection.execute(_BY_META_ID, {"meta_id": message_id}).first()
    if row is None and key is not None:
        row = connection.execute(_BY_KEY, {"known_key": key}).first()
    if row is None:
        return None
    return SentRow(
        id=row.id,
        key=row.key,
        utterance=row.utterance,
        contact_id=row.contact_id,
        proactive=row.proactive,
        state=row.state,
        form=row.form,
        message_id=row.message_id,
        tried_at=row.tried_at,
        template=_template_from_json(row.template),
        choices=row.choices,
    )


def add_fallback(connection: Connection, failed: SentRow, now: datetime) -> None:
    """After a free-form message came back with 131047: say the utterance again as its template, once, or refuse it."""
    if failed.template is None:
        return
    fallback = NewMessage(
        key=f"{failed.utterance}/template",
        utterance=failed.utterance,
        contact_id=failed.contact_id,
        proactive=failed.proactive,
        free_form=None,
        template=failed.template,
        choices=failed.choices,
    )
    if not is_known(connection, fallback.key):
        add(connection, fallback, now)


def choice(connection: Connection, contact_id: str, message_id: str, choice_id: str) -> str | None:
    """Return the payload behind a choice that we offered this contact in that message, or None if we did not."""
    offered = (outbox.c.contact_id == contact_id) & (outbox.c.message_id == message_id)
    choices = connection.execute(select(outbox.c.choices).where(offered)).scalar()
    if choices is None:
        # The tap can overtake the answer to the request that sent the message: then its id is not known yet.
        under_way = (outbox.c.contact_id == contact_id) & outbox.c.state.in_(_OPEN) & outbox.c.message_id.is_(None)
        rows = connection.execute(select(outbox.c.choices).where(under_way & (outbox.c.attempts > 0)))
        choices = next((found for (found,) in rows if choice_id in found), None)
    payload = (choices or {}).get(choice_id)
    return None if payload is None else str(payload)


def record_status(
    connection: Connection, message_id: str, status: str, at: datetime, *, code: int | None, pricing: JSONDict | None
) -> bool:
    """Keep a status once; return whether it was new."""
    if connection.execute(_KNOWN_STATUS, {"meta_id": message_id, "told": status}).first():
        return False
    values = {"message_id": message_id, "status": status, "at": at, "error_code": code, "pricing": pricing}
    connection.execute(_ADD_STATUS, values)
    return True


def advance(connection: Connection, row: SentRow, status: str, message_id: str) -> None:
    """Move a message forward to a status of Meta; what would be a step back changes nothing."""
    if _RANK.get(status, -1) > _RANK.get(row.state, 99):
        values = {
            "state": status,
            "message_id": row.message_id or message_id,
            "reason": None,
            "error_code": None,
        }
        connection.execute(update(outbox).where(outbox.c.id == row.id).values(**values))


def may_fail(row: SentRow, message_id: str) -> bool:
    """Tell whether a `failed` status still counts.

    A delivered message stays delivered (a linked device may fail alone), and the failure of an earlier copy with the same
    key says nothing about the copy that was accepted since.
    """
    is_this_copy = row.message_id is None or row.message_id == message_id
    return is_this_copy and _RANK.get(row.state, 99) < _RANK["delivered"]


def _message(row: Any) -> Message:
    return Message(
        id=row.id,
        key=row.key,
        utterance=row.utterance,
        contact_id=row.contact_id,
        proactive=row.proactive,
        free_form=row.free_form,
        template=_template_from_json(row.template),
        state=State(row.state),
        form=row.form,
        attempts=row.attempts,
        not_before=row.not_before,
        first_tried_at=row.first_tried_at,
        tried_at=row.tried_at,
        copies=row.copies,
    )


def _template_to_json(template: TemplateUse | None) -> JSONDict | None:
    if template is None:
        return None
    return {
        "name": template.name,
        "language": template.language,
        "parameters": dict(template.parameters),
        "payloads": list(template.payloads),
    }


def _template_from_json(stored: Mapping[str, Any] | None) -> TemplateUse | None:
    if stored is None:
        return None
    payloads: Sequence[str] = stored["payloads"]
    return TemplateUse(
        name=stored["name"],
        language=stored["language"],
        parameters=stored["parameters"],
        payloads=tuple(payloads),
    )
