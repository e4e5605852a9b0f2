"""`rasa-whatsapp inbox`: what was parked and why, and how to have it taken up again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from rasa_whatsapp import intake
from rasa_whatsapp.cli import credentials
from rasa_whatsapp.clock import from_environment
from rasa_whatsapp.config import Settings
from rasa_whatsapp.errors import StoreOutdated
from rasa_whatsapp.storage import inbox
from rasa_whatsapp.storage.database import Database


@click.group("inbox")
def command() -> None:
    """List parked messages, and replay them."""


@command.command("list")
@credentials.option
def list_parked(path: Path) -> None:
    """Show every parked message: its number, when it came, how often it was tried, and why it is parked."""
    with _store(credentials.load_or_exit(path)) as database:
        rows = database.run_now(inbox.parked)
    if not rows:
        click.echo("Nothing is parked.")
    for row in rows:
        received = f"{row['received_at']:%Y-%m-%d %H:%M:%S} UTC"
        click.echo(f"{row['id']}\t{received}\t{row['contact_id'] or '-'}\tattempts {row['attempts']}\t{row['reason']}")


@command.command("replay")
@click.argument("numbers", nargs=-1, type=int)
@click.option("--all", "everything", is_flag=True, help="Replay all that is parked.")
@click.option("--yes", is_flag=True, help="Do it without asking: customers will be answered.")
@credentials.option
def replay(numbers: tuple[int, ...], everything: bool, yes: bool, path: Path) -> None:
    """Put parked messages back into their conversations. A running server takes them up within a second."""
    if not numbers and not everything:
        raise click.UsageError("name the numbers that `inbox list` shows, or give --all")
    settings = credentials.load_or_exit(path)
    with _store(settings) as database:
        parked = [int(row["id"]) for row in database.run_now(inbox.parked)]
        wanted = parked if everything else list(numbers)
        unknown = sorted(set(wanted) - set(parked))
        if unknown:
            raise click.ClickException(f"not parked: {', '.join(map(str, unknown))}; see `rasa-whatsapp inbox list`")
        if not wanted:
            click.echo("Nothing is parked.")
            return
        if not yes:
            click.confirm(f"Answer {len(wanted)} parked message(s) now?", abort=True)
        done = database.run_now(intake.replay, wanted, settings.rules().intake, from_environment().now())
    click.echo(f"{len(done)} put back into their conversations.")
    left = sorted(set(wanted) - set(done))
    if left:
        raise click.ClickException(f"not readable still, or no message, so parked still: {', '.join(map(str, left))}")


@contextmanager
def _store(settings: Settings) -> Iterator[Database]:
    database = Database(settings["database_url"])
    try:
        database.upgrade()
        yield database
    except StoreOutdated as problem:
        raise click.ClickException(str(problem)) from problem
    finally:
        database.close()
