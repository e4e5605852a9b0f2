"""The throughput of a business number, over a clock of seconds that passes only while somebody waits."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from rasa_whatsapp import throttle as throttle_module
from rasa_whatsapp.throttle import Throttle

pytestmark = pytest.mark.asyncio


class Watch:
    """The event loop's time as the throttle sees it: it stands still but for its own pauses."""

    def __init__(self):
        self.seconds = 1000.0
        self.slept = []

    def get_running_loop(self):
        """Stand in for the loop; what else it does, the real one does."""
        real = asyncio.get_running_loop()
        watch = self

        class Loop:
            create_future = real.create_future
            create_task = real.create_task

            @staticmethod
            def time():
                return watch.seconds

        return Loop

    async def sleep(self, seconds):
        """Let others ask meanwhile, and then it is later."""
        self.slept.append(round(seconds, 6))
        await asyncio.sleep(0)
        self.seconds += max(seconds, 1e-9)  # time always passes a little


@pytest.fixture
def watch(monkeypatch):
    """Return the throttle's time."""
    made = Watch()

    class Seen:
        get_running_loop = staticmethod(made.get_running_loop)
        sleep = staticmethod(made.sleep)
        Future = asyncio.Future
        Task = asyncio.Task

    monkeypatch.setattr(throttle_module, "asyncio", Seen)
    return made


async def sent(throttle, watch, *asked):
    """Return when each of these (number, is_bulk) asked for at once may go, in seconds from now, in the order of going."""
    begin, went = watch.seconds, []

    async def ask(name, number_id, is_bulk):
        await throttle.turn(number_id, is_bulk=is_bulk)
        went.append((name, round(watch.seconds - begin, 6)))

    await asyncio.gather(*(ask(place, *each) for place, each in enumerate(asked)))
    return went


ONE = ("1", False)
BULK = ("1", True)


@pytest.mark.parametrize(
    ("per_second", "count", "moments"),
    [
        (2, 4, [0, 0.5, 1.0, 1.5]),
        (10, 3, [0, 0.1, 0.2]),
        (40, 6, [0, 0, 0, 0, 0.025, 0.05]),
        (80, 10, [0] * 8 + [0.0125, 0.025]),
    ],
    ids=["two per second", "ten per second", "forty, of which a tenth of a second goes at once", "Meta's eighty"],
)
async def test_rate_and_burst(watch, per_second, count, moments):
    """What a tenth of a second takes goes at once, then evenly."""
    went = await sent(Throttle(per_second), watch, *[ONE] * count)
    assert [moment for _, moment in went] == pytest.approx(moments)


async def test_a_pause_gives_no_more_than_a_burst(watch):
    """An hour of silence is not saved up."""
    throttle = Throttle(40)
    await sent(throttle, watch, *[ONE] * 4)
    watch.seconds += 3600
    went = await sent(throttle, watch, *[ONE] * 5)
    assert [moment for _, moment in went] == pytest.approx([0, 0, 0, 0, 0.025])


async def test_each_number_has_its_own(watch):
    """The second of one number waits, the first of another does not."""
    throttle = Throttle(2)
    assert await sent(throttle, watch, ONE) == [(0, 0)]
    went = await sent(throttle, watch, ONE, ("2", False))
    assert went == [(1, 0), (0, 0.5)]


async def test_a_number_with_another_throughput(watch):
    """A number that people answer from by the app, too, has a quarter of what Meta grants to others."""
    went = await sent(Throttle(4, rates={"2": 2}), watch, ("2", False), ("2", False), ("2", False))
    assert [moment for _, moment in went] == pytest.approx([0, 0.5, 1.0])


async def test_replies_go_before_bulk(watch):
    """Whoever waits with an answer passes what the bot says by itself; among equals the order stays."""
    went = await sent(Throttle(2), watch, BULK, BULK, ONE, BULK, ONE)
    assert [place for place, _ in went] == [0, 2, 4, 1, 3]


