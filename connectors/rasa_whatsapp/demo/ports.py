"""The ports of a demo: which are wanted, and whether something else has them."""

from __future__ import annotations

import socket
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from random import SystemRandom

from rasa_whatsapp.demo.failures import PortTaken

HOST = "127.0.0.1"
# Below those from which the system takes the near end of outgoing connections (Linux: from 32768, macOS: from 49152).
# Else such a connection may sit on the port of a server that is down for a moment, or even reach itself there.
FREE_FROM = range(20000, 32768)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """Where the three servers listen, all on this machine only."""

    simulator: int = 8090
    rasa: int = 5005
    actions: int = 5055

    @classmethod
    def unused(cls) -> Ports:
        """Return three ports that are free right now."""
        simulator, rasa, actions = unused(3)
        return cls(simulator=simulator, rasa=rasa, actions=actions)

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


def check(wanted: Mapping[str, int]) -> None:
    """Raise PortTaken, naming every server of a cluster whose chosen port is taken, and how to choose another."""
    taken = [
        f"Port {port}, which the {name} wants, is taken (or not allowed). Stop what listens there, or choose another: "
        f"--{name}-port {_next_free(port, wanted.values())}"
        for name, port in wanted.items()
        if not is_free(port)
    ]
    twice = [
        f"Port {port} is asked for by both {first} and {second}."
        for first, second, port in _twice(list(wanted.items()))
    ]
    if taken or twice:
        raise PortTaken("\n".join([*taken, *twice]))


def unused(count: int, *, besides: Collection[int] = ()) -> list[int]:
    """Return that many ports that are free right now, and none of `besides`."""
    found: list[int] = []
    for port in SystemRandom().sample(FREE_FROM, len(FREE_FROM)):
        if len(found) == count:
            return found
        if port not in besides and is_free(port):
            found.append(port)
    raise PortTaken(f"Of the ports {FREE_FROM.start} to {FREE_FROM.stop - 1} fewer than {count} are free.")


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


def _advice(name: str, port: int, wanted: Iterable[int]) -> str:
    other = _next_free(port, wanted)
    return (
        f"Port {port}, which the {name} server wants, is taken (or not allowed). Stop what listens there, or choose another: "
        f"--{name}-port {other}, or RASA_WHATSAPP_DEMO_{name.upper()}_PORT={other}, or make demo {name.upper()}_PORT={other}"
    )


def _next_free(port: int, besides: Iterable[int]) -> int:
    return next((other for other in range(port + 1, 65536) if other not in besides and is_free(other)), 0)


def _twice(wanted: list[tuple[str, int]]) -> list[tuple[str, str, int]]:
    return [
        (first, second, port)
        for at, (first, port) in enumerate(wanted)
        for second, other in wanted[at + 1 :]
        if port == other
    ]
