"""`rasa-whatsapp db`: the version of the store's tables, and how to bring them up to date."""

from __future__ import annotations

from pathlib import Path

import click

from rasa_whatsapp.cli import credentials, store
from rasa_whatsapp.storage.upgrading import Version


@click.group("db")
def command() -> None:
    """Look at the store's tables, and bring them up to date. Stop the servers before an upgrade, and make a backup."""


@command.command("status")
@credentials.option
def status(path: Path) -> None:
    """Tell which version the tables have (exit status 1 if an upgrade is needed)."""
    with store.told(credentials.load_or_exit(path)) as database:
        database.find()
        version = database.version()
    _tell(version)
    if not version.is_right:
        raise click.exceptions.Exit(1)


@command.command("upgrade")
@click.option("--dry-run", is_flag=True, help="Only tell which steps are missing.")
@credentials.option
def upgrade(dry_run: bool, path: Path) -> None:
    """Create the tables, or migrate them to this version. Doing it twice changes nothing."""
    with store.told(credentials.load_or_exit(path)) as database:
        if dry_run:
            database.find()
        else:
            database.make_room()
        before = database.version()
        if dry_run or before.is_right:
            _tell(before)
            return
        database.upgrade()
        click.echo(f"The tables are of version {database.version().current} now (before: {before.current or 'none'}).")


def _tell(version: Version) -> None:
    if version.is_right:
        click.echo(f"The tables are up to date: version {version.current}.")
    elif not version.is_known:
        click.echo(
            f"The tables are of version {version.current}, which this package does not know: install a newer one."
        )
    else:
        steps = ", ".join(version.missing)
        click.echo(
            f"The tables are of version {version.current or 'none'}; missing: {steps}. `rasa-whatsapp db upgrade` adds them."
        )
