"""The SQLite file, or memory: what many small changes add up to is written at once.

Tables keep their changes until the database asks for them: after a tenth of a second, and before anybody reads. So
whoever reads sees everything, and a message that is accepted, sent and delivered meanwhile is written once. A simulator
that is killed forgets its last moment.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

WRITE_SECONDS = 0.1
PRAGMAS = "pragma journal_mode = wal; pragma synchronous = off;"


class Database:
    """One connection; use from one thread."""

    def __init__(self, path: Path | None) -> None:
        """Open or create the file; None keeps everything in memory."""
        self.connection = sqlite3.connect(path or ":memory:", isolation_level=None)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._tables: list[Callable[[], None]] = []
        self._is_planned = False

    def ask(self, write_changes: Callable[[], None]) -> None:
        """Call a table whenever its changes must be written; it uses `write` and `write_many` for that."""
        self._tables.append(write_changes)

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """From now on there is something that can write later."""
        self._loop = loop

    def changed(self) -> None:
        """Let the tables write their changes soon; before the start, when somebody reads."""
        if self._is_planned:
            return
        self._is_planned = True
        if self._loop is not None:
            self._loop.call_later(WRITE_SECONDS, self._write_planned)

    def read(self, query: str, row: Sequence[Any] = ()) -> sqlite3.Cursor:
        """Run a query; it sees every change."""
        self.flush()
        return self.connection.execute(query, row)

    def write(self, statement: str, row: Sequence[Any] = ()) -> None:
        """Change something now."""
        self.connection.execute(statement, row)

    def write_many(self, statement: str, rows: Iterable[Sequence[Any]]) -> None:
        """Change something for each of many rows now."""
        self.connection.executemany(statement, rows)

    def run(self, script: str) -> None:
        """Run statements without values."""
        self.flush()
        self.connection.executescript(script)

    def flush(self) -> None:
        """Let the tables write their changes, in one transaction."""
        if not self._is_planned:
            return
        self._is_planned = False
        self.connection.execute("begin")
        for write_changes in self._tables:
            write_changes()
        self.connection.execute("commit")

    def close(self) -> None:
        """Write everything and close; what is still planned finds nothing to do."""
        self.flush()
        self._loop = None
        self.connection.close()

    def _write_planned(self) -> None:
        if self._loop is not None:
            self.flush()
