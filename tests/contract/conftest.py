"""A simulator that really listens, and our connection to it: at Meta's door and at 360dialog's."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest
import pytest_asyncio
from aiohttp import ClientSession, web
from aiohttp.test_utils import TestServer

from rasa_whatsapp.cloud import outbound
from rasa_whatsapp.cloud.answers import Answer
from rasa_whatsapp.cloud.outbound import Recipient
from rasa_whatsapp.cloud.providers import Account, cloud_api, dialog360
from rasa_whatsapp.simulator.app import create_app
from rasa_whatsapp.simulator.settings import Provider, Settings
from rasa_whatsapp.transport import Graph

LEA = "4915112345678"
NUMBER_ID = "100000000000001"
TOKEN = "demo-access-token"


@dataclass
class Webhooks:
    """What reached the bot: each body as bytes, with its headers."""

    received: list[tuple[bytes, dict[str, str]]] = field(default_factory=list)

    async def take(self, request: web.Request) -> web.Response:
        """Answer 200."""
        self.received.append((await request.read(), dict(request.headers)))
        return web.Response()


@dataclass
class Door:
    """One provider: the simulator behind it, our account at it, our connection to it."""

    provider: Provider
    url: str
    account: Account
    graph: Graph
    webhooks: Webhooks
    http: ClientSession

    async def say(self, content: dict[str, Any], key: str = "wamid.IN1#1") -> Answer:
        """Send a message object to Lea."""
        return await self.graph.post(outbound.message(NUMBER_ID, Recipient(LEA, None), content, key))

    async def write(self, **message: Any) -> str:
        """Let Lea send something; return its id."""
        url = f"{self.url}/control/customers/{LEA}/messages"
        async with self.http.post(url, json=message) as answer:
            assert answer.status == 201, await answer.text()
            return str((await answer.json())["id"])


@pytest_asyncio.fixture(params=list(Provider), ids=lambda provider: provider.value)
async def door(request: pytest.FixtureRequest) -> AsyncIterator[Door]:
    """Return each door, with a customer whose care window is open."""
    webhooks = Webhooks()
    bot = web.Application()
    bot.router.add_post("/webhook", webhooks.take)
    async with TestServer(bot) as listening:
        settings = Settings(
            webhook_url=str(listening.make_url("/webhook")), provider=request.param, status_pause_seconds=0.001
        )
        async with TestServer(create_app(settings)) as simulator, ClientSession() as http:
            url = str(simulator.make_url("")).rstrip("/")
            if request.param is Provider.CLOUD_API:
                account = cloud_api(number_id=NUMBER_ID, access_token=TOKEN, graph_url=url)
            else:
                account = dialog360(number_id=NUMBER_ID, api_key=TOKEN, base_url=url)
            graph = Graph({NUMBER_ID: account})
            opened = Door(request.param, url, account, graph, webhooks, http)
            await opened.write(type="text", text="Hi")
            yield opened
            await graph.close()
