"""What customers send as a file: the reference in their message becomes a file in a folder, its name and size become slots.

WhatsApp keeps such a file for some days only, so the shop fetches it when it comes.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.events import EventType, SlotSet
from rasa_sdk.executor import CollectingDispatcher

from actions.reminders import close_question
from rasa_whatsapp import media
from rasa_whatsapp.errors import MediaRefused, MediaUnavailable

logger = logging.getLogger(__name__)

FOLDER_VARIABLE = "ATTACHMENTS_FOLDER"
DEFAULT_FOLDER = "received"


class ActionStoreAttachment(Action):
    """Downloads the file of the latest message; the open question makes way for the one that follows here."""

    def __init__(self, download: Callable[..., Awaitable[media.StoredFile]] = media.download) -> None:
        self._download = download

    def name(self) -> str:
        """Return the name in the domain."""
        return "action_store_attachment"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> list[EventType]:
        """Return the stored file's name and size as slots, or that it was refused; `asked` if it could not be had."""
        reference = media.media_of(tracker)
        facts = await self._fetch(reference, tracker.get_slot("language") or "en") if reference else _missing("asked")
        return [*(SlotSet(name, value) for name, value in facts.items()), *close_question()]

    async def _fetch(self, reference: dict[str, Any], language: str) -> dict[str, str | None]:
        try:
            stored = await self._download(reference, to=folder_from_environment())
        except MediaRefused as problem:
            logger.warning("An attachment was refused: %s", problem)
            return _missing("refused")
        except (MediaUnavailable, OSError) as problem:
            logger.warning("An attachment could not be stored: %s", problem)
            return _missing("asked")
        return {
            "attachment_state": "stored",
            "attachment_name": stored.path.name,
            "attachment_size": to_size(stored.size, language),
        }


def _missing(state: str) -> dict[str, str | None]:
    return {"attachment_state": state, "attachment_name": None, "attachment_size": None}


def folder_from_environment() -> Path:
    """Return the folder that ATTACHMENTS_FOLDER names, else the demo's."""
    return Path(os.environ.get(FOLDER_VARIABLE, "").strip() or DEFAULT_FOLDER)


def to_size(size: int, language: str) -> str:
    """Return e.g. `512 B`, `34 kB` or `1.2 MB` (`1,2 MB` in German), in steps of a thousand bytes."""
    if size < 1000:
        return f"{size} B"
    if size < 999_500:
        return f"{size / 1000:.0f} kB"
    text = f"{size / 1_000_000:.1f}"
    return f"{text.replace('.', ',') if language == 'de' else text} MB"
