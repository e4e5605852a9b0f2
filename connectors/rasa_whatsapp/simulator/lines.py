"""Who may go next: the webhooks of one customer start one after the other, those of different customers do not wait.

The next one goes when the first attempt at the one before is over, or has taken too long (fact sheet 1.3: order is
usual, nothing is promised).
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(eq=False, slots=True, kw_only=True)
class Delivery:
    """One webhook body on its way; `attempted` is set when the first attempt is over."""

    number: int
    wa_id: str | None
    body: bytes
    created_at: float
    has_statuses: bool = False
    attempts: int = 0
    is_copy: bool = False
    attempted: asyncio.Event = field(default_factory=asyncio.Event)


class Lines:
    """One line per customer."""

    def __init__(self, go: Callable[[Delivery], None], patience_seconds: float) -> None:
        """Call `go` with each delivery whose turn it is."""
        self._go = go
        self._patience_seconds = patience_seconds
        self._lines: dict[str, deque[Delivery]] = {}

    def clear(self) -> None:
        """Forget who is waiting."""
        self._lines.clear()

    def enter(self, delivery: Delivery) -> None:
        """Line up; what belongs to no customer goes at once."""
        if delivery.wa_id is None:
            self._go(delivery)
            return
        line = self._lines.get(delivery.wa_id)
        if line is None:
            self._lines[delivery.wa_id] = deque((delivery,))
            self._go(delivery)
            return
        line.append(delivery)
        if len(line) == 2:
            self._wait_for(line[0])

    def leave(self, delivery: Delivery) -> None:
        """Let the next in line go, if this one is still at the head."""
        line = self._lines.get(delivery.wa_id or "")
        if line is None or line[0] is not delivery:
            return
        line.popleft()
        if not line:
            del self._lines[delivery.wa_id or ""]
            return
        if len(line) > 1:
            self._wait_for(line[0])
        self._go(line[0])

    def follow(self, before: str, after: str) -> None:
        """Keep what is told of a customer with a new number behind what is still to be told of the old one."""
        line = self._lines.pop(before, None)
        if line is None:
            return
        for delivery in line:
            delivery.wa_id = after
        self._lines[after] = line

    def _wait_for(self, head: Delivery) -> None:
        """Somebody stands behind the head of a line, and has patience, but not for ever."""
        asyncio.get_running_loop().call_later(self._patience_seconds, self.leave, head)
