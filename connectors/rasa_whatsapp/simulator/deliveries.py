"""Webhooks on their way to the bot: signed, stored before the first try, repeated until the bot answers 200.

Webhooks of one customer start in order, as they mostly do; nothing is promised beyond that (fact sheet 1.3), and a
bot that is slow gets the next one all the same.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from itertools import count
from typing import Any

from aiohttp import ClientConnectorError, ClientError, ClientSession, ClientTimeout

from rasa_whatsapp.simulator import webhooks
from rasa_whatsapp.simulator.clock import Clock
from rasa_whatsapp.simulator.events import Events
from rasa_whatsapp.simulator.faults import Faults
from rasa_whatsapp.simulator.settings import REDELIVERY_SECONDS, Provider, Settings
from rasa_whatsapp.simulator.storage import Storage

logger = logging.getLogger(__name__)


class Deliveries:
    """Delivers webhook bodies in the background."""

    def __init__(self, settings: Settings, storage: Storage, events: Events, faults: Faults, clock: Clock) -> None:
        """Take what is needed; `start` opens the connection pool."""
        self._settings = settings
        self._storage = storage
        self._events = events
        self._faults = faults
        self._clock = clock
        self._session: ClientSession | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._latest: dict[str, asyncio.Event] = {}

    def start(self) -> None:
        """Open the connection pool and go on with what an earlier run left undelivered."""
        timeout = ClientTimeout(total=self._settings.webhook_timeout_seconds)
        self._session = ClientSession(timeout=timeout, headers={"User-Agent": "facebookexternalua"})
        for number, wa_id, body, attempts, created_at in self._storage.pending_deliveries():
            self._begin(number, wa_id, body, attempts, created_at)

    async def close(self) -> None:
        """Stop; what is undelivered stays stored."""
        self.stop()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._session is not None:
            await self._session.close()

    def stop(self) -> None:
        """Stop all attempts that are under way."""
        for task in self._tasks:
            task.cancel()
        self._latest.clear()

    def send(self, field: str, value: Any, wa_id: str | None = None) -> asyncio.Event:
        """Deliver one change; the event is set when the first attempt is over."""
        return self.send_body(webhooks.envelope(self._settings.business_account_id, field, value), wa_id)[1]

    def follow(self, before: str, after: str) -> None:
        """Keep what is told of a customer with a new number behind what is still to be told of the old one."""
        latest = self._latest.pop(before, None)
        if latest is not None:
            self._latest[after] = latest

    def send_body(self, body: Any, wa_id: str | None = None) -> tuple[int, asyncio.Event]:
        """Deliver a whole webhook body; return its number and the event of `send`."""
        content = webhooks.encode(body)
        created_at = self._clock.timestamp()
        number = self._storage.add_delivery(wa_id, content, created_at)
        return number, self._begin(number, wa_id, content, 0, created_at)

    async def send_body_once(self, body: Any) -> dict[str, Any]:
        """Deliver a whole webhook body in one attempt, without redelivery, and return how it went."""
        content = webhooks.encode(body)
        number = self._storage.add_delivery(None, content, self._clock.timestamp())
        status, _ = await self._attempt(number, content)
        if status != 200:
            self._storage.give_up(number)
        shown = self._storage.delivery(number)
        assert shown is not None
        return shown

    async def subscribe(self, challenge: str) -> int | None:
        """Ask the bot for the subscription challenge; return its status, 0 for a wrong echo, None without an answer."""
        query = {"hub.mode": "subscribe", "hub.challenge": challenge, "hub.verify_token": self._settings.verify_token}
        assert self._session is not None
        try:
            async with self._session.get(self._settings.webhook_url, params=query, allow_redirects=False) as answer:
                text = await answer.text(errors="replace")
                return 0 if answer.status == 200 and text != challenge else answer.status
        except (ClientError, asyncio.TimeoutError):
            return None

    def _begin(self, number: int, wa_id: str | None, body: bytes, attempts: int, created_at: float) -> asyncio.Event:
        attempted = asyncio.Event()
        previous = self._latest.get(wa_id) if wa_id is not None else None
        if wa_id is not None:
            self._latest[wa_id] = attempted
        self._spawn(self._deliver(number, body, attempts, created_at, previous, attempted))
        return attempted

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _deliver(
        self,
        number: int,
        body: bytes,
        attempts: int,
        created_at: float,
        previous: asyncio.Event | None,
        attempted: asyncio.Event,
    ) -> None:
        if previous is not None:
            await self._wait_in_line(previous)
        for attempt in count(attempts):
            try:
                status, error = await self._attempt(number, body)
            finally:
                attempted.set()
            if status == 200:
                if self._faults.strike("duplicate_webhooks"):
                    await self._attempt(number, body)
                return
            if self._clock.timestamp() - created_at > REDELIVERY_SECONDS:
                self._storage.give_up(number)
                logger.warning("webhook %d given up after seven days", number, extra={"action": "webhook_given_up"})
                return
            await self._pause(number, attempt, status, error)

    async def _wait_in_line(self, previous: asyncio.Event) -> None:
        try:
            await asyncio.wait_for(previous.wait(), self._settings.order_patience_seconds)
        except asyncio.TimeoutError:
            return

    async def _pause(self, number: int, attempt: int, status: int | None, error: str | None) -> None:
        pauses = self._settings.redelivery_pauses_seconds
        pause = pauses[min(attempt, len(pauses) - 1)]
        if attempt < len(pauses):
            logger.warning(
                "webhook %d: %s, next attempt in %g s",
                number,
                error or f"HTTP {status}",
                pause,
                extra={"action": "webhook_failed"},
            )
        await asyncio.sleep(pause)

    async def _attempt(self, number: int, body: bytes) -> tuple[int | None, str | None]:
        status, error = await self._post(body)
        # A duplicate that fails does not undo the delivery that went well.
        before = self._storage.delivery(number)
        delivered = status == 200 or (before is not None and bool(before["delivered"]))
        self._storage.record_attempt(number, status, error, delivered)
        self._events.tell(
            "delivery", {"id": number, "last_status": status, "last_error": error, "delivered": delivered}
        )
        return status, error

    def _proof(self, body: bytes) -> dict[str, str]:
        """Return the header by which the bot knows who called: 360dialog signs nothing, it repeats a secret."""
        if self._settings.provider is Provider.DIALOG_360:
            return {self._settings.webhook_secret_header: self._settings.webhook_secret}
        return {"X-Hub-Signature-256": webhooks.signature(body, self._settings.app_secret)}

    async def _post(self, body: bytes) -> tuple[int | None, str | None]:
        headers = {"Content-Type": "application/json", **self._proof(body)}
        assert self._session is not None
        try:
            async with self._session.post(
                self._settings.webhook_url, data=body, headers=headers, allow_redirects=False
            ) as answer:
                await answer.read()
                return answer.status, None
        except asyncio.TimeoutError:
            return None, f"no answer in {self._settings.webhook_timeout_seconds:g} s"
        except ClientConnectorError:
            return None, "no connection"
        except ClientError as error:
            return None, f"broken answer ({type(error).__name__})"
