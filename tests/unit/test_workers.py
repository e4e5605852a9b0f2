"""Who runs transactions: one thread that shares commits for SQLite, and what is run again after a conflict."""

from __future__ import annotations

import asyncio
import threading
from datetime import datetime, timezone

import pytest
from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError, OperationalError

from rasa_whatsapp.storage import schema, workers
from rasa_whatsapp.storage.database import Database

pytestmark = pytest.mark.asyncio

TEN = datetime(2026, 11, 22, 10, 0, tzinfo=timezone.utc)


def add(connection, contact_id):
    """Add a contact, and return its id."""
    connection.execute(insert(schema.contacts).values(id=contact_id, number_id="1", created_at=TEN))
    return contact_id


def ids(database):
    """Return the contacts in the store."""
    return database.run_now(lambda connection: sorted(connection.execute(select(schema.contacts.c.id)).scalars().all()))


class Held:
    """Holds up the store's thread until what is wanted meanwhile stands in a group."""

    def __init__(self, database):
        self.database = database
        self.go_on = threading.Event()

    async def gather(self, *works):
        """Want all of these while the thread is busy; return what each returned or raised."""
        busy = asyncio.ensure_future(self.database.run(lambda connection: self.go_on.wait(5)))
        await asyncio.sleep(0)
        wanted = [asyncio.ensure_future(self.database.run(work, *given)) for work, *given in works]
        await asyncio.sleep(0.01)
        self.go_on.set()
        await busy
        return await asyncio.gather(*wanted, return_exceptions=True)


async def test_what_is_wanted_meanwhile_shares_a_commit(database):
    """Sixty works, one transaction; each gets its own result."""
    seen = []

    def work(connection, number):
        seen.append(connection)
        return add(connection, f"c{number:02}")

    results = await Held(database).gather(*((work, number) for number in range(60)))
    assert results == [f"c{number:02}" for number in range(60)]
    assert len({id(connection) for connection in seen}) == 1
    assert ids(database) == results


async def test_one_that_fails_does_not_fail_its_neighbours(database):
    """It gets its own error and has done nothing; the others are stored, once each."""

    def break_half_way(connection):
        add(connection, "half")
        raise ZeroDivisionError

    results = await Held(database).gather((add, "a"), (break_half_way,), (add, "b"), (add, "b"), (add, "c"))
    assert [type(result) for result in results] == [str, ZeroDivisionError, str, IntegrityError, str]
    assert ids(database) == ["a", "b", "c"]


async def test_a_work_is_a_function_of_the_store(database):
    """One whose neighbour failed runs again from the beginning, as if nothing had been."""
    found = []

    def look(connection):
        found.append(connection.execute(select(schema.contacts.c.id)).scalars().all())
        return add(connection, "a")

    def fail(connection):
        raise ZeroDivisionError

    await Held(database).gather((look,), (fail,))
    assert found == [[], []]
    assert ids(database) == ["a"]


async def test_who_gave_up_waiting_harms_nobody(database):
    """A cancelled caller's work is done all the same, and the thread lives on."""
    held = Held(database)
    busy = asyncio.ensure_future(database.run(lambda connection: held.go_on.wait(5)))
    await asyncio.sleep(0)
    gone = asyncio.ensure_future(database.run(add, "gone"))
    await asyncio.sleep(0)
    gone.cancel()
    held.go_on.set()
    await busy
    assert await database.run(add, "next") == "next"
    assert ids(database) == ["gone", "next"]


async def test_closing_finishes_what_was_begun(database):
    """What was wanted before is done."""
    wanted = [asyncio.ensure_future(database.run(add, f"c{number}")) for number in range(5)]
    await asyncio.sleep(0)
    database.close()
    assert await asyncio.gather(*wanted) == [f"c{number}" for number in range(5)]


async def test_commits_of_another_process_are_noticed(database, tmp_path, stage):
    """Soon after; one's own are not told."""
    told = []
    database.listen(lambda: told.append(1))
    await database.run(add, "mine")
    await database.run(add, "mine too")
    await asyncio.sleep(0.1)
    assert told == []
    other = Database(f"sqlite:///{tmp_path / 'store.sqlite'}")
    other.run_now(add, "theirs")
    other.close()
    await stage.until(lambda: told)


class Conflict(Exception):
    """What a driver raises for a transaction that another one undid."""

    def __init__(self, code):
        super().__init__(code)
        self.pgcode = code


@pytest.mark.parametrize(
    ("code", "times", "tries", "fails"),
    [
        ("40P01", 2, 3, False),
        ("40001", 4, 5, False),
        ("40P01", 5, 5, True),
        ("55P03", 1, 1, True),
        (None, 1, 1, True),
    ],
    ids=["a deadlock", "out of step with another", "again and again", "a lock that is not to be had", "away"],
)
async def test_after_a_conflict_it_runs_again(database, code, times, tries, fails):
    """Up to five times, and only where the database says that the transaction did nothing."""
    calls = []

    def work(connection):
        calls.append(connection)
        add(connection, "a")
        if len(calls) <= times:
            raise OperationalError("x", {}, Conflict(code))
        return "done"

    try:
        result = workers.run_once(database._engine, work)
    except OperationalError:
        result = None
    assert (len(calls), result) == (tries, None if fails else "done")
    assert ids(database) == ([] if fails else ["a"])
