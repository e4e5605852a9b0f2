"""A million pending follow-ups: what scheduling one more costs, how fast due ones are claimed, and whether memory stays flat.

Reach: scheduling costs at most 1.5 times what it costs in an empty table; 2,000 due ones per second; memory flat.
"""

from __future__ import annotations

import resource
import sys
import time
from datetime import datetime, timedelta, timezone

import click
from report import median, show, show_machine
from sqlalchemy import func, insert, select
from sqlalchemy.engine import Connection
from stores import opened, scratch_stores

from rasa_whatsapp import firing, turns
from rasa_whatsapp.firing import FiringRules
from rasa_whatsapp.storage import schema
from rasa_whatsapp.storage.database import Database
from rasa_whatsapp.storage.follow_ups import NewFollowUp

NOW = datetime(2026, 11, 25, 10, 0, tzinfo=timezone.utc)
CONTACTS = 20_000
_AT_A_TIME = 5000


def fill_contacts(connection: Connection) -> None:
    """Add the contacts whose follow-ups they are."""
    rows = [{"id": f"wa-{number}", "number_id": "1", "created_at": NOW} for number in range(CONTACTS)]
    connection.execute(insert(schema.contacts), rows)


def fill(connection: Connection, first: int, count: int, fire_at: datetime) -> None:
    """Add pending follow-ups, a second apart from this moment on."""
    rows = [
        {
            "id": f"{number:032}",
            "contact_id": f"wa-{number % CONTACTS}",
            "name": f"reminder {number}",
            "intent": "EXTERNAL_reminder",
            "entities": [],
            "due_at": fire_at + timedelta(seconds=number),
            "fire_at": fire_at + timedelta(seconds=number),
            "kill_on_user_message": False,
            "state": "pending",
            "cause": "wamid",
            "created_at": NOW,
        }
        for number in range(first, first + count)
    ]
    connection.execute(insert(schema.follow_ups), rows)


def schedule_ms(database: Database, count: int, run: str) -> float:
    """Return the median time of scheduling one, a transaction each."""
    times = []
    for number in range(count):
        wanted = NewFollowUp(
            contact_id=f"wa-{number * 7 % CONTACTS}",
            name=f"{run} {number}",
            intent="EXTERNAL_reminder",
            entities=[],
            due_at=NOW + timedelta(days=30),
            kill_on_user_message=False,
            cause=run,
        )
        begun = time.perf_counter()
        database.run_now(turns.schedule, wanted, NOW)
        times.append((time.perf_counter() - begun) * 1000)
    return median(times)


def claim_per_second(database: Database, due: int, at: datetime) -> float:
    """Return how many due ones per second are put into their lanes."""
    claimed, begun = 0, time.perf_counter()
    with click.progressbar(length=due, label="claimed", file=sys.stderr) as bar:
        while found := database.run_now(firing.fire_due, FiringRules(late_limit=timedelta(days=3650)), at):
            claimed += found
            bar.update(found)
    assert claimed == due, f"{claimed} of {due}"
    in_line = select(func.count()).select_from(schema.inbox)
    assert database.run_now(lambda connection: connection.execute(in_line).scalar_one()) == due
    return claimed / (time.perf_counter() - begun)


def memory_mb() -> float:
    """Return the largest resident memory of this process so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def measure(name: str, url: str, pending: int, due: int, count: int) -> tuple[str, ...]:
    """Return the row of one store."""
    database = opened(url)
    database.run_now(fill_contacts)
    schedule_ms(database, 50, "warm-up")
    empty = schedule_ms(database, count, "empty")
    with click.progressbar(length=pending, label=f"{name}: pending", file=sys.stderr) as bar:
        for first in range(0, pending, _AT_A_TIME):
            database.run_now(fill, first, min(_AT_A_TIME, pending - first), NOW + timedelta(days=1))
            bar.update(_AT_A_TIME)
    before = memory_mb()
    full = schedule_ms(database, count, "full")
    per_second = claim_per_second(database, due, NOW + timedelta(days=1, seconds=due - 1))
    grown = memory_mb() - before
    database.close()
    return (name, f"{empty:.2f}", f"{full:.2f}", f"{full / empty:.2f}", f"{per_second:.0f}", f"{grown:+.1f}")


@click.command(help=__doc__)
@click.option("--pending", default=1_000_000, show_default=True)
@click.option("--due", default=50_000, show_default=True, help="So many of them fall due.")
@click.option("--count", default=1000, show_default=True, help="Schedulings that are timed, each way.")
def main(pending: int, due: int, count: int) -> None:
    """Measure and print."""
    with scratch_stores() as stores:
        rows = [measure(name, url, pending, due, count) for name, url in stores.all.items()]
        header = ("", "scheduling, empty, ms", f"beside {pending:,}, ms", "ratio", "claimed per second", "memory, MB")
        show(f"{pending:,} pending follow-ups, of which {due:,} fall due", header, rows)
        show_machine(stores.folder)


if __name__ == "__main__":
    main()
