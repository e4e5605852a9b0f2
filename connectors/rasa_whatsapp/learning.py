"""Learns from what customers type in which language they write. Only words of their own count, not what they tapped, forwarded or were given to send."""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy.engine import Connection

from rasa_whatsapp.cloud.content import TextTyped
from rasa_whatsapp.cloud.inbound import MessageReceived, read_message
from rasa_whatsapp.cloud.text_language import language_of
from rasa_whatsapp.logs import trace
from rasa_whatsapp.storage import written
from rasa_whatsapp.storage.inbox import Row

logger = logging.getLogger(__name__)


def learn(
    connection: Connection,
    row: Row,
    message: MessageReceived,
    shared: Sequence[Row],
    among: Collection[str],
    now: datetime,
) -> None:
    """Note the language of a message and of those that share its turn, if it can be told and is one of these."""
    messages = [message, *(read_message(other.number_id, other.body) for other in shared)]
    try:
        told = language_of("\n".join(filter(None, map(own_words, messages))), among)
    except Exception as problem:  # noqa: BLE001 - a turn does not fail for a guess that the library cannot make
        logger.error(
            "No language can be told of message %d: %s", row.id, trace(problem), extra={"action": "language_untold"}
        )
        return
    if told is not None:
        sent_at = max(each.sent_at for each in (row, *shared))
        # A moment in the future would outlast what is written before it comes.
        written.learn(connection, row.contact_id, told, min(sent_at, now))


def own_words(message: MessageReceived) -> str | None:
    """Return what the customer typed, or None.

    A message that was forwarded is somebody else's, and the one that comes from an advertisement begins with the words which that suggests.
    """
    wire = message.raw["message"]
    context = wire.get("context")
    known = context if isinstance(context, dict) else {}
    is_foreign = known.get("forwarded") or known.get("frequently_forwarded") or wire.get("referral")
    return message.content.text if isinstance(message.content, TextTyped) and not is_foreign else None
