"""What a reader may ask besides the message's own content."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from rasa_whatsapp.simulator.catalogue import Template


@dataclass(frozen=True, slots=True, kw_only=True)
class SendContext:
    """How the recipient was named, and which templates there are."""

    to_user_id: bool
    find_template: Callable[[str, str], Template | None]
