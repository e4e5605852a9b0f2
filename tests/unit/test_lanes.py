"""Working on lanes: one piece at a time for a contact, as many contacts at once as there are places, none starves, none dies."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
import pytest_asyncio

from rasa_whatsapp import lanes as lanes_module
from rasa_whatsapp.errors import LaneLost
from rasa_whatsapp.lanes import Lanes
from rasa_whatsapp.storage import lanes as stored
from rasa_whatsapp.storage.lanes import Kind, Rank

pytestmark = pytest.mark.asyncio

ME = "server-me"


async def until(question):
    """Wait until the answer is true."""
    deadline = asyncio.get_running_loop().time() + 20
    while not question():
        assert asyncio.get_running_loop().time() < deadline
        await asyncio.sleep(0.001)


class Workshop:
    """Lanes over a store in which a contact has work as often as it was woken."""

    def __init__(self, database, clock):
        self.database = database
        self.clock = clock
        self.lanes = None
        self.seen = []

    def open(self, work, **limits):
        """Begin to work as this server."""
        self.lanes = Lanes(Kind.TURNS, work, database=self.database, clock=self.clock, **limits)
        self.lanes.start(ME)

    async def wake(self, *contact_ids, rank=Rank.REPLY, claimed=False, later=timedelta(0)):
        """Add work, as intake does it: claimed for this server, if it has places free, or for whoever comes."""
        claimant = self.lanes.claimant if claimed else None
        now = self.clock.now() + later
        mine = await self.database.run(stored.wake_all, Kind.TURNS, contact_ids, now, rank, claimant)
        self.lanes.take(mine)
        self.lanes.look()

    async def finish(self, lane):
        """Say that nothing is left to do."""
        await self.database.run(stored.finish, lane)
        return False

    async def left(self):
        """Return how many lanes are in the store."""
        return await self.database.run(
            lambda connection: connection.exec_driver_sql("SELECT count(*) FROM lanes").scalar()
        )


@pytest_asyncio.fixture
async def workshop(database, clock):
    """Return an empty workshop."""
    made = Workshop(database, clock)
    yield made
    if made.lanes is not None:
        await made.lanes.close(0)


@pytest.mark.parametrize("claimed", [True, False], ids=["claimed when it was woken", "claimed later"])
async def test_never_twice_at_once_for_a_contact(workshop, claimed):
    """However often it is woken meanwhile."""
    running = 0

    async def work(lane):
        nonlocal running
        running += 1
        assert running == 1
        await asyncio.sleep(0.005)
        running -= 1
        workshop.seen.append(lane.contact_id)
        return await workshop.finish(lane)

    workshop.open(work, at_once=8)
    for _ in range(5):
        await workshop.wake("a", claimed=claimed)
    while await workshop.left():
        await asyncio.sleep(0.001)
    assert 1 <= len(workshop.seen) <= 5


async def test_true_means_again_at_once(workshop):
    """A lane is worked on until it is finished."""

    async def work(lane):
        workshop.seen.append(lane)
        return True if len(workshop.seen) < 3 else await workshop.finish(lane)

    workshop.open(work, at_once=1)
    await workshop.wake("a", claimed=True)
    await until(lambda: len(workshop.seen) == 3)
    await until(lambda: not workshop.lanes._running)
    assert {(lane.contact_id, lane.owner) for lane in workshop.seen} == {("a", ME)}


async def test_woken_in_the_middle_is_no_lost_lane(workshop, caplog):
    """What is added while a lane is worked on is seen by the look that follows, and nothing is told to be lost."""
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def work(lane):
        workshop.seen.append(lane.contact_id)
        await workshop.database.run(stored.hold, lane)
        begun.set()
        if len(workshop.seen) == 1:
            await go_on.wait()
            return True
        return await workshop.finish(lane)

    workshop.open(work, at_once=1)
    await workshop.wake("a", claimed=True)
    await begun.wait()
    await workshop.wake("a", "b", claimed=False)
    workshop.lanes.take(["a"])
    go_on.set()
    await until(lambda: workshop.seen == ["a", "a", "b"])
    await until(lambda: not workshop.lanes._running)
    assert caplog.text == ""


async def test_no_more_at_once_than_there_are_places(workshop):
    """Also when one transaction claims more than that; all of them have their turn."""
    now, most = 0, 0

    async def work(lane):
        nonlocal now, most
        now += 1
        most = max(most, now)
        await asyncio.sleep(0.002)
        now -= 1
        workshop.seen.append(lane.contact_id)
        return await workshop.finish(lane)

    workshop.open(work, at_once=3)
    await workshop.wake(*"abcdefghij", claimed=True)
    await until(lambda: len(workshop.seen) == 10)
    assert (most, sorted(workshop.seen)) == (3, list("abcdefghij"))


@pytest.mark.parametrize(
    "limits", [{"at_once": 1}, {"at_once": 9, "keeps_up": lambda: False}], ids=["one place", "no time for a second one"]
)
async def test_a_lane_without_end_gives_way(workshop, clock, monkeypatch, limits):
    """Another contact, whom nobody claims meanwhile, has its turn after a moment, and the long one goes on afterwards."""
    monkeypatch.setattr(lanes_module, "_TURN_SECONDS", 0.01)

    async def work(lane):
        workshop.seen.append(lane.contact_id)
        clock.advance(milliseconds=1)  # who gives way stands behind who waited
        await asyncio.sleep(0.001)
        if lane.contact_id == "busy" and "other" not in workshop.seen:
            return True
        finished.add(lane.contact_id)
        return await workshop.finish(lane)

    finished: set[str] = set()
    workshop.open(work, **limits)
    await workshop.wake("busy", claimed=True)
    await until(lambda: workshop.seen)
    await workshop.wake("other")
    workshop.lanes.look()
    await until(lambda: "other" in workshop.seen)
    await until(lambda: finished == {"busy", "other"})


async def test_a_lane_that_is_given_back_comes_again(workshop):
    """At the moment that it was given back for, and not before."""

    async def work(lane):
        workshop.seen.append(lane.contact_id)
        if len(workshop.seen) > 1:
            return await workshop.finish(lane)
        await workshop.database.run(stored.give_back, lane, workshop.clock.now() + timedelta(seconds=30))
        return False

    workshop.open(work, at_once=1)
    await workshop.wake("a", claimed=True)
    await until(lambda: workshop.seen and not workshop.lanes._running)
    workshop.clock.advance(seconds=29)
    await workshop.wake("b", later=timedelta(days=1))
    await until(lambda: not workshop.lanes._look.is_set())
    assert workshop.seen == ["a"]
    workshop.clock.advance(seconds=1)
    workshop.lanes.look()
    await until(lambda: workshop.seen == ["a", "a"])


async def test_it_looks_by_itself_when_a_pause_is_over(workshop):
    """Nobody needs to tell that a moment has come."""

    async def work(lane):
        workshop.seen.append(lane.contact_id)
        return await workshop.finish(lane)

    workshop.open(work, at_once=1)
    await workshop.wake("a", later=timedelta(milliseconds=20))
    await until(lambda: not workshop.lanes._look.is_set())
    workshop.clock.advance(seconds=1)
    await until(lambda: workshop.seen == ["a"])


async def test_a_place_is_kept_for_answers(workshop):
    """Bulk takes three places of four; an answer begins while all of it is at work."""
    gate = asyncio.Event()

    async def work(lane):
        workshop.seen.append(lane.contact_id)
        if lane.contact_id.startswith("bulk"):
            await gate.wait()
        return await workshop.finish(lane)

    workshop.open(work, at_once=4)
    await workshop.wake(*(f"bulk{number}" for number in range(9)), rank=Rank.BULK)
    await until(lambda: len(workshop.seen) == 3)
    await workshop.wake("lea")
    await until(lambda: "lea" in workshop.seen)
    assert len(workshop.seen) == 4
    gate.set()
    await until(lambda: len(workshop.seen) == 10)


async def test_a_lane_that_stumbles_goes_on(workshop, monkeypatch, caplog):
    """An exception is logged, and the lane looks again after a moment."""
    monkeypatch.setattr(lanes_module, "_PAUSE_AFTER_FAILURE_SECONDS", 0.01)

    async def work(lane):
        workshop.seen.append(lane.contact_id)
        if len(workshop.seen) < 3:
            raise OSError("away")
        return await workshop.finish(lane)

    workshop.open(work, at_once=1)
    await workshop.wake("a", claimed=True)
    await until(lambda: len(workshop.seen) == 3)
    assert "stumbled" in caplog.text


async def test_a_lost_lane_is_left_alone(workshop, caplog):
    """It is another server's: it is not looked at again, and others go on."""

    async def work(lane):
        workshop.seen.append(lane.contact_id)
        if lane.contact_id == "lost":
            raise LaneLost("the lane of lost is another server's now")
        return await workshop.finish(lane)

    workshop.open(work, at_once=1)
    await workshop.wake("lost", claimed=True)
    await until(lambda: workshop.seen == ["lost"])
    await workshop.wake("other")
    await until(lambda: workshop.seen == ["lost", "other"])
    assert "another server's now" in caplog.text


