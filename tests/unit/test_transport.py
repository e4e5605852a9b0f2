"""The socket to Graph: what is sent, and what every kind of end of a request means."""

from __future__ import annotations

import asyncio
import email
import json
from pathlib import Path

import pytest
import pytest_asyncio
from aiohttp import web
from aiohttp.test_utils import TestServer

from rasa_whatsapp.cloud.answers import Accepted, Refused
from rasa_whatsapp.cloud.graph_errors import Disposition
from rasa_whatsapp.cloud.outbound import GraphRequest
from rasa_whatsapp.cloud.providers import cloud_api, dialog360
from rasa_whatsapp.transport import Graph

pytestmark = pytest.mark.asyncio

REQUEST = GraphRequest("1000", "messages", {"type": "text", "text": {"body": "Grüße 🙂 \ud800"}})


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
    account = cloud_api(number_id="1000", access_token="a-token", graph_url=url, api_version="v26.0")
    graph = Graph({"1000": account}, **more)
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


async def test_a_number_at_360dialog(meta):
    """It is another door to the same: no version, no number in the path, a key in a header of its own."""
    graph = Graph({"1000": dialog360(number_id="1000", api_key="a-key", base_url=meta.url)})
    assert await graph.post(REQUEST) == Accepted("wamid.1")
    await graph.close()
    ((method, path, headers, body),) = meta.seen
    assert (method, path, headers["D360-API-KEY"]) == ("POST", "/messages", "a-key")
    assert "Authorization" not in headers
    assert json.loads(body) == REQUEST.body


async def test_each_number_has_its_account(meta):
    """A message goes out with the token of its own number; a number without an account sends nothing."""
    accounts = {
        number_id: cloud_api(number_id=number_id, access_token=f"token-{number_id}", graph_url=meta.url)
        for number_id in ("1000", "2000")
    }
    graph = Graph(accounts)
    for number_id in ("2000", "1000"):
        await graph.post(GraphRequest(number_id, "messages", {}))
    answer = await graph.post(GraphRequest("300000", "messages", {}))
    upload = await graph.upload("300000", Path(__file__), mime_type="image/png")
    await graph.close()
    assert [(path, headers["Authorization"]) for _, path, headers, _ in meta.seen] == [
        ("/v26.0/2000/messages", "Bearer token-2000"),
        ("/v26.0/1000/messages", "Bearer token-1000"),
    ]
    for refused in (answer, upload):
        assert isinstance(refused, Refused)
        assert refused.disposition is Disposition.GIVE_UP
        assert "…0000" in refused.explanation


async def upload(url, file, **more):
    """Upload a file."""
    graph = Graph({"1000": cloud_api(number_id="1000", access_token="a-token", graph_url=url)}, **more)
    try:
        return await graph.upload("1000", file, mime_type="image/jpeg")
    finally:
        await graph.close()


@pytest.fixture
def photo(tmp_path):
    """Return a file."""
    file = tmp_path / "image.jpg"
    file.write_bytes(b"\xff\xd8 a photo")
    return file


async def test_an_upload(meta, photo):
    """It is a form with the product, the type, and the file under its own Content-Type."""
    meta.answer = lambda: web.json_response({"id": "77"})
    assert await upload(meta.url, photo) == "77"
    ((method, path, headers, body),) = meta.seen
    assert (method, path, headers["Authorization"]) == ("POST", "/v26.0/1000/media", "Bearer a-token")
    message = email.message_from_bytes(b"Content-Type: " + headers["Content-Type"].encode() + b"\r\n\r\n" + body)
    assert int(headers["Content-Length"]) == len(body)
    assert [
        (
            part.get_param("name", header="Content-Disposition"),
            part.get_filename(),
            part.get_content_type(),
            part.get_payload(decode=True),
        )
        for part in message.get_payload()
    ] == [
        ("messaging_product", None, "text/plain", b"whatsapp"),
        ("type", None, "text/plain", b"image/jpeg"),
        ("file", "image.jpg", "image/jpeg", b"\xff\xd8 a photo"),
    ]


async def test_an_upload_that_is_refused(meta, photo):
    """The error says what to do; a redirect is not followed; a lost connection is an answer too."""
    meta.answer = lambda: web.json_response({"error": {"code": 190}}, status=401)
    assert await upload(meta.url, photo) == Refused(
        Disposition.STOP_SENDING, 190, "Meta's error 190: the access token has expired: set a new access_token"
    )
    meta.answer = lambda: web.Response(status=307, headers={"Location": "http://127.0.0.1:9/"})
    assert isinstance(await upload(meta.url, photo), Refused)
    assert len(meta.seen) == 2
    lost = await upload("http://127.0.0.1:9", photo)
    assert isinstance(lost, Refused)
    assert lost.disposition is Disposition.RETRY


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
