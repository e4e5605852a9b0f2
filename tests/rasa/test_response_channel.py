"""Rasa hands on which channel a response was written for: to_utterance leaves such a text in its own markup."""

from __future__ import annotations

import asyncio

from rasa.core.actions.action import create_bot_utterance
from rasa.core.nlg import TemplatedNaturalLanguageGenerator
from rasa.shared.core.trackers import DialogueStateTracker


def test_a_response_keeps_its_channel():
    """The variation's key reaches the output channel, and the image is there once."""
    responses = {
        "utter_x": [{"text": "*x*", "channel": "whatsapp", "image": "https://s.example/a.png"}, {"text": "**x**"}]
    }
    tracker = DialogueStateTracker.from_events("sender", [], slots=[])
    said = asyncio.run(TemplatedNaturalLanguageGenerator(responses).generate("utter_x", tracker, "whatsapp"))
    message = create_bot_utterance(said).message()
    assert (message["text"], message["channel"]) == ("*x*", "whatsapp")
    assert (message["image"], message["attachment"]) == ("https://s.example/a.png", None)
