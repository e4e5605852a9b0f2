"""One database, SQLite by default: opens it, brings its schema up to date, runs transactions off the event loop.

SQLite runs in WAL mode with synchronous=FULL: what is committed survives a power cut. All transactions of a process run on
one thread, one after the other; a transaction begins with its write lock, so it never fails half-way for want of it.
"""

from __future__ import annotations

import asyncio
import fcntl
import logging
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TextIO, TypeVar

from sqlalchemy import create_engine, event, inspect
from sqlalchemy.engine import Connection, Engine, make_url
from sqlalchemy.pool import QueuePool

from rasa_whatsapp.errors import StoreInUse, StoreOutdated
from rasa_whatsapp.storage.schema import metadata

P = ParamSpec("P")
T = TypeVar("T")

DEFAULT_URL = "sqlite:///rasa_whatsapp.sqlite"
_LOCK_TIMEOUT_SECONDS = 10


class Database:
    """The store of one process."""

    def __init__(self, url: str = DEFAULT_URL) -> None:
        self._engine = _open(url)
        self._claim: TextIO | None = None
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="rasa-whatsapp-store")

    def upgrade(self) -> None:
        """Create the tables or migrate them to this package's version; raises StoreOutdated for a newer database."""
        logging.getLogger("alembic").setLevel(logging.WARNING)  # it tells each of its plugins while it is imported
        from alembic import command
        from alembic.config import Config
        from alembic.runtime.migration import MigrationContext
        from alembic.script import ScriptDirectory

        script = ScriptDirectory(str(Path(__file__).parent / "migrations"))
        with self._engine.begin() as connection:
            current = MigrationContext.configure(connection).get_current_revision()
            if current == script.get_current_head():
                _refuse_strange_tables(connection)
                return
            if current is not None and current not in {revision.revision for revision in script.walk_revisions()}:
                raise StoreOutdated(
                    f"the database has schema {current}, which this version of rasa-whatsapp does not know: install a newer one"
                )
            config = Config()
            config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
            config.attributes["connection"] = connection
            command.upgrade(config, "head")

    def claim(self) -> None:
        """Keep other servers off this store until the process ends; raises StoreInUse.

        A second server would take up the turns that the first is in the middle of.
        """
        path = f"{self._engine.url.database}.lock"
        self._claim = open(path, "a", encoding="utf-8")  # noqa: PTH123, SIM115 - held as long as the process
        try:
            fcntl.flock(self._claim, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise StoreInUse(
                f"another Rasa server uses the store {self._engine.url.database}: give each its own database_url, "
                "and start Rasa with one worker"
            ) from None

    async def run(self, work: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Return what `work(connection, ...)` returns, in one transaction that is durable when this returns."""
        return await asyncio.get_running_loop().run_in_executor(
            self._thread, lambda: self.run_now(work, *args, **kwargs)
        )

    def run_now(self, work: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Do the same at once, for the command line."""
        with self._engine.begin() as connection:
            return work(connection, *args, **kwargs)

    def close(self) -> None:
        """Finish what was begun and close the connections."""
        self._thread.shutdown(wait=True)
        self._engine.dispose()
        if self._claim is not None:
            self._claim.close()


def _refuse_strange_tables(connection: Connection) -> None:
    """Raise StoreOutdated if the tables are not those of the schema version that the store claims to have."""
    inspector = inspect(connection)
    for table in metadata.sorted_tables:
        present = (
            {column["name"] for column in inspector.get_columns(table.name)} if inspector.has_table(table.name) else {}
        )
        missing = sorted({column.name for column in table.columns} - set(present))
        if missing:
            raise StoreOutdated(
                f"the store {connection.engine.url.database} has no {table.name}.{missing[0]}: it comes from an unreleased "
                "version; move it away (the demo: make demo ARGS=--reset)"
            )


def _open(url: str) -> Engine:
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite":
        return create_engine(url, future=True, pool_pre_ping=True, hide_parameters=True)
    if parsed.database and parsed.database != ":memory:":
        Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
    arguments = {"timeout": _LOCK_TIMEOUT_SECONDS, "check_same_thread": False}
    # A pool: SQLAlchemy 1.4 would open the file, and set its PRAGMAs, anew for each transaction.
    engine = create_engine(url, future=True, connect_args=arguments, hide_parameters=True, poolclass=QueuePool)
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_immediately)
    return engine


def _prepare_sqlite(connection: sqlite3.Connection, _: Any) -> None:
    # The driver would begin transactions by itself, too late and not around SAVEPOINT (SQLAlchemy, "Serializable isolation").
    connection.isolation_level = None
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_immediately(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")
