"""Lets turns into the dialogue one after the other: two always, more while the event loop has time for them.

A turn that computes is done no sooner for having company, and webhooks would wait behind all of them. Turns that wait for an action
server leave the loop calm, and many of them are in the dialogue at once.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

_ALWAYS = 2
_LOOK_SECONDS = 0.02  # what one more costs shows only then
_LONGEST_WAIT_SECONDS = 1.0  # of the first in line: whatever else the loop does, turns go on


class Turnstile:
    """What turns pass on their way into the dialogue, in the order in which they come."""

    def __init__(self, is_calm: Callable[[], bool]) -> None:
        self._is_calm = is_calm
        self._inside = 0
        self._waiting = 0
        self._entered_at = 0.0
        self._next = asyncio.Lock()
        self._left = asyncio.Event()

    @property
    def is_open(self) -> bool:
        """Tell whether one who came now would go straight through."""
        return self._waiting == 0 and self._admits()

    @asynccontextmanager
    async def passed(self) -> AsyncIterator[None]:
        """Wait to be let in; at the end of the block another one may be."""
        self._waiting += 1
        try:
            async with self._next:
                await self._wait()
                self._inside += 1
                self._entered_at = asyncio.get_running_loop().time()
        finally:
            self._waiting -= 1
        try:
            yield
        finally:
            self._inside -= 1
            self._left.set()

    async def _wait(self) -> None:
        now = asyncio.get_running_loop().time
        until = now() + _LONGEST_WAIT_SECONDS
        while not self._admits() and now() < until:
            self._left.clear()
            left = asyncio.get_running_loop().create_task(self._left.wait())
            try:
                await asyncio.wait({left}, timeout=_LOOK_SECONDS)  # Python 3.10's wait_for may swallow a cancellation
            finally:
                left.cancel()

    def _admits(self) -> bool:
        rested = asyncio.get_running_loop().time() - self._entered_at >= _LOOK_SECONDS
        return self._inside < _ALWAYS or (rested and self._is_calm())
