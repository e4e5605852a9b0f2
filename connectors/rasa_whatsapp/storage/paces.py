"""The throughput of a business number that several servers share: each reserves its slots, by the database's clock."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import text
from sqlalchemy.engine import Connection

# Slots are handed out one after the other from `full_at` on, or from now if that is past; the answer is how far ahead they end.
_RESERVE = text(
    """
    WITH clock AS (SELECT CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS BIGINT) AS now)
    INSERT INTO paces (number_id, full_at) SELECT :number, now + :share FROM clock
    ON CONFLICT (number_id) DO UPDATE SET
        full_at = GREATEST(paces.full_at, (SELECT now FROM clock)) + :share
    RETURNING full_at - (SELECT now FROM clock)
    """
)


def reserve(connection: Connection, number_id: str, share: timedelta) -> timedelta:
    """Take a share of a number's time; return how far ahead of now all of what is taken reaches."""
    values = {"number": number_id, "share": share // timedelta(microseconds=1)}
    return timedelta(microseconds=int(connection.execute(_RESERVE, values).scalar_one()))
