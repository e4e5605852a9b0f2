"""What the dialogue says becomes rows of the outbox: each message of a response under its key, and the consent that it notes.

Each function is one transaction; nothing is sent from here. If texts are merged, each is durable at once all the same: the first one
waits for a moment, and what follows is written into it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy.engine import Connection

from rasa_whatsapp.cloud.drafts import Draft
from rasa_whatsapp.cloud.joined_texts import is_plain, joined
from rasa_whatsapp.cloud.wire import JSONDict
from rasa_whatsapp.errors import UnknownContact
from rasa_whatsapp.policy.consent import ConsentGiven
from rasa_whatsapp.responses.utterances import LAST, ConsentNote, Utterance
from rasa_whatsapp.storage import contacts, inbox, lanes, otherwise, outbox
from rasa_whatsapp.storage.outbox import NewMessage, State
from rasa_whatsapp.turn import Turn
from rasa_whatsapp.turns import hold

# So long a text waits at most for more of its turn: turns are mostly over long before, and "one moment, please" must not come with
# what it asked to wait for.
LONGEST_WAIT = timedelta(seconds=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Spoken:
    """A response of the dialogue: what caused it, which one in order it is, and what it asks for; `turn` is None outside of one."""

    contact_id: str
    cause: str
    ordinal: int
    turn: Turn | None
    utterance: Utterance

    @property
    def key(self) -> str:
        """Return the key of the response, and of its first part."""
        return f"{self.cause}#{self.ordinal}"

    @property
    def proactive(self) -> bool:
        """Tell whether no message of the customer's caused it."""
        return self.turn is None or self.turn.is_external

    @property
    def asked_at(self) -> datetime | None:
        """Return when its cause was sent."""
        return self.turn.sent_at if self.turn else None

    @property
    def replying_to(self) -> str | None:
        """Return the customer's message that caused it, if one did."""
        return self.turn.customer_message_id if self.turn else None


def keep(
    connection: Connection, spoken: Spoken, now: datetime, claimant: str | None = None, *, merge: bool = False
) -> str | None:
    """Put a response into the outbox, each part under its key; a response whose key is known is not said again.

    If texts are to be merged, a text of a turn waits until the turn ends, or something else is said, and takes in what follows it.
    Returns the contact whose delivery the claimant has to see to now, if it is the claimant's. Raises UnknownContact, and LaneLost
    if its turn is another server's now.
    """
    hold(connection, spoken.turn)
    contact_id = _known_contact(connection, spoken.contact_id)
    if outbox.is_known(connection, spoken.key):
        return None
    if spoken.utterance.consent is not None:
        _note_consent(connection, contact_id, spoken, spoken.utterance.consent, now)
    rank = lanes.Rank.BULK if spoken.proactive else lanes.Rank.REPLY
    gathers = merge and spoken.turn is not None
    if gathers:  # first, so that nobody begins to send until this transaction ends
        lanes.wake(connection, lanes.Kind.SENDS, contact_id, now + LONGEST_WAIT, rank=rank)
    ready = not gathers
    for part, draft in enumerate(spoken.utterance.drafts or (None,), start=1):
        message = _part(connection, contact_id, spoken, part, draft)
        if _reacts_to_nothing(message):
            reason = "a reaction to the last message, and the customer has sent none"
            outbox.add_refused(connection, contact_id=contact_id, key=message.key, reason=reason, now=now)
        elif gathers:
            ready = _gather(connection, message, spoken.cause, now) or ready
        else:
            outbox.add(connection, message, now)
    if not ready:
        return None
    is_mine = lanes.wake(connection, lanes.Kind.SENDS, contact_id, now, rank=rank, claimant=claimant)
    return contact_id if is_mine else None


def keep_impossible(
    connection: Connection, contact_id: str, key: str, reason: str, now: datetime, turn: Turn | None = None
) -> None:
    """Record a response that WhatsApp cannot take; raises UnknownContact and LaneLost."""
    hold(connection, turn)
    known_as = _known_contact(connection, contact_id)
    outbox.add_refused(connection, contact_id=known_as, key=key, reason=reason, now=now)


def _gather(connection: Connection, message: NewMessage, cause: str, now: datetime) -> bool:
    """Keep a message, in the text before it if both are of one cause and can be one; return whether something can go at once.

    The row of a text that went with another keeps its key, so that it is known when the turn runs again.
    """
    before = outbox.latest_untried(connection, message.contact_id)
    if before is not None and outbox.cause_of(before.utterance) == cause:
        whole = _merged(before, message)
        if whole is not None:
            otherwise.say_more(connection, before, whole)
            outbox.add(connection, message, now, state=State.REPLACED, reason="it went with the text before it")
            return False
        outbox.let_go(connection, message.contact_id, now)
    waits = _is_alone(message)
    outbox.add(connection, message, now, not_before=now + LONGEST_WAIT if waits else None)
    return before is not None or not waits


def _merged(before: NewMessage, message: NewMessage) -> JSONDict | None:
    if not _is_alone(before) or not _is_alone(message):
        return None
    return joined(before.free_form or {}, message.free_form or {})


def _is_alone(message: NewMessage) -> bool:
    """Tell whether a message is a text and nothing else, with no template to stand for it."""
    return message.template is None and is_plain(message.free_form)


def _part(connection: Connection, contact_id: str, spoken: Spoken, part: int, draft: Draft | None) -> NewMessage:
    """Return one message of a response; the first carries the quote, each the template."""
    key = spoken.key if part == 1 else f"{spoken.key}.{part}"
    template = spoken.utterance.template
    if draft is None:  # only the template is said
        return NewMessage(
            key=key,
            utterance=spoken.key,
            contact_id=contact_id,
            proactive=spoken.proactive,
            free_form=None,
            template=template,
            choices=template.choices if template else {},
            kind=spoken.utterance.kind,
            language=spoken.utterance.language,
        )
    message = outbox.of_draft(
        draft,
        key=key,
        utterance=spoken.key,
        contact_id=contact_id,
        proactive=spoken.proactive,
        template=template,
        kind=spoken.utterance.kind,
        language=spoken.utterance.language,
    )
    last = spoken.replying_to or inbox.last_message_id(connection, contact_id)
    reply_to = spoken.utterance.reply_to if part == 1 else None
    return replace(message, free_form=_in_reply(message.free_form or {}, last if reply_to == LAST else reply_to, last))


def _in_reply(content: JSONDict, quoted: str | None, last: str | None) -> JSONDict:
    """Return the content with the message it quotes, and a reaction with the message it is to."""
    if content.get("type") == "reaction" and content["reaction"]["message_id"] == LAST:
        return content | {"reaction": content["reaction"] | {"message_id": last}}
    return content | ({"context": {"message_id": quoted}} if quoted else {})


def _reacts_to_nothing(message: NewMessage) -> bool:
    reaction = (message.free_form or {}).get("reaction")
    return reaction is not None and reaction["message_id"] is None


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
