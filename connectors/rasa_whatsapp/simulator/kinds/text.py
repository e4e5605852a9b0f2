"""Plain text (M:messages/text-messages)."""

from __future__ import annotations

from typing import Any

from rasa_whatsapp.simulator.bubbles import Bubble
from rasa_whatsapp.simulator.kinds import fields
from rasa_whatsapp.simulator.kinds.context import SendContext
from rasa_whatsapp.simulator.refusals import Refused

BODY = 4096


def read_text(content: Any, context: SendContext) -> Bubble:
    """Read `{"body", "preview_url"?}`."""
    text = fields.an_object(content, "text")
    body = fields.string_at(text, "body", "text")
    if not body.strip():
        raise Refused(100, "The parameter text['body'] is required.")
    if fields.units(body) > BODY:
        raise Refused(100, f"Param text['body'] must be at most {BODY} characters long.")
    if not isinstance(text.get("preview_url", False), bool):
        raise Refused(100, "Param text['preview_url'] must be a boolean.")
    return Bubble(text=body)
