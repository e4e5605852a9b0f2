"""The store as the commands use it: opened, looked at and closed again; and what time it is for it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

import click
from sqlalchemy.exc import SQLAlchemyError

from rasa_whatsapp.clock import from_environment
from rasa_whatsapp.config import Settings
from rasa_whatsapp.errors import StoreUnusable
from rasa_whatsapp.settings.unusable_store import explained
from rasa_whatsapp.storage.database import Database


@contextmanager
def opened(settings: Settings, *, to_write: bool = False) -> Iterator[Database]:
    """Open the store of these settings, which has to be there and up to date; what is wrong with it ends the command.

    Who only looks needs no right to write.
    """
    with told(settings) as database:
        database.check(to_write=to_write)
        yield database


@contextmanager
def told(settings: Settings) -> Iterator[Database]:
    """Open the store of these settings, whatever is in it; what is wrong with it ends the command in words."""
    url: str = settings["database_url"]
    database = Database(url)
    try:
        yield database
    except (StoreUnusable, SQLAlchemyError, OSError) as problem:
        raise click.ClickException(explained(url, problem)) from None
    finally:
        database.close()


def now() -> datetime:
    """Return the time by which the server goes too; a clock that cannot be one ends the command."""
    try:
        return from_environment().now()
    except ValueError as problem:
        raise click.ClickException(str(problem)) from problem
