"""The webhook served by a process of its own, without Rasa: what it stores, the Rasa servers take up.

So Meta is answered at once, whatever the dialogue is busy with. It also takes in what it stored whenever nothing else is to do.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator

from aiohttp import web

from rasa_whatsapp.clock import Clock
from rasa_whatsapp.cloud import limits
from rasa_whatsapp.config import Settings
from rasa_whatsapp.logs import trace
from rasa_whatsapp.reception import Reception, ReceptionRules
from rasa_whatsapp.storage.database import Database
from rasa_whatsapp.webhook import HEALTHY, SUBSCRIPTION_KEYS, Reply, Webhook

logger = logging.getLogger(__name__)

PREFIX = "/webhooks/whatsapp"
_TICK_SECONDS = 0.5


class Intake:
    """The application; its store is open while it is served."""

    def __init__(self, settings: Settings, database: Database, clock: Clock) -> None:
        rules = settings.rules()
        self._webhook = Webhook(settings)
        self._database = database
        self._reception = Reception(
            database, clock, ReceptionRules(intake=rules.intake, backlog_limit=rules.backlog_limit)
        )
        self._running: Reception | None = None

    def application(self) -> web.Application:
        """Return what a server serves."""
        app = web.Application(client_max_size=limits.WEBHOOK_BYTES + 1)  # one more: it is answered 413 by the webhook
        app.add_routes(
            [
                web.get(f"{PREFIX}/", self._health),
                web.get(f"{PREFIX}/ready", self._ready),
                web.get(f"{PREFIX}/webhook", self._subscribe),
                web.post(f"{PREFIX}/webhook", self._receive),
            ]
        )
        app.cleanup_ctx.append(self._live)
        return app

    async def _live(self, _: web.Application) -> AsyncIterator[None]:
        await self._reception.start()
        self._database.listen(self._reception.look)
        self._running = self._reception
        watch = asyncio.get_running_loop().create_task(self._watch())
        yield
        self._running = None  # a webhook that still comes is answered 503
        watch.cancel()
        await asyncio.gather(watch, return_exceptions=True)
        await self._reception.close()

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(_TICK_SECONDS)
            try:
                await self._reception.count()
            except Exception as problem:  # noqa: BLE001 - readiness tells it; Meta is answered 503
                logger.error("The store could not be read: %s", trace(problem), extra={"action": "store_unreadable"})

    async def _health(self, _: web.Request) -> web.Response:
        return _to_response(HEALTHY)

    async def _ready(self, _: web.Request) -> web.Response:
        return _to_response(self._webhook.readiness(self._running, ()))

    async def _subscribe(self, request: web.Request) -> web.Response:
        query = {name: request.query.get(name, "") for name in SUBSCRIPTION_KEYS}
        return _to_response(self._webhook.subscribe(query))

    async def _receive(self, request: web.Request) -> web.Response:
        try:
            body = await request.read()
        except web.HTTPRequestEntityTooLarge:
            return _to_response(Reply(413, "body_too_large"))
        return _to_response(await self._webhook.receive(body, request.headers, self._running))


def _to_response(reply: Reply) -> web.Response:
    if isinstance(reply.content, str):
        return web.Response(text=reply.content, status=reply.status)
    return web.json_response(reply.content, status=reply.status)
