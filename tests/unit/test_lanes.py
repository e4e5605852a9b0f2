"""Lanes: one piece of work at a time for a key, different keys at once, none starves, none dies."""

from __future__ import annotations

import asyncio

import pytest

from rasa_whatsapp import lanes as lanes_module
from rasa_whatsapp.lanes import Lanes

pytestmark = pytest.mark.asyncio


async def until(question):
    """Wait until the answer is true."""
    deadline = asyncio.get_running_loop().time() + 5
    while not question():
        assert asyncio.get_running_loop().time() < deadline
        await asyncio.sleep(0.001)


async def test_never_twice_at_once_for_a_key():
    """However often it is woken meanwhile; and it looks once more afterwards."""
    running, calls = 0, 0

    async def work(key):
        nonlocal running, calls
        running += 1
        calls += 1
        assert running == 1
        await asyncio.sleep(0.005)
        running -= 1

    lanes = Lanes(work, at_once=8)
    for _ in range(20):
        lanes.wake("a")
    await asyncio.sleep(0.001)
    lanes.wake("a")
    await until(lambda: not lanes._running)
    assert calls == 2


async def test_zero_means_again_at_once():
    """A lane works until nothing is left."""
    left = [3]

    async def work(key):
        left[0] -= 1
        return 0 if left[0] else None

    lanes = Lanes(work, at_once=1)
    lanes.wake("a")
    await until(lambda: not lanes._running)
    assert left == [0]


async def test_a_busy_lane_lets_others_in():
    """With one place only, a lane without end does not starve another."""
    seen = []

    async def work(key):
        seen.append(key)
        await asyncio.sleep(0)  # as every real piece of work does
        return 0 if key == "busy" and len(seen) < 1000 else None

    lanes = Lanes(work, at_once=1)
    lanes.wake("busy")
    lanes.wake("other")
    await until(lambda: "other" in seen)
    assert seen.index("other") < 5
    await lanes.close(1)


async def test_a_pause():
    """A lane comes back after the seconds that it asked for."""
    calls = []

    async def work(key):
        calls.append(asyncio.get_running_loop().time())
        return 0.05 if len(calls) == 1 else None

    lanes = Lanes(work, at_once=1)
    lanes.wake("a")
    await until(lambda: len(calls) == 2)
    assert calls[1] - calls[0] >= 0.04


async def test_woken_before_its_pause_is_over():
    """New work does not wait for the timer of old work."""
    calls = []

    async def work(key):
        calls.append(key)
        return 60 if len(calls) == 1 else None

    lanes = Lanes(work, at_once=1)
    lanes.wake("a")
    await until(lambda: not lanes._running)
    lanes.wake("a")
    await until(lambda: len(calls) == 2)
    await lanes.close(1)


async def test_a_lane_that_stumbles_goes_on(monkeypatch, caplog):
    """An exception is logged, and the lane looks again after a moment."""
    monkeypatch.setattr(lanes_module, "_PAUSE_AFTER_FAILURE_SECONDS", 0.01)
    calls = []

    async def work(key):
        calls.append(key)
        if len(calls) < 3:
            raise OSError("away")

    lanes = Lanes(work, at_once=1)
    lanes.wake("a")
    await until(lambda: len(calls) == 3)
    assert "stumbled" in caplog.text


async def test_closing_waits_and_then_cuts_off():
    """What ends within the grace ends; the rest is cancelled; nothing new begins."""
    done, cut = [], []

    async def work(key):
        try:
            await asyncio.sleep(0.02 if key == "short" else 60)
            done.append(key)
        except asyncio.CancelledError:
            cut.append(key)
            raise

    lanes = Lanes(work, at_once=8)
    lanes.wake("short")
    lanes.wake("long")
    await asyncio.sleep(0.005)
    await lanes.close(0.1)
    lanes.wake("late")
    assert (done, cut, lanes._running) == (["short"], ["long"], {})


async def test_a_lane_that_waits_is_left_alone():
    """It knows when to look again; an idle one looks at once."""
    calls = []

    async def work(key):
        calls.append(key)
        return 3600 if key == "waits" else None

    lanes = Lanes(work, at_once=8)
    lanes.wake("waits")
    lanes.wake("idle")
    await until(lambda: not lanes._running)
    for key in ("waits", "idle"):
        lanes.wake_idle(key)
    await until(lambda: not lanes._running)
    assert calls == ["waits", "idle", "idle"]
    await lanes.close(0)
