"""Rasa's edge out: whatever the dialogue says goes to the gateway, under the key of what caused it."""

from __future__ import annotations

import uuid
from typing import Any

from rasa.core.channels.channel import OutputChannel

from rasa_whatsapp.cloud.templates.declared import Known
from rasa_whatsapp.gateway import Gateway
from rasa_whatsapp.turn import CHANNEL_NAME, Turn


class WhatsAppOutput(OutputChannel):  # type: ignore[misc]  # Rasa ships no types
    """The output of one turn, or of one call to Rasa's HTTP API, which then is proactive."""

    def __init__(self, gateway: Gateway, turn: Turn | None = None) -> None:
        self.gateway = gateway
        self.turn = turn
        self.cause = turn.cause if turn else f"api:{uuid.uuid4().hex}"
        self.language: str | None = None  # the customer's, as the dialogue knows it when it speaks
        self.known = Known()
        self._said = 0

    @classmethod
    def name(cls) -> str:
        """Return what `channel:` in a response must be."""
        return CHANNEL_NAME

    async def send_response(self, recipient_id: str, message: dict[str, Any]) -> None:
        """Keep a response for delivery; it is durable when this returns."""
        self._said += 1
        await self.gateway.say(
            recipient_id, self.cause, self._said, message, self.turn, language=self.language, known=self.known
        )

    async def send_text_message(self, recipient_id: str, text: str, **kwargs: Any) -> None:
        """Keep a text for delivery."""
        await self.send_response(recipient_id, {"text": text})
