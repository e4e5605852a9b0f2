"""What a reader may ask besides the message's own content."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from rasa_whatsapp.simulator.catalogue import Template
from rasa_whatsapp.simulator.media_table import StoredMedia


@dataclass(frozen=True, slots=True, kw_only=True)
class SendContext:
    """Who sends to whom (digits), how the recipient was named, which templates and media the sender can use."""

    sender: str
    recipient: str
    to_user_id: bool
    find_template: Callable[[str, str], Template | None]
    find_media: Callable[[str], StoredMedia | None]