@pytest.mark.parametrize(
    ("times", "interval"),
    [(1, 0.2), (2, 0.4), (9, 2.0)],
    ids=["half the speed", "a quarter", "never under a twentieth"],
)
async def test_slowing_down(watch, times, interval):
    """Each refusal halves the speed, down to a bound."""
    throttle = Throttle(10)
    await throttle.turn("1", is_bulk=False)
    for _ in range(times):
        throttle.slow_down("1")
    await throttle.turn("1", is_bulk=False)  # the one whose time was reckoned before
    went = await sent(throttle, watch, ONE)
    assert went[0][1] == pytest.approx(interval, rel=0.1)


async def test_it_recovers(watch):
    """Half a minute later it is as fast as before."""
    throttle = Throttle(10)
    await throttle.turn("1", is_bulk=False)
    throttle.slow_down("1")
    watch.seconds += 30
    went = await sent(throttle, watch, ONE, ONE, ONE)
    assert [moment for _, moment in went] == pytest.approx([0, 0.1, 0.2])


async def test_another_number_is_not_slowed_down(watch):
    """Meta refused one number only; and one that never sent is none."""
    throttle = Throttle(10)
    await throttle.turn("1", is_bulk=False)
    throttle.slow_down("1")
    throttle.slow_down("3")
    went = await sent(throttle, watch, ("2", False), ("2", False))
    assert [moment for _, moment in went] == pytest.approx([0, 0.1])


async def test_who_gave_up_takes_nobodys_turn(watch):
    """A message whose server is stopping waits no more; the next one has its slot."""
    throttle = Throttle(2)
    await throttle.turn("1", is_bulk=False)
    first = asyncio.get_running_loop().create_task(throttle.turn("1", is_bulk=False))
    second = asyncio.get_running_loop().create_task(throttle.turn("1", is_bulk=False))
    await asyncio.sleep(0)
    first.cancel()
    await second
    assert first.cancelled()


class Reservations:
    """The store's slots for one number, for two servers: how far ahead what is taken reaches."""

    def __init__(self, watch):
        self.watch = watch
        self.full_at = 0.0
        self.shares = []

    async def reserve(self, number_id, share):
        """Take a share."""
        self.shares.append(share)
        self.full_at = max(self.full_at, self.watch.seconds) + share.total_seconds()
        return timedelta(seconds=self.full_at - self.watch.seconds)


async def test_reservations_are_shared(watch):
    """Another server has taken the next second: this one's six messages go after it, two for each share of a tenth."""
    slots = Reservations(watch)
    await slots.reserve("1", timedelta(seconds=1))
    went = await sent(Throttle(20, slots.reserve), watch, *[ONE] * 6)
    assert [moment for _, moment in went] == pytest.approx([1.0, 1.0, 1.1, 1.1, 1.2, 1.2])
    assert slots.shares[1:] == [timedelta(seconds=0.1)] * 3


async def test_replies_go_before_bulk_among_servers_too(watch):
    """The slots are the number's; who goes first is each server's own order."""
    slots = Reservations(watch)
    await slots.reserve("1", timedelta(seconds=1))
    went = await sent(Throttle(10, slots.reserve), watch, BULK, BULK, ONE)
    assert [place for place, _ in went] == [2, 0, 1]


async def test_no_more_is_reserved_than_waits(watch):
    """A single message takes a single slot."""
    slots = Reservations(watch)
    await Throttle(80, slots.reserve).turn("1", is_bulk=False)
    assert slots.shares == [timedelta(seconds=0.0125)]


async def test_a_store_that_is_away(watch):
    """Who waits is told, and the next one tries anew."""
    away = [OSError("the store is away")]

    async def reserve(number_id, share):
        if away:
            raise away.pop()
        return share

    throttle = Throttle(10, reserve)
    with pytest.raises(OSError, match="away"):
        await throttle.turn("1", is_bulk=False)
    await throttle.turn("1", is_bulk=False)
