"""How far the business's messages come: accepted, sent, delivered, read, or failed; each step told to the bot.

A message climbs by itself, with a pause before each step, and never backwards. `delivered` is left out when the chat
is open on screen: `read` implies it (fact sheet 3).
"""

from __future__ import annotations

import asyncio

from rasa_whatsapp.simulator import webhooks
from rasa_whatsapp.simulator.chat import RANKS, ChatMessage, Direction
from rasa_whatsapp.simulator.clock import Clock
from rasa_whatsapp.simulator.counts import Counts
from rasa_whatsapp.simulator.events import Events
from rasa_whatsapp.simulator.faults import Faults
from rasa_whatsapp.simulator.settings import Settings
from rasa_whatsapp.simulator.status_batches import StatusBatches
from rasa_whatsapp.simulator.storage import Storage


class Statuses:
    """Moves messages up the ladder in the background."""

    def __init__(
        self,
        settings: Settings,
        storage: Storage,
        events: Events,
        faults: Faults,
        clock: Clock,
        batches: StatusBatches,
        counts: Counts,
    ) -> None:
        """Take what is needed; `start` goes on with what an earlier run left half-way."""
        self._settings = settings
        self._storage = storage
        self._events = events
        self._faults = faults
        self._clock = clock
        self._batches = batches
        self._counts = counts
        self._tasks: set[asyncio.Task[None]] = set()
        self._released = asyncio.Event()

    def start(self) -> None:
        """Let every message that is under way climb on."""
        self.release()
        for message in self._storage.messages.under_way():
            self.begin(message.id)

    async def close(self) -> None:
        """Stop all climbing."""
        self.stop()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def stop(self) -> None:
        """Stop all climbing without waiting for it to end."""
        for task in self._tasks:
            task.cancel()

    def release(self) -> None:
        """Hold statuses back, or let them go, according to the faults."""
        if self._faults.is_on("hold_statuses"):
            self._released.clear()
        else:
            self._released.set()

    def begin(self, message_id: str) -> None:
        """Let an accepted message climb."""
        task = asyncio.create_task(self._climb(message_id))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def move(self, message_id: str, status: str) -> asyncio.Event | None:
        """Move a message to a status and tell the bot; None if it is there already or beyond."""
        message = self._storage.messages.find(message_id)
        if message is None or RANKS[status] <= RANKS[message.status] or message.status == "failed":
            return None
        # Meta puts `pricing` on `sent` and on one of the two that follow.
        with_pricing = status in ("sent", "delivered") or message.status == "sent"
        moved = self._storage.messages.change_status(message, status)
        self._tell(moved)
        return self._report(moved, with_pricing)

    def read_chat(self, wa_id: str, number_id: str) -> None:
        """The customer opens the chat with a business number: what was delivered is read."""
        for message in self._storage.messages.with_status(wa_id, number_id, Direction.OUT, "delivered"):
            self.move(message.id, "read")

    async def _climb(self, message_id: str) -> None:
        message = self._storage.messages.find(message_id)
        for status in self._steps(message):
            await asyncio.sleep(self._settings.status_pause_seconds)
            if self._faults.strike("hold_statuses"):
                await self._released.wait()
            if status == "delivered" and self._leaves_out_delivered(message_id):
                continue
            if status == "read" and not self._reads(message_id):
                return
            self.move(message_id, status)

    def _steps(self, message: ChatMessage | None) -> tuple[str, ...]:
        if message is None:
            return ()
        if message.errors:
            return ("failed",)
        # A reaction gets no further status than this one (fact sheet 5.3).
        return ("sent",) if message.type == "reaction" else ("sent", "delivered", "read")

    def _leaves_out_delivered(self, message_id: str) -> bool:
        message = self._storage.messages.find(message_id)
        if message is not None and self._events.is_chat_open(message.wa_id, message.number_id):
            return True
        return self._faults.strike("skip_delivered") is not None

    def _reads(self, message_id: str) -> bool:
        message = self._storage.messages.find(message_id)
        customer = self._storage.customers.find(message.wa_id) if message is not None else None
        if message is None or customer is None:
            return False
        return customer.reads_at_once or self._events.is_chat_open(message.wa_id, message.number_id)

    def _tell(self, message: ChatMessage) -> None:
        names = {"wa_id": message.wa_id, "number_id": message.number_id, "id": message.id, "status": message.status}
        errors = {"errors": message.errors} if message.status == "failed" else {}
        self._events.tell("status", lambda: names | errors)

    def _report(self, message: ChatMessage, with_pricing: bool) -> asyncio.Event | None:
        customer = self._storage.customers.find(message.wa_id)
        number = self._settings.number(message.number_id)
        # A number that an earlier run had and this one has not tells nobody anything.
        if customer is None or number is None:
            return None
        timestamp = int(self._clock.timestamp())
        value = webhooks.status_value(number, customer, message, timestamp, with_pricing=with_pricing)
        self._counts.statuses[message.status] += 1
        return self._batches.add(value, customer.wa_id)
