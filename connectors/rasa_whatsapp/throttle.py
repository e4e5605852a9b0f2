"""Keeps each business number within its throughput: whoever is about to send waits for a turn here."""

from __future__ import annotations

import asyncio
from datetime import datetime

from rasa_whatsapp.clock import Clock
from rasa_whatsapp.policy.pacing import throughput


class Throttle:
    """One bucket per business number, in memory: a restart forgets less than a second of it."""

    def __init__(self, clock: Clock, per_second: int) -> None:
        self._clock = clock
        self._bucket = throughput(per_second)
        self._full_at: dict[str, datetime] = {}

    async def turn(self, number_id: str) -> None:
        """Return when the number may send; turns are given in the order in which they are asked for."""
        now = self._clock.now()
        full_at = self._full_at.get(number_id)
        pause = self._bucket.wait(full_at, now)
        self._full_at[number_id] = self._bucket.after(full_at, now)
        if pause:
            await asyncio.sleep(pause.total_seconds())
