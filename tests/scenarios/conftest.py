"""The example bot's three servers, really running, started once; and a customer's phone, through the simulator's control API.

Scenarios use public doors only: the phone writes, the webhook takes it in, what the bot says appears on the phone.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests

from rasa_whatsapp.demo import Stack, running_bot

ROOT = Path(__file__).resolve().parents[2]
DEADLINE_SECONDS = 60  # a Rasa server that was killed loads its model again, on a machine that may be busy
QUICK = {"settle_seconds": 1}


@pytest.fixture(scope="session")
def bot(trained_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Return the running servers of the example bot; what customers send is stored in the folder `received`."""
    state = tmp_path_factory.mktemp("bot")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ATTACHMENTS_FOLDER", str(state / "received"))
        with running_bot(ROOT, state=state, model=trained_model) as stack:
            yield stack


@dataclass
class Phone:
    """One customer's phone."""

    simulator: str
    wa_id: str

    def write(self, text: str, **more: Any) -> str:
        """Send a text; return its message id."""
        return self._send({"type": "text", "text": text, **more})

    def tap(self, message: dict[str, Any], button: str) -> str:
        """Tap the button or row with this title on a message of the bot."""
        return self._send({"type": "tap", "message_id": message["id"], "button": _button_id(message, button)})

    def send_raw(self, message: dict[str, Any]) -> str:
        """Send any `messages[]` object."""
        return self._send({"type": "raw", "message": message})

    def send(self, kind: str, **content: Any) -> str:
        """Send something of another kind than text: a photo, a location, a cart ..."""
        return self._send({"type": kind, **content})

    def do(self, action: str, **more: Any) -> dict[str, Any]:
        """Do what is no message: `call`, change the `number` or the `user_id`, let a human answer (`echo`)."""
        answer = requests.post(f"{self.simulator}/control/customers/{self.wa_id}/{action}", json=more, timeout=10)
        assert answer.ok, answer.text
        return answer.json()

    def hide_number(self) -> None:
        """Let WhatsApp leave the number out of what it tells the business."""
        whom = {"wa_id": self.wa_id, "name": "Lea", "hide_number": True}
        requests.post(f"{self.simulator}/control/customers", json=whom, timeout=10).raise_for_status()

    def chat(self) -> dict[str, Any]:
        """Return what the phone shows."""
        answer = requests.get(f"{self.simulator}/control/customers/{self.wa_id}/chat", timeout=10)
        answer.raise_for_status()
        return answer.json()

    def received(self) -> list[dict[str, Any]]:
        """Return the bot's messages, oldest first."""
        return [message for message in self.chat()["messages"] if message["direction"] == "out"]

    def wait_for(self, count: int) -> list[dict[str, Any]]:
        """Return all of the bot's messages once there are this many; fail when that takes too long."""
        eventually(lambda: len(self.received()) >= count, lambda: f"{count} messages, has {texts(self.received())}")
        return self.received()

    def _send(self, what: dict[str, Any]) -> str:
        answer = requests.post(f"{self.simulator}/control/customers/{self.wa_id}/messages", json=what, timeout=10)
        assert answer.status_code == 201, answer.text
        return answer.json()["id"]


def texts(messages: list[dict[str, Any]]) -> list[str]:
    """Return what the messages say."""
    return [message["text"] for message in messages]


def eventually(condition: Callable[[], object], expected: Callable[[], str]) -> None:
    """Return when the condition holds; fail with what was expected when it does not in time."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, f"within {DEADLINE_SECONDS} s: {expected()}"
        time.sleep(0.05)


def _button_id(message: dict[str, Any], title: str) -> str:
    rows = [row for section in (message.get("list") or {}).get("sections", []) for row in section["rows"]]
    for offered in [*message.get("buttons", []), *rows]:
        if offered["title"] == title:
            return offered["id"]
    raise AssertionError(f"no button {title!r} on {message['text']!r}")


@dataclass
class World:
    """The simulator around the phones."""

    url: str

    def advance(self, hours: float) -> None:
        """Move everybody's clock forward."""
        answer = requests.post(f"{self.url}/control/clock", json={"advance_seconds": hours * 3600}, timeout=10)
        answer.raise_for_status()

    def decide(self, name: str, language: str, status: str) -> None:
        """Give a template another status, as Meta does."""
        address = f"{self.url}/control/templates/{name}/{language}"
        answer = requests.put(address, json={"status": status}, timeout=10)
        assert answer.ok, answer.text

    def set_direct_send(self, access: str) -> None:
        """Let the account use Direct Send (`enabled`), or not (`not_enabled`, `blocked`)."""
        answer = requests.put(f"{self.url}/control/direct_send", json={"access": access}, timeout=10)
        assert answer.ok, answer.text

    def set_faults(self, *faults: dict[str, Any]) -> None:
        """Let Meta misbehave."""
        answer = requests.put(f"{self.url}/control/faults", json={"faults": list(faults)}, timeout=10)
        assert answer.ok, answer.text

    def deliver(self, value: dict[str, Any], field: str = "messages") -> int:
        """Deliver a signed webhook value; return the bot's HTTP status."""
        body = {"field": field, "value": value}
        answer = requests.post(f"{self.url}/control/webhooks?wait=true", json=body, timeout=30)
        answer.raise_for_status()
        return answer.json()["last_status"]

    def requests(self) -> list[dict[str, Any]]:
        """Return the Graph requests that the bot made."""
        answer = requests.get(f"{self.url}/control/requests", timeout=10)
        answer.raise_for_status()
        return answer.json()["requests"]


@pytest.fixture
def store(bot: Stack):
    """Return a reader of the channel's own database."""
    path = bot.log_path("rasa").parent.parent / "whatsapp.sqlite"

    def read(query: str, *values: str) -> list[tuple[Any, ...]]:
        with sqlite3.connect(path) as connection:
            return connection.execute(query, values).fetchall()

    return read


@pytest.fixture
def received(bot: Stack) -> Path:
    """Return the folder into which the example bot's action stores files."""
    return bot.log_path("rasa").parent.parent / "received"


@pytest.fixture
def world(bot: Stack) -> Iterator[World]:
    """Return the simulator, with no faults before and after the test."""
    world = World(bot.url("simulator"))
    world.set_faults()
    yield world
    world.set_faults()


_NUMBERS = iter(range(4915100000001, 4915199999999))


@pytest.fixture
def phone(world: World) -> Phone:
    """Return the phone of a customer who has never written."""
    return Phone(world.url, str(next(_NUMBERS)))


@pytest.fixture
def another_phone(world: World) -> Phone:
    """Return the phone of one more such customer."""
    return Phone(world.url, str(next(_NUMBERS)))
