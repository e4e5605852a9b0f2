"""Several quick messages of one customer as one turn: what was typed within a short time is read as one text, line by line.

Which messages share a turn is noted when it begins, so a turn that is taken again is the same. A command, a word that opts out or in,
and what is no typed text is always a turn of its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy.engine import Connection

from rasa_whatsapp import meaning
from rasa_whatsapp.cloud.content import TextTyped
from rasa_whatsapp.cloud.inbound import MessageReceived, read_message
from rasa_whatsapp.cloud.wire import MalformedField
from rasa_whatsapp.policy.consent import keyword_choice
from rasa_whatsapp.storage import inbox
from rasa_whatsapp.storage.inbox import Kind, Row
from rasa_whatsapp.turn import Turn
from rasa_whatsapp.turn_sources import Keywords

_MOST_JOINED = 20
_MOST_WAITS = 5  # whoever goes on typing is answered after so many times the setting


def ready_at(connection: Connection, row: Row, wait: timedelta, keywords: Keywords) -> datetime | None:
    """Return when the turn of this row may begin, since another message may follow; None if at once."""
    if not wait or row.attempts or _words(connection, row, keywords) is None:
        return None
    together = _together(connection, row, keywords)
    if together and together[-1][1] is None:
        return None  # something else follows: no more will be joined
    latest = together[-1][0] if together else row
    return min(latest.received_at + wait, row.received_at + wait * _MOST_WAITS)


def join(connection: Connection, row: Row, turn: Turn, wait: timedelta, keywords: Keywords) -> Turn:
    """Return the turn with what was typed in the messages that share it."""
    if wait and not row.attempts and _words(connection, row, keywords) is not None:
        others = [other for other, words in _together(connection, row, keywords) if words is not None]
        if others:
            inbox.join(connection, row, others)
    shared = sharing(connection, row, wait)
    if not shared:
        return turn
    texts = [turn.text, *map(_typed, shared)]
    ids = [other.message_id for other in shared]
    known = turn.metadata["whatsapp"] | {"joined": ids}
    return replace(turn, text="\n".join(texts), metadata={**turn.metadata, "whatsapp": known})


def sharing(connection: Connection, row: Row, wait: timedelta) -> Sequence[Row]:
    """Return the rows that share this one's turn; the store is asked only where there may be any."""
    return inbox.joined(connection, row) if wait or row.attempts or row.replays else ()


def _together(connection: Connection, row: Row, keywords: Keywords) -> Sequence[tuple[Row, str | None]]:
    """Return the rows after this one that are typed words, and the first one that is not, with None."""
    found: list[tuple[Row, str | None]] = []
    for other in _after(inbox.waiting(connection, row.contact_id, _MOST_JOINED), row):
        found.append((other, _words(connection, other, keywords)))
        if found[-1][1] is None:
            break
    return found


def _after(rows: Sequence[Row], row: Row) -> Iterator[Row]:
    return (other for other in rows if other.id != row.id)


def _words(connection: Connection, row: Row, keywords: Keywords) -> str | None:
    """Return what was typed, if it is words that may share a turn."""
    if row.kind is not Kind.MESSAGE or row.attempts or row.replays:
        return None
    try:
        message = _read(row)
    except MalformedField:
        return None
    if not isinstance(message.content, TextTyped):
        return None
    meant = meaning.said(connection, row.contact_id, message)
    choice = keyword_choice(meant.text, opt_out=keywords.opt_out, opt_in=keywords.opt_in)
    return None if meant.is_command or choice else meant.text


def _typed(row: Row) -> str:
    content = _read(row).content
    return content.text if isinstance(content, TextTyped) else ""


def _read(row: Row) -> MessageReceived:
    return read_message(row.number_id, row.body)
