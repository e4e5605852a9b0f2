"""PostgreSQL's NOTIFY: what one process stores, another takes up at once, and not at its next tick.

https://www.postgresql.org/docs/current/sql-notify.html
"""

from __future__ import annotations

import logging
import selectors
import socket
import threading
from collections.abc import Callable
from typing import Any

from sqlalchemy import text
from sqlalchemy.engine import URL, Connection

from rasa_whatsapp.storage.engines import is_sqlite, postgresql_arguments

logger = logging.getLogger(__name__)

CHANNEL = "rasa_whatsapp"
_NOTIFY = text(f"SELECT pg_notify('{CHANNEL}', '')")
_PAUSE_SECONDS = 1.0


def notify(connection: Connection) -> None:
    """Tell the other processes, when this transaction is committed, that there is something to do.

    Several in one transaction are one. SQLite needs none: its commits are noticed.
    """
    if not is_sqlite(connection):
        connection.execute(_NOTIFY)


class Listener:
    """Waits for notifications on a connection of its own, in a thread of its own; connects again when it is lost."""

    def __init__(self, url: URL, told: Callable[[], None]) -> None:
        self._url = url
        self._told = told
        self._closed = threading.Event()
        self._end, self._ends = socket.socketpair()
        self._thread = threading.Thread(target=self._serve, name="rasa-whatsapp-listener", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop waiting."""
        self._closed.set()
        self._end.close()  # the thread's end becomes readable
        self._thread.join()
        self._ends.close()

    def _serve(self) -> None:
        import psycopg2

        while not self._closed.is_set():
            try:
                self._listen()
            except (psycopg2.Error, OSError, RuntimeError) as problem:
                # The tick looks meanwhile; the store's own errors tell the operator.
                logger.debug("Listening to the store broke off: %s", type(problem).__name__)
                self._closed.wait(_PAUSE_SECONDS)

    def _listen(self) -> None:
        import psycopg2

        connection = psycopg2.connect(**_to_arguments(self._url))
        try:
            connection.autocommit = True
            connection.cursor().execute(f"LISTEN {CHANNEL}")
            self._told()  # what was told while nobody listened
            with selectors.DefaultSelector() as ready:  # select() knows no descriptor beyond 1023
                ready.register(connection, selectors.EVENT_READ)
                ready.register(self._ends, selectors.EVENT_READ)
                while not self._closed.is_set():
                    if any(key.fileobj is connection for key, _ in ready.select()):
                        connection.poll()
                        connection.notifies.clear()
                        self._told()
        finally:
            connection.close()


def _to_arguments(url: URL) -> dict[str, Any]:
    named = {"host": url.host, "port": url.port, "user": url.username, "password": url.password, "dbname": url.database}
    given = {name: value for name, value in named.items() if value is not None}
    return {**postgresql_arguments(), **dict(url.query), **given}
