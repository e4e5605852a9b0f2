"""The store of one process: an SQLite file by default, PostgreSQL where several servers share it. Runs its transactions.

Whoever calls `run` gets the result when it is durable. A second Rasa server is kept off an SQLite file by a lock beside it.
"""

from __future__ import annotations

import asyncio
import fcntl
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TextIO, TypeVar, cast

from sqlalchemy.engine import Connection

from rasa_whatsapp.errors import StoreInUse, StoreUnusable
from rasa_whatsapp.storage import engines, upgrading, workers
from rasa_whatsapp.storage.listening import Listener

P = ParamSpec("P")
T = TypeVar("T")

DEFAULT_URL = "sqlite:///rasa_whatsapp.sqlite"


class Database:
    """The store."""

    def __init__(self, url: str = DEFAULT_URL) -> None:
        self._engine = engines.opened(url)
        self._claim: TextIO | None = None
        self._listener: Listener | None = None
        self._worker: workers.Worker = (
            workers.OneThread(self._engine) if self.is_sqlite else workers.ManyThreads(self._engine)
        )

    @property
    def is_sqlite(self) -> bool:
        """Tell whether it is an SQLite file, which one server at a time may work on."""
        return engines.is_sqlite(self._engine)

    def prepare(self) -> None:
        """Bring an SQLite file up to date; look whether PostgreSQL is. Raises StoreOutdated.

        Several servers share a PostgreSQL store, so its migration is an operator's step: `rasa-whatsapp db upgrade`.
        """
        if self.is_sqlite:
            self.upgrade()
        else:
            upgrading.check(self._engine, to_write=True)

    def check(self, *, to_write: bool) -> None:
        """Look whether the store is there and as it should be, and may be written if that is meant, and change nothing; raises StoreUnusable."""
        self.find()
        upgrading.check(self._engine, to_write=to_write)

    def find(self) -> None:
        """Raise StoreUnusable if an SQLite file is not there; it would be created by looking at it."""
        if self.is_sqlite and not Path(str(self._engine.url.database)).exists():
            raise StoreUnusable(
                f"there is no file {Path(str(self._engine.url.database)).absolute()}; a path that does not begin with / counts from the "
                "folder in which the command runs, which should be the bot's"
            )

    def upgrade(self) -> None:
        """Create the tables or migrate them to this package's version; raises StoreOutdated for a newer database."""
        self.make_room()
        if self.is_sqlite:
            engines.keep_wal(self._engine)
        upgrading.upgrade(self._engine)

    def version(self) -> upgrading.Version:
        """Return which version the tables have, and which this package wants."""
        return upgrading.version(self._engine)

    def claim(self) -> None:
        """Keep other servers off an SQLite file until the process ends; raises StoreInUse."""
        if not self.is_sqlite:
            return
        self.make_room()
        self._claim = open(f"{self._engine.url.database}.lock", "a", encoding="utf-8")  # noqa: PTH123, SIM115 - held as long as the process
        try:
            fcntl.flock(self._claim, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise StoreInUse(
                f"another Rasa server uses the store {self._engine.url.database}: give each its own database_url, "
                "start Rasa with one worker, or let them share a PostgreSQL database"
            ) from None

    def make_room(self) -> None:
        """Make the folder of an SQLite file, if it is missing."""
        folder = Path(str(self._engine.url.database)).parent
        if self.is_sqlite and not folder.exists():
            folder.mkdir(parents=True, exist_ok=True)

    def listen(self, changed: Callable[[], None]) -> None:
        """Have `changed` called in this event loop soon after another process has stored something."""
        loop = asyncio.get_running_loop()

        def tell() -> None:
            with suppress(RuntimeError):  # the loop was closed: nobody waits any more
                loop.call_soon_threadsafe(changed)

        if self.is_sqlite:
            self._worker.listen(tell)
            return
        if self._listener is not None:
            self._listener.close()
        self._listener = Listener(self._engine.url, tell)

    async def run(self, work: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Return what `work(connection, ...)` returns, in one transaction that is durable when this returns.

        It may run more than once, as what it did before a conflict is undone; so it must not touch anything but the store.
        """
        return cast(T, await self._worker.run(partial(_call, work, args, kwargs)))

    def run_now(self, work: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Do the same at once in this thread: for the command line, and for threads of our own."""
        return cast(T, workers.run_once(self._engine, partial(_call, work, args, kwargs)))

    def close(self) -> None:
        """Finish what was begun and close the connections."""
        if self._listener is not None:
            self._listener.close()
        self._worker.close()
        self._engine.dispose()
        if self._claim is not None:
            self._claim.close()


def _call(work: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], connection: Connection) -> Any:
    return work(connection, *args, **kwargs)
