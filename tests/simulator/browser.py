"""A headless Chromium and its tabs, driven over the DevTools protocol; every error on a page's console is kept."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession, ClientWebSocketResponse

from .conftest import eventually

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
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
    "--remote-debugging-port=0",
]
START_SECONDS = 30


@contextmanager
def running_chromium(profile: Path) -> Iterator[int]:
    """Run Chromium with a profile of its own; yield its DevTools port."""
    if CHROMIUM is None:
        pytest.skip("needs Chromium: apt-get install chromium")
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    process = subprocess.Popen([CHROMIUM, *FLAGS, f"--user-data-dir={profile}", "about:blank"], **quiet)
    try:
        yield _port(profile / "DevToolsActivePort")
    finally:
        process.kill()
        process.wait()


def _port(ports: Path) -> int:
    deadline = time.monotonic() + START_SECONDS
    while not (ports.exists() and ports.read_text()):
        assert time.monotonic() < deadline, "the browser does not start"
        time.sleep(0.02)
    return int(ports.read_text().split()[0])


class Tab:
    """One browser tab."""

    def __init__(self, socket: ClientWebSocketResponse) -> None:
        """Take an open DevTools socket."""
        self._socket = socket
        self._number = 0
        self.errors: list[str] = []

    async def call(self, method: str, **params: Any) -> dict[str, Any]:
        """Call a method and return its result."""
        self._number += 1
        await self._socket.send_json({"id": self._number, "method": method, "params": params})
        while True:
            told = await self._socket.receive_json()
            if told.get("id") == self._number:
                result: dict[str, Any] = told["result"]
                return result
            self._keep_error(told)

    async def run(self, script: str) -> Any:
        """Run JavaScript and return its value."""
        answer = await self.call("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    async def until(self, condition: str) -> None:
        """Wait until a JavaScript expression is true; what it cannot read yet is not there yet."""
        script = f"(() => {{ try {{ return !!({condition}) }} catch (error) {{ return false }} }})()"
        await eventually(lambda: self.run(script), condition, seconds=10)

    async def click(self, selector: str) -> None:
        """Wait for an element and click it."""
        await self.until(f"document.querySelector({json.dumps(selector)})")
        await self.run(f"document.querySelector({json.dumps(selector)}).click()")

    async def fill(self, selector: str, text: str) -> None:
        """Write into a field."""
        await self.until(f"document.querySelector({json.dumps(selector)})")
        await self.run(f"document.querySelector({json.dumps(selector)}).value = {json.dumps(text)}")

    async def key(self, name: str, code: int, text: str = "") -> None:
        """Press and release a key."""
        for kind in ("keyDown", "keyUp"):
            await self.call(
                "Input.dispatchKeyEvent", type=kind, key=name, code=name, windowsVirtualKeyCode=code, text=text
            )

    def _keep_error(self, told: dict[str, Any]) -> None:
        if told.get("method") == "Runtime.exceptionThrown":
            self.errors.append(str(told["params"]["exceptionDetails"]))
        entry = told.get("params", {}).get("entry", {})
        if told.get("method") == "Log.entryAdded" and entry.get("level") == "error":
            self.errors.append(f"{entry['text']} {entry.get('url', '')}")


@asynccontextmanager
async def open_tab(port: int, address: str) -> AsyncIterator[Tab]:
    """Open an address in a new tab of a running Chromium; close it in the end."""
    devtools = f"http://127.0.0.1:{port}/json"
    async with ClientSession() as http:
        async with http.put(f"{devtools}/new?about:blank") as answer:
            target = json.loads(await answer.text())
        async with http.ws_connect(target["webSocketDebuggerUrl"], max_msg_size=0) as socket:
            tab = Tab(socket)
            for domain in ("Runtime", "Log", "Page"):
                await tab.call(f"{domain}.enable")
            await tab.call("Page.navigate", url=address)
            yield tab
        async with http.get(f"{devtools}/close/{target['id']}"):
            pass
