"""Lets what many lanes want at about the same time be done by one transaction: a round trip and a commit for all of them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

from sqlalchemy.exc import OperationalError

from rasa_whatsapp.logs import trace

logger = logging.getLogger(__name__)

Wanted = TypeVar("Wanted")
Got = TypeVar("Got")

_MOST_AT_ONCE = 128
_CLOSELY_SECONDS = 0.01
_GATHER_SECONDS = 0.004


class Together(Generic[Wanted, Got]):
    """Calls `work` with all that was asked for while it was busy; if it fails for several, each is asked for alone.

    Unless the store is away, which is nobody's fault: all are told.
    """

    def __init__(self, work: Callable[[Sequence[Wanted]], Awaitable[Sequence[Got]]]) -> None:
        self._work = work
        self._waiting: list[tuple[Wanted, asyncio.Future[Got]]] = []
        self._busy: asyncio.Task[None] | None = None
        self._answered_at = 0.0

    async def ask(self, wanted: Wanted) -> Got:
        """Return what `work` returns for this one, or raise what it raises."""
        answer: asyncio.Future[Got] = asyncio.get_running_loop().create_future()
        self._waiting.append((wanted, answer))
        if self._busy is None:
            self._busy = asyncio.get_running_loop().create_task(self._serve())
        return await answer

    async def _serve(self) -> None:
        now = asyncio.get_running_loop().time
        while self._waiting:
            # Whoever is about to ask joins in; where one follows the other closely, it is worth to wait for more.
            await asyncio.sleep(_GATHER_SECONDS if now() - self._answered_at < _CLOSELY_SECONDS else 0)
            some, self._waiting = self._waiting[:_MOST_AT_ONCE], self._waiting[_MOST_AT_ONCE:]
            await self._answer(some)
            self._answered_at = now()
        self._busy = None

    async def _answer(self, some: Sequence[tuple[Wanted, asyncio.Future[Got]]]) -> None:
        try:
            answers = await self._work([wanted for wanted, _ in some])
        except Exception as problem:  # noqa: BLE001 - it is raised where it is waited for
            if len(some) > 1 and not isinstance(problem, OperationalError):
                logger.warning("%d at once failed, each is tried alone: %s", len(some), trace(problem))
                for one in some:
                    await self._answer([one])
                return
            for _, future in some:
                if not future.done():
                    future.set_exception(problem)
            return
        for (_, future), answer in zip(some, answers, strict=True):
            if not future.done():  # whoever asked has gone
                future.set_result(answer)
