"""Rasa's edge in: the webhook's routes on Rasa's server, and the start and end of everything behind it.

The dialogue works after the answer, never before it: see webhook.py and gateway.py.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from rasa.core.agent import Agent
from rasa.core.channels.channel import InputChannel, UserMessage
from rasa.shared.exceptions import RasaException
from sanic import Blueprint, Sanic, response
from sanic.exceptions import InvalidUsage
from sanic.request import Request
from sanic.response import HTTPResponse
from sqlalchemy.exc import SQLAlchemyError

from rasa_whatsapp import credentials, rasa_turns, reminders
from rasa_whatsapp.clock import from_environment
from rasa_whatsapp.config import Settings, read_settings
from rasa_whatsapp.errors import ConfigInvalid, StoreUnusable
from rasa_whatsapp.gateway import Gateway
from rasa_whatsapp.output import WhatsAppOutput
from rasa_whatsapp.rasa_dialogue import RasaDialogue
from rasa_whatsapp.reception import Reception
from rasa_whatsapp.settings.unusable_store import explained
from rasa_whatsapp.storage.database import Database
from rasa_whatsapp.transport import Graph
from rasa_whatsapp.turn import CHANNEL_NAME, Turn
from rasa_whatsapp.uploads import Uploads
from rasa_whatsapp.webhook import HEALTHY, SUBSCRIPTION_KEYS, Reply, Webhook


class WhatsAppInput(InputChannel):  # type: ignore[misc]  # Rasa ships no types
    """The channel that `credentials.yml` names as `rasa_whatsapp.WhatsAppInput`."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._webhook = Webhook(settings)
        self._running: _Running | None = None

    @classmethod
    def name(cls) -> str:
        """Return the channel's name, which is also its place below /webhooks/."""
        return CHANNEL_NAME

    @classmethod
    def from_credentials(cls, credentials: dict[str, Any] | None) -> WhatsAppInput:
        """Return the channel for a credentials block; raises RasaException, which Rasa shows, listing all problems."""
        try:
            return cls(read_settings(credentials))
        except ConfigInvalid as problem:
            raise RasaException(str(problem)) from problem

    def get_output_channel(self) -> WhatsAppOutput | None:
        """Return the output for Rasa's HTTP API; None while the server is not running."""
        return None if self._running is None else WhatsAppOutput(self._running.gateway)

    def blueprint(self, on_new_message: Callable[[UserMessage], Awaitable[Any]]) -> Blueprint:
        """Return the routes of the webhook; the dialogue behind it starts and stops with the server."""
        webhook = Blueprint("whatsapp_webhook")

        # Before the socket opens: whoever is answered at all is answered by a channel that can store. Rasa loads its model
        # after this, which is why the agent is looked up for each turn.
        @webhook.listener("before_server_start")
        async def start(app: Sanic, _: Any) -> None:
            self._running = await _Running.start(self._settings, lambda: getattr(app.ctx, "agent", None))

        @webhook.listener("before_server_stop")
        async def stop(app: Sanic, _: Any) -> None:
            running, self._running = self._running, None  # a webhook that still comes is answered 503
            if running is not None:
                await running.stop()

        # Before the body is read. Sanic 21.12 never comes back from one whose length is negative, whatever address it is sent to.
        @webhook.signal("http.lifecycle.request")
        async def check_length(request: Request, **_: Any) -> None:
            length = request.headers.get("content-length")
            if length is not None and not (length.isascii() and length.isdecimal()):
                raise InvalidUsage("Content-Length is not a number")

        @webhook.get("/")
        async def health(_: Request) -> HTTPResponse:
            return _to_response(HEALTHY)

        @webhook.get("/ready")
        async def ready(_: Request) -> HTTPResponse:
            alarms = self._running.gateway.alarms if self._running else ()
            return _to_response(self._webhook.readiness(self._reception, alarms))

        @webhook.get("/webhook")
        async def subscribe(request: Request) -> HTTPResponse:
            query = {name: request.args.get(name, "") for name in SUBSCRIPTION_KEYS}
            return _to_response(self._webhook.subscribe(query))

        @webhook.post("/webhook")
        async def receive(request: Request) -> HTTPResponse:
            return _to_response(await self._webhook.receive(request.body, request.headers, self._reception))

        return webhook

    @property
    def _reception(self) -> Reception | None:
        return None if self._running is None else self._running.gateway.reception


def _to_response(reply: Reply) -> HTTPResponse:
    if isinstance(reply.content, str):
        return response.text(reply.content, status=reply.status)
    return response.json(reply.content, status=reply.status)


def _prepared(url: str) -> Database:
    """Return the store, this server's own if it is a file; raises StoreUnusable and StoreInUse, which end Rasa's start."""
    database = Database(url)
    try:
        database.claim()
        database.prepare()
    except (StoreUnusable, SQLAlchemyError, OSError) as problem:
        database.close()
        raise StoreUnusable(explained(url, problem)) from None
    return database


class _Running:
    """What lives as long as the server: the store, the connection to Graph, the gateway between them."""

    def __init__(self, gateway: Gateway, database: Database, graph: Graph) -> None:
        self.gateway = gateway
        self._database = database
        self._graph = graph

    @classmethod
    async def start(cls, settings: Settings, agent: Callable[[], Agent | None]) -> _Running:
        reminders.install()
        rasa_turns.install()
        database = _prepared(settings["database_url"])
        graph = Graph(credentials.accounts(settings))
        running: list[Gateway] = []

        def output(turn: Turn) -> WhatsAppOutput:
            return WhatsAppOutput(running[0], turn)

        gateway = Gateway(
            database=database,
            clock=from_environment(),
            graph=graph,
            uploads=Uploads(graph, settings["upload_hosts"]),
            dialogue=RasaDialogue(agent, output),
            rules=settings.rules(),
        )
        running.append(gateway)
        await gateway.start()
        return cls(gateway, database, graph)

    async def stop(self) -> None:
        await self.gateway.close()
        await self._graph.close()
        self._database.close()
