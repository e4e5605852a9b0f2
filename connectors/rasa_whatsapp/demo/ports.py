"""The ports of a demo: which are wanted, and whether something else has them."""

from __future__ import annotations

import socket
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import dataclass

from rasa_whatsapp.demo.failures import PortTaken

HOST = "127.0.0.1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """Where the three servers listen, all on this machine only."""

    simulator: int = 8090
    rasa: int = 5005
    actions: int = 5055

    @classmethod
    def unused(cls) -> Ports:
        """Return three ports that are free right now."""
        with ExitStack() as sockets:
            numbers = [_bound(sockets.enter_context(socket.socket())) for _ in range(3)]
        return cls(simulator=numbers[0], rasa=numbers[1], actions=numbers[2])

    def check(self) -> None:
        """Raise PortTaken, naming every port that is taken or wanted twice and how to choose others."""
        wanted = {"simulator": self.simulator, "rasa": self.rasa, "actions": self.actions}
        problems = [_advice(name, port, wanted.values()) for name, port in wanted.items() if not is_free(port)]
        problems += [
            f"Port {port} is asked for by both {first} and {second}."
            for first, second, port in _twice(list(wanted.items()))
        ]
        if problems:
            raise PortTaken("\n".join(problems))


def is_free(port: int) -> bool:
    """Return whether a server could listen on the port, for this machine and for all addresses."""
    # Both are asked, because macOS lets "all addresses" be bound beside a listener on 127.0.0.1.
    return all(_can_bind(host, port) for host in (HOST, "0.0.0.0"))  # noqa: S104 - asked, never listened on


def _can_bind(host: str, port: int) -> bool:
    with socket.socket() as probe:
        # As servers do: an old connection that is still closing does not count.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def _bound(unbound: socket.socket) -> int:
    unbound.bind((HOST, 0))
    port = unbound.getsockname()[1]
    assert isinstance(port, int)
    return port


def _advice(name: str, port: int, wanted: Iterable[int]) -> str:
    other = next((n for n in range(port + 1, 65536) if n not in wanted and is_free(n)), 0)
    return (
        f"Port {port}, which the {name} server wants, is taken (or not allowed). Stop what listens there, or choose another: "
        f"--{name}-port {other}, or RASA_WHATSAPP_DEMO_{name.upper()}_PORT={other}, or make demo {name.upper()}_PORT={other}"
    )


def _twice(wanted: list[tuple[str, int]]) -> list[tuple[str, str, int]]:
    return [
        (first, second, port)
        for at, (first, port) in enumerate(wanted)
        for second, other in wanted[at + 1 :]
        if port == other
    ]
