"""What happens, told at once to whoever watches: one queue per watcher, and the chat that each has open.

A watcher that does not read is dropped rather than waited for; a page reconnects and reads the chat again. While
nobody watches, nothing is even described.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

QUEUE_LENGTH = 1000


@dataclass(eq=False, slots=True)
class Watcher:
    """One open event stream; `None` in the queue ends it."""

    open_chat: tuple[str, str] | None
    queue: asyncio.Queue[tuple[str, dict[str, Any]] | None] = field(
        default_factory=lambda: asyncio.Queue(QUEUE_LENGTH + 1)
    )


class Events:
    """The watchers of one simulator."""

    def __init__(self) -> None:
        """Begin with nobody watching."""
        self._watchers: set[Watcher] = set()

    @contextmanager
    def watch(self, open_chat: tuple[str, str] | None) -> Iterator[Watcher]:
        """Watch until the block ends; `open_chat` is the customer and business number whose chat is on screen."""
        watcher = Watcher(open_chat)
        self._watchers.add(watcher)
        try:
            yield watcher
        finally:
            self._watchers.discard(watcher)

    def is_chat_open(self, wa_id: str, number_id: str) -> bool:
        """Tell whether somebody has this customer's chat with a business number on screen."""
        return any(watcher.open_chat == (wa_id, number_id) for watcher in self._watchers)

    def tell(self, event: str, describe: Callable[[], dict[str, Any]]) -> None:
        """Tell every watcher what `describe` returns."""
        if not self._watchers:
            return
        data = describe()
        for watcher in list(self._watchers):
            if watcher.queue.qsize() >= QUEUE_LENGTH:
                self._drop(watcher)
            else:
                watcher.queue.put_nowait((event, data))

    def close(self) -> None:
        """End every stream."""
        for watcher in list(self._watchers):
            self._drop(watcher)

    def _drop(self, watcher: Watcher) -> None:
        self._watchers.discard(watcher)
        watcher.queue.put_nowait(None)
