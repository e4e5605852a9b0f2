"""What the WhatsApp channel adds to Rasa's own turn, step by step. Reach: at most 3 ms in the median.

One process, one loaded model, one tracker store. Two conversations of equal length take turns, each turn once in each way:

A: plain Rasa, `agent.handle_message` with Rasa's CollectingOutputChannel.

B: our way, from the signed webhook bytes to a Graph double that accepts at once.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import click
from report import ROOT, median, p95, prepare, show, show_machine
from webhooks import text_message

Figures = dict[str, float]
STEPS = {
    "receive": "  receive: verify, parse, inbox commit (Meta has its 200)",
    "begin": "  begin: lane, next row, marked as running",
    "dialogue": "  dialogue: Rasa's turn with the slots' entities, less A",
    "say": "  say: response to drafts, outbox commit",
    "end": "  end: row marked as done",
}


async def plain_turn(agent: Any, sender: str, text: str) -> Figures:
    """Take a turn with Rasa alone; return when its answer was said, and when all was done."""
    from rasa.core.channels.channel import CollectingOutputChannel, UserMessage

    said: list[float] = []

    class Collecting(CollectingOutputChannel):
        async def send_response(self, recipient_id: str, message: dict[str, Any]) -> None:
            said.append(time.perf_counter())
            await super().send_response(recipient_id, message)

    begun = time.perf_counter()
    await agent.handle_message(UserMessage(text, Collecting(), sender))
    return {"done": (time.perf_counter() - begun) * 1000, "left": (said[0] - begun) * 1000}


async def our_turn(gateway: Any, watch: Any, body: bytes, header: str) -> Figures:
    """Take a turn our way; return its steps, when it was done, and when the request with the answer left."""
    from watched import SECRET

    from rasa_whatsapp.cloud.signature import verify

    watch.restart()
    watch.mark("came")
    verify(body, header, SECRET)
    await gateway.receive(body)
    watch.mark("received")
    await watch.until("ended", "left")
    return {
        "receive": watch.between("came", "received"),
        "begin": watch.between("received", "begun"),
        "dialogue": watch.between("begun", "taken") - watch.saying,
        "say": watch.saying,
        "end": watch.between("taken", "ended"),
        "done": watch.between("came", "ended"),
        "left": watch.between("came", "left"),
    }


async def measure(
    model: Path, folder: Path, turns: int, length: int, text: str
) -> tuple[list[Figures], list[Figures], Figures]:
    """Return the figures of the plain turns, those of ours, and our transactions per turn."""
    import watched

    agent, watch = await watched.load(model, folder), watched.Watch()
    gateway, store = watched.make_gateway(agent, folder, watch)
    await gateway.start()
    plain, ours, warm_up = [], [], 2 * length
    with click.progressbar(range(turns + warm_up), label="turns", file=sys.stderr) as numbers:
        for number in numbers:
            if number == warm_up:
                watch.transactions.clear()
            conversation = number // length
            body, header = text_message(f"49151{conversation:08}", f"wamid.in{number}", text, watched.SECRET)
            for way in ("AB", "BA")[number % 2]:
                if way == "A":
                    plain.append(await plain_turn(agent, f"plain-{conversation}", text))
                else:
                    ours.append(await our_turn(gateway, watch, body, header))
    await gateway.close()
    store.close()
    per_turn = {name: count / turns for name, count in watch.transactions.most_common()}
    return plain[warm_up:], ours[warm_up:], per_turn


def report(plain: list[Figures], ours: list[Figures], transactions: Figures) -> None:
    """Print the table."""

    def added(figure: str, less: str) -> list[float]:
        return [b[figure] - a[less] for a, b in zip(plain, ours, strict=True)]

    series = [
        ("A plain Rasa: turn done", [turn["done"] for turn in plain]),
        ("B our way: turn done", [turn["done"] for turn in ours]),
        ("B - A (reach: 3 ms)", added("done", "done")),
        *(
            (name, added(step, "done") if step == "dialogue" else [b[step] for b in ours])
            for step, name in STEPS.items()
        ),
        ("A plain Rasa: answer said", [turn["left"] for turn in plain]),
        ("B our way: request left", [turn["left"] for turn in ours]),
        ("B - A", added("left", "left")),
    ]
    rows = [(name, f"{median(values):.2f}", f"{p95(values):.2f}") for name, values in series]
    show(f"{len(ours)} turns each, in ms; differences are of neighbouring turns", ("", "median", "p95"), rows)
    ratio = median(turn["done"] for turn in ours) / median(turn["done"] for turn in plain)
    print(f"\nB / A: {ratio:.2f}. Transactions of our store per turn, ticks included:")
    print(", ".join(f"{name} {count:.1f}" for name, count in transactions.items()))


@click.command(help=__doc__)
@click.option(
    "--turns", type=click.IntRange(2), default=200, show_default=True, help="Turns of each way, after the warm-up."
)
@click.option("--length", default=5, show_default=True, help="Turns of one conversation; then a new sender begins.")
@click.option("--text", default="Hello", show_default=True, help="What the customer writes.")
@click.option("--model", type=click.Path(exists=True, path_type=Path), help="A trained model; default: the bot's own.")
@click.option(
    "--folder",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=ROOT,
    help="Where a scratch folder for the stores is made; default: beside the bot, as for the demo.",
)
def main(turns: int, length: int, text: str, model: Path | None, folder: Path) -> None:
    """Measure and print."""
    sys.path.insert(0, str(ROOT))  # the bot's own NLU component is imported from data/
    model = prepare(model)
    click.echo("loading Rasa and the model ...", err=True)
    from sanic.server.loop import try_use_uvloop
    from watched import log_as_the_server_does

    log_as_the_server_does()
    try_use_uvloop()  # as the Rasa server does
    with tempfile.TemporaryDirectory(prefix=".benchmark-", dir=folder) as scratch:
        report(*asyncio.run(measure(model, Path(scratch), turns, length, text)))
        show_machine(Path(scratch))


if __name__ == "__main__":
    main()
