"""Posts signed webhooks as fast as they are answered, or at a rate; says how long each answer took and what was acknowledged.

A process of its own, so that it takes no time from the server that it measures: `python load.py URL ...`, figures as JSON.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import sys
import time
from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import click

_STATUSES = ("sent", "delivered", "read")
_TICK_SECONDS = 0.002


def bodies(run: str, customers: int) -> Iterator[bytes]:
    """Yield webhook bodies as Meta posts them singly: one message of a customer, then three statuses of an answer to it."""
    number = 0
    while True:
        customer = f"49151{number % customers:08}"
        at = int(time.time())
        contact = f'"contacts":[{{"profile":{{"name":"L\\u00e9a"}},"wa_id":"{customer}","user_id":"DE.{customer}"}}]'
        yield _envelope(
            f'{contact},"messages":[{{"from":"{customer}","from_user_id":"DE.{customer}","id":"wamid.IN.{run}.{number}",'
            f'"timestamp":"{at}","type":"text","text":{{"body":"Where is my order number {number}?"}}}}]'
        )
        for status in _STATUSES:
            yield _envelope(
                f'{contact},"statuses":[{{"id":"wamid.OUT.{run}.{number}","status":"{status}","timestamp":"{at}",'
                f'"recipient_id":"{customer}","biz_opaque_callback_data":"wamid.IN.{run}.{number}#1",'
                '"pricing":{"billable":false,"pricing_model":"PMP","category":"service","type":"free_customer_service"}}]'
            )
        number += 1


def _envelope(content: str) -> bytes:
    return (
        '{"object":"whatsapp_business_account","entry":[{"id":"200000000000001","changes":[{"value":{'
        '"messaging_product":"whatsapp","metadata":{"display_phone_number":"4930901820000",'
        f'"phone_number_id":"100000000000001"}},{content}}},"field":"messages"}}]}}]}}'
    ).encode()


@dataclass
class Load:
    """The posts still to be made, and what became of those that were."""

    url: str
    secret: bytes
    source: Iterator[bytes]
    rate: float | None
    answered: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    due: deque[float] = field(default_factory=deque)
    is_over: bool = False

    def __post_init__(self) -> None:
        """Make the head that all requests share."""
        place = urlsplit(self.url)
        self._head = (
            f"POST {place.path} HTTP/1.1\r\nHost: {place.netloc}\r\nContent-Type: application/json\r\n"
            "X-Hub-Signature-256: sha256="
        ).encode()

    def request(self) -> bytes:
        """Return the bytes of the next request."""
        body = next(self.source)
        signature = hmac.new(self.secret, body, hashlib.sha256).hexdigest().encode()
        return b"%s%s\r\nContent-Length: %d\r\n\r\n%s" % (self._head, signature, len(body), body)


class Connection(asyncio.Protocol):
    """One keep-alive connection: a request at a time."""

    def __init__(self, load: Load, idle: set[Connection]) -> None:
        """Wait for the first thing to post."""
        self._load = load
        self._idle = idle
        self._received = b""
        self._since = 0.0
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self._transport = transport  # type: ignore[assignment]
        self.go_on()

    def go_on(self) -> None:
        """Post the next one, or wait until one is due."""
        load = self._load
        if load.is_over:
            return
        if load.rate is None:
            self._since = time.perf_counter()
        elif load.due:
            self._since = load.due.popleft()  # from when it was due, not from when there was a connection free
        else:
            self._idle.add(self)
            return
        self._transport.write(load.request())

    def data_received(self, data: bytes) -> None:
        """Note the answer, once it is whole."""
        self._received += data
        head, found, rest = self._received.partition(b"\r\n\r\n")
        if not found:
            return
        length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n", 1)[0])
        if len(rest) < length:
            return
        self._received = b""
        self._load.statuses[int(head[9:12])] += 1
        self._load.answered.append(time.perf_counter() - self._since)
        self.go_on()

    def connection_lost(self, exc: Exception | None) -> None:
        """A server that closes a connection has failed."""
        if not self._load.is_over:
            self._load.statuses[0] += 1


async def run(load: Load, seconds: float, connections: int) -> None:
    """Post for so many seconds, then wait for the last answers."""
    loop = asyncio.get_running_loop()
    place = urlsplit(load.url)
    idle: set[Connection] = set()
    begun = time.perf_counter()
    made = [
        await loop.create_connection(lambda: Connection(load, idle), place.hostname, place.port)
        for _ in range(connections)
    ]
    due = 0
    while (elapsed := time.perf_counter() - begun) < seconds:
        if load.rate is not None:
            while due < elapsed * load.rate:
                load.due.append(begun + due / load.rate)
                due += 1
                if idle:
                    idle.pop().go_on()
        await asyncio.sleep(_TICK_SECONDS if load.rate is not None else 0.05)
    load.is_over = load.rate is None
    while load.due and time.perf_counter() - begun < seconds * 2:
        await asyncio.sleep(0.01)
    load.is_over = True
    await asyncio.sleep(1)
    for transport, _ in made:
        transport.close()


@click.command(help=__doc__)
@click.argument("url")
@click.option("--secret", required=True)
@click.option("--seconds", type=float, default=10.0, show_default=True)
@click.option("--rate", type=float, help="Posts per second; default: as fast as they are answered.")
@click.option("--connections", type=int, default=32, show_default=True)
@click.option("--customers", type=int, default=20_000, show_default=True)
@click.option("--run", "name", default="1", show_default=True, help="Part of the ids, so that two runs differ.")
def main(
    url: str, secret: str, seconds: float, rate: float | None, connections: int, customers: int, name: str
) -> None:
    """Post, and print the figures."""
    try:
        import uvloop

        uvloop.install()
    except ImportError:
        pass
    load = Load(url, secret.encode(), bodies(name, customers), rate)
    asyncio.run(run(load, seconds, connections))
    times = sorted(load.answered)
    json.dump(
        {
            "answered": len(times),
            "per_second": len(times) / seconds,
            "statuses": dict(load.statuses),
            "p50_ms": times[len(times) // 2] * 1000,
            "p99_ms": times[int(len(times) * 0.99)] * 1000,
            "max_ms": times[-1] * 1000,
        },
        sys.stdout,
    )


if __name__ == "__main__":
    main()
