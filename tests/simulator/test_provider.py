"""360dialog's door beside Meta's, and its webhooks, which carry a secret instead of a signature."""

from __future__ import annotations

from typing import Any

import pytest
from aiohttp import FormData, web
from aiohttp.test_utils import TestServer

from rasa_whatsapp.simulator.settings import Number, Provider

from .conftest import LEA, Simulator, Start, eventually

pytestmark = pytest.mark.asyncio

KEY = {"D360-API-KEY": "demo-access-token"}
TEXT = {"messaging_product": "whatsapp", "to": f"+{LEA}", "type": "text", "text": {"body": "Hello"}}


async def call(
    simulator: Simulator, method: str, path: str, headers: dict[str, str] = KEY, **how: Any
) -> tuple[int, dict[str, Any]]:
    """Call 360dialog's door."""
    async with simulator.http.request(method, simulator.url(path), headers=headers, **how) as answer:
        return answer.status, await answer.json()


def file() -> FormData:
    """Return an upload."""
    form = FormData({"messaging_product": "whatsapp", "type": "image/png"})
    form.add_field("file", b"tiny", filename="a.png", content_type="image/png")
    return form


async def test_messages_go_out_by_key(simulator: Simulator) -> None:
    """The address has neither version nor number; answer and chat are as at Meta."""
    await simulator.write()
    status, answer = await call(simulator, "POST", "/messages", json=TEXT)
    assert (status, answer["contacts"]) == (200, [{"input": f"+{LEA}", "wa_id": LEA}])
    assert (await simulator.chat())[1]["id"] == answer["messages"][0]["id"]
    (entry,) = (await simulator.get("requests"))["requests"]
    assert (entry["path"], entry["status"], entry["body"]) == ("/messages", 200, TEXT)


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({}, id="no key"),
        pytest.param({"D360-API-KEY": "x"}, id="wrong key"),
        pytest.param({"Authorization": "Bearer demo-access-token"}, id="token instead of a key"),
    ],
)
@pytest.mark.parametrize(
    ("method", "path"), [("POST", "/messages"), ("POST", "/media"), ("GET", "/1"), ("DELETE", "/1")]
)
async def test_nothing_without_the_key(simulator: Simulator, method: str, path: str, headers: dict[str, str]) -> None:
    """Every address of the door asks for it."""
    assert (await call(simulator, method, path, headers))[0] == 401


async def test_media_by_key(simulator: Simulator) -> None:
    """Upload, look-up with Meta's host in the address, bytes at the provider's own, deletion."""
    _, kept = await call(simulator, "POST", "/media", data=file())
    status, found = await call(simulator, "GET", f"/{kept['id']}")
    host, _, path = found["url"].partition("/media-bytes/")
    assert (status, host) == (200, "https://lookaside.fbsbx.com")
    url = simulator.url(f"/media-bytes/{path}")
    async with simulator.http.get(url, headers=KEY | {"User-Agent": "care-bot/1.0"}) as answer:
        assert await answer.read() == b"tiny"
    assert await call(simulator, "DELETE", f"/{kept['id']}") == (200, {"success": True})
    assert (await call(simulator, "GET", f"/{kept['id']}"))[0] == 400


async def test_key_says_which_number(start: Start) -> None:
    """Each number has its key; another number's media are not there."""
    simulator = await start(more_numbers=(Number(id="222", display="4930901820001", token="second"),))
    await simulator.write(number_id="222")
    second = {"D360-API-KEY": "second"}
    assert (await call(simulator, "POST", "/messages", second, json=TEXT))[0] == 200
    chat = await simulator.get(f"customers/{LEA}/chat?number_id=222")
    assert [message["text"] for message in chat["messages"]] == ["Hi", "Hello"]
    _, kept = await call(simulator, "POST", "/media", data=file())
    assert (await call(simulator, "GET", f"/{kept['id']}", second))[0] == 400


async def test_webhooks_carry_the_secret(start: Start) -> None:
    """The chosen header has the secret, and there is no signature; the body is Meta's."""
    received: list[tuple[Any, dict[str, Any]]] = []

    async def receive(request: web.Request) -> web.Response:
        received.append((request.headers, await request.json()))
        return web.Response()

    app = web.Application()
    app.router.add_post("/hook", receive)
    async with TestServer(app) as server:
        how = {"provider": Provider.DIALOG_360, "webhook_secret": "s3cret", "webhook_secret_header": "X-Ours"}
        simulator = await start(webhook_url=str(server.make_url("/hook")), **how)
        await simulator.write("Hi")
        await eventually(lambda: received, "the webhook")
        await simulator.stop()
    headers, body = received[0]
    assert (headers["X-Ours"], "X-Hub-Signature-256" in headers) == ("s3cret", False)
    assert body["entry"][0]["changes"][0]["value"]["messages"][0]["text"] == {"body": "Hi"}


async def test_no_challenge(start: Start) -> None:
    """360dialog asks for none."""
    simulator = await start(provider=Provider.DIALOG_360)
    assert (await simulator.get("settings"))["provider"] == "360dialog"
    assert "no subscription challenge" in (await simulator.post("subscription", {}, 400))["error"]
