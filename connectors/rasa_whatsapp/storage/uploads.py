"""Media that responses name by link: how often each went out, and under which id Meta has it once it was uploaded.

An id belongs to the business number that uploaded it and lives for 30 days (fact sheet 9); a day is left as a margin.
https://developers.facebook.com/documentation/business-messaging/whatsapp/business-phone-numbers/media
"""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.engine import Connection

from rasa_whatsapp.storage.schema import uploads

LIFE = timedelta(days=29)
_OFTEN = 2  # from the second time on, an upload saves Meta a fetch
_PAUSE_AFTER_FAILURE = timedelta(hours=1)


def media_id(connection: Connection, number_id: str, link: str, now: datetime) -> str | None:
    """Return the id under which Meta has this media, or None."""
    row = _row(connection, number_id, link)
    return str(row.media_id) if row is not None and row.media_id and row.expires_at > now else None


def is_worth_it(connection: Connection, number_id: str, link: str, now: datetime, *, anyway: bool) -> bool:
    """Tell whether to upload now: it goes out often, or must (`anyway`), and did not fail a short while ago."""
    row = _row(connection, number_id, link)
    if row is not None and row.failed_at is not None and now - row.failed_at < _PAUSE_AFTER_FAILURE:
        return False
    uses = row.uses if row is not None else 0
    return anyway or uses + 1 >= _OFTEN


def count_use(connection: Connection, number_id: str, link: str, now: datetime) -> None:
    """Note that the link goes out once more."""
    _change(connection, number_id, link, uses=uploads.c.uses + 1, used_at=now)


def keep(connection: Connection, number_id: str, link: str, media_id: str, now: datetime) -> None:
    """Note that Meta has it under this id from now on."""
    _change(connection, number_id, link, media_id=media_id, expires_at=now + LIFE, failed_at=None, used_at=now)


def failed(connection: Connection, number_id: str, link: str, now: datetime) -> None:
    """Note that it could not be uploaded."""
    _change(connection, number_id, link, failed_at=now, used_at=now)


def forget(connection: Connection, number_id: str, link: str) -> bool:
    """Give up an id that Meta refused; return whether there was one."""
    row = _row(connection, number_id, link)
    if row is None or not row.media_id:
        return False
    _change(connection, number_id, link, media_id=None, expires_at=None)
    return True


def _row(connection: Connection, number_id: str, link: str) -> Any:
    return connection.execute(select(uploads).where(_is(number_id, link))).first()


def _change(connection: Connection, number_id: str, link: str, **values: Any) -> None:
    if _row(connection, number_id, link) is None:
        connection.execute(insert(uploads).values(number_id=number_id, link=_digest(link), uses=0))
    connection.execute(update(uploads).where(_is(number_id, link)).values(**values))


def _is(number_id: str, link: str) -> Any:
    return (uploads.c.number_id == number_id) & (uploads.c.link == _digest(link))


def _digest(link: str) -> str:
    """A link may hold a customer's token, and be long: its digest is enough to know it again."""
    return hashlib.sha256(link.encode("utf-8", "replace")).hexdigest()
