"""What a row of the inbox becomes as a turn: a customer's message, a call, a follow-up that is due."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.engine import Connection

from rasa_whatsapp import meaning, slots
from rasa_whatsapp.cloud import limits
from rasa_whatsapp.cloud.content import UNSUPPORTED, Tapped, TextTyped
from rasa_whatsapp.cloud.inbound import MessageReceived
from rasa_whatsapp.policy.consent import Choice, keyword_choice
from rasa_whatsapp.storage import inbox
from rasa_whatsapp.storage.contacts import Contact
from rasa_whatsapp.storage.follow_ups import FollowUp
from rasa_whatsapp.turn import Turn

EXTERNAL_PREFIX = "EXTERNAL: "  # how Rasa writes the text of an external turn
CONSENT_INTENTS = {Choice.OPT_OUT: "whatsapp_opt_out", Choice.OPT_IN: "whatsapp_opt_in"}
_LONGEST_CAUSE = limits.CALLBACK_DATA - 40  # room for the ordinal, the part, a replay


@dataclass(frozen=True, slots=True, kw_only=True)
class Keywords:
    """Words that opt out or in when they are the whole message."""

    opt_out: Sequence[str]
    opt_in: Sequence[str]


def of_follow_up(row: inbox.Row, follow_up: FollowUp, contact: Contact, now: datetime) -> Turn:
    """Return the turn of a follow-up that is due."""
    return _turn(
        row,
        contact,
        now,
        text=f"{EXTERNAL_PREFIX}{follow_up.intent}",
        intents=(follow_up.intent,),
        follow_up_id=follow_up.id,
        event_entities=follow_up.entities,
        metadata={"whatsapp": {"type": "follow_up", "follow_up": follow_up.name}},
    )


def of_message(
    connection: Connection,
    row: inbox.Row,
    message: MessageReceived,
    contact: Contact,
    keywords: Keywords,
    now: datetime,
) -> Turn:
    """Return the turn of a customer's message."""
    meant = meaning.said(connection, contact.id, message)
    words = isinstance(message.content, (TextTyped, Tapped)) and not meant.is_command
    choice = keyword_choice(meant.text, opt_out=keywords.opt_out, opt_in=keywords.opt_in) if words else None
    return _turn(
        row,
        contact,
        now,
        text=meant.text,
        is_command=meant.is_command,
        intents=(CONSENT_INTENTS[choice],) if choice else meant.intents,
        entities=meant.entities,
        metadata={"whatsapp": meaning.metadata_of(message, contact)},
    )


def of_call(row: inbox.Row, contact: Contact, now: datetime) -> Turn:
    """Return the turn of a call, for a designer who wants to say something to who called."""
    return _turn(
        row,
        contact,
        now,
        text="[call]",
        intents=(meaning.CALL_INTENT, UNSUPPORTED, meaning.NOT_UNDERSTOOD),
        metadata={"whatsapp": {"type": "call", "call_id": row.message_id, "number_id": row.number_id}},
    )


def _turn(
    row: inbox.Row, contact: Contact, now: datetime, *, entities: Mapping[str, Any] | None = None, **said: Any
) -> Turn:
    """Return a turn with what each has of its row and its contact; the slots' entities go before any others."""
    return Turn(
        contact_id=contact.id,
        message_id=message_id_of(row),
        cause=cause_of(row),
        sent_at=row.sent_at,
        entities={**(entities or {}), **slots.values(contact.window, contact.consent, now)},
        **said,
    )


def message_id_of(row: inbox.Row) -> str:
    """Return the id under which the dialogue knows the turn; a replay is another turn, since the first may be in the tracker."""
    return f"{row.message_id}/replay-{row.replays}" if row.replays else row.message_id


def cause_of(row: inbox.Row) -> str:
    """Return what the keys of the turn's answers begin with: short enough for Meta to carry back."""
    message_id = message_id_of(row)
    if len(message_id) <= _LONGEST_CAUSE:
        return message_id
    return f"sha256:{hashlib.sha256(message_id.encode()).hexdigest()}"
