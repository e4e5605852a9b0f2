"""How far the business's messages come: accepted, sent, delivered, read, or failed; each step told to the bot.

A message climbs by itself, with a pause before each step, and never backwards. `delivered` is left out when the chat
is open on screen: `read` implies it (fact sheet 3).
"""

from __future__ import annotations

import asyncio
from typing import Any

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
        self._held: list[tuple[str, tuple[str, ...]]] = []
        self._era = 0

    def start(self) -> None:
        """Let every message that is under way climb on."""
        for message in self._storage.messages.under_way():
            self.begin(message)

    def stop(self) -> None:
        """Stop all climbing; what is planned finds that its time is over."""
        self._era += 1
        self._held.clear()

    def release(self) -> None:
        """Let the statuses go that were held back, unless the fault is still there."""
        if self._faults.is_on("hold_statuses"):
            return
        held, self._held = self._held, []
        for message_id, steps in held:
            self._climb(message_id, steps)

    def begin(self, message: ChatMessage) -> None:
        """Let an accepted message climb."""
        self._plan(message.id, _steps(message))

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

    def _plan(self, message_id: str, steps: tuple[str, ...]) -> None:
        if steps and (steps[0] != "read" or self._reads(message_id)):
            pause = self._settings.status_pause_seconds
            asyncio.get_running_loop().call_later(pause, self._step, self._era, message_id, steps)

    def _step(self, era: int, message_id: str, steps: tuple[str, ...]) -> None:
        if era != self._era:
            return
        if self._faults.strike("hold_statuses"):
            self._held.append((message_id, steps))
        else:
            self._climb(message_id, steps)

    def _climb(self, message_id: str, steps: tuple[str, ...]) -> None:
        if steps[0] != "delivered" or not self._leaves_out_delivered(message_id):
            self.move(message_id, steps[0])
        self._plan(message_id, steps[1:])

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
        def describe() -> dict[str, Any]:
            whose = {"wa_id": message.wa_id, "number_id": message.number_id, "id": message.id}
            errors = {"errors": message.errors} if message.status == "failed" else {}
            return {**whose, "status": message.status, **errors}

        self._events.tell("status", describe)

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


def _steps(message: ChatMessage) -> tuple[str, ...]:
    if message.errors:
        return ("failed",)
    # A reaction gets no further status than this one (fact sheet 5.3).
    return ("sent",) if message.type == "reaction" else ("sent", "delivered", "read")
