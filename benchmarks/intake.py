"""How fast webhooks are acknowledged, durable, by one intake process; and that nothing is lost of what was acknowledged.

A bare Sanic handler that verifies and decodes, and pywa under uvicorn, which keep nothing, take the same load in the same run, by turns.
Reach: 0.35 of the bare handler, twice pywa's rate; 4,000 updates/s for 60 s with p99 <= 250 ms, and the same p99 inside a Rasa server
that takes turns at full speed.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
from report import ROOT, median, prepare, show, show_machine
from sqlalchemy import create_engine, text

from rasa_whatsapp.demo.bot import surroundings
from rasa_whatsapp.demo.ports import HOST, unused
from rasa_whatsapp.demo.postgres import Postgres
from rasa_whatsapp.demo.processes import Process
from rasa_whatsapp.demo.stack import answers

HERE = Path(__file__).parent
SECRET = "demo-app-secret"
WEBHOOK = "/webhooks/whatsapp/webhook"
_START_SECONDS = 60.0
_SORTING_SECONDS = 20.0
Load = dict[str, Any]


@dataclass(frozen=True)
class Side:
    """A server under load: what it is called, the command that serves a port, the store behind it if it keeps anything."""

    name: str
    command: Sequence[str]
    port: int
    store: str | None = None

    @contextmanager
    def running(self, folder: Path) -> Iterator[str]:
        """Serve while the block runs; give the webhook's address."""
        log = folder / f"{self.port}.log"
        process = Process(self.name, self.command, folder=folder, environment=surroundings(), log=log)
        url = f"http://{HOST}:{self.port}"
        deadline = time.monotonic() + _START_SECONDS
        while not answers(f"{url}/webhooks/whatsapp/"):
            if process.exit_code is not None or time.monotonic() > deadline:
                raise click.ClickException(f"{self.name} does not answer:\n{log.read_text()[-2000:]}")
            time.sleep(0.1)
        try:
            yield url + WEBHOOK
        finally:
            process.stop()


def post(url: str, name: str, seconds: float, *, rate: float | None = None, connections: int = 32) -> Load:
    """Post from a process of its own; return its figures."""
    command = [sys.executable, str(HERE / "load.py"), url, "--secret", SECRET, "--run", name, "--seconds", str(seconds)]
    command += ["--connections", str(connections), *(["--rate", str(rate)] if rate else [])]
    found: Load = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return found


def intake(name: str, folder: Path, port: int, store: str) -> Side:
    """Return the intake over a store, which is made ready."""
    credentials = folder / f"credentials-{port}.yml"
    block = {
        "phone_number_id": "100000000000001",
        "access_token": "none",
        "app_secret": SECRET,
        "verify_token": "none",
        "database_url": store,
        "backlog_limit": 10_000_000,  # turns are not what is measured
    }
    credentials.write_text(json.dumps({"rasa_whatsapp.WhatsAppInput": block}))
    ours = [sys.executable, "-m", "rasa_whatsapp.cli"]
    subprocess.run([*ours, "db", "upgrade", "--credentials", str(credentials)], check=True, capture_output=True)
    command = [*ours, "intake", "--credentials", str(credentials), "--port", str(port)]
    return Side(name, command, port, store)


def compare(sides: Sequence[Side], folder: Path, rounds: int, seconds: float) -> dict[str, list[float]]:
    """Load each side as fast as it answers, by turns; return posts per second."""
    found: dict[str, list[float]] = {side.name: [] for side in sides}
    with click.progressbar(length=rounds * len(sides), label="as fast as answered", file=sys.stderr) as bar:
        for turn in range(rounds):
            for side in sides if turn % 2 == 0 else reversed(sides):
                with side.running(folder) as url:
                    load = post(url, f"c{turn}", seconds)
                _all_taken(side, load)
                found[side.name].append(load["per_second"])
                bar.update(1)
    return found


def sustain(side: Side, folder: Path, rate: float, seconds: float) -> tuple[Load, float]:
    """Load the intake at a rate; return the figures, and how many updates per second are taken in when it is over.

    Lost is what was acknowledged and is neither taken in nor written down.
    """
    click.echo(f"{side.name}: {rate:.0f}/s for {seconds:.0f} s ...", err=True)
    assert side.store is not None
    _ask(side.store, "DELETE FROM arrivals")  # of the comparison before
    with side.running(folder) as url:
        load = post(url, "sustained", seconds, rate=rate, connections=64)
        _all_taken(side, load)
        load["lost"] = load["statuses"]["200"] - kept(side.store, run="sustained")
        before, begun = taken_in(side.store), time.monotonic()
        time.sleep(_SORTING_SECONDS)
        return load, (taken_in(side.store) - before) / (time.monotonic() - begun)


def kept(store: str, run: str) -> int:
    """Return how many messages and statuses of a run the store holds, taken in or only written down."""
    return int(_ask(store, f"SELECT {_taken(run)} + (SELECT coalesce(sum(amount), 0) FROM arrivals)"))


def taken_in(store: str) -> int:
    """Return how many messages and statuses the store has taken in."""
    return int(_ask(store, f"SELECT {_taken('%')}"))


def _taken(run: str) -> str:
    """Return the expression that counts them; one statement, since they move from table to table meanwhile."""
    ids = f"'wamid.%.{run}.%'"
    return " + ".join(f"(SELECT count(*) FROM {table} WHERE message_id LIKE {ids})" for table in ("inbox", "statuses"))


def _ask(store: str, statement: str) -> Any:
    """Return the value of a statement, in a transaction of its own."""
    options = {} if store.startswith("sqlite") else {"options": "-csearch_path=rasa_whatsapp"}
    engine = create_engine(store, connect_args=options, future=True)
    try:
        with engine.begin() as connection:
            result = connection.execute(text(statement))
            return result.scalar_one() if result.returns_rows else None
    finally:
        engine.dispose()


