"""Posts to one address over connections that are kept alive: just enough HTTP to hear the status of the answer.

Thousands of webhooks a second are most of what a simulator under load does, and this is a fifth of the work of a
general client. An answer without a Content-Length counts from its head on, and its connection is not used again.
"""

from __future__ import annotations

import asyncio
import re
import ssl
from urllib.parse import urlsplit

# Servers close idle connections after a few seconds, some at the very moment of the next request.
IDLE_SECONDS = 2.0
_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*(\d+)", re.IGNORECASE)
_CLOSE = re.compile(rb"\r\nconnection:[ \t]*close", re.IGNORECASE)
_STATUS = re.compile(rb"HTTP/1\.([01]) (\d{3})")


class NotPosted(Exception):
    """There was no answer, with the reason."""


class Connection(asyncio.Protocol):
    """One connection: a request, then its answer, then the next request."""

    def __init__(self) -> None:
        """Begin unconnected."""
        self._transport: asyncio.Transport | None = None
        self._answer: asyncio.Future[int] | None = None
        self._received = b""
        self.is_usable = False
        self.idle_since = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the transport."""
        assert isinstance(transport, asyncio.Transport) or hasattr(transport, "write")
        self._transport = transport  # type: ignore[assignment]  # uvloop's is no subclass
        self.is_usable = True

    def connection_lost(self, exc: Exception | None) -> None:
        """Fail whoever waits for an answer."""
        self._fail("broken answer (ConnectionError)")

    def data_received(self, data: bytes) -> None:
        """Read on; tell the status when the answer is whole."""
        self._received += data
        head_end = self._received.find(b"\r\n\r\n")
        if head_end < 0:
            return
        head = self._received[:head_end]
        found = _STATUS.match(head)
        if found is None:
            self._fail("broken answer (no HTTP)")
        elif found[2].startswith(b"1"):
            # `100 Continue` and its like come before the answer.
            self._received = self._received[head_end + 4 :]
            self.data_received(b"")
        else:
            self._read_body(head, found, len(self._received) - head_end - 4)

    def ask(self, request: bytes) -> asyncio.Future[int]:
        """Send a request; return its status to come."""
        assert self._transport is not None
        self._answer, self._received = asyncio.get_running_loop().create_future(), b""
        self._transport.write(request)
        return self._answer

    def give_up(self, reason: str) -> None:
        """Wait no longer for an answer."""
        self._fail(reason)

    def close(self) -> None:
        """Close; whoever waits is told."""
        self._fail("closed")

    def _read_body(self, head: bytes, found: re.Match[bytes], received: int) -> None:
        length = _LENGTH.search(head)
        if length is not None and received < int(length[1]):
            return
        if length is None or found[1] == b"0" or _CLOSE.search(head) is not None:
            self._drop()
        answer, self._answer = self._answer, None
        if answer is not None and not answer.done():
            answer.set_result(int(found[2]))

    def _fail(self, reason: str) -> None:
        self._drop()
        answer, self._answer = self._answer, None
        if answer is not None and not answer.done():
            answer.set_exception(NotPosted(reason))

    def _drop(self) -> None:
        self.is_usable = False
        if self._transport is not None:
            self._transport.close()


class Poster:
    """Posts to one address."""

    def __init__(self, url: str, timeout_seconds: float) -> None:
        """Take where to post and how long to wait for an answer."""
        parts = urlsplit(url)
        self._host = parts.hostname or ""
        self._port = parts.port or (443 if parts.scheme == "https" else 80)
        self._ssl = ssl.create_default_context() if parts.scheme == "https" else None
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        self._head = f"POST {path} HTTP/1.1\r\nHost: {parts.netloc}\r\nUser-Agent: facebookexternalua\r\n"
        self._timeout_seconds = timeout_seconds
        self._idle: list[Connection] = []
        self._busy: set[Connection] = set()

    def close(self) -> None:
        """Close every connection."""
        for connection in (*self._idle, *self._busy):
            connection.close()
        self._idle.clear()

    async def post(self, body: bytes, headers: str) -> int:
        """Post JSON with further header lines; return the status of the answer, or raise `NotPosted`."""
        request = f"{self._head}Content-Type: application/json\r\n{headers}Content-Length: {len(body)}\r\n\r\n"
        connection = self._reusable() or await self._connect()
        self._busy.add(connection)
        late = f"no answer in {self._timeout_seconds:g} s"
        loop = asyncio.get_running_loop()
        timer = loop.call_later(self._timeout_seconds, connection.give_up, late)
        try:
            status = await connection.ask(request.encode() + body)
        except asyncio.CancelledError:
            connection.close()
            raise
        finally:
            timer.cancel()
            self._busy.discard(connection)
        if connection.is_usable:
            connection.idle_since = loop.time()
            self._idle.append(connection)
        return status

    def _reusable(self) -> Connection | None:
        fresh = asyncio.get_running_loop().time() - IDLE_SECONDS
        while self._idle:
            connection = self._idle.pop()
            if connection.is_usable and connection.idle_since > fresh:
                return connection
            connection.close()
        return None

    async def _connect(self) -> Connection:
        loop = asyncio.get_running_loop()
        connecting = loop.create_connection(Connection, self._host, self._port, ssl=self._ssl)
        try:
            _, connection = await asyncio.wait_for(connecting, self._timeout_seconds)
        except asyncio.TimeoutError:
            raise NotPosted(f"no answer in {self._timeout_seconds:g} s") from None
        except OSError:
            raise NotPosted("no connection") from None
        return connection
