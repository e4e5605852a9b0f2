"""Turns a bot's own credentials.yml and endpoints.yml into those of its demo.

Law: a demo never talks to the real WhatsApp and never writes where the bot really writes, whatever the bot's files say.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rasa_whatsapp import yaml_files
from rasa_whatsapp.demo.failures import NotABot

CHANNEL = "rasa_whatsapp.WhatsAppInput"
# Other channels would connect to the real Telegram, Slack...; REST stays, for a developer's curl.
KEPT_CHANNELS = ("rest",)
# Not: tracker_store, lock_store, event_broker (the bot's real ones), models (we name the model).
KEPT_ENDPOINTS = ("nlg", "nlu")
# Not: several real business numbers, another provider than the Cloud API that the simulator plays, and what belongs to it.
NOT_THE_DEMOS = ("numbers", "provider", "webhook_secret", "webhook_secret_header")

Settings = dict[str, Any]


def demo_credentials(own: Mapping[str, Any], overrides: Mapping[str, Any]) -> Settings:
    """Return the bot's credentials with our channel on the demo's accounts. The channel is added when missing."""
    block = own.get(CHANNEL) or {}
    if not isinstance(block, dict):
        raise NotABot(f"{CHANNEL} in credentials.yml must be a mapping of settings to values.")
    channel = {**block, **overrides}
    for name in NOT_THE_DEMOS:
        channel.pop(name, None)
    return {**{name: own[name] for name in KEPT_CHANNELS if name in own}, CHANNEL: channel}


def demo_endpoints(own: Mapping[str, Any], *, trackers: Path, actions_url: str | None) -> Settings:
    """Return the bot's endpoints with the demo's tracker store and action server."""
    endpoints: Settings = {name: own[name] for name in KEPT_ENDPOINTS if name in own}
    endpoints["tracker_store"] = {"type": "SQL", "dialect": "sqlite", "db": str(trackers)}
    if actions_url:
        endpoints["action_endpoint"] = {"url": f"{actions_url}/webhook"}
    return endpoints


def read(path: Path) -> Settings:
    """Return the settings in a YAML file; a missing or empty one holds none."""
    if not path.exists():
        return {}
    try:
        found = yaml_files.load(path)
    except yaml_files.Unreadable as problem:
        raise NotABot(f"{path} is no YAML file: {problem}") from None
    if found is not None and not isinstance(found, dict):
        raise NotABot(f"{path} must hold settings (key: value).")
    return found or {}


def write(path: Path, settings: Settings) -> None:
    """Write settings as YAML for Rasa to read."""
    yaml_files.dump(settings, path)
