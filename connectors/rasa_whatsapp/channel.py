"""Rasa's edge in: the webhook that Meta calls, and the start and end of everything behind it.

The body is verified on its raw bytes, made durable, and only then answered with 200; the dialogue works later.
https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/create-webhook-endpoint
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from rasa.core.agent import Agent
from rasa.core.channels.channel import InputChannel, UserMessage
from rasa.shared.exceptions import RasaException
from sanic import Blueprint, Sanic, response
from sanic.request import Request
from sanic.response import HTTPResponse
from sqlalchemy.exc import SQLAlchemyError

from rasa_whatsapp import credentials, reminders
from rasa_whatsapp.clock import from_environment
from rasa_whatsapp.cloud import limits, signature
from rasa_whatsapp.config import Settings, read_settings
from rasa_whatsapp.errors import (
    BacklogFull,
    ConfigInvalid,
    NotRunning,
    SignatureInvalid,
    SignatureMissing,
    WebhookMalformed,
    WhatsAppError,
)
from rasa_whatsapp.gateway import Gateway
from rasa_whatsapp.logs import trace
from rasa_whatsapp.output import WhatsAppOutput
from rasa_whatsapp.rasa_dialogue import RasaDialogue
from rasa_whatsapp.storage.database import Database
from rasa_whatsapp.transport import Graph
from rasa_whatsapp.turn import CHANNEL_NAME, Turn
from rasa_whatsapp.uploads import Uploads

logger = logging.getLogger(__name__)


class WhatsAppInput(InputChannel):  # type: ignore[misc]  # Rasa ships no types
    """The channel that `credentials.yml` names as `rasa_whatsapp.WhatsAppInput`."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._app_secrets = credentials.app_secrets(settings)
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

        @webhook.get("/")
        async def health(_: Request) -> HTTPResponse:
            return response.json({"status": "ok"})

        @webhook.get("/ready")
        async def ready(_: Request) -> HTTPResponse:
            return self._readiness()

        @webhook.get("/webhook")
        async def subscribe(request: Request) -> HTTPResponse:
            if credentials.is_dialog360(self._settings):
                return response.text("not found", status=404)  # 360dialog asks no challenge
            query = {name: request.args.get(name, "") for name in ("hub.mode", "hub.challenge", "hub.verify_token")}
            challenge = signature.answer_challenge(query, self._settings["verify_token"])
            if challenge is None:
                logger.warning("A subscription was refused: check verify_token.", extra={"action": "subscribe_refused"})
                return response.text("forbidden", status=403)
            return response.text(challenge)

        @webhook.post("/webhook")
        async def receive(request: Request) -> HTTPResponse:
            return await self._receive(request.body, request.headers)

        return webhook

    def _readiness(self) -> HTTPResponse:
        """Tell whether webhooks are taken now, and if not, why."""
        try:
            gateway = self._gateway()
            gateway.check_backlog()
        except (NotRunning, BacklogFull) as problem:
            return response.json({"status": "not ready", "reason": str(problem)}, status=503)
        return response.json({"status": "ready", "alarms": gateway.alarms})

    def _gateway(self) -> Gateway:
        if self._running is None:
            raise NotRunning("the server is starting or stopping")
        return self._running.gateway

    async def _receive(self, body: bytes, headers: Mapping[str, str]) -> HTTPResponse:
        if len(body) > limits.WEBHOOK_BYTES:
            return _refused("body_too_large", 413, f"{len(body)} bytes; Meta sends at most {limits.WEBHOOK_BYTES}")
        try:
            gateway = self._gateway()
            self._verify(body, headers)
            await gateway.receive(body)
        except tuple(_REFUSALS) as problem:
            action, status = next(answer for kind, answer in _REFUSALS.items() if isinstance(problem, kind))
            return _refused(action, status, str(problem))
        except SQLAlchemyError as problem:
            logger.error(
                "A webhook could not be stored; Meta delivers it again: %s",
                trace(problem),
                extra={"action": "not_stored"},
            )
            return response.text("not_stored", status=503)
        return response.text("ok")

    def _verify(self, body: bytes, headers: Mapping[str, str]) -> None:
        if credentials.is_dialog360(self._settings):
            name, secret = self._settings["webhook_secret_header"], self._settings["webhook_secret"]
            signature.verify_secret(headers.get(name), secret)
        else:
            signature.verify(body, headers.get(signature.HEADER), *self._app_secrets)


# first that fits -> (action in the log and answer's text, HTTP status)
_REFUSALS: dict[type[WhatsAppError], tuple[str, int]] = {
    SignatureMissing: ("signature_missing", 401),
    SignatureInvalid: ("signature_invalid", 403),
    WebhookMalformed: ("webhook_malformed", 400),
    BacklogFull: ("backlog_full", 503),
    NotRunning: ("not_started", 503),
}


class _Running:
    """What lives as long as the server: the store, the connection to Graph, the gateway between them."""

    def __init__(self, gateway: Gateway, database: Database, graph: Graph) -> None:
        self.gateway = gateway
        self._database = database
        self._graph = graph

    @classmethod
    async def start(cls, settings: Settings, agent: Callable[[], Agent | None]) -> _Running:
        reminders.install()
        database = Database(settings["database_url"])
        database.claim()
        database.upgrade()
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


def _refused(action: str, status: int, reason: str) -> HTTPResponse:
    logger.warning("A webhook was refused: %s.", reason, extra={"action": action})
    return response.text(action, status=status)
