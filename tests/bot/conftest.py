"""One trained model and, on it, conversations that run the real policies and the real actions in this process.

A `Chat` hands messages to Rasa as the WhatsApp channel does: the window's entities come with every turn and every follow-up.
"""

from __future__ import annotations

import asyncio
import logging
import os
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest

from rasa_whatsapp.media import StoredFile

ROOT = Path(__file__).resolve().parents[2]
NOW = datetime(2026, 11, 22, 10, 0, tzinfo=timezone.utc)

if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))  # `actions` and `data` are found as `rasa` finds them: from the repository root


@dataclass(frozen=True, slots=True)
class FixedClock:
    """A clock that stands."""

    moment: datetime

    def now(self) -> datetime:
        """Return the moment at which it stands."""
        return self.moment


@pytest.fixture(autouse=True)
def shop_database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give every test a shop of its own, which does not exist yet."""
    path = tmp_path / "shop" / "shop.sqlite"
    monkeypatch.setenv("SHOP_DATABASE", str(path))
    return path


@pytest.fixture(autouse=True)
def attachments_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give every test a folder of its own for what customers send, which does not exist yet."""
    path = tmp_path / "received"
    monkeypatch.setenv("ATTACHMENTS_FOLDER", str(path))
    return path


@pytest.fixture(autouse=True)
def _clock_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stop the clock of all actions at NOW."""
    for module in ("actions.reminders", "actions.order_status", "actions.feedback", "rasa_whatsapp.custom_actions"):
        monkeypatch.setattr(f"{module}.from_environment", lambda: FixedClock(NOW))


def run_rasa(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run Rasa's command line on this project, with a tracker store in the folder and no action server."""
    environment = {
        **os.environ,
        "RASA_TELEMETRY_ENABLED": "false",
        "RASA_TRACKER_DB": str(folder / "trackers.sqlite"),
        "RASA_ACTION_ENDPOINT": "http://127.0.0.1:9/webhook",
        "SQLALCHEMY_SILENCE_UBER_WARNING": "1",
        "PYTHONWARNINGS": "ignore::DeprecationWarning",
    }
    return subprocess.run(
        [sys.executable, "-m", "rasa", *arguments],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


@pytest.fixture(scope="session")
def rasa_command() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Return the function that runs Rasa's command line on this project."""
    return run_rasa


@dataclass(frozen=True, slots=True)
class Said:
    """One bubble of the bot: its text, the buttons' payloads or addresses by title, what stands under `custom`, and the rest."""

    text: str
    buttons: dict[str, str]
    custom: dict[str, Any]
    rest: dict[str, Any] = field(default_factory=dict)


class FakeDownload:
    """Stands in for the download of media: stores a few bytes, or raises `problem`; remembers the references."""

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """Begin anew."""
        self.references: list[dict[str, Any]] = []
        self.problem: Exception | None = None

    async def __call__(self, reference: dict[str, Any], *, to: Path) -> StoredFile:
        """Return the file `<id>.jpg` of 34,000 bytes in the folder."""
        self.references.append(reference)
        if self.problem is not None:
            raise self.problem
        return _stored(to, f"{reference['id']}.jpg")


def _stored(folder: Path, name: str) -> StoredFile:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(b"x" * 34_000)
    return StoredFile(path=folder / name, mime_type="image/jpeg", sha256="0" * 64, size=34_000)


class Bot:
    """The trained bot, loaded once; its actions run in this process instead of behind a port."""

    def __init__(self, model: Path) -> None:
        self.download = FakeDownload()
        self._loop = asyncio.new_event_loop()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Rasa's own libraries warn about each other
            self._load(model)

    def _load(self, model: Path) -> None:
        import structlog

        # Rasa sets this up in its command line only; without it, every turn prints a page.
        structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
        from actions.attachments import ActionStoreAttachment
        from rasa.core.agent import Agent
        from rasa.core.channels.channel import CollectingOutputChannel
        from rasa.utils.endpoints import EndpointConfig
        from rasa_sdk.executor import ActionExecutor

        executor = ActionExecutor()
        executor.register_package("actions")
        executor.register_action(ActionStoreAttachment(self.download))

        class Actions(EndpointConfig):
            async def request(self, *_: Any, **call: Any) -> Any:
                return await executor.run(call["json"])

        class WhatsApp(CollectingOutputChannel):
            @classmethod
            def name(cls) -> str:
                return "whatsapp"

            async def send_response(self, recipient_id: str, message: dict[str, Any]) -> None:
                self.messages.append(message)  # whole, as the real channel takes it

        self.channels = {"whatsapp": WhatsApp, "rest": CollectingOutputChannel}
        self.agent = Agent.load(model, action_endpoint=Actions("http://actions.invalid"))

    def wait(self, turn: Any) -> Any:
        """Return what a coroutine of Rasa's returns."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return self._loop.run_until_complete(turn)

    def parse(self, text: str) -> dict[str, Any]:
        """Return Rasa's parse of one message."""
        from rasa.core.channels.channel import UserMessage

        parsed: dict[str, Any] = self.wait(self.agent.processor.parse_message(UserMessage(text)))
        return parsed

    def close(self) -> None:
        """Close the event loop."""
        self._loop.close()


class Chat:
    """One customer's conversation with the bot."""

    def __init__(self, bot: Bot, sender: str, channel: str) -> None:
        self._bot = bot
        self._sender = sender
        self._channel = channel

    def say(self, text: str, **shared: Any) -> list[Said]:
        """Return the bot's answers to a text, or to a tapped button's payload such as `/affirm`; `shared` came along."""
        return self._hand_over(text, self._bot.parse(text), shared)

    def send(self, intent: str, **shared: Any) -> list[Said]:
        """Return the bot's answers to a message without words; `shared` is what it brings, e.g. `media`."""
        found = {"name": intent, "confidence": 1.0}
        text = f"[{intent}]"
        return self._hand_over(text, {"text": text, "intent": found, "intent_ranking": [found], "entities": []}, shared)

    def _hand_over(self, text: str, parsed: dict[str, Any], shared: dict[str, Any]) -> list[Said]:
        from rasa.core.channels.channel import UserMessage

        output = self._bot.channels[self._channel]()
        message = UserMessage(text, output, self._sender, input_channel=self._channel, metadata={"whatsapp": shared})
        entities = [{"entity": f"whatsapp_{name}", "value": value} for name, value in shared.items()]
        known = [entity for entity in entities if entity["entity"] in self._bot.agent.domain.entities]
        message.parse_data = {**parsed, "entities": [*parsed["entities"], *known, *self._window(is_open=True)]}
        self._bot.wait(self._bot.agent.handle_message(message))
        return _bubbles(output.messages)

    def follow_up(self, intent: str, *entities: dict[str, Any], is_open: bool = False) -> list[Said]:
        """Return what the bot says when a follow-up is due."""
        output = self._bot.channels[self._channel]()
        wanted = [*entities, *self._window(is_open=is_open)]
        self._bot.wait(self._bot.agent.processor.trigger_external_user_uttered(intent, wanted, self.tracker(), output))
        return _bubbles(output.messages)

    def tracker(self) -> Any:
        """Return the conversation as Rasa stores it."""
        return self._bot.wait(self._bot.agent.tracker_store.get_or_create_tracker(self._sender))

    def slot(self, name: str) -> Any:
        """Return a slot's value."""
        return self.tracker().get_slot(name)

    def events(self, type_name: str) -> list[Any]:
        """Return the conversation's events of one type, oldest first."""
        return [event for event in self.tracker().events if event.type_name == type_name]

    def _window(self, *, is_open: bool) -> list[dict[str, Any]]:
        if self._channel != "whatsapp":
            return []
        return [
            {"entity": "care_window_open", "value": is_open},
            {"entity": "care_window_expires_at", "value": "2026-11-23T09:59:30+00:00"},
            {"entity": "whatsapp_consent", "value": "unknown"},
        ]


def _bubbles(messages: list[dict[str, Any]]) -> list[Said]:
    """Return the bubbles; join what Rasa sends apart on other channels, where `custom` and pictures follow their text."""
    bubbles: list[Said] = []
    for message in messages:
        rest = {key: message[key] for key in ("image", "elements") if message.get(key)}
        if "text" not in message:
            bubbles[-1] = replace(bubbles[-1], custom=message.get("custom") or {}, rest=rest)
            continue
        buttons = {button["title"]: button.get("payload") or button["url"] for button in message.get("buttons") or []}
        bubbles.append(Said(message["text"] or "", buttons, message.get("custom") or {}, rest))
    return bubbles


@pytest.fixture(scope="session")
def bot(trained_model: Path) -> Iterator[Bot]:
    """Return the trained bot."""
    loaded = Bot(trained_model)
    yield loaded
    loaded.close()


@pytest.fixture
def download(bot: Bot) -> Iterator[FakeDownload]:
    """Return what stands in for the download of media, which forgets after the test."""
    yield bot.download
    bot.download.forget()


@pytest.fixture
def chat(bot: Bot, request: pytest.FixtureRequest) -> Callable[..., Chat]:
    """Return a function that begins a conversation, on WhatsApp unless another channel is named."""

    def begin(channel: str = "whatsapp") -> Chat:
        return Chat(bot, f"{request.node.nodeid}/{channel}", channel)

    return begin
