"""One lane per contact: its work runs one after the other, different contacts at once, a bounded number at a time."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from rasa_whatsapp.logs import trace

logger = logging.getLogger(__name__)

_PAUSE_AFTER_FAILURE_SECONDS = 1.0


class Lanes:
    """Runs `work(key)` for each key that is woken, never twice at once for one key.

    `work` does one piece and returns the seconds until it wants to be called again (0 for at once), or None when nothing is
    left. A lane gives its place to others between two pieces, so none starves.
    """

    def __init__(self, work: Callable[[str], Awaitable[float | None]], *, at_once: int) -> None:
        self._work = work
        self._places = asyncio.Semaphore(at_once)
        self._running: dict[str, asyncio.Task[None]] = {}
        self._woken: set[str] = set()
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._closed = False

    def wake(self, key: str) -> None:
        """Let the lane of this key look for work, now or right after what it is doing."""
        if self._closed:
            return
        self._woken.add(key)
        if key not in self._running:
            self._running[key] = asyncio.get_running_loop().create_task(self._run(key))

    def wake_idle(self, key: str) -> None:
        """Let the lane of this key look for work, unless it knows by itself when to look again."""
        if key not in self._timers:
            self.wake(key)

    async def close(self, grace_seconds: float) -> None:
        """Take no more work; wait for what is running, then cancel it."""
        self._closed = True
        for timer in self._timers.values():
            timer.cancel()
        tasks = list(self._running.values())
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=max(grace_seconds, 0))
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    async def _run(self, key: str) -> None:
        pause: float | None = None
        try:
            while key in self._woken and not self._closed:
                self._woken.discard(key)
                async with self._places:
                    pause = await self._work(key)
                if pause == 0:
                    self._woken.add(key)
        except Exception as problem:  # noqa: BLE001 - the store is away, or a defect: the lane must live on
            logger.error(
                "The lane of %s stumbled; it goes on in a moment: %s",
                key,
                trace(problem),
                extra={"action": "lane_failed"},
            )
            pause = _PAUSE_AFTER_FAILURE_SECONDS
        finally:
            del self._running[key]
        if pause:
            self._wake_later(key, pause)

    def _wake_later(self, key: str, seconds: float) -> None:
        if self._closed:
            return
        if key in self._timers:
            self._timers[key].cancel()
        self._timers[key] = asyncio.get_running_loop().call_later(seconds, self._timer_fired, key)

    def _timer_fired(self, key: str) -> None:
        self._timers.pop(key, None)
        self.wake(key)
