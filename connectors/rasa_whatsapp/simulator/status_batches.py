"""Statuses that share a webhook: Meta may put many into one body, grouped by business number (fact sheet 1.3).

Singly unless asked otherwise. A batch goes when it is full or a moment has passed, whichever comes first.
"""

from __future__ import annotations

import asyncio
from typing import Any

from rasa_whatsapp.simulator.deliveries import Deliveries
from rasa_whatsapp.simulator.webhooks import merged

WAIT_SECONDS = 0.02


class StatusBatches:
    """Collects status values and hands them to the deliveries."""

    def __init__(self, deliveries: Deliveries, size: int) -> None:
        """Put up to `size` statuses into one webhook."""
        self._deliveries = deliveries
        self._size = size
        self.clear()

    def clear(self) -> None:
        """Forget what was collected."""
        self._values: list[dict[str, Any]] = []
        self._attempted = asyncio.Event()

    def add(self, value: dict[str, Any], wa_id: str) -> asyncio.Event:
        """Take one value; the event is set when the first attempt at its webhook is over."""
        if self._size == 1:
            return self._deliveries.send("messages", value, wa_id)
        if not self._values:
            asyncio.get_running_loop().call_later(WAIT_SECONDS, self._send, self._attempted)
        self._values.append(value)
        attempted = self._attempted
        if len(self._values) >= self._size:
            self.send()
        return attempted

    def send(self) -> None:
        """Hand over what was collected."""
        if self._values:
            values, attempted = self._values, self._attempted
            self.clear()
            self._deliveries.send_together(merged(values), attempted)

    def _send(self, attempted: asyncio.Event) -> None:
        """Hand over a batch whose time has come, if it is still the one that is collected."""
        if attempted is self._attempted:
            self.send()
