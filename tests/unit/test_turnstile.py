"""Turns go into the dialogue two at a time, more when the event loop has time for them; and how that is measured."""

from __future__ import annotations

import asyncio
import time

import pytest
import pytest_asyncio

from rasa_whatsapp import pulse, turnstile
from rasa_whatsapp.pulse import Pulse
from rasa_whatsapp.turnstile import Turnstile

pytestmark = pytest.mark.asyncio


class Crowd:
    """Turns that pass a turnstile and stay until they are told to go."""

    def __init__(self, calm=False):
        self.calm = calm
        self.gate = Turnstile(lambda: self.calm)
        self.entered = []
        self.ends = {}
        self.tasks = {}

    def come(self, name):
        """Let one come."""
        self.ends[name] = asyncio.Event()
        self.tasks[name] = asyncio.create_task(self._pass(name))

    async def _pass(self, name):
        async with self.gate.passed():
            self.entered.append(name)
            await self.ends[name].wait()

    async def settle(self, *expected):
        """Wait until these have entered, in this order."""
        deadline = asyncio.get_running_loop().time() + 5
        while self.entered != list(expected):
            assert asyncio.get_running_loop().time() < deadline, self.entered
            await asyncio.sleep(0.001)

    async def leave(self, *names):
        """Let some go."""
        for name in names:
            self.ends[name].set()
        await asyncio.gather(*(self.tasks[name] for name in names))


@pytest_asyncio.fixture
async def crowd():
    """Return a crowd before a turnstile of a busy loop."""
    crowd = Crowd()
    yield crowd
    for task in crowd.tasks.values():
        task.cancel()
    await asyncio.gather(*crowd.tasks.values(), return_exceptions=True)


async def test_two_always(crowd, monkeypatch):
    """However busy the loop is: one computes while the other waits for the store."""
    monkeypatch.setattr(turnstile, "_LONGEST_WAIT_SECONDS", 3600)
    for name in "abc":
        crowd.come(name)
    await crowd.settle("a", "b")
    assert not crowd.gate.is_open
    await crowd.leave("b")
    await crowd.settle("a", "b", "c")


async def test_more_while_the_loop_is_calm(crowd):
    """They wait for an action server: there is time for others."""
    crowd.calm = True
    for name in "abcdef":
        crowd.come(name)
    await crowd.settle(*"abcdef")


async def test_they_enter_in_their_order(crowd, monkeypatch):
    """Who came first goes first, whoever leaves."""
    monkeypatch.setattr(turnstile, "_LONGEST_WAIT_SECONDS", 3600)
    for name in "abcdef":
        crowd.come(name)
    await crowd.settle("a", "b")
    await crowd.leave("b", "a")
    await crowd.settle(*"abcd")
    await crowd.leave("d", "c")
    await crowd.settle(*"abcdef")


async def test_nobody_waits_for_ever(crowd, monkeypatch):
    """Two hang, and the loop is busy with something else."""
    monkeypatch.setattr(turnstile, "_LONGEST_WAIT_SECONDS", 0.01)
    for name in "abc":
        crowd.come(name)
    await crowd.settle("a", "b", "c")


async def test_who_gives_up_leaves_no_gap(crowd, monkeypatch):
    """The server stops while a turn waits before the turnstile."""
    monkeypatch.setattr(turnstile, "_LONGEST_WAIT_SECONDS", 3600)
    for name in "abcd":
        crowd.come(name)
    await crowd.settle("a", "b")
    crowd.tasks["c"].cancel()
    await crowd.leave("a")
    await crowd.settle("a", "b", "d")
    await crowd.leave("b", "d")
    assert crowd.gate.is_open


async def test_a_turn_that_fails_frees_its_place(crowd):
    """Else two failures would close the door."""
    for _ in range(3):
        with pytest.raises(ValueError, match="broken"):
            async with crowd.gate.passed():
                raise ValueError("broken")
    assert crowd.gate.is_open


@pytest_asyncio.fixture
async def beating():
    """Return a pulse that beats."""
    beating = Pulse()
    beating.start()
    yield beating
    await beating.stop()


async def until(question):
    """Wait until the answer is true."""
    deadline = asyncio.get_running_loop().time() + 5
    while not question():
        assert asyncio.get_running_loop().time() < deadline
        await asyncio.sleep(0.001)


async def test_a_loop_that_was_held_up_is_not_calm(beating):
    """A turn computed for a tenth of a second; a moment later all is well."""
    await until(lambda: beating.is_calm)
    time.sleep(0.1)  # noqa: ASYNC251 - it holds the loop up
    assert not beating.is_calm
    await until(lambda: beating.is_calm)


async def test_a_loop_without_a_moment_to_spare_is_not_calm(beating, monkeypatch):
    """Short pieces hold nothing up, but there are so many of them that more would not be done sooner."""
    loop = asyncio.get_running_loop()
    monkeypatch.setattr(pulse, "thread_time", loop.time)
    await until(lambda: beating._busy > 0.7)
    assert not beating.is_calm
    monkeypatch.setattr(pulse, "thread_time", lambda: 0.0)
    await until(lambda: beating.is_calm)
