"""Turns per second of a Rasa server behind the inbox, against Rasa's own REST channel with the same model and load; and of two and three.

One message each of many customers: posted as webhooks to the intake at once, until every turn is done and every answer with WhatsApp;
or posted to the REST channel, 32 at a time, until every response is there.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import aiohttp
import click
import requests
from report import ROOT, bot_with_rest, prepare, show, show_machine
from webhooks import HEADER, text_message

from rasa_whatsapp.demo import Stack
from rasa_whatsapp.demo.cluster import running_cluster

SECRET = "demo-app-secret"
TEXTS = {"Rasa alone": "Hello", "with a custom action": "How long can you write to me?"}
AT_ONCE = 32
_LIMIT_SECONDS = 600.0


async def by_rest(stack: Stack, text: str, run: str, count: int) -> float:
    """Return the turns per second of Rasa's REST channel."""
    url = f"{stack.url('rasa-1')}/webhooks/rest/webhook"
    places = asyncio.Semaphore(AT_ONCE)

    async def turn(session: aiohttp.ClientSession, number: int) -> None:
        async with places, session.post(url, json={"sender": f"{run}-{number}", "message": text}) as answer:
            answer.raise_for_status()
            assert await answer.json()

    no_limit = aiohttp.ClientTimeout(total=_LIMIT_SECONDS)
    async with aiohttp.ClientSession(timeout=no_limit) as session:
        begun = time.perf_counter()
        await asyncio.gather(*(turn(session, number) for number in range(count)))
        return count / (time.perf_counter() - begun)


async def by_inbox(stack: Stack, text: str, run: int, count: int) -> float:
    """Return the turns per second of the Rasa servers behind the inbox."""
    url = f"{stack.url('intake')}/webhooks/whatsapp/webhook"
    before = answers(stack)
    begun = time.perf_counter()
    async with aiohttp.ClientSession() as session:
        for number in range(count):
            sender = f"4915{run}{number:07}"
            body, signature = text_message(sender, f"wamid.{run}.{number}", text, SECRET)
            async with session.post(url, data=body, headers={HEADER: signature}) as answer:
                answer.raise_for_status()
    while answers(stack) - before < count:
        if time.perf_counter() - begun > _LIMIT_SECONDS:
            raise click.ClickException(f"{answers(stack) - before} of {count} were answered")
        await asyncio.sleep(0.1)
    return count / (time.perf_counter() - begun)


def answers(stack: Stack) -> int:
    """Return how many messages WhatsApp has of the bot."""
    counts: dict[str, Any] = requests.get(f"{stack.url('simulator')}/control/counts", timeout=60).json()
    return int(counts["messages"]["out"])


def measure(bot: Path, model: Path, store: str, servers: int, count: int, rest: bool) -> list[tuple[str, str, float]]:
    """Return what is measured of one deployment: the text's kind, the way, turns per second."""
    click.echo(f"{store}, {servers} Rasa server(s) ...", err=True)
    state = bot.parent / f"{store}-{servers}"
    own = {"ATTACHMENTS_FOLDER": str(state / "received"), "SHOP_DATABASE": str(state / "shop.sqlite")}
    found = []
    with running_cluster(
        bot,
        state=state,
        servers=servers,
        store=store,
        model=model,
        settings={"messages_per_second": 1000, "read_receipts": False},
        # the system's clock, as in production: the simulator's is asked over HTTP for each look
        environment={**own, "RASA_WHATSAPP_CLOCK_URL": ""},
        simulator_arguments=("--throughput", "0", "--batch-webhooks", "50"),
    ) as stack:
        for number, (kind, text) in enumerate(TEXTS.items(), start=1):
            asyncio.run(by_inbox(stack, text, 10 * number, 8 * servers))  # warm-up
            found.append((kind, "inbox", asyncio.run(by_inbox(stack, text, 10 * number + 1, count))))
            if rest:
                asyncio.run(by_rest(stack, text, f"warm-{number}", 8))
                found.append((kind, "REST", asyncio.run(by_rest(stack, text, f"{number}", count))))
    return found


def report(found: Sequence[tuple[str, int, str, str, float]]) -> None:
    """Print turns per second, and what they are of those of one server's REST channel."""
    base = {kind: rate for store, _, kind, way, rate in found if way == "REST" and store == "sqlite"}
    rows = [
        (f"{way}, {store}, {servers} server(s), {kind}", f"{rate:.1f}", f"{rate / base[kind]:.2f}")
        for store, servers, kind, way, rate in found
    ]
    show("Turns per second", ("", "turns/s", "of REST, one server"), rows)


@click.command(help=__doc__)
@click.option("--count", default=400, show_default=True, help="Customers, with a message each.")
@click.option("--servers", default=3, show_default=True, help="So many Rasa servers at the most.")
@click.option("--model", type=click.Path(exists=True, path_type=Path), help="A trained model; default: the bot's own.")
def main(count: int, servers: int, model: Path | None) -> None:
    """Measure and print."""
    model = prepare(model)
    with tempfile.TemporaryDirectory(prefix=".benchmark-", dir=ROOT) as scratch:
        folder = Path(scratch)
        (folder / "bot").mkdir()
        bot = bot_with_rest(folder / "bot")
        ways = [("sqlite", 1), *(("postgresql", number) for number in range(1, servers + 1))]
        found = [
            (store, number, *row)
            for store, number in ways
            for row in measure(bot, model, store, number, count, rest=number == 1)
        ]
        report(found)
        show_machine(folder)


if __name__ == "__main__":
    sys.exit(main())