async def test_a_server_that_goes_on_anew(workshop):
    """Lanes that it had not begun under its old id are left; what it claims from then on is its own."""
    gate = asyncio.Event()

    async def work(lane):
        workshop.seen.append((lane.contact_id, lane.owner))
        await gate.wait()
        return await workshop.finish(lane)

    workshop.open(work, at_once=1)
    await workshop.wake("a", "b", claimed=True)
    await until(lambda: workshop.seen == [("a", ME)] and workshop.lanes._is_crowded)  # no claim is under way any more
    workshop.lanes.forsake("server-anew")
    gate.set()
    await workshop.wake("c")
    await until(lambda: ("c", "server-anew") in workshop.seen)
    assert ("b", ME) not in workshop.seen


async def test_closing_waits_and_then_cuts_off(workshop):
    """What ends within the grace ends; the rest is cancelled; nothing new begins."""
    done, cut = [], []

    async def work(lane):
        workshop.seen.append(lane.contact_id)
        try:
            await asyncio.sleep(0.02 if lane.contact_id == "short" else 60)
            done.append(lane.contact_id)
            return False
        except asyncio.CancelledError:
            cut.append(lane.contact_id)
            raise

    workshop.open(work, at_once=8)
    await workshop.wake("short", "long", claimed=True)
    await until(lambda: len(workshop.seen) == 2)
    await workshop.lanes.close(0.1)
    assert workshop.lanes.claimant is None
    workshop.lanes.take(["late"])
    await workshop.wake("later")
    assert (done, cut, workshop.lanes._running) == (["short"], ["long"], {})


async def test_a_claim_whose_answer_was_lost_is_found(workshop, monkeypatch):
    """The connection broke when it was committed: the lane is ours, and nobody works on it. One that is finished meanwhile is not."""

    async def work(lane):
        workshop.seen.append(lane.contact_id)
        return await workshop.finish(lane)

    workshop.open(work, at_once=4)
    mine = workshop.lanes.claimant
    now = workshop.clock.now()
    assert await workshop.database.run(stored.wake_all, Kind.TURNS, "ab", now, Rank.REPLY, mine) == ["a", "b"]
    await workshop.lanes.find_forgotten()
    await workshop.finish(stored.Lane(Kind.TURNS, "b", ME))
    assert workshop.seen == []  # at the first look it may be on its way
    await workshop.lanes.find_forgotten()
    await until(lambda: workshop.seen == ["a"])
