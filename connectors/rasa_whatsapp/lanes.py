"""Works on the lanes that this server claims: in each one thing after the other, different lanes at once, a bounded number of them.

The store says which lanes have work and whose they are (storage/lanes.py); here they are claimed when there is a place free, and
given back when another one has waited for long enough.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime

from sqlalchemy.engine import Connection

from rasa_whatsapp.clock import Clock
from rasa_whatsapp.errors import LaneLost
from rasa_whatsapp.logs import Failures
from rasa_whatsapp.storage import lanes
from rasa_whatsapp.storage.database import Database
from rasa_whatsapp.storage.lanes import Kind, Lane

logger = logging.getLogger(__name__)
failures = Failures(logger)

_PAUSE_AFTER_FAILURE_SECONDS = 1.0
_LONGEST_LOOK_SECONDS = 60.0
_TURN_SECONDS = 1.0  # after this long a lane gives way, if no other one would be claimed
_GATHER_SECONDS = 0.005
_CATCH_UP_SECONDS = 0.02
_MOST_BEFORE_A_LOOK = 2
_FOR_REPLIES = 4  # one place in so many is kept free of bulk


class Lanes:
    """Runs `work(lane)` for the lanes of one kind, never twice at once for one contact.

    `work` does one piece and returns True if there may be more, False if it has finished or given back the lane. If `keeps_up` is given, no
    more lanes are claimed while it says no, and few before it is asked again.
    """

    def __init__(
        self,
        kind: Kind,
        work: Callable[[Lane], Awaitable[bool]],
        *,
        database: Database,
        clock: Clock,
        at_once: int,
        keeps_up: Callable[[], bool] | None = None,
    ) -> None:
        self._kind = kind
        self._work = work
        self._database = database
        self._clock = clock
        self._at_once = at_once
        self._keeps_up = keeps_up
        self._running: dict[str, asyncio.Task[None]] = {}
        self._held: dict[str, None] = {}  # claimed with others by one transaction, more than there were places for
        self._again: set[str] = set()
        self._idle: set[str] = set()  # owned, and nobody worked on them when they were looked for
        self._look = asyncio.Event()
        self._is_crowded = False  # there may be lanes that nobody has claimed for want of a place
        self._claiming: asyncio.Task[None] | None = None
        self._owner = ""

    def start(self, owner: str) -> None:
        """Begin to claim lanes as this server."""
        self._owner = owner
        self._look.set()
        self._claiming = asyncio.get_running_loop().create_task(self._claim())

    @property
    def claimant(self) -> str | None:
        """Return who claims a lane in which work appears: this server, if it has a place free."""
        if self._is_open and self._has_room:
            return self._owner
        self._is_crowded = True
        return None

    def look(self) -> None:
        """Look for lanes to claim: something has changed."""
        self._look.set()

    def take(self, contact_ids: Iterable[str]) -> None:
        """Work on lanes that were claimed for this server."""
        for contact_id in contact_ids:
            self._again.add(contact_id)
            if contact_id not in self._running and self._is_open:
                self._held[contact_id] = None
        self._begin_held()

    def forsake(self, owner: str) -> None:
        """Go on as another server: this one was taken for dead, and its lanes are lost."""
        self._owner = owner
        self._held.clear()
        self._look.set()

    async def find_forgotten(self) -> None:
        """Work on lanes that are this server's and that nobody works on: the answer to their claim was lost with a connection.

        One that nobody worked on at the search before, too: what was owned when the store was asked may be finished by now.
        """
        mine = await self._database.run(lanes.owned, self._kind, self._owner)
        idle = {contact_id for contact_id in mine if contact_id not in self._running and contact_id not in self._held}
        self.take(sorted(idle & self._idle))
        self._idle = idle

    async def close(self, grace_seconds: float) -> None:
        """Claim no more; wait for what is running, then cancel it."""
        claiming, self._claiming = self._claiming, None
        if claiming is not None:
            claiming.cancel()
            await asyncio.gather(claiming, return_exceptions=True)
        tasks = list(self._running.values())
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=max(grace_seconds, 0))
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    @property
    def _is_open(self) -> bool:
        return self._claiming is not None

    @property
    def _has_room(self) -> bool:
        return self._free > 0 and (self._keeps_up is None or not self._running or self._keeps_up())

    @property
    def _free(self) -> int:
        return self._at_once - len(self._running) - len(self._held)

    def _begin_held(self) -> None:
        while self._held and self._is_open and len(self._running) < self._at_once:
            contact_id = next(iter(self._held))
            del self._held[contact_id]
            lane = Lane(self._kind, contact_id, self._owner)
            self._running[contact_id] = asyncio.get_running_loop().create_task(self._run(lane))

    async def _claim(self) -> None:
        while self._is_open:  # Python 3.10's wait_for may swallow a cancellation
            if self._free < self._at_once // 2:
                await asyncio.sleep(_GATHER_SECONDS)  # much is under way: several places are filled at once
            self._look.clear()
            try:
                pause = await self._claim_some()
            except Exception as problem:  # noqa: BLE001 - the store is away: everything is still in it
                failures.error("No lanes can be claimed: %s", problem=problem, action="store_unreadable")
                pause = _PAUSE_AFTER_FAILURE_SECONDS
            try:
                await asyncio.wait_for(self._look.wait(), pause)
            except asyncio.TimeoutError:
                continue

    async def _claim_some(self) -> float:
        """Claim what there are places for; return after how many seconds to look again if nothing happens before."""
        if not self._has_room:
            self._is_crowded = True
            return _CATCH_UP_SECONDS if self._free > 0 else _LONGEST_LOOK_SECONDS  # a lane that ends looks
        self._is_crowded = False
        now, owner, share = self._clock.now(), self._owner, self._share()
        for_bulk = max(min(share, self._free - self._at_once // _FOR_REPLIES), 0)
        claimed, ready_at = await self._database.run(lanes.claim_some, self._kind, owner, now, share, for_bulk)
        if owner == self._owner:
            self.take(lane.contact_id for lane in claimed)
        if for_bulk == 0:
            self._is_crowded = True  # bulk waits for a place
        if claimed:
            return 0 if self._keeps_up is None else _CATCH_UP_SECONDS  # what they cost shows only then
        if ready_at is None:
            return _LONGEST_LOOK_SECONDS
        return min(max((ready_at - now).total_seconds(), _GATHER_SECONDS), _LONGEST_LOOK_SECONDS)

    def _share(self) -> int:
        """Return how many to claim at once: not all that there are places for, so that the servers share a burst."""
        most = self._free // 2 if self._keeps_up is None else min(self._free // 2, _MOST_BEFORE_A_LOOK)
        return max(most, 1)

    async def _run(self, lane: Lane) -> None:
        try:
            while lane.contact_id in self._again and self._is_open:
                await self._work_until_done(lane)
        except LaneLost as problem:
            logger.warning("%s.", problem, extra={"action": "lane_lost"})
        finally:
            del self._running[lane.contact_id]
            if self._is_crowded:
                self._look.set()
            if lane.contact_id in self._again and self._is_open:
                self.take([lane.contact_id])  # it was claimed anew meanwhile
            self._begin_held()

    async def _work_until_done(self, lane: Lane) -> None:
        since = asyncio.get_running_loop().time()
        more = True
        while more and self._is_open:
            self._again.discard(lane.contact_id)  # what was added until now is seen by this look
            try:
                more = await self._work(lane)
                if more and not self._has_room and asyncio.get_running_loop().time() - since > _TURN_SECONDS:
                    await self._database.run(_give_way, lane, self._clock.now())
                    return
            except LaneLost:
                raise
            except Exception as problem:  # noqa: BLE001 - the store is away, or a defect: the lane must live on
                failures.error(
                    "The lane of %s stumbled; it goes on in a moment: %s",
                    lane.contact_id,
                    problem=problem,
                    action="lane_failed",
                )
                await asyncio.sleep(_PAUSE_AFTER_FAILURE_SECONDS)


def _give_way(connection: Connection, lane: Lane, now: datetime) -> None:
    lanes.hold(connection, lane)
    lanes.give_back(connection, lane, now)
