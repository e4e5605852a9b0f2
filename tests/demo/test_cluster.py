"""What a cluster is told to do: its ports, its settings files, who is started again."""

from __future__ import annotations

import os
import signal
import socket
import stat
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from urllib.request import urlopen

import pytest

from rasa_whatsapp.demo import Server, Stack
from rasa_whatsapp.demo.cluster import Cluster, all_ports, keep_running
from rasa_whatsapp.demo.failures import PortTaken, StopRequested
from rasa_whatsapp.demo.ports import FREE_FROM, unused
from rasa_whatsapp.demo.settings import read

CHANNEL = "rasa_whatsapp.WhatsAppInput"
NAMES = {"postgres", "redis", "simulator", "actions", "intake", "proxy", "rasa-1", "rasa-2", "rasa-3"}


@pytest.fixture
def cluster(bot: Path, tmp_path: Path) -> Cluster:
    """Return a cluster of three Rasa servers on the fake bot; nothing is started."""
    (tmp_path / "state").mkdir()
    return Cluster(
        folder=bot,
        state=tmp_path / "state",
        model=tmp_path / "model.tar.gz",
        ports=all_ports(3, {}),
        servers=3,
        settings={"settle_seconds": 1},
        environment={"LOG_LEVEL": "INFO"},
        simulator_arguments=("--window-errors", "http"),
    )


def test_every_server_has_a_port_of_its_own() -> None:
    """The chosen ones are kept, the others are free ones that no outgoing connection takes."""
    (proxy,) = unused(1)
    ports = all_ports(3, {"proxy": proxy})
    assert set(ports) == NAMES
    assert ports["proxy"] == proxy
    assert len(set(ports.values())) == len(NAMES)
    assert all(port in FREE_FROM for port in ports.values())


def test_taken_port_is_named() -> None:
    """The chosen port of the proxy is somebody else's: it says which option chooses another one, that is free."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(PortTaken) as refusal:
            all_ports(1, {"proxy": port})
    said = str(refusal.value)
    assert f"Port {port}, which the proxy wants, is taken" in said
    other = int(said.rpartition("--proxy-port ")[2])
    assert other > port


def test_order_of_the_start(cluster: Cluster) -> None:
    """Databases first, the proxy last; the databases and the simulator must answer before others are started."""
    servers = cluster.members()
    assert [server.name for server in servers] == [
        "postgres", "redis", "simulator", "actions", "intake", "rasa-1", "rasa-2", "rasa-3", "proxy",
    ]  # fmt: skip
    assert {server.name for server in servers if server.comes_first} == {"postgres", "redis", "simulator"}


def test_on_a_file_there_is_one_rasa_server(cluster: Cluster) -> None:
    """Without PostgreSQL neither Redis nor a proxy is needed: webhooks go to the intake, and both share the file."""
    small = replace(cluster, store="sqlite", servers=1)
    servers = {server.name: server for server in small.members()}
    assert list(servers) == ["simulator", "actions", "intake", "rasa-1"]
    webhook = f"http://127.0.0.1:{cluster.ports['intake']}/webhooks/whatsapp/webhook"
    assert webhook in servers["simulator"].command
    assert read(cluster.state / "credentials.yml")[CHANNEL]["database_url"].startswith("sqlite:///")
    assert "lock_store" not in read(cluster.state / "endpoints.yml")


def test_settings_files(cluster: Cluster) -> None:
    """The channel and Rasa's trackers share the database, locks are in Redis, and nobody else may read the password."""
    postgres, redis, *_ = cluster.members()
    channel = read(cluster.state / "credentials.yml")[CHANNEL]
    assert channel["database_url"] == postgres.address
    assert channel["settle_seconds"] == 1
    assert channel["graph_url"] == f"http://127.0.0.1:{cluster.ports['simulator']}"
    endpoints = read(cluster.state / "endpoints.yml")
    trackers = endpoints["tracker_store"]
    assert "postgresql://{username}:{password}@{url}:{port}/{db}".format(**trackers) == postgres.address
    assert (trackers["type"], trackers["dialect"]) == ("SQL", "postgresql")
    assert endpoints["lock_store"] == {"type": "redis", "url": "127.0.0.1", "port": redis.port, "db": 1}
    for name in ("credentials.yml", "endpoints.yml"):
        assert stat.S_IMODE((cluster.state / name).stat().st_mode) == 0o600


def test_servers_get_what_was_asked_for(cluster: Cluster) -> None:
    """Variables for all of ours, arguments for the simulator; its webhooks go to the proxy."""
    servers = {server.name: server for server in cluster.members()}
    ours = ("simulator", "actions", "intake", "rasa-1", "rasa-2", "rasa-3")
    assert {servers[name].environment.get("LOG_LEVEL") for name in ours} == {"INFO"}
    simulator = servers["simulator"].command
    assert simulator[-2:] == ("--window-errors", "http")
    webhook = f"http://127.0.0.1:{cluster.ports['proxy']}/webhooks/whatsapp/webhook"
    assert simulator[simulator.index("--webhook") + 1] == webhook


def test_who_ends_by_itself_is_started_again(
    server: Callable[..., Server], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a service manager does it, until we are asked to end."""
    monkeypatch.setattr("rasa_whatsapp.demo.cluster.PAUSE_BEFORE_RESTART_SECONDS", 0)
    said: list[str] = []
    (port,) = unused(1)
    with Stack([server("rasa-1", port)], folder=tmp_path, logs=tmp_path) as stack:
        stack.start()
        first = stack.pid("rasa-1")
        os.kill(first, signal.SIGKILL)

        def tick() -> None:
            if said:
                raise StopRequested

        with pytest.raises(StopRequested):
            keep_running(stack, tick, said.append)
        stack.wait_ready("rasa-1")
        assert stack.pid("rasa-1") != first
        assert urlopen(stack.url("rasa-1")).status == 200
    assert said == ["rasa-1 has ended by itself. It is started again."]
