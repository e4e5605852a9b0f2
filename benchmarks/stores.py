"""Throwaway stores in a scratch folder: an SQLite file, and a PostgreSQL of its own, with the tables of this version."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import click
from report import ROOT

from rasa_whatsapp.demo.bot import surroundings
from rasa_whatsapp.demo.ports import unused
from rasa_whatsapp.demo.postgres import Postgres
from rasa_whatsapp.demo.processes import Process
from rasa_whatsapp.storage.database import Database

_START_SECONDS = 60.0


@dataclass(frozen=True)
class Stores:
    """Where they are."""

    folder: Path
    postgresql: str

    @property
    def all(self) -> dict[str, str]:
        """Return the address of each kind."""
        return {"SQLite": f"sqlite:///{self.folder / 'store.sqlite'}", "PostgreSQL": self.postgresql}


@contextmanager
def scratch_stores() -> Iterator[Stores]:
    """Give both while the block runs; what was stored is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix=".benchmark-", dir=ROOT) as scratch:
        folder = Path(scratch)
        postgres = Postgres(folder=folder / "postgres", port=unused(1)[0])
        postgres.make(folder / "initdb.log")
        server = postgres.server()
        process = Process("postgres", server.command, folder=folder, environment=surroundings(), log=folder / "pg.log")
        try:
            deadline = time.monotonic() + _START_SECONDS
            while not server.is_ready():
                if time.monotonic() > deadline:
                    raise click.ClickException("PostgreSQL does not answer")
                time.sleep(0.1)
            yield Stores(folder, postgres.url)
        finally:
            process.kill()


def opened(url: str) -> Database:
    """Return a store with its tables."""
    database = Database(url)
    database.upgrade()
    return database
