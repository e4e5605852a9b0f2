"""What Rasa hands on of a response: the channel that it was written for, and its template with the slots filled."""

from __future__ import annotations

import asyncio

from rasa.core.actions.action import create_bot_utterance
from rasa.core.nlg import TemplatedNaturalLanguageGenerator
from rasa.shared.core.slots import TextSlot
from rasa.shared.core.trackers import DialogueStateTracker

from rasa_whatsapp.cloud.templates.spelling import read_use


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


def test_slots_fill_a_template():
    """Wherever they stand in the lists and mappings of `custom.template`; an empty one is the word None, an unknown one stays."""
    template = {
        "name": "shipped",
        "header": {"image": {"link": "https://s.example/{no}.png"}},
        "parameters": ["{no}", "{empty}", "{unknown}"],
        "buttons": [{"payload": '/track{{"no":"{no}"}}'}, {"flow": {"data": {"no": "{no}", "count": 2}}}],
        "cards": [{"parameters": {"a": "{no}"}}],
    }
    responses = {"utter_x": [{"custom": {"template": [{"name": "{no}"}, template]}}]}
    slots = [TextSlot("no", [{}], initial_value="1002"), TextSlot("empty", [{}])]
    tracker = DialogueStateTracker.from_events("sender", [], slots=slots)
    said = asyncio.run(TemplatedNaturalLanguageGenerator(responses).generate("utter_x", tracker, "whatsapp"))
    first, second = read_use(create_bot_utterance(said).message()["custom"]["template"], "custom.template").in_order
    assert first.name == "1002"
    assert second.header == {"image": {"link": "https://s.example/1002.png"}}
    assert second.parameters == {"1": "1002", "2": "None", "3": "{unknown}"}
    assert second.buttons == (
        {"payload": '/track{"no":"1002"}'},
        {"flow": {"token": "", "data": {"no": "1002", "count": 2}}},
    )
    assert second.cards[0].parameters == {"a": "1002"}
