"""This process among the servers of a store: it says that it lives, and gives back what dead ones owned.

It beats in a thread of its own, since loading a model or a long turn holds up the event loop. If the loop does not come to its
turn for too long, the server counts as hung and stops beating, so that others take over.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import threading
from collections.abc import Callable

from rasa_whatsapp.clock import Clock
from rasa_whatsapp.logs import Failures
from rasa_whatsapp.storage import servers
from rasa_whatsapp.storage.database import Database

logger = logging.getLogger(__name__)
failures = Failures(logger)

LEASE_SECONDS = 10.0
_BEATS_PER_LEASE = 5
_HUNG_SECONDS = 120.0


class Membership:
    """The lease of this server, made where its event loop runs. `well_since` is from when on it has had its store; `lost` is called in the event loop with the new id when the old one was taken for dead."""

    def __init__(self, database: Database, clock: Clock, lost: Callable[[str], None]) -> None:
        self.id = ""
        self._database = database
        self._clock = clock
        self._lost = lost
        self._beaten_at = self._looped_at = self._well_from = 0.0
        self.well_since = clock.now()
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None
        self._loop = asyncio.get_running_loop()

    async def start(self) -> None:
        """Enter this server; on an SQLite file it is the only one, and what another one left is its own."""
        self.id = _new_id()
        await self._database.run(servers.join, self.id, LEASE_SECONDS)
        logger.info("This is server %s.", _shown(self.id), extra={"action": "server_joined"})
        self._beaten_at = self._looped_at = self._loop.time()
        self._is_well_again()
        if self._database.is_sqlite:
            await self._bury()
            return
        self._thread = threading.Thread(target=self._beat, name="rasa-whatsapp-lease", daemon=True)
        self._thread.start()

    async def look(self) -> None:
        """Give back what servers owned that are dead, unless the store was away: then they had no way to tell that they live."""
        self.live()
        if not self._database.is_sqlite and self._looped_at - self._well_from > LEASE_SECONDS:
            await self._bury()

    async def search(self) -> None:
        """Give back lanes that were claimed for a server when it had been taken out already."""
        await self._database.run(servers.free_lanes, self._clock.now())

    def live(self) -> None:
        """Note that the event loop comes to its turn: a server whose loop hangs is to count as dead."""
        self._looped_at = self._loop.time()

    @property
    def is_alive(self) -> bool:
        """Tell whether the lease surely holds for some seconds more: what cannot be undone may be done."""
        return self._database.is_sqlite or self._loop.time() - self._beaten_at < LEASE_SECONDS * 0.7

    async def close(self) -> None:
        """Leave in order: the lanes are free at once."""
        self._ended.set()
        if self._thread is not None:
            await asyncio.get_running_loop().run_in_executor(None, self._thread.join)
        await self._database.run(servers.leave, self.id, self._clock.now())

    def _is_well_again(self) -> None:
        self._well_from = self._loop.time()
        self.well_since = self._clock.now()

    async def _bury(self) -> None:
        for dead in await self._database.run(servers.bury, self.id, self._clock.now()):
            logger.warning(
                "Server %s does not live any more; its work is free.", _shown(dead), extra={"action": "server_buried"}
            )

    def _beat(self) -> None:
        while not self._ended.wait(LEASE_SECONDS / _BEATS_PER_LEASE):
            now = self._loop.time()
            if now - self._looped_at > _HUNG_SECONDS:
                continue
            try:
                self._beat_once(now)
            except Exception as problem:  # noqa: BLE001 - the store is away: the lease may end meanwhile
                self._is_well_again()
                failures.warning("The lease was not renewed: %s", problem=problem, action="lease_late")

    def _beat_once(self, now: float) -> None:
        if now - self._beaten_at > LEASE_SECONDS:
            self._is_well_again()
        if not self._database.run_now(servers.beat, self.id, LEASE_SECONDS):
            new = _new_id()
            self._database.run_now(servers.join, new, LEASE_SECONDS)
            self.id = new  # only now: if nobody knows whether it was entered, the next beat enters another one
            logger.warning(
                "This server was taken for dead; it goes on as server %s.",
                _shown(new),
                extra={"action": "server_reborn"},
            )
            self._loop.call_soon_threadsafe(self._lost, self.id)
        self._beaten_at = now


def _new_id() -> str:
    return f"server-{secrets.token_hex(12)}"


def _shown(server: str) -> str:
    """Return how a server is called in the logs of all, so that a line tells which process it is about."""
    return server[-6:]
