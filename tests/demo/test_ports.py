"""A taken port is named, with the ways to choose another."""

from __future__ import annotations

import re
import socket

import pytest

from rasa_whatsapp.demo import Ports
from rasa_whatsapp.demo.failures import PortTaken


@pytest.mark.parametrize("name", ["simulator", "rasa", "actions"])
@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0"])
def test_taken_port_is_named(name: str, host: str, ports: Ports) -> None:
    """Whoever listens, on this machine's address or on all: the message tells option, variable and make's way."""
    port = getattr(ports, name)
    with socket.create_server((host, port)), pytest.raises(PortTaken) as refusal:
        ports.check()
    said = str(refusal.value)
    assert f"Port {port}, which the {name} server wants, is taken" in said
    other = re.search(rf"--{name}-port ([0-9]+)", said)
    assert other
    assert f"RASA_WHATSAPP_DEMO_{name.upper()}_PORT={other[1]}" in said
    assert f"make demo {name.upper()}_PORT={other[1]}" in said
    assert other[1] not in {str(ports.simulator), str(ports.rasa), str(ports.actions)}


def test_every_taken_port_is_named(ports: Ports) -> None:
    """All problems are told at once."""
    with (
        socket.create_server(("127.0.0.1", ports.rasa)),
        socket.create_server(("127.0.0.1", ports.actions)),
        pytest.raises(PortTaken, match=rf"Port {ports.rasa}.*\nPort {ports.actions}"),
    ):
        ports.check()


def test_one_port_for_two_servers(ports: Ports) -> None:
    """Two servers cannot share a port."""
    with pytest.raises(PortTaken, match=f"Port {ports.rasa} is asked for by both simulator and rasa"):
        Ports(simulator=ports.rasa, rasa=ports.rasa, actions=ports.actions).check()


def test_closing_connection_does_not_take_a_port(ports: Ports) -> None:
    """A restart right after the last demo is not refused because of its old connections."""
    with socket.create_server(("127.0.0.1", ports.rasa)) as server:
        client = socket.create_connection(("127.0.0.1", ports.rasa))
        accepted, _ = server.accept()
        accepted.close()  # who closes first keeps the port in TIME_WAIT
        client.close()
    ports.check()
