"""How busy the event loop is: a dialogue's turn holds it up for tens of milliseconds, and webhooks wait behind turns."""

from __future__ import annotations

import asyncio
from math import exp
from time import thread_time

_BEAT_SECONDS = 0.02
_CALM_SECONDS = 0.05
_CALM_SHARE = 0.7
_MEMORY_SECONDS = 0.25


class Pulse:
    """Measures how late the loop comes to what is due, and what share of its thread's time it works."""

    def __init__(self) -> None:
        self._due_at = 0.0
        self._late = 0.0
        self._busy = 0.0
        self._beating: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to measure."""
        self._due_at = asyncio.get_running_loop().time()
        self._beating = asyncio.get_running_loop().create_task(self._beat())

    async def stop(self) -> None:
        """Measure no more."""
        if self._beating is not None:
            self._beating.cancel()
            await asyncio.gather(self._beating, return_exceptions=True)

    @property
    def is_calm(self) -> bool:
        """Tell whether what is due is done in time, and there was time to spare in the last moments."""
        overdue = asyncio.get_running_loop().time() - self._due_at
        return self._busy < _CALM_SHARE and max(self._late, overdue) < _CALM_SECONDS

    async def _beat(self) -> None:
        now = asyncio.get_running_loop().time
        while True:
            began, worked = now(), thread_time()
            self._due_at = began + _BEAT_SECONDS
            await asyncio.sleep(_BEAT_SECONDS)
            self._late = now() - self._due_at
            elapsed = now() - began
            kept = exp(-elapsed / _MEMORY_SECONDS)
            self._busy = kept * self._busy + (1 - kept) * (thread_time() - worked) / elapsed
