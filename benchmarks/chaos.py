"""Kills servers at random while customers talk to the example bot, and lets WhatsApp misbehave; then counts.

By the simulator's own record: every message answered exactly once, each customer's answers in order, every follow-up that is due
exactly once, no free-form message outside its window. Reach: 0 lost and 0 twice in 10,000 turns with 100 kills.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import click
import requests
from chaos_customers import Customers
from chaos_judge import Findings, judge
from report import ROOT, prepare, show, show_machine

from rasa_whatsapp.demo import Stack
from rasa_whatsapp.demo.cluster import running_cluster

# Each strikes by itself; together about every eighth request and every fourth webhook is hit.
FAULTS: list[dict[str, Any]] = [
    {"kind": "duplicate_webhooks", "probability": 0.1, "seconds": 3},
    {"kind": "reorder_webhooks", "probability": 0.05, "seconds": 1},
    {"kind": "delay_statuses", "probability": 0.1, "seconds": 3},
    {"kind": "status_first", "probability": 0.05},
    {"kind": "skip_delivered", "probability": 0.05},
    {"kind": "http_error", "code": 130429, "probability": 0.01},
    {"kind": "http_error", "code": 131016, "probability": 0.02},
    {"kind": "http_error", "code": 131056, "probability": 0.01},
    {"kind": "accepted_error", "code": 131000, "probability": 0.02},
    {"kind": "drop_before", "probability": 0.01},
    {"kind": "drop_after", "probability": 0.02},
    {"kind": "slow_answer", "seconds": 2, "probability": 0.02},
]
SETTINGS = {"settle_seconds": 30, "backlog_limit": 1_000_000, "messages_per_second": 80}
SIMULATOR = ("--longest-pause", "5")
# How often each kind of server is hit; a Rasa server takes a quarter of a minute to come back.
WEIGHTS = {"rasa": 4, "intake": 3, "actions": 2, "postgres": 2, "redis": 1, "proxy": 1}
QUIET_SECONDS = 45.0  # longer than settle_seconds: what is sent again, is sent by then
A_DAY_SECONDS = 86_400 + 600


@dataclass
class Chaos:
    """Kills and starts the members of a running stack; `say` tells a person."""

    stack: Stack
    seed: int
    say: Callable[[str], None]
    kills: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        """Draw from a generator of its own."""
        self._random = Random(self.seed)
        self._down: dict[str, float] = {}
        self._simulator = self.stack.url("simulator")
        self._unreachable_until = 0.0

    def kill_one(self) -> None:
        """Kill a server that runs, if there is one; it is started again a moment later."""
        running = [name for name in self.stack.servers if name != "simulator" and name not in self._down]
        if not running:
            return
        name = self._random.choices(running, [WEIGHTS[name.split("-")[0]] for name in running])[0]
        self.stack.kill(name)
        self.kills[name] += 1
        self._down[name] = time.monotonic() + self._random.uniform(0, 4)
        self.say(f"killed {name} ({sum(self.kills.values())})")

    def heal_what_is_due(self) -> None:
        """Start what was killed a moment ago, and whatever has ended by itself since."""
        for name, at in list(self._down.items()):
            if time.monotonic() >= at:
                del self._down[name]
                self.stack.launch(name)
        for name in self.stack.fallen():
            self.stack.stop(name)
            self._down[name] = time.monotonic() + 1

    def misbehave(self) -> None:
        """Let WhatsApp be out of reach now and then, and otherwise as faulty as ever."""
        now = time.monotonic()
        if now > self._unreachable_until and self._random.random() < 0.01:
            self._unreachable_until = now + self._random.uniform(2, 8)
            self._set_faults([{"kind": "unreachable"}, *FAULTS])
        elif self._unreachable_until and now > self._unreachable_until:
            self._unreachable_until = 0.0
            self._set_faults(FAULTS)

    def begin(self) -> None:
        """Switch the faults on."""
        self._set_faults(FAULTS)

    def end(self) -> None:
        """Let everything run and behave."""
        self._set_faults([])
        self._down.clear()
        for _ in range(5):
            with suppress(Exception):
                self.stack.start()
                return
        self.stack.start()

    def _set_faults(self, faults: list[dict[str, Any]]) -> None:
        body = {"faults": faults, "seed": self.seed}
        requests.put(f"{self._simulator}/control/faults", json=body, timeout=60).raise_for_status()


def run(
    stack: Stack,
    *,
    seed: int,
    turns: int,
    kills: int,
    customers: int,
    say: Callable[[str], None],
    quiet_seconds: float = QUIET_SECONDS,
) -> tuple[Findings, Counter[str]]:
    """Let the customers talk while servers die, then let a day pass while they die; return what came of it."""
    chaos = Chaos(stack, seed, say)
    talking = Customers(stack.url("simulator"), seed, customers, turns)
    chaos.begin()
    talking.start()
    in_the_night = max(kills // 10, 1)
    _spread(chaos, talking, kills - in_the_night, lambda: talking.answered / turns, lambda: talking.is_over)
    chaos.end()
    _wait_until_quiet(talking, turns, say, quiet_seconds)
    due = talking.reminders()
    say(f"a day passes; {len(due)} follow-ups fall due")
    chaos.begin()
    url = f"{stack.url('simulator')}/control/clock"
    requests.post(url, json={"advance_seconds": A_DAY_SECONDS}, timeout=60).raise_for_status()
    _spread(chaos, talking, in_the_night, lambda: _reminded(talking) / len(due), lambda: _reminded(talking) >= len(due))
    chaos.end()
    _wait_until_quiet(talking, turns, say, quiet_seconds)
    talking.stop()
    return judge(talking.read_again(), follow_ups_due=due), chaos.kills


def _reminded(talking: Customers) -> int:
    return sum(1 for line in list(talking.record) if str(line["callback_data"]).startswith("follow-up:"))


def _spread(
    chaos: Chaos, talking: Customers, kills: int, progress: Callable[[], float], is_over: Callable[[], bool]
) -> None:
    """Kill so many servers, spread over the progress of the work."""
    done, killed_at = 0, time.monotonic()
    while done < kills or not is_over():
        if talking.problem is not None:
            raise talking.problem
        chaos.heal_what_is_due()
        chaos.misbehave()
        waited = time.monotonic() - killed_at
        if done < kills and ((progress() >= (done + 1) / (kills + 1) and waited > 1) or waited > 45):
            chaos.kill_one()
            done, killed_at = done + 1, time.monotonic()
        time.sleep(0.2)


def _wait_until_quiet(talking: Customers, turns: int, say: Callable[[str], None], quiet_seconds: float) -> None:
    """Return when nothing has happened for so long that nothing will."""
    seen, since = -1, time.monotonic()
    while time.monotonic() - since < quiet_seconds:
        if len(talking.record) != seen:
            seen, since = len(talking.record), time.monotonic()
            say(f"{talking.answered} of {turns} answered")
        time.sleep(1)


def report(findings: Findings, kills: Counter[str], seconds: float) -> None:
    """Print the table."""
    rows = [
        ("turns", str(findings.turns)),
        ("answers, each exactly once", str(findings.answers)),
        ("follow-ups, each exactly once", str(findings.follow_ups)),
        *((name, str(len(keys))) for name, keys in findings.wrong.items()),
        ("servers killed", ", ".join(f"{name} {count}" for name, count in sorted(kills.items()))),
        ("minutes", f"{seconds / 60:.1f}"),
    ]
    show("By the simulator's record", ("", ""), rows)
    for name, keys in findings.wrong.items():
        for key in keys[:10]:
            print(f"{name}: …{key[-32:]}")


@click.command(help=__doc__)
@click.option("--turns", type=click.IntRange(2), default=10_000, show_default=True)
@click.option("--kills", type=click.IntRange(2), default=100, show_default=True)
@click.option("--customers", type=click.IntRange(1), default=300, show_default=True)
@click.option("--servers", type=click.IntRange(1, 5), default=3, show_default=True, help="Rasa servers.")
@click.option("--store", type=click.Choice(["postgresql", "sqlite"]), default="postgresql", show_default=True)
@click.option("--seed", type=int, default=1, show_default=True)
@click.option("--model", type=click.Path(exists=True, path_type=Path), help="A trained model; default: the bot's own.")
@click.option(
    "--folder",
    type=click.Path(file_okay=False, path_type=Path),
    help="Keep what the servers store and log there; default: a scratch folder.",
)
def main(
    turns: int,
    kills: int,
    customers: int,
    servers: int,
    store: str,
    seed: int,
    model: Path | None,
    folder: Path | None,
) -> None:
    """Run, print, and fail if anything was lost or came twice."""
    model = prepare(model)
    print(f"seed {seed}, {servers} Rasa server(s), {store}, {customers} customers")
    with tempfile.TemporaryDirectory(prefix=".chaos-", dir=ROOT) as scratch:
        state = folder or Path(scratch)
        own = {"ATTACHMENTS_FOLDER": str(state / "received"), "SHOP_DATABASE": str(state / "shop.sqlite")}
        begun = time.monotonic()
        with running_cluster(
            ROOT,
            state=state,
            servers=servers,
            store=store,
            model=model,
            settings=SETTINGS,
            environment=own,
            simulator_arguments=SIMULATOR,
        ) as stack:

            def say(text: str) -> None:
                click.echo(f"{time.monotonic() - begun:6.0f} s  {text}", err=True)

            findings, killed = run(stack, seed=seed, turns=turns, kills=kills, customers=customers, say=say)
            report(findings, killed, time.monotonic() - begun)
            show_machine(state)
    sys.exit(0 if findings.is_clean else 1)


if __name__ == "__main__":
    main()
