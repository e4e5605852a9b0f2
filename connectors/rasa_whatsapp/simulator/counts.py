"""How much happened since the start or the last reset: numbers that a judge adds up against the record."""

from __future__ import annotations

from collections import Counter
from typing import Any

from rasa_whatsapp.simulator.chat import Direction


class Counts:
    """Counters; whoever does something counts it here."""

    def __init__(self) -> None:
        """Begin at nothing."""
        self.clear()

    def clear(self) -> None:
        """Begin again."""
        self.messages: Counter[Direction] = Counter()  # accepted from the bot, written by customers
        self.statuses: Counter[str] = Counter()  # told to the bot, by name
        self.refused: Counter[int] = Counter()  # sends that were answered with an error and not accepted, by code
        self.webhooks_delivered = 0
        self.webhooks_given_up = 0
        self.webhook_copies = 0  # what `duplicate_webhooks` added
        self.failed_tries = 0
        self.connections_broken = 0  # by faults

    def to_json(self, waiting: int) -> dict[str, Any]:
        """Return the counts as the control API shows them; `waiting` webhooks have not been delivered yet."""
        return {
            "messages": {direction.value: self.messages[direction] for direction in Direction},
            "statuses": {name: self.statuses[name] for name in ("sent", "delivered", "read", "failed")},
            "refused": {str(code): times for code, times in sorted(self.refused.items())},
            "webhooks": {
                "waiting": waiting,
                "delivered": self.webhooks_delivered,
                "given_up": self.webhooks_given_up,
                "copies": self.webhook_copies,
                "failed_tries": self.failed_tries,
            },
            "connections_broken": self.connections_broken,
        }
