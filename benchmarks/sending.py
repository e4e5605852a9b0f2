"""How fast one process sends, and whether it keeps the rates: to the simulator on another core, which records what it takes.

Reach: 1,000 messages/s sustained; the configured rate within 2 %; the pair rate (45 at once, then one per 6 s) without a refusal.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timezone
from functools import partial
from pathlib import Path
from typing import Any

import click
import requests
from report import show, show_machine
from sqlalchemy import func, select
from sqlalchemy.engine import Connection
from stores import opened, scratch_stores

from rasa_whatsapp.clock import SystemClock
from rasa_whatsapp.cloud.inbound import Sender
from rasa_whatsapp.cloud.providers import cloud_api
from rasa_whatsapp.config import read_settings
from rasa_whatsapp.demo.bot import surroundings
from rasa_whatsapp.demo.ports import HOST, unused
from rasa_whatsapp.demo.processes import Process
from rasa_whatsapp.demo.stack import answers
from rasa_whatsapp.gateway import Gateway
from rasa_whatsapp.policy.window import CareWindow
from rasa_whatsapp.storage import contacts, identity, outbox, schema
from rasa_whatsapp.storage.database import Database
from rasa_whatsapp.transport import Graph

HERE = Path(__file__).parent
NUMBER_ID, SECRET, TOKEN = "100000000000001", "demo-app-secret", "demo-access-token"
_AT_A_TIME = 500
_START_SECONDS = 60.0


@contextmanager
def simulator(folder: Path, throughput: int) -> Iterator[str]:
    """Run a simulator on another core, and a receiver of its webhooks that keeps nothing; give its address."""
    ports = unused(2)
    elsewhere = ["taskset", "-c", "1"] if shutil.which("taskset") and (os.cpu_count() or 1) > 1 else []
    receiver = [*elsewhere, sys.executable, str(HERE / "bare_webhook.py"), str(ports[1]), SECRET]
    command = [*elsewhere, sys.executable, "-m", "rasa_whatsapp.cli", "simulator", "--port", str(ports[0])]
    command += ["--webhook", f"http://{HOST}:{ports[1]}/webhooks/whatsapp/webhook"]
    command += ["--throughput", str(throughput), "--batch-webhooks", "100"]
    run = partial(Process, folder=folder, environment=surroundings())
    processes = [
        run("receiver", receiver, log=folder / f"{ports[1]}.log"),
        run("simulator", command, log=folder / f"{ports[0]}.log"),
    ]
    try:
        deadline = time.monotonic() + _START_SECONDS
        while not (
            answers(f"http://{HOST}:{ports[0]}/control/health")
            and answers(f"http://{HOST}:{ports[1]}/webhooks/whatsapp/")
        ):
            if time.monotonic() > deadline:
                raise click.ClickException("the simulator does not answer")
            time.sleep(0.1)
        yield f"http://{HOST}:{ports[0]}"
    finally:
        for process in processes:
            process.kill()


def open_windows(url: str, customers: Sequence[str]) -> None:
    """Let each customer write once."""
    for first in range(0, len(customers), 5000):
        messages = [{"wa_id": wa_id, "type": "text", "text": "Hi"} for wa_id in customers[first : first + 5000]]
        requests.post(f"{url}/control/messages", json={"messages": messages}, timeout=120).raise_for_status()
    while requests.get(f"{url}/control/counts", timeout=60).json()["webhooks"]["waiting"]:
        time.sleep(0.2)


def fill(connection: Connection, said: Sequence[tuple[str, str]], now: datetime) -> None:
    """Add messages that wait to be sent, to customers whose windows are open."""
    for wa_id, key in said:
        sender = Sender(wa_id=wa_id, user_id=None, parent_user_id=None, name=None)
        contact_id = identity.identify(connection, NUMBER_ID, sender, sent_at=now, now=now).contact_id
        contacts.record_window(connection, contact_id, CareWindow(now))
        outbox.add(
            connection,
            outbox.NewMessage(
                key=key,
                utterance=key,
                contact_id=contact_id,
                proactive=False,
                free_form={"type": "text", "text": {"body": f"This is for you: {key}"}},
                template=None,
                choices={},
            ),
            now,
        )


async def send_all(database: Database, url: str, per_second: int) -> None:
    """Send what waits, with a gateway as a server has it."""
    block = {
        "phone_number_id": NUMBER_ID, "access_token": TOKEN, "app_secret": SECRET, "verify_token": "-",
        "messages_per_second": per_second, "order_wait_seconds": 0,
    }  # fmt: skip
    rules = read_settings(block).rules()
    account = cloud_api(number_id=NUMBER_ID, access_token=TOKEN, graph_url=url, api_version="v26.0", media_hosts=())
    graph = Graph({NUMBER_ID: account})
    nobody: Any = None
    gateway = Gateway(database=database, clock=SystemClock(), graph=graph, uploads=nobody, dialogue=nobody, rules=rules)
    await gateway.start()
    while await database.run(_left):
        await asyncio.sleep(0.25)
    await gateway.close()
    await graph.close()


def _left(connection: Connection) -> int:
    waiting = schema.outbox.c.state.in_(("pending", "sending", "unsettled"))
    return int(connection.execute(select(func.count()).select_from(schema.outbox).where(waiting)).scalar_one())


def taken_at(url: str) -> list[float]:
    """Return when the simulator took each message of the business, in seconds, in their order."""
    found: list[float] = []
    cursor = 0
    while True:
        answer = requests.get(f"{url}/control/record", params={"after": cursor, "limit": 10_000}, timeout=120)
        lines = [json.loads(line) for line in answer.text.splitlines() if line]
        for line in lines:
            cursor = line["cursor"]
            if line["direction"] == "out":
                found.append(datetime.fromisoformat(line["accepted_at"]).timestamp())
        if len(lines) < 10_000:
            return sorted(found)


def refused(url: str) -> str:
    """Return what the simulator refused, by code."""
    counts: dict[str, int] = requests.get(f"{url}/control/counts", timeout=60).json()["refused"]
    return ", ".join(f"{code}: {count}" for code, count in counts.items()) or "none"


def measure(
    folder: Path, store: str, run: str, per_second: int, said: Sequence[tuple[str, str]], throughput: int
) -> tuple[list[float], str]:
    """Send messages, each a customer and a key; return when each was taken, and what was refused."""
    database = opened(store)
    click.echo(f"{run}: {len(said)} messages at {per_second}/s ...", err=True)
    with simulator(folder, throughput) as url:
        open_windows(url, sorted({wa_id for wa_id, _ in said}))
        now = datetime.now(timezone.utc)
        for first in range(0, len(said), _AT_A_TIME):
            database.run_now(fill, said[first : first + _AT_A_TIME], now)
        asyncio.run(send_all(database, url, per_second))
        database.close()
        return taken_at(url), refused(url)


def rate_of(taken: Sequence[float]) -> float:
    """Return the messages per second between the first and the last second."""
    middle = [moment for moment in taken if taken[0] + 1 <= moment <= taken[-1] - 1]
    return (len(middle) - 1) / (middle[-1] - middle[0])


def many(run: str, count: int) -> list[tuple[str, str]]:
    """Return a message to each of so many customers."""
    return [(f"49151{number:08}", f"{run}-{number}#1") for number in range(count)]


@click.command(help=__doc__)
@click.option("--seconds", default=30, show_default=True, help="Length of the sustained load.")
@click.option("--rate-seconds", default=20, show_default=True, help="Length of the runs at a configured rate.")
@click.option(
    "--pair", default=50, show_default=True, help="Messages to one customer: 45 at once, six seconds for each more."
)
def main(seconds: int, rate_seconds: int, pair: int) -> None:
    """Measure and print."""
    try:
        import uvloop

        uvloop.install()
    except ImportError:
        pass
    rows = []
    with scratch_stores() as stores:
        # Only now: PostgreSQL takes the core that is free.
        if hasattr(os, "sched_setaffinity") and (os.cpu_count() or 1) > 1:
            os.sched_setaffinity(0, {0})
        for name, store in stores.all.items():
            taken, no = measure(stores.folder, store, f"{name} fast", 1000, many("fast", 1000 * seconds), 0)
            rows.append((f"{name}, set to 1,000/s", f"{rate_of(taken):.0f}/s", f"{rate_of(taken) / 1000:.3f}", no))
        for per_second in (80, 200):
            said = many(f"rate{per_second}", per_second * rate_seconds)
            store = f"sqlite:///{stores.folder / f'rate{per_second}.sqlite'}"
            taken, no = measure(stores.folder, store, "the configured rate", per_second, said, per_second)
            rows.append(
                (f"SQLite, set to {per_second}/s", f"{rate_of(taken):.1f}/s", f"{rate_of(taken) / per_second:.3f}", no)
            )
        to_one = [("4915199999999", f"pair-{number}#1") for number in range(pair)]
        store = f"sqlite:///{stores.folder / 'pair.sqlite'}"
        taken, no = measure(stores.folder, store, "one customer", 80, to_one, 80)
        at_once = sum(1 for moment in taken if moment < taken[0] + 5)
        gaps = [later - earlier for earlier, later in zip(taken[at_once - 1 :], taken[at_once:], strict=False)]
        shown = ", ".join(f"{gap:.1f}" for gap in gaps)
        rows.append((f"{pair} to one customer", f"{at_once} at once, then after s: {shown}", "-", no))
        show("By the simulator's record", ("", "measured", "of the setting", "refused by the simulator"), rows)
        show_machine(stores.folder)


if __name__ == "__main__":
    main()
