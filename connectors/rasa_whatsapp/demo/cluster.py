"""Turns a bot's folder into a deployment on one machine: N Rasa servers and an intake over PostgreSQL and Redis, behind a proxy.

    with running_cluster(bot_folder, state=tmp_path, servers=2) as stack:
        requests.post(stack.url("simulator") + "/control/customers/4915112345678/messages", json=...)
        stack.kill("postgres"); stack.start("postgres")

Law: its PostgreSQL, Redis and nginx are its own, in the state folder; the system's servers of these kinds are left alone.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from rasa_whatsapp.demo import programs
from rasa_whatsapp.demo.backing import REDIS_DATABASE, proxy_server, redis_server
from rasa_whatsapp.demo.bot import (
    action_server,
    demo_environment,
    has_actions,
    rasa_server,
    simulator,
    surroundings,
    webhook_of,
    write_settings,
)
from rasa_whatsapp.demo.model import ensure_model
from rasa_whatsapp.demo.once import run_once
from rasa_whatsapp.demo.ports import HOST, Ports, check, unused
from rasa_whatsapp.demo.postgres import DATABASE, ROLE, Postgres
from rasa_whatsapp.demo.processes import never, nothing
from rasa_whatsapp.demo.stack import START_LIMIT_SECONDS, Server, Stack
from rasa_whatsapp.demo.state import occupied

STATE = ".cluster"
Store = Literal["postgresql", "sqlite"]
MEMBERS = ("postgres", "redis", "simulator", "actions", "intake", "proxy")
PAUSE_BEFORE_RESTART_SECONDS = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """What is deployed, and where."""

    folder: Path
    state: Path
    model: Path
    ports: Mapping[str, int]
    servers: int = 2
    store: Store = "postgresql"
    settings: Mapping[str, Any] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    simulator_arguments: Sequence[str] = ()

    def members(self, tick: Callable[[], None] = nothing) -> list[Server]:
        """Make what must be there before the start; return the servers in the order of the start."""
        if self.store == "sqlite":
            self._write_settings({}, {})
            return [self._simulator(), *self._actions(), self._intake(), *self._rasa_servers()]
        programs.require_all()
        postgres = Postgres(folder=self.state / "postgres", port=self.ports["postgres"])
        postgres.make(self.state / "logs" / "initdb.log", tick)
        redis = redis_server(self.state / "redis", self.ports["redis"])
        self._write_settings({"database_url": postgres.url}, rasa_stores(postgres, self.ports["redis"]))
        ours = [self._simulator(), *self._actions(), self._intake(), *self._rasa_servers()]
        return [postgres.server(), redis, *ours, self._proxy()]

    def upgrade(self, tick: Callable[[], None] = nothing) -> None:
        """Make or migrate the channel's tables, as before each start of a new version."""
        command = [sys.executable, "-m", "rasa_whatsapp.cli", "db", "upgrade", "--credentials", str(self._credentials)]
        log = self.state / "logs" / "upgrade.log"
        run_once("db upgrade", command, folder=self.folder, environment=self._shared(), log=log, tick=tick)

    @property
    def _credentials(self) -> Path:
        return self.state / "credentials.yml"

    @property
    def _rasa_ports(self) -> dict[str, int]:
        return {name: self.ports[name] for name in rasa_names(self.servers)}

    @property
    def _bot_ports(self) -> Ports:
        first = self.ports[rasa_names(1)[0]]
        return Ports(simulator=self.ports["simulator"], rasa=first, actions=self.ports["actions"])

    def _shared(self) -> dict[str, str]:
        return {**surroundings(), **demo_environment(self.state, self._bot_ports), **self.environment}

    def _simulator(self) -> Server:
        webhook = webhook_of(self.ports["intake" if self.store == "sqlite" else "proxy"])
        arguments = self.simulator_arguments
        port = self.ports["simulator"]
        return simulator(self.folder, self.state, port, self._shared(), webhook=webhook, arguments=arguments)

    def _actions(self) -> list[Server]:
        return [action_server(self._bot_ports, self._shared())] if has_actions(self.folder) else []

    def _intake(self) -> Server:
        command = [sys.executable, "-m", "rasa_whatsapp.cli", "intake", "--credentials", str(self._credentials)]
        command += ["--host", HOST, "--port", str(self.ports["intake"])]
        return Server(
            name="intake",
            command=tuple(command),
            port=self.ports["intake"],
            health="/webhooks/whatsapp/",
            environment=self._shared(),
        )

    def _rasa_servers(self) -> list[Server]:
        shared = self._shared()
        return [rasa_server(self.state, port, self.model, shared, name=name) for name, port in self._rasa_ports.items()]

    def _proxy(self) -> Server:
        rasa = list(self._rasa_ports.values())
        return proxy_server(self.state / "proxy", self.ports["proxy"], intake=self.ports["intake"], rasa=rasa)

    def _write_settings(self, store: Mapping[str, Any], rasa: Mapping[str, Any]) -> None:
        write_settings(self.folder, self.state, self._bot_ports, {**store, **self.settings}, rasa)


