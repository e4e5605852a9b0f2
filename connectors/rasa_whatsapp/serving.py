"""The webhook served by a process of its own, without Rasa, as an ASGI application: what it stores, the Rasa servers take up.

So Meta is answered at once, whatever the dialogue is busy with. It also takes in what it stored, whenever nothing else is to do, and
tells which templates were lost.
https://asgi.readthedocs.io/en/latest/specs/www.html
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Iterator, Mapping, MutableMapping, Sequence
from typing import Any
from urllib.parse import parse_qs

from rasa_whatsapp.clock import Clock, SharedClock
from rasa_whatsapp.cloud import limits
from rasa_whatsapp.config import Settings
from rasa_whatsapp.logs import Failures
from rasa_whatsapp.reception import Reception, ReceptionRules
from rasa_whatsapp.storage.database import Database
from rasa_whatsapp.storage.store_clock import put_right
from rasa_whatsapp.template_watch import TemplateWatch
from rasa_whatsapp.webhook import HEALTHY, OK, SUBSCRIPTION_KEYS, Reply, Webhook

logger = logging.getLogger(__name__)
failures = Failures(logger)

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

PREFIX = "/webhooks/whatsapp"
_TICK_SECONDS = 0.5
_NOT_FOUND = Reply(404, "not found")
_NOT_ALLOWED = Reply(405, "method not allowed")


class Intake:
    """The application; its store is looked after while it is served."""

    def __init__(self, settings: Settings, database: Database, clock: Clock) -> None:
        rules = settings.rules()
        self._webhook = Webhook(settings)
        self._database = database
        self._clock = SharedClock(clock)
        self._reception = Reception(
            database,
            self._clock,
            ReceptionRules(intake=rules.intake, backlog_limit=rules.backlog_limit),
            only_when_idle=True,
        )
        self._templates = TemplateWatch(rules.delivery.templates)
        self._running: Reception | None = None  # while it is None, webhooks are answered 503
        self._watch: asyncio.Task[None] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or begin and end with the server."""
        if scope["type"] == "http":
            reply = await self._reply(scope, receive)
            for message in _MESSAGES_OF_OK if reply is OK else _messages(reply):
                await send(message)
        elif scope["type"] == "lifespan":
            await self._live(receive, send)

    async def _reply(self, scope: Scope, receive: Receive) -> Reply:
        method, path = scope["method"], scope["path"]
        if path == f"{PREFIX}/webhook":
            return await self._hook(method, scope, receive)
        if path in (PREFIX, f"{PREFIX}/"):
            return HEALTHY if method in ("GET", "HEAD") else _NOT_ALLOWED
        if path == f"{PREFIX}/ready":
            ready = self._webhook.readiness(self._running, self._templates.alarms)
            return ready if method in ("GET", "HEAD") else _NOT_ALLOWED
        return _NOT_FOUND

    async def _hook(self, method: str, scope: Scope, receive: Receive) -> Reply:
        if method == "POST":
            headers = _Headers(scope["headers"])
            return await self._webhook.receive(await _body(receive), headers, self._running)
        if method == "GET":
            query = parse_qs(scope["query_string"].decode("latin-1"), keep_blank_values=True)
            return self._webhook.subscribe({name: query.get(name, [""])[0] for name in SUBSCRIPTION_KEYS})
        return _NOT_ALLOWED

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        try:
            await self._begin()
        except Exception as problem:  # noqa: BLE001 - the server ends with this as its reason
            failures.error("The intake cannot start: %s", problem=problem, action="intake_failed")
            await send({"type": "lifespan.startup.failed", "message": "the store cannot be used"})
            return
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self._end()
        await send({"type": "lifespan.shutdown.complete"})

    async def _begin(self) -> None:
        await put_right(self._clock, self._database)
        await self._templates.look(self._database, self._clock.now())
        await self._reception.start()
        self._database.listen(self._reception.look)
        self._watch = asyncio.get_running_loop().create_task(self._look_after())
        self._running = self._reception

    async def _end(self) -> None:
        self._running = None
        if self._watch is not None:
            self._watch.cancel()
            await asyncio.gather(self._watch, return_exceptions=True)
        await self._reception.close()

    async def _look_after(self) -> None:
        while True:
            await asyncio.sleep(_TICK_SECONDS)
            try:
                await self._reception.count()
                await put_right(self._clock, self._database)
                await self._templates.look(self._database, self._clock.now())
                self._reception.look()
            except Exception as problem:  # noqa: BLE001 - readiness tells it; Meta is answered 503
                failures.error("The store could not be read: %s", problem=problem, action="store_unreadable")


class _Headers(Mapping[str, str]):
    """Headers of a request, by their names in any spelling; only what is asked for is decoded."""

    def __init__(self, raw: Sequence[tuple[bytes, bytes]]) -> None:
        self._raw = raw

    def __getitem__(self, name: str) -> str:
        wanted = name.lower().encode("latin-1")  # ASGI has the names in small letters
        for given, value in self._raw:
            if given == wanted:
                return value.decode("latin-1")
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        return iter([name.decode("latin-1") for name, _ in self._raw])

    def __len__(self) -> int:
        return len(self._raw)


async def _body(receive: Receive) -> bytes:
    """Return the body, or the beginning of one that is too large."""
    whole = b""
    while len(whole) <= limits.WEBHOOK_BYTES:
        message = await receive()
        whole += message.get("body", b"")
        if not message.get("more_body"):
            break
    return whole


def _messages(reply: Reply) -> tuple[Message, Message]:
    """Return what ASGI is told to answer so."""
    is_text = isinstance(reply.content, str)
    content = str(reply.content).encode() if is_text else json.dumps(reply.content).encode()
    kind = b"text/plain; charset=utf-8" if is_text else b"application/json"
    headers = [(b"content-type", kind), (b"content-length", str(len(content)).encode())]
    start = {"type": "http.response.start", "status": reply.status, "headers": headers}
    return start, {"type": "http.response.body", "body": content}


_MESSAGES_OF_OK = _messages(OK)  # nearly each answer is this one
