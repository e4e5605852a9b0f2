"""What Meta told about one message that concerns all of a business number: each server that sends from it has to hear of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Integer, bindparam, select, text
from sqlalchemy.engine import Connection

from rasa_whatsapp.storage.schema import Moment, troubles

_NOTE = text(
    """
    INSERT INTO troubles (number_id, code, at) VALUES (:number_id, :code, :at)
    ON CONFLICT (number_id, code) DO UPDATE SET at = excluded.at
    """
).bindparams(bindparam("at", type_=Moment), bindparam("code", type_=Integer))
_SINCE = select(troubles).where(troubles.c.at > bindparam("since")).order_by(troubles.c.at)


@dataclass(frozen=True, slots=True)
class Trouble:
    """Meta's error code in the status of a message from a number, and when it was heard of."""

    number_id: str
    code: int
    at: datetime


def note(connection: Connection, trouble: Trouble) -> None:
    """Keep the latest of each code."""
    values = {"number_id": trouble.number_id, "code": trouble.code, "at": trouble.at}
    connection.execute(_NOTE, values)


def since(connection: Connection, moment: datetime) -> list[Trouble]:
    """Return what was heard of after a moment."""
    return [Trouble(row.number_id, row.code, row.at) for row in connection.execute(_SINCE, {"since": moment})]
