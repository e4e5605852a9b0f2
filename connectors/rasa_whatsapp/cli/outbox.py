"""`rasa-whatsapp outbox`: what the bot said and what became of it, above all what did not go, and why."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import click

from rasa_whatsapp.cli import credentials, shown, store
from rasa_whatsapp.storage import outbox
from rasa_whatsapp.storage.outbox import State

_DID_NOT_GO = (State.PARKED.value, State.REFUSED.value, State.FAILED.value)
_LARGEST_ID = 2**63 - 1


@click.group("outbox")
def command() -> None:
    """Show what the bot said and what became of it."""


@command.command("list")
@click.option(
    "--state",
    "states",
    type=click.Choice([state.value for state in State]),
    multiple=True,
    help="Only these; several can be given.  [default: parked, refused, failed]",
)
@click.option("--contact", "contact_id", help="Only to this contact; the id, as the list shows it.")
@click.option("--limit", type=click.IntRange(1, 100_000), default=100, show_default=True, help="How many at most.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
@credentials.option
def list_messages(states: tuple[str, ...], contact_id: str | None, limit: int, form: str, path: Path) -> None:
    """Show messages, the latest first: id, contact, when it was said, state, reason. Without their words."""
    with store.opened(credentials.load_or_exit(path)) as database:
        rows = database.run_now(outbox.listed, states or _DID_NOT_GO, contact_id, limit + 1)
    if form == "json":
        plain = [row | {"created_at": row["created_at"].isoformat()} for row in rows[:limit]]
        click.echo(shown.plain_json(plain, indent=2))
    elif not rows:
        click.echo("There are none.")
    else:
        for row in rows[:limit]:
            click.echo("\t".join(_columns(row)))
    if len(rows) > limit:
        click.echo(f"There are more than these {limit}; --limit shows them.", err=True)


@command.command("show")
@click.argument("row_id", metavar="ID", type=click.IntRange(1, _LARGEST_ID))
@credentials.option
def show(row_id: int, path: Path) -> None:
    """Show what is stored of a message, also from what it was decided how it goes; not its words, of its key the end only."""
    with store.opened(credentials.load_or_exit(path)) as database:
        row = database.run_now(outbox.details, row_id)
    if row is None:
        raise click.ClickException(f"unknown: {row_id}; see `rasa-whatsapp outbox list`")
    shown.fields(
        row | {"key": shown.tail(row["key"]), "message_id": row["message_id"] and shown.tail(row["message_id"])}
    )


def _columns(row: dict[str, Any]) -> Iterable[str]:
    yield from (str(row["id"]), row["contact_id"], shown.moment(row["created_at"]), row["state"])
    yield shown.line(row["reason"] or "-")
