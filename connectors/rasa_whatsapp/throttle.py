"""Keeps each business number within its throughput: whoever is about to send waits for a turn here, replies before bulk.

Where several servers send from one number, they share its throughput by slots that are reserved in the store, some at a time.
"""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta

_BURST_SECONDS = 0.1  # what may be sent at once after a pause, and what is reserved at a time
_LEAST_SHARE = 0.05
_RECOVERY_SECONDS = 30.0  # from being refused for speed back to full speed

# reserves so much of a number's time; returns how far ahead of now all that is taken reaches
Reserve = Callable[[str, timedelta], Awaitable[timedelta]]


class Throttle:
    """The throughput of all numbers, in messages per second; `reserve` is None where only this process sends.

    `rates` names the numbers that have another one.
    """

    def __init__(
        self, per_second: int, reserve: Reserve | None = None, *, rates: Mapping[str, int] | None = None
    ) -> None:
        self._per_second = per_second
        self._rates = rates or {}
        self._reserve = reserve
        self._numbers: dict[str, _Number] = {}

    async def turn(self, number_id: str, *, is_bulk: bool) -> None:
        """Return when the number may send."""
        if number_id not in self._numbers:
            self._numbers[number_id] = _Number(number_id, self._rates.get(number_id, self._per_second), self._reserve)
        await self._numbers[number_id].turn(is_bulk=is_bulk)

    def slow_down(self, number_id: str) -> None:
        """Send at half the speed, and come back to full speed over the next half minute."""
        if number_id in self._numbers:
            self._numbers[number_id].slow_down()


class _Number:
    """One number's queue and slots, by the event loop's time: a restart forgets a tenth of a second of it."""

    def __init__(self, number_id: str, per_second: int, reserve: Reserve | None) -> None:
        self._id = number_id
        self._per_second = per_second
        self._reserve = reserve
        self._queue: list[tuple[bool, int, asyncio.Future[None]]] = []
        self._asked = 0
        self._serving: asyncio.Task[None] | None = None
        self._full_at = 0.0
        self._slots = 0
        self._slowed_at: float | None = None
        self._slowed_to = 1.0

    async def turn(self, *, is_bulk: bool) -> None:
        """See `Throttle`."""
        if not self._queue and self._reserve is None and self._take(asyncio.get_running_loop().time()) <= 0:
            return
        self._asked += 1
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._queue, (is_bulk, self._asked, turn))
        if self._serving is None:
            self._serving = asyncio.get_running_loop().create_task(self._serve())
        await turn

    def slow_down(self) -> None:
        """See `Throttle`."""
        now = asyncio.get_running_loop().time()
        self._slowed_to = max(self._speed(now) / 2, _LEAST_SHARE)
        self._slowed_at = now

    def _speed(self, now: float) -> float:
        """Return the share of full speed that may be used."""
        if self._slowed_at is None:
            return 1.0
        return min(self._slowed_to + (now - self._slowed_at) / _RECOVERY_SECONDS, 1.0)

    def _interval(self, now: float) -> float:
        return 1.0 / (self._per_second * self._speed(now))

    def _take(self, now: float) -> float:
        """Take the next slot if it is there; return the seconds until it is, at most 0 if it was taken."""
        pause = self._full_at - now - max(_BURST_SECONDS - self._interval(now), 0)
        if pause <= 0:
            self._full_at = max(self._full_at, now) + self._interval(now)
        return pause

    async def _serve(self) -> None:
        try:
            while self._queue:
                await (self._next_slot() if self._reserve is None else self._next_reserved(self._reserve))
                _, _, turn = heapq.heappop(self._queue)
                if not turn.done():  # whoever waited has gone
                    turn.set_result(None)
        except Exception as problem:  # noqa: BLE001 - the store is away: who waits is told
            for _, _, turn in self._queue:
                if not turn.done():
                    turn.set_exception(problem)
            self._queue.clear()
        finally:
            self._serving = None

    async def _next_slot(self) -> None:
        while (pause := self._take(asyncio.get_running_loop().time())) > 0:
            await asyncio.sleep(pause)

    async def _next_reserved(self, reserve: Reserve) -> None:
        if not self._slots:
            now = asyncio.get_running_loop().time()
            wanted = min(len(self._queue), max(int(_BURST_SECONDS / self._interval(now)), 1))
            share = timedelta(seconds=wanted * self._interval(now))
            ahead = (await reserve(self._id, share) - timedelta(seconds=_BURST_SECONDS)).total_seconds()
            if ahead > 0:
                await asyncio.sleep(ahead)
            self._slots = wanted
        self._slots -= 1
