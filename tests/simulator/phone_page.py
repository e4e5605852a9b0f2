"""The phone page in a browser tab: opened on Lea's chat, and what tests of it ask again and again."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from .browser import Tab, open_tab
from .conftest import LEA, Bot, Simulator, eventually

# The newest message on the screen.
LAST = "#chat > .message:last-child"
HOSTILE = "<img src=x onerror=hacked=1>"


@asynccontextmanager
async def open_page(browser: int, simulator: Simulator) -> AsyncIterator[Tab]:
    """Open the page with Lea's chat; nothing may have gone wrong on it in the end."""
    await simulator.post("customers", {"wa_id": LEA, "name": "Lea"})
    async with open_tab(browser, simulator.url("/")) as tab:
        await tab.until("document.getElementById('page-state').textContent === 'Live'")
        await tab.until("document.querySelector('#chat li')")
        yield tab
        assert tab.errors == []


async def shown(simulator: Simulator, tab: Tab, content: dict[str, Any], **extras: Any) -> str:
    """Let the bot send something to Lea, who has written; wait until the phone shows it."""
    await simulator.write("Hello")
    wamid = await simulator.send(content, **extras)
    await tab.until(f"document.querySelector('{LAST}').dataset.id === '{wamid}'")
    return wamid


async def arrived(bot: Bot, kind: str) -> dict[str, Any]:
    """Wait for an inbound message of a type."""
    found = await eventually(lambda: [m for m in bot.messages() if m["type"] == kind], f"a message of type {kind}")
    message: dict[str, Any] = found[-1]
    return message


def interactive(kind: str, action: dict[str, Any], **extras: Any) -> dict[str, Any]:
    """Return an interactive message."""
    return {"type": "interactive", "interactive": {"type": kind, "body": {"text": "Mugs"}, "action": action, **extras}}


def holds(whole: Any, part: Any) -> bool:
    """Tell whether all of `part` stands in `whole`, which may have more keys."""
    if isinstance(part, dict):
        return all(key in whole and holds(whole[key], value) for key, value in part.items())
    if isinstance(part, list):
        return len(whole) == len(part) and all(map(holds, whole, part))
    return bool(whole == part)
