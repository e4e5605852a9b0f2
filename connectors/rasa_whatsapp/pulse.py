"""Whether the event loop keeps up: a dialogue's turn holds it up for tens of milliseconds, and webhooks wait behind turns.

So turns are begun only while it is calm. Turns that wait for an action server leave it calm, and many of them run at once.
"""

from __future__ import annotations

import asyncio

_BEAT_SECONDS = 0.02
_CALM_SECONDS = 0.05


class Pulse:
    """Measures how late the loop comes to what is due."""

    def __init__(self) -> None:
        self._due_at = 0.0
        self._late = 0.0
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
        """Tell whether what is due was done in time just now, and is not waited for at this moment."""
        overdue = asyncio.get_running_loop().time() - self._due_at
        return max(self._late, overdue) < _CALM_SECONDS

    async def _beat(self) -> None:
        now = asyncio.get_running_loop().time
        while True:
            self._due_at = now() + _BEAT_SECONDS
            await asyncio.sleep(_BEAT_SECONDS)
            self._late = now() - self._due_at
