"""A running simulator, and a small real bot that records what reaches it and checks each signature by its own code."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from aiohttp import ClientSession, web
from aiohttp.test_utils import TestServer

from rasa_whatsapp.simulator.app import create_app
from rasa_whatsapp.simulator.settings import Settings

LEA = "4915112345678"
NUMBER = "/v26.0/100000000000001"
TEMPLATES = Path(__file__).with_name("templates.yml")
AUTHORISED = {"Authorization": "Bearer demo-access-token"}


async def eventually(question: Callable[[], Any], what: str, seconds: float = 5.0) -> Any:
    """Ask until the answer is true; fail with `what` after the deadline."""
    deadline = asyncio.get_running_loop().time() + seconds
    while True:
        answer = question()
        if isinstance(answer, Awaitable):
            answer = await answer
        if answer:
            return answer
        if asyncio.get_running_loop().time() > deadline:
            pytest.fail(f"did not happen in {seconds} s: {what}")
        await asyncio.sleep(0.005)


class Bot:
    """Records webhook bodies; answers what `answers` says, then 200."""

    def __init__(self) -> None:
        """Begin with nothing received."""
        self.raw: list[bytes] = []
        self.bodies: list[dict[str, Any]] = []
        self.answers: list[int] = []
        self.delay_seconds = 0.0
        self.challenge = True
        self.server: TestServer | None = None

    async def start(self) -> None:
        """Listen."""
        app = web.Application()
        app.router.add_post("/webhook", self._receive)
        app.router.add_get("/webhook", self._challenge)
        self.server = TestServer(app)
        await self.server.start_server()

    async def stop(self) -> None:
        """Stop listening."""
        if self.server is not None:
            await self.server.close()

    @property
    def url(self) -> str:
        """Return the webhook's address."""
        assert self.server is not None
        return str(self.server.make_url("/webhook"))

    async def _receive(self, request: web.Request) -> web.Response:
        raw = await request.read()
        expected = "sha256=" + hmac.new(b"demo-app-secret", raw, hashlib.sha256).hexdigest()
        if request.headers.get("X-Hub-Signature-256") != expected:
            return web.Response(status=401)
        self.raw.append(raw)
        self.bodies.append(json.loads(raw))
        await asyncio.sleep(self.delay_seconds)
        return web.Response(status=self.answers.pop(0) if self.answers else 200)

    async def _challenge(self, request: web.Request) -> web.Response:
        right = self.challenge and request.query["hub.verify_token"] == "demo-verify-token"
        return web.Response(text=request.query["hub.challenge"], status=200 if right else 403)

    def values(self, field: str = "messages") -> list[dict[str, Any]]:
        """Return the values received for a field."""
        changes = [change for body in self.bodies for entry in body["entry"] for change in entry["changes"]]
        return [change["value"] for change in changes if change["field"] == field]

    def messages(self) -> list[dict[str, Any]]:
        """Return all inbound messages received."""
        return [message for value in self.values() for message in value.get("messages", [])]

    def statuses(self, wamid: str | None = None) -> list[dict[str, Any]]:
        """Return all statuses received, or those of one message."""
        found = [status for value in self.values() for status in value.get("statuses", [])]
        return [status for status in found if wamid in (None, status["id"])]


class Simulator:
    """A running simulator and shorthands for its two sides."""

    def __init__(self, settings: Settings, http: ClientSession) -> None:
        """Take the settings; `start` serves."""
        self.settings = settings
        self.http = http
        self.app = create_app(settings)
        self.server = TestServer(self.app)

    async def start(self) -> None:
        """Serve."""
        await self.server.start_server(shutdown_timeout=1)

    async def stop(self) -> None:
        """Stop serving."""
        await self.server.close()

    def url(self, path: str) -> str:
        """Return a full address."""
        return str(self.server.make_url(path))

    async def graph(self, body: Any, **headers: str) -> tuple[int, dict[str, Any]]:
        """Post to the messages endpoint."""
        path = self.url(f"{NUMBER}/messages")
        async with self.http.post(path, json=body, headers=AUTHORISED | headers) as answer:
            return answer.status, await answer.json()

    async def send(self, content: dict[str, Any], **extras: Any) -> str:
        """Send a message to Lea that is accepted; return its id."""
        status, answer = await self.graph({"messaging_product": "whatsapp", "to": f"+{LEA}", **content, **extras})
        assert status == 200, answer
        return str(answer["messages"][0]["id"])

    async def send_text(self, text: str = "Hello", **extras: Any) -> str:
        """Send a text to Lea that is accepted."""
        return await self.send({"type": "text", "text": {"body": text}}, **extras)

    async def get(self, path: str, status: int = 200) -> dict[str, Any]:
        """Get from the control API."""
        return await self.call("GET", path, None, status)

    async def post(self, path: str, body: Any = None, status: int = 200) -> dict[str, Any]:
        """Post to the control API."""
        return await self.call("POST", path, {} if body is None else body, status)

    async def put(self, path: str, body: Any, status: int = 200) -> dict[str, Any]:
        """Put to the control API."""
        return await self.call("PUT", path, body, status)

    async def call(self, method: str, path: str, body: Any, status: int) -> dict[str, Any]:
        """Call the control API and hold the status against the expected one."""
        async with self.http.request(method, self.url(f"/control/{path}"), json=body) as answer:
            content: dict[str, Any] = await answer.json()
            assert answer.status == status, content
            return content

    async def write(self, text: str = "Hi", wa_id: str = LEA, **how: Any) -> str:
        """Let a customer write."""
        sent = await self.post(f"customers/{wa_id}/messages", {"type": "text", "text": text, **how}, 201)
        return str(sent["id"])

    async def chat(self, wa_id: str = LEA) -> list[dict[str, Any]]:
        """Return a customer's messages."""
        messages: list[dict[str, Any]] = (await self.get(f"customers/{wa_id}/chat"))["messages"]
        return messages

    async def status_of(self, wamid: str) -> str:
        """Return how far one of Lea's messages has come."""
        return str(next(message["status"] for message in await self.chat() if message["id"] == wamid))


@pytest_asyncio.fixture
async def bot() -> AsyncIterator[Bot]:
    """A bot that listens."""
    made = Bot()
    await made.start()
    yield made
    await made.stop()


@pytest.fixture
def settings(bot: Bot) -> Settings:
    """Settings without any waiting of the real time."""
    return Settings(
        webhook_url=bot.url,
        templates_path=TEMPLATES,
        status_pause_seconds=0.001,
        redelivery_pauses_seconds=(0.0, 0.001, 0.002),
        webhook_timeout_seconds=2,
        order_patience_seconds=0.2,
        # Long enough for a test that looks at a template in review: it moves the clock when it has.
        review_seconds=3600,
    )


Start = Callable[..., Awaitable[Simulator]]


@pytest_asyncio.fixture
async def start(settings: Settings) -> AsyncIterator[Start]:
    """Start simulators, with changed settings if wanted; all are stopped in the end."""
    async with AsyncExitStack() as stack:
        http = await stack.enter_async_context(ClientSession())

        async def begin(**changes: Any) -> Simulator:
            made = Simulator(replace(settings, **changes), http)
            await made.start()
            stack.push_async_callback(made.stop)
            return made

        yield begin


@pytest_asyncio.fixture
async def simulator(start: Start) -> Simulator:
    """A running simulator."""
    return await start()
