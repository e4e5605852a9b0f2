"""`rasa-whatsapp follow-ups`: what the bot will say later, and how to cancel it or have it said now."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from rasa_whatsapp.cli import credentials, shown, store
from rasa_whatsapp.storage import contacts, follow_ups
from rasa_whatsapp.storage.database import Database
from rasa_whatsapp.storage.follow_ups import State

CANCELLED_BECAUSE = "cancelled by the operator"
_SEE = "see `rasa-whatsapp follow-ups list --all`"
_ids = click.argument("ids", metavar="ID...", nargs=-1, required=True)


@click.group("follow-ups")
def command() -> None:
    """List the follow-ups that the bot has scheduled, cancel them, or fire them now."""


@command.command("list")
@click.option("--all", "everything", is_flag=True, help="Also those that are done or cancelled.")
@click.option("--contact", "contact_id", help="Only this contact's; the id, as the list shows it.")
@click.option("--limit", type=click.IntRange(1, 100_000), default=1000, show_default=True, help="How many at most.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
@credentials.option
def list_open(everything: bool, contact_id: str | None, limit: int, form: str, path: Path) -> None:
    """Show the open follow-ups, what is due first first: id, contact, name, intent, when it is due, state.

    Open are pending ones, and fired ones whose turn is not done yet.
    """
    with store.opened(credentials.load_or_exit(path)) as database:
        whose = _contact(database, contact_id) if contact_id else None
        rows = database.run_now(follow_ups.listed, contact_id=whose, finished=everything, limit=limit + 1)
    _tell(rows[:limit], form, "There are no follow-ups." if everything else "No follow-up is open.")
    if len(rows) > limit:
        click.echo(f"There are more than these {limit}; --limit shows them.", err=True)


@command.command("show")
@click.argument("follow_up_id", metavar="ID")
@credentials.option
def show(follow_up_id: str, path: Path) -> None:
    """Show all that is stored of a follow-up; of the message that caused it, the id's end only, as its head holds a number."""
    with store.opened(credentials.load_or_exit(path)) as database:
        row = database.run_now(follow_ups.details, follow_up_id)
    if row is None:
        raise click.ClickException(f"unknown: {shown.listed([follow_up_id])}; {_SEE}")
    shown.fields(row | {"cause": shown.tail(row["cause"])})


@command.command("cancel")
@_ids
@click.option("--yes", is_flag=True, help="Do it without asking.")
@credentials.option
def cancel(ids: tuple[str, ...], yes: bool, path: Path) -> None:
    """Cancel open follow-ups. One whose turn is running at this moment is not stopped."""
    with store.opened(credentials.load_or_exit(path), to_write=True) as database:
        wanted = _checked(database, ids, (State.PENDING, State.FIRED), "open")
        if not yes:
            click.confirm(f"Cancel {len(wanted)} follow-up(s)?", abort=True)
        done = database.run_now(follow_ups.cancel_by_id, wanted, store.now(), CANCELLED_BECAUSE)
    _report(wanted, done, "cancelled", "open")


@command.command("fire")
@_ids
@click.option("--yes", is_flag=True, help="Do it without asking: customers will be written to.")
@credentials.option
def fire(ids: tuple[str, ...], yes: bool, path: Path) -> None:
    """Make pending follow-ups due now. A running server takes them up within a second."""
    with store.opened(credentials.load_or_exit(path), to_write=True) as database:
        wanted = _checked(database, ids, (State.PENDING,), "pending")
        if not yes:
            click.confirm(f"Fire {len(wanted)} follow-up(s) now? Customers will be written to.", abort=True)
        done = database.run_now(follow_ups.make_due, wanted, store.now())
    _report(wanted, done, "due now", "pending")


def _contact(database: Database, contact_id: str) -> str:
    found = database.run_now(contacts.resolve, contact_id)
    if found is None:
        raise click.ClickException(f"--contact: no contact has this id of {len(contact_id)} characters; {_SEE}")
    return found


def _tell(rows: Sequence[dict[str, Any]], form: str, nothing: str) -> None:
    if form == "json":
        click.echo(shown.plain_json([row | {"due_at": row["due_at"].isoformat()} for row in rows], indent=2))
    elif not rows:
        click.echo(nothing)
    else:
        for row in rows:
            click.echo("\t".join(_columns(row)))


def _columns(row: dict[str, Any]) -> Iterable[str]:
    due_at: datetime = row["due_at"]
    yield from (row["id"], row["contact_id"], shown.line(row["name"]), shown.line(row["intent"]))
    yield from (shown.moment(due_at), row["state"])


def _checked(database: Database, ids: Sequence[str], allowed: Sequence[State], called: str) -> list[str]:
    """Return the ids, each once; ends the command if one is unknown or in another state, and nothing was done then."""
    wanted = list(dict.fromkeys(ids))
    states = database.run_now(follow_ups.states, wanted)
    unknown = [each for each in wanted if each not in states]
    others = [f"{each} ({states[each].value})" for each in wanted if each in states and states[each] not in allowed]
    problems = [f"unknown: {shown.listed(unknown)}"] if unknown else []
    problems += [f"not {called}: {shown.listed(others)}"] if others else []
    if problems:
        raise click.ClickException(f"{'; '.join(problems)}; nothing was done, {_SEE}")
    return wanted


def _report(wanted: Sequence[str], done: Sequence[str], what: str, called: str) -> None:
    click.echo(f"{len(done)} {what}.")
    shown.refuse_left(wanted, done, f"no longer {called} when it came to it")
