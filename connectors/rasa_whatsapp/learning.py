"""Learns from what customers type in which language they write. Only words of their own count, not what they tapped, forwarded or were given to send."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy.engine import Connection

from rasa_whatsapp.cloud.content import TextTyped
from rasa_whatsapp.cloud.inbound import MessageReceived, read_message
from rasa_whatsapp.cloud.text_language import language_of
from rasa_whatsapp.storage import inbox, written
from rasa_whatsapp.storage.inbox import Row


def learn(connection: Connection, row: Row, message: MessageReceived, among: Collection[str], now: datetime) -> None:
    """Note the language of a message and of those that share its turn, if it can be told and is one of these."""
    if not among:
        return
    shared = inbox.joined(connection, row)
    messages = [message, *(read_message(other.number_id, other.body) for other in shared)]
    told = language_of("\n".join(filter(None, map(own_words, messages))), among)
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
