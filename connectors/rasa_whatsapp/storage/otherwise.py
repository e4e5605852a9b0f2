"""Messages of the outbox that are to be said otherwise: by another rung of the ladder, in words instead of a template, as a longer text.

None is sent from here: a message that goes back to `pending` passes the gate again, which then chooses among what is left.
"""

from __future__ import annotations

import re
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.engine import Connection

from rasa_whatsapp.cloud.wire import JSONDict
from rasa_whatsapp.storage.outbox import NOT_DIRECTLY, OPEN, Message, State
from rasa_whatsapp.storage.schema import outbox

AS_TEMPLATE = "the response went as its template"
_PART = re.compile(r"(\.\d+)?")  # what the key of a part has after the response's


def reopen(connection: Connection, message: Message) -> None:
    """After 131047 as an HTTP error: let the message pass the gate again, with the window closed now."""
    _reopen(connection, message)


def turn_down(connection: Connection, message: Message, *, reason: str, code: int) -> None:
    """After Meta did not take a message by Direct Send: let it pass the gate again, which does not try that a second time."""
    _reopen(connection, message, form=NOT_DIRECTLY, reason=reason, error_code=code)


def _reopen(connection: Connection, message: Message, **more: Any) -> None:
    mine = (outbox.c.id == message.id) & outbox.c.state.in_(OPEN)
    connection.execute(update(outbox).where(mine).values(state=State.PENDING.value, not_before=None, **more))


def stand_back(connection: Connection, tried: Message) -> None:
    """Let the response's other messages that nobody has tried yet go as the one that is tried for all of them."""
    untried = (outbox.c.state == State.PENDING.value) & (outbox.c.attempts == 0)
    others = (outbox.c.utterance == tried.utterance) & (outbox.c.id != tried.id) & outbox.c.template.isnot(None)
    gone = {"state": State.REPLACED.value, "reason": AS_TEMPLATE}
    connection.execute(update(outbox).where(others & untried).values(**gone))


def say_in_words(connection: Connection, failed: Message) -> None:
    """Let a response whose last template failed go without one: each of its messages that did not go by itself."""
    rows = connection.execute(select(outbox).where(outbox.c.utterance == failed.utterance)).all()
    parts = {row.id for row in rows if _PART.fullmatch(row.key.removeprefix(row.utterance)) and _stands_back(row)}
    again = {"state": State.PENDING.value, "form": "template", "template": None, "not_before": None, "reason": None}
    connection.execute(update(outbox).where(outbox.c.id.in_(parts)).values(**again))
    tried = outbox.c.id.in_({row.id for row in rows if row.state == State.FAILED.value} - parts)
    gone = {"state": State.REPLACED.value, "reason": func.coalesce(outbox.c.reason, "") + "; its words go instead"}
    connection.execute(update(outbox).where(tried).values(**gone))


def _stands_back(row: Any) -> bool:
    return bool(row.reason == AS_TEMPLATE or (row.state == State.FAILED.value and row.form == "template"))


def went_as_template(connection: Connection, utterance: str, *, but: int) -> bool:
    """Tell whether another message of the utterance carried its template already."""
    carried = (outbox.c.utterance == utterance) & (outbox.c.form == "template") & (outbox.c.id != but)
    alive = outbox.c.state.notin_((State.FAILED.value, State.REFUSED.value))
    return connection.execute(select(outbox.c.id).where(carried & alive)).first() is not None


def say_more(connection: Connection, message: Message, free_form: JSONDict) -> None:
    """Let a message that nobody has tried to send say something else, and more."""
    connection.execute(update(outbox).where(outbox.c.id == message.id).values(free_form=free_form))
