"""The demo's settings: the bot's own, but never its real accounts and databases."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import Any

import pytest

from rasa_whatsapp.demo import Ports
from rasa_whatsapp.demo.bot import templates_of, write_settings
from rasa_whatsapp.demo.failures import NotABot
from rasa_whatsapp.demo.settings import demo_credentials, demo_endpoints, read, write

DEMO = {"phone_number_id": "100000000000001", "graph_url": "http://127.0.0.1:8090"}
ON_DEMO = {"rasa_whatsapp.WhatsAppInput": DEMO}


@pytest.mark.parametrize(
    ("own", "expected"),
    [
        ({}, ON_DEMO),
        ({"rasa_whatsapp.WhatsAppInput": None}, ON_DEMO),
        (
            {"rasa_whatsapp.WhatsAppInput": {"phone_number_id": "4711", "graph_url": "https://graph.facebook.com"}},
            ON_DEMO,
        ),
        (
            {"rasa_whatsapp.WhatsAppInput": {"phone_number_id": "${MINE}", "fallback_languages": ["de"]}},
            {"rasa_whatsapp.WhatsAppInput": {**DEMO, "fallback_languages": ["de"]}},
        ),
        ({"rasa_whatsapp.WhatsAppInput": {"numbers": [{"phone_number_id": "4711"}]}}, ON_DEMO),
        (
            {
                "rasa_whatsapp.WhatsAppInput": {
                    "provider": "360dialog",
                    "webhook_secret": "real",
                    "webhook_secret_header": "X-Real",
                }
            },
            ON_DEMO,
        ),
        ({"telegram": {"access_token": "real"}, "rest": None}, {"rest": None, **ON_DEMO}),
    ],
    ids=[
        "no channel",
        "empty channel",
        "real account",
        "other settings stay",
        "several numbers",
        "another provider",
        "other channels",
    ],
)
def test_credentials(own: dict[str, Any], expected: dict[str, Any]) -> None:
    """Our channel is there, on the simulator; other channels of the real world are not."""
    assert demo_credentials(own, DEMO) == expected


TRACKERS = {"tracker_store": {"type": "SQL", "dialect": "sqlite", "db": "/demo/trackers.sqlite"}}
ACTIONS = {"action_endpoint": {"url": "http://127.0.0.1:5055/webhook"}}


@pytest.mark.parametrize(
    ("own", "actions_url", "expected"),
    [
        ({}, None, TRACKERS),
        ({}, "http://127.0.0.1:5055", {**TRACKERS, **ACTIONS}),
        ({"action_endpoint": {"url": "https://prod/webhook"}}, "http://127.0.0.1:5055", {**TRACKERS, **ACTIONS}),
        ({"tracker_store": {"type": "SQL", "dialect": "postgresql", "url": "prod"}}, None, TRACKERS),
        ({"event_broker": {"url": "prod"}, "lock_store": {"url": "prod"}, "models": {"url": "prod"}}, None, TRACKERS),
        (
            {"nlg": {"url": "http://localhost:5056/nlg"}},
            None,
            {"nlg": {"url": "http://localhost:5056/nlg"}, **TRACKERS},
        ),
    ],
)
def test_endpoints(own: dict[str, Any], actions_url: str | None, expected: dict[str, Any]) -> None:
    """The demo never writes to the bot's real databases."""
    assert demo_endpoints(own, trackers=Path("/demo/trackers.sqlite"), actions_url=actions_url) == expected


def test_variables_stay_for_rasa_to_expand(tmp_path: Path) -> None:
    """Rasa expands ${NAME} in plain scalars only, so they are written unquoted, and Umlauts survive."""
    write(tmp_path / "credentials.yml", {"channel": {"secret": "${NAME}", "source": "Größe"}})
    assert (tmp_path / "credentials.yml").read_text("utf-8") == "channel:\n  secret: ${NAME}\n  source: Größe\n"


@pytest.mark.parametrize("text", ["a: [", "- a list\n", "just text"])
def test_unreadable_settings(text: str, tmp_path: Path) -> None:
    """A broken file is named."""
    (tmp_path / "credentials.yml").write_text(text)
    with pytest.raises(NotABot, match=r"credentials\.yml"):
        read(tmp_path / "credentials.yml")


def test_missing_settings_are_none(tmp_path: Path) -> None:
    """A bot without the file has no settings."""
    assert read(tmp_path / "endpoints.yml") == {}


@pytest.mark.parametrize(
    ("credentials", "templates"),
    [
        ("", "data/whatsapp_templates.yml"),
        ("rasa_whatsapp.WhatsAppInput:\n", "data/whatsapp_templates.yml"),
        ("rasa_whatsapp.WhatsAppInput:\n  templates: mine.yml\n", "mine.yml"),
    ],
    ids=["no credentials", "an empty block", "named by the bot"],
)
def test_templates_are_the_bots(tmp_path: Path, credentials: str, templates: str) -> None:
    """The simulator knows the templates that the channel knows."""
    (tmp_path / "credentials.yml").write_text(credentials, "utf-8")
    assert templates_of(tmp_path) == Path(templates)


def test_a_channel_that_is_no_mapping_is_named() -> None:
    """A text where settings belong gets a sentence, no traceback."""
    with pytest.raises(NotABot, match="must be a mapping"):
        demo_credentials({"rasa_whatsapp.WhatsAppInput": "hello"}, DEMO)


def test_only_the_owner_reads_secrets_and_chats(tmp_path: Path) -> None:
    """What the servers store in is there before them, and what an earlier version left for all to read is closed."""
    state = tmp_path / "state"
    state.mkdir()
    for name in ("credentials.yml", "whatsapp.sqlite", "whatsapp.sqlite-wal"):
        (state / name).touch(mode=0o644)
    write_settings(tmp_path, state, Ports(), {})
    assert {path.name: stat.S_IMODE(path.stat().st_mode) for path in state.iterdir()} == {
        "credentials.yml": 0o600,
        "endpoints.yml": 0o600,
        "simulator.sqlite": 0o600,
        "trackers.sqlite": 0o600,
        "whatsapp.sqlite": 0o600,
        "whatsapp.sqlite-wal": 0o600,
    }
