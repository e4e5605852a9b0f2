"""The socket to Graph: what is sent, and what every kind of end of a request means."""

from __future__ import annotations

import asyncio
import json

import pytest
import pytest_asyncio
from aiohttp import web
from aiohttp.test_utils import TestServer

from rasa_whatsapp.cloud.graph_errors import Disposition
from rasa_whatsapp.cloud.outbound import GraphRequest
from rasa_whatsapp.cloud.responses import Accepted, Refused
from rasa_whatsapp.transport import Graph

pytestmark = pytest.mark.asyncio

REQUEST = GraphRequest("1000/messages", {"type": "text", "text": {"body": "Grüße 🙂 \ud800"}})


class Meta:
    """A server on this machine that answers as told."""

    def __init__(self):
        self.seen = []
        self.answer = lambda: web.json_response({"messages": [{"id": "wamid.1"}]})

    async def handle(self, request):
        """Remember the request and answer."""
        self.seen.append((request.method, request.path, dict(request.headers), await request.read()))
        answer = self.answer()
        return await answer if asyncio.iscoroutine(answer) else answer


@pytest_asyncio.fixture
async def meta():
    """Return the server's double, with its address."""
    double = Meta()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", double.handle)
    server = TestServer(app)
    await server.start_server()
    double.url = str(server.make_url("")).rstrip("/")
    yield double
    await server.close()


async def post(url, **more):
    """Make the request."""
    graph = Graph(url=url, api_version="v26.0", access_token="a-token", **more)
    try:
        return await graph.post(REQUEST)
    finally:
        await graph.close()


async def test_the_request(meta):
    """Address, token and JSON are as Meta wants them; odd characters travel escaped."""
    assert await post(meta.url + "/") == Accepted("wamid.1")
    ((method, path, headers, body),) = meta.seen
    assert (method, path) == ("POST", "/v26.0/1000/messages")
    assert headers["Authorization"] == "Bearer a-token"
    assert headers["Content-Type"] == "application/json"
    assert headers["User-Agent"].startswith("rasa-whatsapp/")
    assert json.loads(body) == REQUEST.body


async def test_an_error_answer(meta):
    """The body of an error is read."""
    meta.answer = lambda: web.json_response({"error": {"code": 131047}}, status=400)
    answer = await post(meta.url)
    assert isinstance(answer, Refused)
    assert (answer.disposition, answer.code) == (Disposition.NEEDS_TEMPLATE, 131047)


async def test_a_redirect_is_not_followed(meta):
    """The token goes nowhere else."""
    meta.answer = lambda: web.Response(status=302, headers={"Location": "http://127.0.0.1:9/"})
    answer = await post(meta.url)
    assert isinstance(answer, Refused)
    assert len(meta.seen) == 1


async def test_nobody_listens():
    """It was surely not sent."""
    answer = await post("http://127.0.0.1:9")
    assert isinstance(answer, Refused)
    assert answer.disposition is Disposition.RETRY


async def test_no_answer_in_time(meta):
    """It may have been sent."""

    async def sleep():
        await asyncio.sleep(5)

    meta.answer = sleep
    answer = await post(meta.url, timeout_seconds=0.1)
    assert isinstance(answer, Refused)
    assert answer.disposition is Disposition.UNCERTAIN


async def test_a_connection_that_breaks():
    """The request was read, the answer never came: it may have been sent."""

    async def hang_up(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(hang_up, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    answer = await post(f"http://127.0.0.1:{port}")
    server.close()
    assert isinstance(answer, Refused)
    assert answer.disposition is Disposition.UNCERTAIN
    assert "a-token" not in answer.explanation
