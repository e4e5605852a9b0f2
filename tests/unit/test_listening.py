"""NOTIFY of PostgreSQL: what one process stores, another hears of when it is committed, and not before."""

from __future__ import annotations

import asyncio
import os
import resource
from datetime import datetime, timezone

import pytest

from rasa_whatsapp.storage import lanes, listening
from rasa_whatsapp.storage.database import Database
from rasa_whatsapp.storage.lanes import Kind

pytestmark = [pytest.mark.asyncio, pytest.mark.on("postgresql")]

TEN = datetime(2026, 11, 22, 10, 0, tzinfo=timezone.utc)


@pytest.fixture
def other(database):
    """Return the store as another process has it."""
    made = Database(database._engine.url.render_as_string(hide_password=False))
    yield made
    made.close()


@pytest.fixture
def told(other):
    """Return what counts how often the other process was told that something has changed."""
    return []


async def listen(other, told, stage):
    """Begin to listen; whoever begins is told once, for what was missed before."""
    other.listen(lambda: told.append(1))
    await stage.until(lambda: told)
    told.clear()


async def test_a_lane_of_nobodys_is_told(database, other, told, stage):
    """Whoever has a place free takes it."""
    await listen(other, told, stage)
    await database.run(lanes.wake, Kind.TURNS, "lea", TEN)
    await stage.until(lambda: told)


async def test_a_claimed_lane_is_not_told(database, other, told, stage):
    """It has found its server: the others need not look."""
    await listen(other, told, stage)
    await database.run(lanes.wake, Kind.TURNS, "lea", TEN, claimant="server-a")
    await asyncio.sleep(0.1)
    assert told == []


async def test_not_before_the_commit(database, other, told, stage):
    """And not at all if it is undone."""
    await listen(other, told, stage)
    with database._engine.connect() as connection:
        begun = connection.begin()
        listening.notify(connection)
        await asyncio.sleep(0.1)
        assert told == []
        begun.rollback()
        await asyncio.sleep(0.1)
        assert told == []
    await database.run(listening.notify)
    await stage.until(lambda: told)


@pytest.fixture
def many_files():
    """Have more files open than select() can tell apart."""
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(4096, limits[1]), limits[1]))
    opened = [os.open(os.devnull, os.O_RDONLY) for _ in range(1100)]
    assert max(opened) > 1023
    yield
    for each in opened:
        os.close(each)
    resource.setrlimit(resource.RLIMIT_NOFILE, limits)


@pytest.mark.usefixtures("many_files")
async def test_a_process_with_many_connections_listens_too(database, other, told, stage):
    """Its descriptors are high numbers, as on a busy intake."""
    await listen(other, told, stage)
    await database.run(listening.notify)
    await stage.until(lambda: told)


async def test_it_connects_again(database, other, told, stage, monkeypatch):
    """The server ends the connection: soon it listens on a new one, and looks for what it missed."""
    monkeypatch.setattr(listening, "_PAUSE_SECONDS", 0.01)
    await listen(other, told, stage)
    ended = await database.run(
        lambda connection: connection.exec_driver_sql(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE query LIKE 'LISTEN%%'"
        ).scalar()
    )
    assert ended == 1
    await stage.until(lambda: told)
    told.clear()
    await database.run(listening.notify)
    await stage.until(lambda: told)


async def test_it_ends_at_once(other, told, stage):
    """Closing waits for no tick."""
    await listen(other, told, stage)
    begin = asyncio.get_running_loop().time()
    other._listener.close()
    other._listener = None
    assert asyncio.get_running_loop().time() - begin < 0.5
