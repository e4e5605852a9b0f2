"""Webhooks on their way to the bot: signed, stored before the first try, repeated until the bot answers 200.

A few are under way at once. Webhooks of one customer start in order, as they mostly do; nothing is promised beyond
that (fact sheet 1.3), and a bot that is slow gets the next one all the same.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from aiohttp import ClientError, ClientSession, ClientTimeout

from rasa_whatsapp.simulator import webhooks
from rasa_whatsapp.simulator.clock import Clock
from rasa_whatsapp.simulator.counts import Counts
from rasa_whatsapp.simulator.events import Events
from rasa_whatsapp.simulator.faults import Faults
from rasa_whatsapp.simulator.lines import Delivery, Lines
from rasa_whatsapp.simulator.posting import NotPosted, Poster
from rasa_whatsapp.simulator.settings import REDELIVERY_SECONDS, Provider, Settings
from rasa_whatsapp.simulator.storage import Storage

logger = logging.getLogger(__name__)

# A bot that is down for a while is not worth a line for each of its thousand webhooks.
LOGGED_WAITING = 100


class Deliveries:
    """Delivers webhook bodies in the background."""

    def __init__(
        self, settings: Settings, storage: Storage, events: Events, faults: Faults, clock: Clock, counts: Counts
    ) -> None:
        """Take what is needed; `start` begins to deliver."""
        self._settings = settings
        self._journals = storage.journals
        self._events = events
        self._faults = faults
        self._clock = clock
        self._counts = counts
        self._poster = Poster(settings.webhook_url, settings.webhook_timeout_seconds)
        self._lines = Lines(self._begin, settings.order_patience_seconds)
        self._waiting: dict[int, Delivery] = {}
        self._ready: asyncio.Queue[Delivery] = asyncio.Queue()
        self._workers: list[asyncio.Task[None]] = []

    @property
    def waiting(self) -> int:
        """Return how many webhooks have not reached the bot."""
        return len(self._waiting)

    def start(self) -> None:
        """Go on with what an earlier run left undelivered."""
        self._workers = [asyncio.create_task(self._work()) for _ in range(self._settings.webhooks_at_once)]
        for number, wa_id, body, attempts, created_at in self._journals.pending_deliveries():
            self._take(Delivery(number=number, wa_id=wa_id, body=body, attempts=attempts, created_at=created_at))

    async def close(self) -> None:
        """Stop; what is undelivered stays stored."""
        workers = self._workers
        self.stop()
        await asyncio.gather(*workers, return_exceptions=True)
        self._poster.close()

    def stop(self) -> None:
        """Stop all attempts that are under way, and forget what waits."""
        for worker in self._workers:
            worker.cancel()
        self._ready = asyncio.Queue()
        self._waiting.clear()
        self._lines.clear()

    def send(self, field: str, value: Any, line: str | None = None) -> asyncio.Event:
        """Deliver one change; the event is set when the first attempt is over.

        What has the same `line` (a customer's number, a template's id) starts in order.
        """
        # Fact sheet 1.5: documented for all fields but messages.
        at = None if field == "messages" else self._clock.timestamp()
        body = webhooks.envelope(self._settings.business_account_id, field, value, at=at)
        delivery = self._stored(body, line, has_statuses="statuses" in value)
        self._take(delivery)
        return delivery.attempted

    def follow(self, before: str, after: str) -> None:
        """Keep what is told of a customer with a new number behind what is still to be told of the old one."""
        self._lines.follow(before, after)

    def send_together(self, values: list[dict[str, Any]], attempted: asyncio.Event) -> None:
        """Deliver values with statuses of several customers in one webhook; set the event as `send` does."""
        body = webhooks.envelope(self._settings.business_account_id, "messages", *values)
        self._take(self._stored(body, None, has_statuses=True, attempted=attempted))

    def send_body(self, body: Any) -> int:
        """Deliver a whole webhook body; return its number."""
        delivery = self._stored(body, None)
        self._take(delivery)
        return delivery.number

    async def send_body_once(self, body: Any) -> dict[str, Any]:
        """Deliver a whole webhook body in one attempt, without redelivery, and return how it went."""
        delivery = self._stored(body, None)
        if (await self._attempt(delivery))[0] != 200:
            self._give_up(delivery)
        shown = self._journals.delivery(delivery.number)
        assert shown is not None
        return shown

    async def subscribe(self, challenge: str) -> int | None:
        """Ask the bot for the subscription challenge; return its status, 0 for a wrong echo, None without an answer."""
        query = {"hub.mode": "subscribe", "hub.challenge": challenge, "hub.verify_token": self._settings.verify_token}
        url, timeout = self._settings.webhook_url, ClientTimeout(total=self._settings.webhook_timeout_seconds)
        try:
            async with (
                ClientSession(timeout=timeout, headers={"User-Agent": "facebookexternalua"}) as session,
                session.get(url, params=query, allow_redirects=False) as answer,
            ):
                text = await answer.text(errors="replace")
                return 0 if answer.status == 200 and text != challenge else answer.status
        except (ClientError, asyncio.TimeoutError):
            return None

    def _stored(self, body: Any, wa_id: str | None, **more: Any) -> Delivery:
        content, created_at = webhooks.encode(body), self._clock.timestamp()
        number = self._journals.add_delivery(wa_id, content, created_at)
        return Delivery(number=number, wa_id=wa_id, body=content, created_at=created_at, **more)

    def _take(self, delivery: Delivery) -> None:
        self._waiting[delivery.number] = delivery
        self._lines.enter(delivery)

    def _begin(self, delivery: Delivery) -> None:
        """Let a delivery whose turn it is go, late or twice if a fault says so."""
        if self._faults.are_off:
            self._ready.put_nowait(delivery)
            return
        held = self._faults.delay("reorder_webhooks")
        if held is None and delivery.has_statuses:
            held = self._faults.delay("delay_statuses")
        copied = self._faults.delay("duplicate_webhooks")
        if held is None:
            self._ready.put_nowait(delivery)
        else:
            self._later(held, delivery)
            asyncio.get_running_loop().call_soon(self._lines.leave, delivery)
        if copied is not None:
            self._counts.webhook_copies += 1
            copy = Delivery(
                number=delivery.number, wa_id=None, body=delivery.body, created_at=delivery.created_at, is_copy=True
            )
            self._later((held or 0) + copied, copy)

    def _later(self, seconds: float, delivery: Delivery) -> None:
        """Make a delivery ready after a pause, unless everything was forgotten meanwhile."""
        ready = self._ready
        asyncio.get_running_loop().call_later(seconds, ready.put_nowait, delivery)

    async def _work(self) -> None:
        ready = self._ready
        # Python 3.10 may lose a cancellation while a connection is being made.
        while ready is self._ready:
            delivery = await ready.get()
            if delivery.is_copy:
                await self._post(delivery.body)
            else:
                await self._deliver(delivery)

    async def _deliver(self, delivery: Delivery) -> None:
        status, error = await self._attempt(delivery)
        self._lines.leave(delivery)
        delivery.attempted.set()
        if status == 200:
            self._waiting.pop(delivery.number, None)
        elif self._clock.timestamp() - delivery.created_at > REDELIVERY_SECONDS:
            self._give_up(delivery)
            logger.warning(
                "webhook %d given up after seven days", delivery.number, extra={"action": "webhook_given_up"}
            )
        else:
            self._repeat(delivery, error or f"HTTP {status}")

    def _repeat(self, delivery: Delivery, problem: str) -> None:
        pauses = self._settings.redelivery_pauses_seconds
        pause = pauses[min(delivery.attempts - 1, len(pauses) - 1)]
        if delivery.attempts <= len(pauses) and len(self._waiting) <= LOGGED_WAITING:
            told = (delivery.number, problem, pause)
            logger.warning("webhook %d: %s, next attempt in %g s", *told, extra={"action": "webhook_failed"})
        self._later(pause, delivery)

    def _give_up(self, delivery: Delivery) -> None:
        self._waiting.pop(delivery.number, None)
        self._counts.webhooks_given_up += 1
        self._journals.give_up(delivery.number)

    async def _attempt(self, delivery: Delivery) -> tuple[int | None, str | None]:
        status, error = await self._post(delivery.body)
        delivered = status == 200
        delivery.attempts += 1
        self._counts.webhooks_delivered += delivered
        self._journals.record_attempt(delivery.number, status, error, delivered)
        self._events.tell(
            "delivery",
            lambda: {"id": delivery.number, "last_status": status, "last_error": error, "delivered": delivered},
        )
        return status, error

    def _proof(self, body: bytes) -> str:
        """Return the header by which the bot knows who called: 360dialog signs nothing, it repeats a secret."""
        if self._settings.provider is Provider.DIALOG_360:
            return f"{self._settings.webhook_secret_header}: {self._settings.webhook_secret}\r\n"
        return f"X-Hub-Signature-256: {webhooks.signature(body, self._settings.app_secret)}\r\n"

    async def _post(self, body: bytes) -> tuple[int | None, str | None]:
        try:
            status = await self._poster.post(body, self._proof(body))
        except NotPosted as reason:
            self._counts.failed_tries += 1
            return None, str(reason)
        self._counts.failed_tries += status != 200
        return status, None
