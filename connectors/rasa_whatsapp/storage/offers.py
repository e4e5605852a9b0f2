"""What our messages offered to choose, and what a choice means: only this makes a customer's tap or number a command."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.engine import Connection

from rasa_whatsapp.cloud.wire import JSONDict
from rasa_whatsapp.storage.outbox import OPEN, cause_of
from rasa_whatsapp.storage.schema import outbox

_LAST_WORDS = 20  # as many messages as one cause may have led to, to look for a menu among them


@dataclass(frozen=True, slots=True, kw_only=True)
class Menu:
    """What a message of ours offered to choose."""

    choices: Mapping[str, str]
    numbers: Sequence[str]
    more: JSONDict | None


def choice(connection: Connection, contact_id: str, message_id: str, choice_id: str) -> str | None:
    """Return the payload behind a choice that we offered this contact in that message, or None if we did not."""
    offered = _menu(connection, contact_id, message_id, lambda menu: choice_id in menu.choices)
    payload = offered.choices.get(choice_id) if offered else None
    return None if payload is None else str(payload)


def more(connection: Connection, contact_id: str, message_id: str) -> JSONDict | None:
    """Return the further pages of the menu that we sent this contact in that message, or None if there are none."""
    offered = _menu(connection, contact_id, message_id, lambda menu: menu.more is not None)
    return offered.more if offered else None


def numbers_on_offer(connection: Connection, contact_id: str, message_id: str | None) -> Sequence[str]:
    """Return what 1, 2, 3 ... mean: in the message that is quoted, else in what one cause made us say last."""
    if message_id is not None:
        quoted = _menu(connection, contact_id, message_id, lambda menu: bool(menu.numbers))
        return quoted.numbers if quoted else ()
    went = (outbox.c.contact_id == contact_id) & (outbox.c.attempts > 0)
    rows = connection.execute(select(outbox).where(went).order_by(outbox.c.id.desc()).limit(_LAST_WORDS)).all()
    same_cause = [row for row in rows if cause_of(row.utterance) == cause_of(rows[0].utterance)]
    return next((row.numbers for row in same_cause if row.numbers), ())


def _menu(connection: Connection, contact_id: str, message_id: str, is_meant: Callable[[Menu], bool]) -> Menu | None:
    mine = outbox.c.contact_id == contact_id
    row = connection.execute(select(outbox).where(mine & (outbox.c.message_id == message_id))).first()
    if row is not None:
        return _menu_of(row)
    # The tap can overtake the answer to the request that sent the message: then its id is not known yet.
    under_way = mine & outbox.c.state.in_(OPEN) & outbox.c.message_id.is_(None) & (outbox.c.attempts > 0)
    return next(
        (menu for row in connection.execute(select(outbox).where(under_way)) if is_meant(menu := _menu_of(row))), None
    )


def _menu_of(row: Any) -> Menu:
    return Menu(choices=row.choices, numbers=row.numbers or (), more=row.more)
