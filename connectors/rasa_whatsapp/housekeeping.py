"""Forgets each hour what has been finished for longer than it is to be kept, and gives up what was parked for too long."""

from __future__ import annotations

import asyncio
import logging
from datetime import datetime, timedelta

from rasa_whatsapp.clock import Clock
from rasa_whatsapp.logs import Failures
from rasa_whatsapp.storage import retention
from rasa_whatsapp.storage.database import Database
from rasa_whatsapp.storage.parked import expire_parked

logger = logging.getLogger(__name__)
failures = Failures(logger)

_HOUR_SECONDS = 3600.0
_BREATH_SECONDS = 0.05  # others want to write, too


async def keep_house(database: Database, clock: Clock, keep: timedelta, parked: timedelta | None) -> None:
    """Forget what is old, now and each hour from now on; refuse what was parked for longer than that, all of it if nothing is parked any more."""
    while True:
        try:
            await database.run(expire_parked, clock.now() - (parked or timedelta(0)))
            await forget_old(database, clock.now() - keep)
        except Exception as problem:  # noqa: BLE001 - the store is away: it is old in an hour, too
            failures.warning("Old rows are kept for now: %s", problem=problem, action="retention_late")
        await asyncio.sleep(_HOUR_SECONDS)


async def forget_old(database: Database, before: datetime) -> None:
    """Forget what was finished before then."""
    for table in retention.LINES:
        after: int | None = 0
        while after is not None:
            after = await database.run(retention.forget_in_line, table, before, after)
            await asyncio.sleep(_BREATH_SECONDS)
    while await database.run(retention.forget_rest, before):
        await asyncio.sleep(_BREATH_SECONDS)
