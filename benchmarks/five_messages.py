"""Five messages of one sender at once, on the really running servers. Reach: at most five turns + 100 ms.

Simulator, action server and Rasa server of the example bot run as in the demo. Every round, with new senders:

W: WhatsApp. The signed webhooks are posted to Rasa, all at once; it is over when the last answer's request reached the simulator.

R: plain Rasa. The same texts are posted to the `rest` channel of the same server, all at once, until the last response.

Once with a message that Rasa answers alone, once with one whose turn calls the action server: only there Rasa's turns overlap.
"""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
import time
from contextlib import suppress
from datetime import datetime
from pathlib import Path

import aiohttp
import click
from report import ROOT, bot_with_rest, median, p95, prepare, show, show_machine
from webhooks import HEADER, text_message

from rasa_whatsapp.demo import Stack, running_bot

SECRET = "demo-app-secret"
TEXTS = {"Rasa alone": "Hello", "with a custom action": "How long can you write to me?"}
CALM_SECONDS = 0.8  # longer than sent, delivered and read of an answer take in the simulator
Figures = dict[tuple[str, str, int], list[float]]  # text, side, count -> milliseconds, one per round
SIDES = {"W": "WhatsApp", "R": "plain Rasa, REST"}


class Phones:
    """Customers' phones: what is posted for them to Rasa, and when answers to it reached the simulator."""

    def __init__(self, session: aiohttp.ClientSession, stack: Stack) -> None:
        self._session = session
        self._rasa, self._simulator = stack.url("rasa"), stack.url("simulator")
        self._arrived: asyncio.Queue[float] = asyncio.Queue()

    async def watch(self) -> None:
        """Note the moment of each message of the bot, as the simulator tells it."""
        no_limit = aiohttp.ClientTimeout(total=None)
        async with self._session.get(f"{self._simulator}/control/events", timeout=no_limit) as events:
            async for line in events.content:
                if line.startswith(b"data:"):
                    message = json.loads(line[5:]).get("message", {})
                    if isinstance(message, dict) and message.get("direction") == "out":
                        self._arrived.put_nowait(datetime.fromisoformat(message["timestamp"]).timestamp())

    async def open_window(self, sender: str) -> None:
        """Let the customer write from the phone itself: contact, session and care window begin."""
        url = f"{self._simulator}/control/customers/{sender}/messages"
        async with self._session.post(url, json={"type": "text", "text": "Hello"}) as answer:
            answer.raise_for_status()
        await self._arrived.get()

    async def whatsapp(self, sender: str, text: str, count: int) -> float:
        """Post so many messages at once; return the milliseconds until the last answer reached the simulator."""
        ids = [f"wamid.{sender}.{time.time_ns()}.{number}" for number in range(count)]
        begun = time.time()
        await asyncio.gather(*(self._post(*text_message(sender, one, text, SECRET)) for one in ids))
        return (max([await self._arrived.get() for _ in ids]) - begun) * 1000

    async def rest(self, sender: str, text: str, count: int) -> float:
        """Post so many messages at once to the REST channel; return the milliseconds until the last response."""
        begun = time.time()
        await asyncio.gather(*(self._talk(sender, text) for _ in range(count)))
        return (time.time() - begun) * 1000

    async def _post(self, body: bytes, signature: str) -> None:
        headers = {HEADER: signature, "Content-Type": "application/json"}
        async with self._session.post(f"{self._rasa}/webhooks/whatsapp/webhook", data=body, headers=headers) as answer:
            answer.raise_for_status()

    async def _talk(self, sender: str, text: str) -> None:
        message = {"sender": sender, "message": text}
        async with self._session.post(f"{self._rasa}/webhooks/rest/webhook", json=message) as answer:
            answer.raise_for_status()
            if len(await answer.json()) != 1:
                raise click.ClickException("the bot was expected to answer with one message")


async def one_round(number: int, phones: Phones, figures: Figures) -> None:
    """Measure a single turn, then five at once, on each side with each text; who begins changes."""
    sender = f"49151{int(time.time()) % 10_000:04}{number:04}"
    ways = {"W": phones.whatsapp, "R": phones.rest}
    for side in ("WR", "RW")[number % 2]:
        await (phones.open_window(sender) if side == "W" else phones.rest(sender, "Hello", 1))
        for kind, text in TEXTS.items():
            for count in (1, 5):
                await asyncio.sleep(CALM_SECONDS)
                took = await asyncio.wait_for(ways[side](sender, text, count), 60)
                figures.setdefault((kind, side, count), []).append(took)


async def measure(stack: Stack, rounds: int) -> Figures:
    """Return the figures of the rounds; the first round warms up and is left out."""
    figures: Figures = {}
    async with aiohttp.ClientSession() as session:
        phones = Phones(session, stack)
        watching = asyncio.create_task(phones.watch())
        with click.progressbar(range(rounds + 1), label="rounds", file=sys.stderr) as numbers:
            for number in numbers:
                await one_round(number, phones, figures)
        watching.cancel()
        with suppress(asyncio.CancelledError):
            await watching
    return {key: values[1:] for key, values in figures.items()}


def report(figures: Figures) -> None:
    """Print the table."""
    rows = []
    for kind in TEXTS:
        for side, name in SIDES.items():
            ones, fives = figures[kind, side, 1], figures[kind, side, 5]
            over = [five - 5 * one for one, five in zip(ones, fives, strict=True)]
            series = [f"{median(values):.0f}" for values in (ones, fives, over)]
            rows.append((f"{name}, {kind}", *series, f"{p95(over):.0f}", f"{median(fives) / median(ones):.1f}"))
    rounds = len(figures["Rasa alone", "W", 1])
    header = ("", "one", "five at once", "five - 5 x one", "its p95", "five / one")
    show(f"{rounds} rounds, medians in ms; five - 5 x one: reach 100", header, rows)


@click.command(help=__doc__)
@click.option("--rounds", type=click.IntRange(2), default=15, show_default=True, help="Rounds that count.")
@click.option("--model", type=click.Path(exists=True, path_type=Path), help="A trained model; default: the bot's own.")
@click.option(
    "--folder",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=ROOT,
    help="Where a scratch folder for the stores is made; default: beside the bot, as for the demo.",
)
def main(rounds: int, model: Path | None, folder: Path) -> None:
    """Measure and print."""
    model = prepare(model)
    with tempfile.TemporaryDirectory(prefix=".benchmark-", dir=folder) as scratch:
        (Path(scratch) / "bot").mkdir()
        bot = bot_with_rest(Path(scratch) / "bot")
        click.echo("starting the servers ...", err=True)
        # The system's clock, as in production: the simulator's would be asked over HTTP in each turn.
        production = {"RASA_WHATSAPP_CLOCK_URL": "", "LOG_LEVEL": "INFO"}
        with running_bot(bot, state=Path(scratch) / "state", model=model, environment=production) as stack:
            report(asyncio.run(measure(stack, rounds)))
        show_machine(Path(scratch))


if __name__ == "__main__":
    main()