def _all_taken(side: Side, load: Load) -> None:
    if set(load["statuses"]) != {"200"}:
        raise click.ClickException(f"{side.name} answered {load['statuses']}")


def inside_rasa(folder: Path, model: Path, store: str, rate: float, seconds: float) -> tuple[Load, float]:
    """Load a Rasa server's own webhook while it takes turns without a pause; return the figures and its turns per second."""
    from rasa_whatsapp.demo.cluster import running_cluster

    click.echo(f"inside a Rasa server, {store} ...", err=True)
    own = {"ATTACHMENTS_FOLDER": str(folder / "received"), "SHOP_DATABASE": str(folder / "shop.sqlite")}
    settings = {"backlog_limit": 10_000_000}
    state = folder / f"rasa-{store}"
    with running_cluster(
        ROOT, state=state, servers=1, store=store, model=model, settings=settings, environment=own
    ) as stack:
        url = stack.url("rasa-1") + WEBHOOK
        post(url, "backlog", 2)  # more than it can take turns for meanwhile
        address = stack.url("postgres") if store == "postgresql" else f"sqlite:///{state / 'whatsapp.sqlite'}"
        before = turns_done(address)
        load = post(url, "inside", seconds, rate=rate)
        return load, (turns_done(address) - before) / seconds


def turns_done(store: str) -> int:
    """Return how many turns are done."""
    return int(_ask(store, "SELECT count(*) FROM inbox WHERE state = 'done'"))


def report_rates(found: dict[str, list[float]]) -> None:
    """Print posts per second and the ratios."""
    bare = median(found["bare Sanic, keeps nothing"])
    peer = median(found["pywa, keeps nothing"]) if "pywa, keeps nothing" in found else None
    rows = [
        (
            name,
            f"{median(rates):.0f}",
            f"{min(rates):.0f} - {max(rates):.0f}",
            f"{median(rates) / bare:.2f}",
            f"{median(rates) / peer:.1f}" if peer else "-",
        )
        for name, rates in found.items()
    ]
    header = ("", "posts/s, median", "min - max", "of the bare handler", "of pywa")
    show("As fast as answered, 32 connections, one update a post", header, rows)


def report_latency(rows: Sequence[tuple[str, Load, str]]) -> None:
    """Print how long acknowledgements took."""
    table = [
        (name, f"{load['per_second']:.0f}", *(f"{load[key]:.0f}" for key in ("p50_ms", "p99_ms", "max_ms")), note)
        for name, load, note in rows
    ]
    show("At a rate, from when each post was due", ("", "posts/s", "p50 ms", "p99 ms", "max ms", ""), table)


@click.command(help=__doc__)
@click.option("--rounds", default=5, show_default=True, help="Turns of each side, as fast as answered.")
@click.option("--seconds", default=5.0, show_default=True, help="Length of each of these.")
@click.option("--rate", default=4000.0, show_default=True, help="Updates per second of the sustained load.")
@click.option("--sustained-seconds", default=60.0, show_default=True)
@click.option("--rasa-rate", default=50.0, show_default=True, help="Updates per second inside a busy Rasa server.")
@click.option(
    "--pywa", type=click.Path(exists=True, path_type=Path), help="Python with pywa 4.5.0: see pywa_webhook.py."
)
@click.option("--model", type=click.Path(exists=True, path_type=Path), help="A trained model; default: the bot's own.")
def main(
    rounds: int,
    seconds: float,
    rate: float,
    sustained_seconds: float,
    rasa_rate: float,
    pywa: Path | None,
    model: Path | None,
) -> None:
    """Measure and print."""
    model = prepare(model)
    with tempfile.TemporaryDirectory(prefix=".benchmark-", dir=ROOT) as scratch, ExitStack() as stack:
        folder = Path(scratch)
        ports = unused(5)
        postgres = Postgres(folder=folder / "postgres", port=ports[0])
        postgres.make(folder / "initdb.log")
        server = postgres.server()
        database = Process("postgres", server.command, folder=folder, environment=surroundings(), log=folder / "pg.log")
        stack.callback(database.kill)
        _wait(server)
        ours = [
            intake("intake, SQLite", folder, ports[1], f"sqlite:///{folder / 'store.sqlite'}"),
            intake("intake, PostgreSQL", folder, ports[2], postgres.url),
        ]
        python = [sys.executable, str(HERE / "bare_webhook.py"), str(ports[3]), SECRET]
        others = [Side("bare Sanic, keeps nothing", python, ports[3])]
        if pywa:
            command = [str(pywa), str(HERE / "pywa_webhook.py"), str(ports[4]), SECRET]
            others.append(Side("pywa, keeps nothing", command, ports[4]))
        report_rates(compare([*others, *ours], folder, rounds, seconds))
        rows = []
        for side in ours:
            load, sorted_per_second = sustain(side, folder, rate, sustained_seconds)
            rows.append((side.name, load, f"lost {load['lost']}; then taken in {sorted_per_second:.0f}/s"))
        for store in ("sqlite", "postgresql"):
            load, turns = inside_rasa(folder, model, store, rasa_rate, min(sustained_seconds, 30))
            rows.append((f"inside a Rasa server, {store}", load, f"beside {turns:.1f} turns/s"))
        report_latency(rows)
        show_machine(folder)


def _wait(server: Any) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while not server.is_ready():
        if time.monotonic() > deadline:
            raise click.ClickException("PostgreSQL does not answer")
        time.sleep(0.1)


if __name__ == "__main__":
    main()
