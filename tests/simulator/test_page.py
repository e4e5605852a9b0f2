"""The phone page: its headers everywhere, and its behaviour in a real browser where Chromium is installed."""

from __future__ import annotations

import asyncio
import json
import re
import shutil
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession, ClientWebSocketResponse

from rasa_whatsapp.simulator.app import STATIC

from .conftest import LEA, Bot, Simulator, eventually

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--remote-debugging-port=0",
]


@pytest.mark.asyncio
@pytest.mark.parametrize("path", ["/", *(f"/static/{path.name}" for path in sorted(STATIC.iterdir()))])
async def test_page_is_served_with_a_strict_policy(simulator: Simulator, path: str) -> None:
    """Nothing from elsewhere, nothing inline, no frames."""
    async with simulator.http.get(simulator.url(path)) as answer:
        assert answer.status == 200
        policy = answer.headers["Content-Security-Policy"]
        assert (policy.startswith("default-src 'none'"), "unsafe" in policy) == (True, False)
        assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_page_needs_nothing_from_elsewhere() -> None:
    """No foreign address, no inline script or style, no HTML made from text."""
    for path in STATIC.iterdir():
        text = path.read_text(encoding="utf-8")
        foreign = [found for found in re.findall(r"(?:https?:)?//[\w.]+", text) if "w3.org" not in found]
        assert [found for found in foreign if found.startswith("http")] == [], path.name
        assert not re.search(
            r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|\sstyle=|\son\w+=", text
        ), path.name


class Tab:
    """One browser tab, driven over the DevTools protocol."""

    def __init__(self, socket: ClientWebSocketResponse) -> None:
        """Take an open DevTools socket."""
        self._socket = socket
        self._number = 0

    async def call(self, method: str, **params: Any) -> dict[str, Any]:
        """Call a method and return its result."""
        self._number += 1
        await self._socket.send_json({"id": self._number, "method": method, "params": params})
        while True:
            told = await self._socket.receive_json()
            if told.get("id") == self._number:
                result: dict[str, Any] = told["result"]
                return result

    async def run(self, script: str) -> Any:
        """Run JavaScript and return its value."""
        answer = await self.call("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    async def until(self, condition: str) -> None:
        """Wait until a JavaScript expression is true."""
        await eventually(lambda: self.run(f"!!({condition})"), condition, seconds=10)


@asynccontextmanager
async def open_tab(profile: Path) -> AsyncIterator[Tab]:
    """Start Chromium with a profile of its own and yield its tab."""
    assert CHROMIUM is not None
    process = await asyncio.create_subprocess_exec(
        CHROMIUM,
        *FLAGS,
        f"--user-data-dir={profile}",
        "about:blank",
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        ports = profile / "DevToolsActivePort"
        await eventually(lambda: ports.exists() and ports.read_text(), "the browser starts", seconds=15)
        port = ports.read_text().split()[0]
        async with ClientSession() as http:
            async with http.get(f"http://127.0.0.1:{port}/json") as answer:
                page = next(tab for tab in json.loads(await answer.text()) if tab["type"] == "page")
            async with http.ws_connect(page["webSocketDebuggerUrl"], max_msg_size=0) as socket:
                yield Tab(socket)
    finally:
        process.send_signal(signal.SIGKILL)
        await process.wait()


@pytest.mark.asyncio
@pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium: apt-get install chromium")
async def test_a_chat_in_a_browser(simulator: Simulator, bot: Bot, tmp_path: Path) -> None:
    """Written text is shown as text, templates are marked, buttons can be tapped, the window counts down and closes."""
    await simulator.post("customers", {"wa_id": LEA, "name": "Lea"})
    async with open_tab(tmp_path) as tab:
        await tab.call("Page.navigate", url=simulator.url("/"))
        await tab.until("document.getElementById('page-state')?.textContent === 'Live'")

        await tab.run(
            "document.getElementById('text').value = '<img src=x onerror=hacked=1>';"
            "document.getElementById('composer').requestSubmit()"
        )
        await tab.until("document.querySelector('.message.in .text')?.textContent === '<img src=x onerror=hacked=1>'")
        assert await tab.run("[document.querySelectorAll('#chat img').length, typeof hacked]") == [0, "undefined"]
        await tab.until("document.getElementById('window').textContent === 'Care window open: 23 h 59 min'")

        parameters = [{"type": "text", "parameter_name": "order_id", "text": "1002"}]
        template = {
            "name": "order_follow_up",
            "language": {"code": "en"},
            "components": [{"type": "body", "parameters": parameters}],
        }
        wamid = await simulator.send({"type": "template", "template": template})
        await tab.until("document.querySelector('.label')?.textContent === 'Templateorder_follow_up · en · utility'")
        await tab.until("document.querySelector('.message.template .ticks.read')")
        assert [status["status"] for status in bot.statuses(wamid)] == ["sent", "read"]

        await tab.run("document.querySelector('.choices button').click()")
        answer = await eventually(lambda: [m for m in bot.messages() if m["type"] == "button"], "the tap")
        assert answer[0]["button"] == {"payload": "Yes", "text": "Yes"}

        await tab.run("document.querySelector('[data-advance=\"90000\"]').click()")
        await tab.until("document.getElementById('window').textContent === 'Care window closed: only templates'")
        await simulator.send_text("too late")
        await tab.until("document.querySelector('.message.failed .error')?.textContent.includes('131047')")