@contextmanager
def running_cluster(
    folder: Path,
    *,
    state: Path,
    servers: int = 2,
    store: Store = "postgresql",
    ports: Mapping[str, int] | None = None,
    model: Path | None = None,
    settings: Mapping[str, Any] | None = None,
    environment: Mapping[str, str] | None = None,
    simulator_arguments: Sequence[str] = (),
    limit_seconds: float = START_LIMIT_SECONDS,
    tick: Callable[[], None] = nothing,
) -> Iterator[Stack]:
    """Run the bot in `folder` as a deployment while the block runs; all that it stores goes to `state`, and is kept.

    The stack's names: `postgres`, `redis`, `simulator`, `actions` (when the bot has any), `intake`, `rasa-1`, `rasa-2` ...,
    `proxy`; with `store="sqlite"` there is neither PostgreSQL, Redis nor proxy. `stack.url("postgres")` is the database's
    address. `ports` chooses some by these names, the others are free ones. `settings` are added to the channel's block,
    `environment` to that of our servers (over all else), `simulator_arguments` to the simulator's command.
    """
    folder, state = folder.resolve(), state.resolve()
    with occupied(state, f"process {os.getpid()}"):
        cluster = Cluster(
            folder=folder,
            state=state,
            model=(
                model or ensure_model(folder, environment=surroundings(), log=state / "logs" / "train.log")
            ).resolve(),
            ports=all_ports(servers, ports or {}),
            servers=servers,
            store=store,
            settings=settings or {},
            environment=environment or {},
            simulator_arguments=simulator_arguments,
        )
        with cluster_stack(cluster, limit_seconds=limit_seconds, tick=tick) as stack:
            start(cluster, stack, tick)
            yield stack


def cluster_stack(
    cluster: Cluster,
    *,
    limit_seconds: float = START_LIMIT_SECONDS,
    tick: Callable[[], None] = nothing,
    hurry: Callable[[], bool] = never,
) -> Stack:
    """Return the cluster's servers, not started yet."""
    return Stack(
        cluster.members(tick),
        folder=cluster.folder,
        logs=cluster.state / "logs",
        limit_seconds=limit_seconds,
        tick=tick,
        hurry=hurry,
    )


def start(cluster: Cluster, stack: Stack, tick: Callable[[], None] = nothing) -> None:
    """Start the databases, bring the tables up to date, start the rest; return when each answers."""
    if cluster.store == "postgresql":
        stack.start("postgres")
        stack.start("redis")
        cluster.upgrade(tick)
    stack.start()


def keep_running(stack: Stack, tick: Callable[[], None], say: Callable[[str], None]) -> None:
    """Start each server again that ends by itself, as a service manager would, until `tick` raises."""
    while True:
        tick()
        for name in stack.fallen():
            say(f"{name} has ended by itself. It is started again.")
            stack.stop(name)
            time.sleep(PAUSE_BEFORE_RESTART_SECONDS)
            stack.launch(name)
        time.sleep(0.2)


def rasa_names(servers: int) -> list[str]:
    """Return the names of that many Rasa servers."""
    return [f"rasa-{number}" for number in range(1, servers + 1)]


def all_ports(servers: int, chosen: Mapping[str, int]) -> dict[str, int]:
    """Return a port for each server: the chosen ones, which must be free, and else any that is free."""
    check(chosen)
    names = [name for name in (*MEMBERS, *rasa_names(servers)) if name not in chosen]
    return {**chosen, **dict(zip(names, unused(len(names), besides=chosen.values()), strict=True))}


def rasa_stores(postgres: Postgres, redis_port: int) -> dict[str, Any]:
    """Return Rasa's own stores as endpoints: conversations beside the channel's tables, locks in Redis."""
    trackers = {"type": "SQL", "dialect": "postgresql", "url": HOST, "port": postgres.port, "db": DATABASE}
    return {
        "tracker_store": {**trackers, "username": ROLE, "password": postgres.password},
        "lock_store": {"type": "redis", "url": HOST, "port": redis_port, "db": REDIS_DATABASE},
    }
