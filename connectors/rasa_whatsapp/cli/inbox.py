"""`rasa-whatsapp inbox`: what was parked or ignored and why, and how what is parked is taken up again or set aside for good."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import click
from sqlalchemy.engine import Connection

from rasa_whatsapp import intake
from rasa_whatsapp.cli import credentials, shown, store
from rasa_whatsapp.cloud.wire import JSONDict
from rasa_whatsapp.storage import arrivals, follow_ups, inbox
from rasa_whatsapp.storage.database import Database
from rasa_whatsapp.storage.inbox import State

DISCARDED_BECAUSE = "discarded by the operator"
# What `inbox show` tells of a row; the body only if it is asked for.
_FIELDS = ("id", "kind", "number_id", "contact_id", "message_id", "state", "reason", "attempts", "crashes", "replays")
_TIMES = ("sent_at", "received_at", "not_before", "finished_at")
_LARGEST_ID = 2**63 - 1  # what a database's integer holds


@click.group("inbox")
def command() -> None:
    """List parked messages, look at one, replay or discard them."""


@command.command("list")
@click.option(
    "--state",
    "states",
    type=click.Choice([state.value for state in State]),
    multiple=True,
    help="Those in this state instead, such as ignored; several can be given.",
)
@click.option(
    "--limit", type=click.IntRange(1, 100_000), default=100, show_default=True, help="How many at most, with --state."
)
@credentials.option
def list_parked(states: tuple[str, ...], limit: int, path: Path) -> None:
    """Show every parked message: its number, when it came, how often it was tried, and why it is parked.

    With --state others, the latest first: what each is, its state, and why (`--state ignored` shows what is no turn of the dialogue).
    """
    with store.opened(credentials.load_or_exit(path)) as database:
        rows = database.run_now(inbox.listed, states, limit + 1) if states else database.run_now(inbox.parked)
        written_down = database.run_now(arrivals.count)
    if written_down:
        click.echo(f"{written_down} webhook(s) are only written down yet: a running server takes them in.", err=True)
    if states:
        _show_listed(rows, limit)
    else:
        _show_parked(rows)


def _show_listed(rows: Sequence[JSONDict], limit: int) -> None:
    if not rows:
        click.echo("There are none.")
    for row in rows[:limit]:
        named = (row["contact_id"] or "-", row["kind"], row["state"], shown.line(row["reason"] or "-"))
        click.echo("\t".join((str(row["id"]), shown.moment(row["received_at"]), *named)))
    if len(rows) > limit:
        click.echo(f"There are more than these {limit}; --limit shows them.", err=True)


def _show_parked(rows: Sequence[JSONDict]) -> None:
    if not rows:
        click.echo("Nothing is parked.")
    for row in rows:
        received = shown.moment(row["received_at"])
        click.echo(f"{row['id']}\t{received}\t{row['contact_id'] or '-'}\tattempts {row['attempts']}\t{row['reason']}")


@command.command("show")
@click.argument("number", type=click.IntRange(1, _LARGEST_ID))
@click.option("--body", "with_body", is_flag=True, help="Also what came in: it holds the customer's words and number.")
@credentials.option
def show(number: int, with_body: bool, path: Path) -> None:
    """Show one message, parked or not: its state and why, its contact, its times, how often it was tried."""
    with store.opened(credentials.load_or_exit(path)) as database:
        row = database.run_now(inbox.details, number)
    if row is None:
        raise click.ClickException(f"unknown: {number}; see `rasa-whatsapp inbox list`")
    shown.fields({name: row[name] for name in (*_FIELDS, *_TIMES)} | {"message_id": shown.tail(row["message_id"])})
    if with_body:
        click.echo("Warning: the body holds the customer's words and number; don't pass it on.", err=True)
        click.echo(shown.plain_json(row["body"], indent=2))


@command.command("replay")
@click.argument("numbers", nargs=-1, type=int)
@click.option("--all", "everything", is_flag=True, help="Replay all that is parked.")
@click.option("--yes", is_flag=True, help="Do it without asking: customers will be answered.")
@credentials.option
def replay(numbers: tuple[int, ...], everything: bool, yes: bool, path: Path) -> None:
    """Put parked messages back into their conversations. A running server takes them up within a second."""
    _need_choice(numbers, everything)
    settings = credentials.load_or_exit(path)
    with store.opened(settings, to_write=True) as database:
        wanted = _parked(database, numbers, everything)
        if not wanted:
            return
        if not yes:
            click.confirm(f"Answer {len(wanted)} parked message(s) now?", abort=True)
        done = database.run_now(intake.replay, wanted, settings.rules().intake, store.now())
    click.echo(f"{len(done)} put back into their conversations.")
    shown.refuse_left(wanted, done, "not readable still, or no message, so parked still")


@command.command("discard")
@click.argument("numbers", nargs=-1, type=int)
@click.option("--all", "everything", is_flag=True, help="Discard all that is parked.")
@click.option("--yes", is_flag=True, help="Do it without asking: these customers get no answer.")
@credentials.option
def discard(numbers: tuple[int, ...], everything: bool, yes: bool, path: Path) -> None:
    """Give up parked messages: they stay stored, but are no longer parked, and are never answered."""
    _need_choice(numbers, everything)
    with store.opened(credentials.load_or_exit(path), to_write=True) as database:
        wanted = _parked(database, numbers, everything)
        if not wanted:
            return
        if not yes:
            click.confirm(f"Discard {len(wanted)} parked message(s)? They will never be answered.", abort=True)
        done = database.run_now(_discard, wanted, store.now())
    click.echo(f"{len(done)} discarded.")
    shown.refuse_left(wanted, done, "no longer parked when it came to it")


def _need_choice(numbers: Sequence[int], everything: bool) -> None:
    if not numbers and not everything:
        raise click.UsageError("name the numbers that `inbox list` shows, or give --all")
    if numbers and everything:
        raise click.UsageError("either name numbers or give --all")


def _parked(database: Database, numbers: Sequence[int], everything: bool) -> list[int]:
    """Return which parked rows are meant, each once; ends the command if one of the numbers is not parked."""
    parked = [int(row["id"]) for row in database.run_now(inbox.parked)]
    wanted = parked if everything else list(dict.fromkeys(numbers))
    unknown = sorted(set(wanted) - set(parked))
    if unknown:
        raise click.ClickException(f"not parked: {shown.listed(unknown)}; see `rasa-whatsapp inbox list`")
    if not wanted:
        click.echo("Nothing is parked.")
    return wanted


def _discard(connection: Connection, row_ids: Sequence[int], now: datetime) -> list[int]:
    """Discard parked rows; a follow-up that stands in one of them is cancelled with it."""
    done = inbox.discard(connection, row_ids, now, DISCARDED_BECAUSE)
    follow_ups.cancel_by_id(connection, inbox.follow_ups_in(connection, done), now, DISCARDED_BECAUSE)
    return done
