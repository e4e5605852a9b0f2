"""A server that speaks no HTTP is ready when it says so in its own protocol."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from rasa_whatsapp.demo import Ports
from rasa_whatsapp.demo.probes import listens, serves_postgres, serves_redis

# An error of PostgreSQL while it starts: severity FATAL, code 57P03
STARTING = b"E\x00\x00\x00\x1aSFATAL\x00C57P03\x00MwaitE\x00\x00"
ASKS_FOR_PASSWORD = b"R\x00\x00\x00\x17\x00\x00\x00\x0aSCRAM-SHA-256\x00\x00"


@contextmanager
def answering(answer: bytes) -> Iterator[tuple[int, list[bytes]]]:
    """Serve one connection with this answer; yield the port, and what was asked."""
    asked: list[bytes] = []

    def serve() -> None:
        connection, _ = server.accept()
        with connection:
            asked.append(connection.recv(1000))
            connection.sendall(answer)

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=serve)
        thread.start()
        yield server.getsockname()[1], asked
        thread.join(10)


@pytest.mark.parametrize(
    ("answer", "ready"),
    [(ASKS_FOR_PASSWORD, True), (STARTING, False), (b"", False)],
    ids=["asks for the password", "is starting", "hangs up"],
)
def test_postgres(answer: bytes, ready: bool) -> None:
    """Only who would take a session is ready; it is asked by a startup message of protocol 3.0."""
    with answering(answer) as (port, asked):
        assert serves_postgres(port) is ready
    assert asked == [b"\x00\x00\x00\x23\x00\x03\x00\x00user\x00probe\x00database\x00probe\x00\x00"]


@pytest.mark.parametrize(
    ("answer", "ready"),
    [(b"+PONG\r\n", True), (b"-LOADING Redis is loading the dataset in memory\r\n", False), (b"", False)],
    ids=["answers", "loads its data", "hangs up"],
)
def test_redis(answer: bytes, ready: bool) -> None:
    """One that still loads is not ready."""
    with answering(answer) as (port, asked):
        assert serves_redis(port) is ready
    assert asked == [b"PING\r\n"]


def test_who_listens_is_ready() -> None:
    """Of a proxy no more is asked."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        assert listens(server.getsockname()[1])


@pytest.mark.parametrize("probe", [listens, serves_postgres, serves_redis])
def test_nobody_is_there(probe, ports: Ports) -> None:
    """A closed port is an answer, no failure."""
    assert not probe(ports.rasa)
