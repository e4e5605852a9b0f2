"""Makes a verified webhook body durable before it is acknowledged, and then lets it be taken in.

A body that comes alone is taken in by the transaction that stores it. When many come at once they share a commit that only writes
them down, which is as fast as the disk; they are taken in afterwards, in their order, by whoever has the time.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from enum import Enum
from itertools import groupby
from time import monotonic

from sqlalchemy.engine import Connection

from rasa_whatsapp import intake
from rasa_whatsapp.clock import Clock
from rasa_whatsapp.cloud import inbound
from rasa_whatsapp.errors import BacklogFull
from rasa_whatsapp.intake import Claimant, IntakeRules, TakenIn
from rasa_whatsapp.logs import Failures, trace
from rasa_whatsapp.storage import arrivals, inbox, lanes
from rasa_whatsapp.storage.database import Database
from rasa_whatsapp.storage.engines import is_trouble
from rasa_whatsapp.storage.listening import notify
from rasa_whatsapp.storage.one_at_a_time import try_identities

logger = logging.getLogger(__name__)
failures = Failures(logger)

_MOST_AT_ONCE = 4  # bodies that are taken in by the transaction that stores them
_MOST_IN_ONE_COMMIT = 1000
_MOST_SORTED = 100
_IDLE_SECONDS = 0.1
_PAUSE_AFTER_FAILURE_SECONDS = 1.0
_PAUSE_FOR_OTHERS_SECONDS = 0.02


class Sorting(Enum):
    """What came of trying to take in bodies that were only written down."""

    SOME = "some were taken in, there may be more"
    NOTHING = "nothing waits that should be taken in now"
    ELSEWHERE = "another transaction says who is who"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceptionRules:
    """What is taken in how, and how many messages may wait for their turn."""

    intake: IntakeRules
    backlog_limit: int = 10_000


@dataclass(slots=True)
class _Waiting:
    body: bytes
    is_status: bool
    stored: asyncio.Future[None]


@dataclass(slots=True)
class Reception:
    """Where bodies are handed in. `claimant` says who may claim the lanes of what is taken in, `taken` is told of them.

    `stirred` is called when deliveries that waited may go on.
    `only_when_idle` for a process whose first duty is to store: what it has no time for, the servers take in.
    """

    database: Database
    clock: Clock
    rules: ReceptionRules
    claimant: Callable[[], Claimant] = Claimant
    taken: Callable[[TakenIn], None] = lambda _: None
    stirred: Callable[[], None] = lambda: None
    only_when_idle: bool = False
    _waiting: list[_Waiting] = field(default_factory=list)
    _storing: asyncio.Task[None] | None = None
    _sorting: asyncio.Task[None] | None = None
    _moved: set[str] = field(default_factory=set)
    _look: asyncio.Event = field(default_factory=asyncio.Event)
    _backlog: int = 0
    _received_at: float = 0.0
    _problem: str | None = "the store was not looked at yet"
    _well_since: datetime | None = None
    _takes_nothing: bool = False  # it did not at the last try; others may be able to read it

    async def start(self) -> None:
        """Begin to take in what was only written down."""
        await self.count()
        self._look.set()
        self._sorting = asyncio.get_running_loop().create_task(self._sort())

    async def close(self) -> None:
        """Take in no more; what was acknowledged is in the store."""
        if self._sorting is not None:
            self._sorting.cancel()
            await asyncio.gather(self._sorting, return_exceptions=True)
        if self._storing is not None:
            await asyncio.gather(self._storing, return_exceptions=True)

    def look(self) -> None:
        """Look for bodies that were written down, here or by another process."""
        self._look.set()

    def check(self) -> None:
        """Raise BacklogFull if so much waits that no more should be acknowledged."""
        if self._backlog >= self.rules.backlog_limit:
            raise BacklogFull(f"{self._backlog} messages wait for their turn, which is backlog_limit")

    @property
    def problem(self) -> str | None:
        """Return why nothing can be stored, as far as the latest look at the store tells."""
        return self._problem

    @property
    def well_since(self) -> datetime:
        """Return from when on no body was sent back, as far as this process knows: a status may have been in one."""
        return self._well_since or datetime.min.replace(tzinfo=timezone.utc)

    async def count(self) -> None:
        """Look how much waits, and whether the store answers; if it took nothing the last time, whether it does now."""
        try:
            self._backlog = await self.database.run(_backlog, self.rules.backlog_limit)
            if self._takes_nothing:
                await self.database.run(arrivals.try_out, self.clock.now())
            self._takes_nothing, self._problem = False, None
        except Exception as problem:
            self._problem = f"the store does not answer ({type(problem).__name__})"
            self._well_since = self.clock.now()
            raise
        if self._backlog >= self.rules.backlog_limit:
            self._well_since = self.clock.now()  # another process may send back what it gets

    async def receive(self, body: bytes) -> None:
        """Return when the body is durable; raises WebhookMalformed, BacklogFull, and what the store raises.

        Statuses are never sent back for a backlog: they settle whether what may have been sent was sent.
        """
        is_status = inbound.holds_only_statuses(inbound.open_envelope(body))
        if not is_status:
            self.check()
        self._received_at = monotonic()
        stored: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Waiting(body, is_status, stored))
        if self._storing is None:
            self._storing = asyncio.get_running_loop().create_task(self._store())
        await stored

    async def _store(self) -> None:
        while self._waiting:
            some, self._waiting = self._waiting[:_MOST_IN_ONE_COMMIT], self._waiting[_MOST_IN_ONE_COMMIT:]
            try:
                await self._store_some(
                    [waiting.body for waiting in some], {waiting.body for waiting in some if waiting.is_status}
                )
            except Exception as problem:  # noqa: BLE001 - it is raised where it is waited for
                self._well_since = self.clock.now()
                self._takes_nothing, self._problem = True, f"the store takes nothing ({type(problem).__name__})"
                _settle(some, problem)
            else:
                _settle(some, None)
        self._storing = None

    async def _store_some(self, bodies: Sequence[bytes], statuses: Collection[bytes]) -> None:
        now = self.clock.now()
        if len(bodies) <= _MOST_AT_ONCE:
            try:
                taken = await self.database.run(_take_in_at_once, bodies, self.rules.intake, now, self.claimant())
            except Exception as problem:  # noqa: BLE001 - what cannot be taken in can still be written down
                logger.debug("A body is written down first: %s", trace(problem))
                taken = None
            if taken is not None:
                self._hand_over(taken)
                return
        await self.database.run(_write_down, bodies, now, statuses)
        self._backlog += sum(body not in statuses for body in bodies)
        self._look.set()

    def _hand_over(self, taken: TakenIn) -> None:
        self.taken(taken)
        self._moved |= taken.moved
        if taken.moved:
            self._look.set()

    async def _stir(self) -> None:
        """Let the deliveries go on whose messages moved. If that is lost, they go on when their time has come."""
        if not self._moved:
            return
        some = set(self._moved)
        waited: bool = await self.database.run(lanes.stir_all, lanes.Kind.SENDS, some, self.clock.now())
        if waited:
            self.stirred()
        self._moved -= some

    def _is_idle(self) -> bool:
        return monotonic() - self._received_at > _IDLE_SECONDS

    async def _sort(self) -> None:
        while True:
            await self._look.wait()
            self._look.clear()
            try:
                while (sorting := await self._sort_some()) is not Sorting.NOTHING:
                    others = _PAUSE_FOR_OTHERS_SECONDS if sorting is Sorting.ELSEWHERE else 0.001
                    await asyncio.sleep(others)  # they want to write, too
            except Exception as problem:  # noqa: BLE001 - the store is away: everything is still in it
                failures.error("Webhooks wait in the store: %s", problem=problem, action="store_unreadable")
                await asyncio.sleep(_PAUSE_AFTER_FAILURE_SECONDS)
                self._look.set()

    async def _sort_some(self) -> Sorting:
        """Take in the oldest bodies that wait, and let go on what waited for those that were."""
        await self._stir()
        if self._waiting or (self.only_when_idle and not self._is_idle()):
            return Sorting.NOTHING  # storing goes first; the tick looks again
        claimant = self.claimant()
        try:
            taken = await self.database.run(_take_in_waiting, self.rules.intake, claimant, _MOST_SORTED, careful=False)
        except Exception as problem:  # noqa: BLE001 - one of them cannot be taken in: each for itself, then
            failures.warning("A webhook makes difficulties: %s", problem=problem, action="event_difficult")
            taken = await self.database.run(_take_in_waiting, self.rules.intake, claimant, _MOST_SORTED, careful=True)
        if isinstance(taken, TakenIn):
            self._hand_over(taken)
            return Sorting.SOME
        return taken


def _settle(some: Sequence[_Waiting], problem: Exception | None) -> None:
    for waiting in some:
        if waiting.stored.done():  # whoever waited has gone
            continue
        if problem is None:
            waiting.stored.set_result(None)
        else:
            waiting.stored.set_exception(problem)


def _take_in_at_once(
    connection: Connection, bodies: Sequence[bytes], rules: IntakeRules, now: datetime, claimant: Claimant
) -> TakenIn | None:
    """Take bodies in, unless earlier ones wait or another process is at it."""
    if not try_identities(connection) or arrivals.are_waiting(connection):
        return None
    events = [event for body in bodies for event in inbound.parse(body)]
    return intake.take_in(connection, events, rules, now, claimant=claimant, careful=False)


def _write_down(connection: Connection, bodies: Sequence[bytes], now: datetime, statuses: Collection[bytes]) -> None:
    arrivals.write_down(connection, bodies, now, statuses)
    notify(connection)


def _take_in_waiting(
    connection: Connection, rules: IntakeRules, claimant: Claimant, most: int, *, careful: bool
) -> TakenIn | Sorting:
    """Take in the oldest bodies, or say why not."""
    if not arrivals.are_waiting(connection):
        return Sorting.NOTHING
    if not try_identities(connection):
        return Sorting.ELSEWHERE
    some = arrivals.waiting(connection, most)
    if not some:
        return Sorting.NOTHING
    taken = TakenIn()
    if careful:
        for arrival in some:
            for body in arrival.bodies:
                taken.add(_take_in_carefully(connection, body, rules, arrival.received_at, claimant))
    else:
        for received_at, together in groupby(some, key=lambda arrival: arrival.received_at):
            events = [event for arrival in together for body in arrival.bodies for event in inbound.parse(body)]
            taken.add(intake.take_in(connection, events, rules, received_at, claimant=claimant, careful=False))
    arrivals.remove(connection, some)
    return taken


def _take_in_carefully(
    connection: Connection, body: bytes, rules: IntakeRules, received_at: datetime, claimant: Claimant
) -> TakenIn:
    """Take in one body; one that cannot be is parked as a whole, since it was acknowledged and others wait behind it."""
    try:
        with connection.begin_nested():
            events = inbound.parse(body)
            return intake.take_in(connection, events, rules, received_at, claimant=claimant)
    except Exception as problem:
        if is_trouble(problem):
            raise
        # else a defect, or a value that the store does not take
        logger.error("A webhook is parked as a whole: %s", trace(problem), extra={"action": "event_parked"})
        reason = f"{type(problem).__name__} while taking it in"
        intake.park(connection, body, reason, received_at)
        return TakenIn()


def _backlog(connection: Connection, up_to: int) -> int:
    return inbox.backlog(connection, up_to) + arrivals.backlog(connection)
