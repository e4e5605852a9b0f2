"""The SQLite file, or memory: many small statements share a commit.

Once `batch` has been called, what is written within a few milliseconds is one transaction; whoever reads sees it at
once, for there is one connection. A simulator that is killed may forget its last moment.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

COMMIT_SECONDS = 0.02
PRAGMAS = "pragma journal_mode = wal; pragma synchronous = off;"


class Database:
    """One connection; use from one thread."""

    def __init__(self, path: Path | None) -> None:
        """Open or create the file; None keeps everything in memory."""
        self.connection = sqlite3.connect(path or ":memory:", isolation_level=None)
        self._loop: asyncio.AbstractEventLoop | None = None

    def batch(self, loop: asyncio.AbstractEventLoop) -> None:
        """From now on commit once in a while rather than after each statement."""
        self._loop = loop

    def read(self, query: str, row: Sequence[Any] = ()) -> sqlite3.Cursor:
        """Run a query."""
        return self.connection.execute(query, row)

    def write(self, statement: str, row: Sequence[Any] = ()) -> sqlite3.Cursor:
        """Change something; it is committed soon."""
        self._begin()
        return self.connection.execute(statement, row)

    def write_many(self, statement: str, rows: Iterable[Sequence[Any]]) -> None:
        """Change something for each of many rows."""
        self._begin()
        self.connection.executemany(statement, rows)

    def run(self, script: str) -> None:
        """Run statements without values, and commit them."""
        self.commit()
        self.connection.executescript(script)

    def commit(self) -> None:
        """Commit what was written."""
        if self.connection.in_transaction:
            self.connection.execute("commit")

    def close(self) -> None:
        """Commit and close; a commit that is still planned finds nothing to do."""
        self.commit()
        self._loop = None
        self.connection.close()

    def _begin(self) -> None:
        if self._loop is None or self.connection.in_transaction:
            return
        self.connection.execute("begin")
        self._loop.call_later(COMMIT_SECONDS, self._commit_planned)

    def _commit_planned(self) -> None:
        if self._loop is not None:
            self.commit()
