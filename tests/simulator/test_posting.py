"""Webhooks over kept connections: what counts as an answer, when a connection is used again, how many at once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from rasa_whatsapp.simulator.posting import NotPosted, Poster

from .conftest import LEA, Bot, Start, eventually

pytestmark = pytest.mark.asyncio

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class Server:
    """Answers every request with the same bytes, in the given pieces; None breaks the connection."""

    def __init__(self, *pieces: bytes | None) -> None:
        """Take the pieces."""
        self.pieces = pieces
        self.connections = 0
        self.requests: list[bytes] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection."""
        self.connections += 1
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
                self.requests.append(head + await reader.readexactly(length))
                for piece in self.pieces:
                    if piece is None:
                        return
                    writer.write(piece)
                    await writer.drain()
                    await asyncio.sleep(0)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def posting(server: Server, path: str = "/webhook", timeout_seconds: float = 5.0) -> AsyncIterator[Poster]:
    """Serve, and post to it."""
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    port = listening.sockets[0].getsockname()[1]
    poster = Poster(f"http://127.0.0.1:{port}{path}", timeout_seconds)
    try:
        yield poster
    finally:
        poster.close()
        listening.close()
        await listening.wait_closed()


@pytest.mark.parametrize(
    ("pieces", "status", "connections"),
    [
        pytest.param((OK,), 200, 1, id="plain"),
        pytest.param((OK[:9], OK[9:30], OK[30:]), 200, 1, id="in pieces"),
        pytest.param((b"HTTP/1.1 100 Continue\r\n\r\n", OK), 200, 1, id="continue first"),
        pytest.param((b"HTTP/1.1 500 Oh\r\ncontent-length:0\r\n\r\n",), 500, 1, id="error without a body"),
        pytest.param((b"HTTP/1.1 204 Nothing\r\n\r\n",), 204, 2, id="no length"),
        pytest.param((b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",), 200, 2, id="chunked"),
        pytest.param((b"HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n",), 200, 2, id="old version"),
        pytest.param((OK.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"), None), 200, 2, id="closing"),
    ],
)
async def test_answers(pieces: tuple[bytes | None, ...], status: int, connections: int) -> None:
    """Two posts are answered; the connection is used again where that is safe."""
    server = Server(*pieces)
    async with posting(server) as poster:
        assert [await poster.post(b"{}", "") for _ in range(2)] == [status, status]
    assert server.connections == connections


@pytest.mark.parametrize(
    ("pieces", "reason"),
    [
        pytest.param((None,), "broken answer", id="closed"),
        pytest.param((OK[:-1], None), "broken answer", id="closed within the body"),
        pytest.param((b"hello\r\n\r\n",), "broken answer", id="another protocol"),
        pytest.param((), "no answer in 0.05 s", id="silent"),
    ],
)
async def test_no_answer(pieces: tuple[bytes | None, ...], reason: str) -> None:
    """The reason is told."""
    async with posting(Server(*pieces), timeout_seconds=0.05) as poster:
        with pytest.raises(NotPosted, match=reason):
            await poster.post(b"{}", "")


async def test_what_is_sent() -> None:
    """Address with query, host, type, the further headers, the bytes as they are."""
    server = Server(OK)
    async with posting(server, "/a/b?c=d") as poster:
        await poster.post(b'{"x":1}', "X-Proof: 1\r\n")
    head, _, body = server.requests[0].partition(b"\r\n\r\n")
    assert body == b'{"x":1}'
    lines = head.decode().split("\r\n")
    assert lines[0] == "POST /a/b?c=d HTTP/1.1"
    assert lines[1].startswith("Host: 127.0.0.1:")
    assert lines[2:] == [
        "User-Agent: facebookexternalua",
        "Content-Type: application/json",
        "X-Proof: 1",
        "Content-Length: 7",
    ]


async def test_only_so_many_at_once(start: Start, bot: Bot) -> None:
    """A slow bot has as many webhooks in its hands as was said, never more."""
    bot.delay_seconds = 0.3
    simulator = await start(webhooks_at_once=3)
    messages = [{"wa_id": str(int(LEA) + place), "type": "text", "text": "Hi"} for place in range(8)]
    await simulator.post("messages", {"messages": messages}, 201)
    await eventually(lambda: len(bot.raw) == 3, "three")
    assert (await simulator.get("counts"))["webhooks"]["delivered"] == 0
    assert len(bot.raw) == 3
    await eventually(lambda: len(bot.raw) == 8, "the others")


async def test_bot_that_was_down_gets_everything(start: Start, bot: Bot) -> None:
    """After many failures each webhook comes, whatever the order."""
    bot.answers = [503] * 200
    simulator = await start(webhooks_at_once=4)
    messages = [{"wa_id": str(int(LEA) + place % 10), "type": "text", "text": str(place)} for place in range(50)]
    ids = (await simulator.post("messages", {"messages": messages}, 201))["ids"]

    async def nothing_waits() -> bool:
        return bool((await simulator.get("counts"))["webhooks"]["waiting"] == 0)

    await eventually(nothing_waits, "all taken")
    assert {message["id"] for message in bot.messages()} == set(ids)
    assert len(bot.raw) == 250


async def test_statuses_share_a_webhook(start: Start, bot: Bot) -> None:
    """Up to so many statuses are in one body, the contacts beside them; each is there once."""
    simulator = await start(statuses_in_webhook=5)
    await simulator.write()
    wamids = {await simulator.send_text() for _ in range(12)}
    await eventually(lambda: len(bot.statuses()) == 24, "all statuses")
    sizes = [len(value["statuses"]) for value in bot.values() if "statuses" in value]
    assert max(sizes) > 1
    assert max(sizes) <= 5
    assert {(status["id"], status["status"]) for status in bot.statuses()} == {
        (wamid, status) for wamid in wamids for status in ("sent", "delivered")
    }
    together = next(value for value in bot.values() if "statuses" in value)
    assert [contact["wa_id"] for contact in together["contacts"]] == [LEA]


async def test_collected_statuses_outlive_a_restart(start: Start, bot: Bot, tmp_path: object) -> None:
    """What was collected and not yet sent is there after the restart."""
    simulator = await start(statuses_in_webhook=500, database_path=f"{tmp_path}/simulator.db")
    await simulator.write()
    wamid = await simulator.send_text()

    async def told() -> bool:
        return bool((await simulator.get("counts"))["statuses"]["sent"])

    await eventually(told, "the status")
    await simulator.stop()
    await start(database_path=f"{tmp_path}/simulator.db")
    await eventually(lambda: len(bot.statuses(wamid)) == 2, "both statuses")
