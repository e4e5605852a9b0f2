"""Rasa itself, loaded once in this process, with the example bot's model; its tracker store is new for each test."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
import rasa.core.jobs
from rasa.core.agent import Agent
from rasa.core.lock_store import InMemoryLockStore
from rasa.core.tracker_store import SQLTrackerStore

from rasa_whatsapp import reminders
from rasa_whatsapp.cloud.answers import Accepted
from rasa_whatsapp.cloud.media_links import MediaLink
from rasa_whatsapp.cloud.outbound import GraphRequest
from rasa_whatsapp.config import Settings, read_settings
from rasa_whatsapp.errors import UploadFailed
from rasa_whatsapp.gateway import Gateway
from rasa_whatsapp.output import WhatsAppOutput
from rasa_whatsapp.rasa_dialogue import RasaDialogue
from rasa_whatsapp.storage.database import Database
from rasa_whatsapp.turn import Turn

ROOT = Path(__file__).resolve().parents[2]
NOON = datetime(2026, 11, 20, 12, 0, tzinfo=timezone.utc)


@dataclass
class HandClock:
    """A clock that is moved by hand."""

    moment: datetime = NOON

    def now(self) -> datetime:
        return self.moment

    def advance(self, **amount: float) -> None:
        self.moment += timedelta(**amount)


@dataclass
class RecordingGraph:
    """Takes every message and remembers it."""

    requests: list[GraphRequest] = field(default_factory=list)

    async def post(self, request: GraphRequest) -> Accepted:
        self.requests.append(request)
        return Accepted(f"wamid.out{len(self.requests)}")

    @property
    def messages(self) -> list[dict[str, Any]]:
        """Return what was sent to customers, without read receipts."""
        return [request.body for request in self.requests if "type" in request.body]


class NoUploads:
    """Gives nothing to Meta: no host is configured whose media it could fetch."""

    async def upload(self, number_id: str, media: MediaLink) -> str:
        raise UploadFailed("no upload_hosts")


@dataclass
class Channel:
    """Our gateway before a real agent, as `WhatsAppInput` wires it, with clock and Graph in the test's hands."""

    agent: Agent
    settings: Settings
    clock: HandClock
    graph: RecordingGraph
    gateway: Gateway | None = None
    database: Database | None = None

    async def start(self) -> Gateway:
        reminders.install()
        self.database = Database(self.settings["database_url"])
        self.database.upgrade()
        self.gateway = Gateway(
            database=self.database,
            clock=self.clock,
            graph=self.graph,
            uploads=NoUploads(),
            dialogue=RasaDialogue(lambda: self.agent, self._output),
            rules=self.settings.rules(),
        )
        await self.gateway.start()
        return self.gateway

    async def stop(self) -> None:
        assert self.gateway is not None
        assert self.database is not None
        await self.gateway.close()
        self.database.close()

    def _output(self, turn: Turn) -> WhatsAppOutput:
        assert self.gateway is not None
        return WhatsAppOutput(self.gateway, turn)


@pytest.fixture(scope="session")
def loaded_agent(trained_model: Path) -> Agent:
    """Return an agent with the example bot's model."""
    agent = Agent()
    agent.load_model(trained_model)
    return agent


@pytest.fixture
def agent(loaded_agent: Agent, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Agent:
    """Return the agent with an empty tracker store and a scheduler of its own."""
    loaded_agent.tracker_store = SQLTrackerStore(loaded_agent.domain, db=str(tmp_path / "trackers.sqlite"))
    loaded_agent.lock_store = InMemoryLockStore()
    loaded_agent.processor.tracker_store = loaded_agent.tracker_store
    loaded_agent.processor.lock_store = loaded_agent.lock_store
    monkeypatch.setitem(vars(rasa.core.jobs), "__scheduler", None)  # the last test's belongs to a loop that is closed
    return loaded_agent


@pytest.fixture
def channel(agent: Agent, tmp_path: Path) -> Channel:
    """Return our channel before the agent, not started."""
    block = {
        "phone_number_id": "100000000000001",
        "access_token": "token",
        "app_secret": "secret",
        "verify_token": "word",
        "database_url": f"sqlite:///{tmp_path / 'whatsapp.sqlite'}",
        "templates": "data/whatsapp_templates.yml",
        "fallback_languages": ["en"],
    }
    return Channel(agent, read_settings(block, folder=ROOT), HandClock(), RecordingGraph())
