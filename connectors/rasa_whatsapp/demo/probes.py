"""Asks servers that do not speak HTTP whether they are ready: PostgreSQL, Redis, whoever listens.

Law: a few bytes, two seconds, no client library; what goes wrong means "not yet".
"""

from __future__ import annotations

import socket
import struct

from rasa_whatsapp.demo.ports import HOST

PATIENCE_SECONDS = 2.0
# The startup message, protocol 3.0: https://www.postgresql.org/docs/15/protocol-message-formats.html
POSTGRES_PROTOCOL = 3 << 16
POSTGRES_ASKS_WHO_WE_ARE = b"R"  # AuthenticationRequest; while it starts or recovers it answers an error instead


def listens(port: int) -> bool:
    """Return whether somebody accepts connections."""
    return _ask(port, b"") is not None


def serves_postgres(port: int) -> bool:
    """Return whether a PostgreSQL takes sessions: it starts no more, recovers no more, and does not shut down."""
    names = b"user\0probe\0database\0probe\0\0"
    answer = _ask(port, struct.pack("!II", 8 + len(names), POSTGRES_PROTOCOL) + names)
    return bool(answer and answer.startswith(POSTGRES_ASKS_WHO_WE_ARE))


def serves_redis(port: int) -> bool:
    """Return whether a Redis has loaded its data."""
    return _ask(port, b"PING\r\n") == b"+PONG\r\n"


def _ask(port: int, question: bytes) -> bytes | None:
    """Return the answer to a question, nothing to none; None when nobody is there."""
    try:
        with socket.create_connection((HOST, port), timeout=PATIENCE_SECONDS) as connection:
            if not question:
                return b""
            connection.sendall(question)
            return connection.recv(1024)  # all of it: what is left unread would be a broken connection to the server
    except OSError:
        return None
