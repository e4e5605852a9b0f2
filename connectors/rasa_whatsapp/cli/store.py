"""The store as the commands use it: opened, brought up to date and closed again; and what time it is for it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

import click

from rasa_whatsapp.clock import from_environment
from rasa_whatsapp.config import Settings
from rasa_whatsapp.errors import StoreOutdated
from rasa_whatsapp.storage.database import Database


@contextmanager
def opened(settings: Settings) -> Iterator[Database]:
    """Open the store of these settings; a newer one ends the command."""
    database = Database(settings["database_url"])
    try:
        database.prepare()
        yield database
    except StoreOutdated as problem:
        raise click.ClickException(str(problem)) from problem
    finally:
        database.close()


def now() -> datetime:
    """Return the time by which the server goes too; a clock that cannot be one ends the command."""
    try:
        return from_environment().now()
    except ValueError as problem:
        raise click.ClickException(str(problem)) from problem
