"""The throughput that several servers share, by the clock of their PostgreSQL."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import update

from rasa_whatsapp.storage import paces, schema

pytestmark = pytest.mark.on("postgresql")
SECOND = timedelta(seconds=1)


def test_slots_follow_each_other(database):
    """Whoever asks next, from wherever, gets the time after what is taken."""
    first, second, third = (database.run_now(paces.reserve, "1", share) for share in (SECOND * 5, SECOND, SECOND * 3))
    assert first == SECOND * 5
    assert SECOND * 5 < second <= SECOND * 6
    assert SECOND * 8 < third <= SECOND * 9


def test_numbers_do_not_share(database):
    """Each has its own throughput."""
    database.run_now(paces.reserve, "1", SECOND * 60)
    assert database.run_now(paces.reserve, "2", SECOND) == SECOND


def test_what_is_past_is_not_saved_up(database):
    """After a silence the slots begin now."""
    database.run_now(paces.reserve, "1", SECOND)
    database.run_now(lambda connection: connection.execute(update(schema.paces).values(full_at=1)))
    assert database.run_now(paces.reserve, "1", SECOND) == SECOND
