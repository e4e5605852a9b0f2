"""A database's address to an engine: an SQLite file, or PostgreSQL when several servers share the store.

SQLite runs in WAL mode with synchronous=FULL, so what is committed survives a power cut; a transaction begins with its write
lock and never fails half-way for want of it. PostgreSQL keeps our tables in a schema of their own, and gives up on what hangs.
"""

from __future__ import annotations

import sqlite3
from typing import Any

from sqlalchemy import create_engine, event
from sqlalchemy.engine import URL, Connection, Engine, make_url
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import QueuePool

SCHEMA = "rasa_whatsapp"  # in a PostgreSQL database, which Rasa's tracker store may share
POSTGRESQL_CONNECTIONS = 8
_LOCK_TIMEOUT_SECONDS = 10
# A server or network that hangs must become an error: webhooks are answered 503 then, and lanes try again.
_POSTGRESQL_OPTIONS = (
    f"-c search_path={SCHEMA} -c statement_timeout=20s -c lock_timeout=10s -c idle_in_transaction_session_timeout=30s"
)
# serialization_failure, deadlock_detected: the transaction did nothing and may simply run again
_CONFLICTS = ("40001", "40P01")


def opened(url: str) -> Engine:
    """Return the engine of a database, not connected yet."""
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        return _sqlite(parsed)
    return create_engine(
        parsed,
        future=True,
        hide_parameters=True,
        pool_size=POSTGRESQL_CONNECTIONS,
        max_overflow=4,  # the lease is renewed, whatever else is under way
        executemany_mode="values_plus_batch",  # else each row of an UPDATE is a round trip
        connect_args=postgresql_arguments(),
    )


def postgresql_arguments() -> dict[str, Any]:
    """Return what each connection to PostgreSQL is opened with."""
    return {
        "connect_timeout": 5,
        "application_name": "rasa-whatsapp",
        "options": _POSTGRESQL_OPTIONS,
        "keepalives_idle": 5,
        "keepalives_interval": 2,
        "keepalives_count": 3,
        "tcp_user_timeout": 10_000,
    }


def is_sqlite(holder: Engine | Connection) -> bool:
    """Tell whether it is an SQLite file."""
    return bool(holder.dialect.name == "sqlite")


def is_trouble(problem: BaseException) -> bool:
    """Tell whether the store itself is in trouble; one value that is too large for it (class 54) is not."""
    return isinstance(problem, OperationalError) and not str(getattr(problem.orig, "pgcode", None)).startswith("54")


def is_conflict(problem: BaseException) -> bool:
    """Tell whether a transaction was undone because of another one, and may run again."""
    return isinstance(problem, OperationalError) and getattr(problem.orig, "pgcode", None) in _CONFLICTS


def _sqlite(url: URL) -> Engine:
    arguments = {"timeout": _LOCK_TIMEOUT_SECONDS, "check_same_thread": False}
    # A pool: SQLAlchemy 1.4 would open the file, and set its PRAGMAs, anew for each transaction.
    engine = create_engine(url, future=True, connect_args=arguments, hide_parameters=True, poolclass=QueuePool)
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_immediately)
    return engine


def _prepare_sqlite(connection: sqlite3.Connection, _: Any) -> None:
    # The driver would begin transactions by itself, too late and not around SAVEPOINT (SQLAlchemy, "Serializable isolation").
    connection.isolation_level = None
    for pragma in ("synchronous=FULL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")


def keep_wal(engine: Engine) -> None:
    """Let an SQLite file have a write-ahead log from now on. It is written into the file, so who only looks does not ask for it."""
    with engine.connect() as connection:
        driver: Any = connection.connection  # outside a transaction
        driver.execute("PRAGMA journal_mode=WAL")


def _begin_immediately(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")
