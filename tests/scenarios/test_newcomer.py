"""The newcomer's story: greet, ask for an order, ask for a reminder, let a day pass, be reminded by a template, answer it."""

from __future__ import annotations

import pytest

STORIES = {
    "German": {
        "hello": ("Hallo", "Hallo!"),
        "ask": "Wo ist meine Bestellung?",
        "which": "Bestellnummer",
        "unknown": "finde ich keine Bestellung",
        "state": "Bestellung 1002",
        "remind": "erinnere mich morgen daran",
        "promise": "Ich melde mich morgen",
        "template": ("order_reminder", "de", "Ich sollte dich an deine Bestellung 1002 erinnern"),
        "button": "Status zeigen",
    },
    "English": {
        "hello": ("Hi", "Hello!"),
        "ask": "Where is my order?",
        "which": "order number",
        "unknown": "can't find an order",
        "state": "rder 1002",
        "remind": "remind me tomorrow about it",
        "promise": "tomorrow",
        "template": ("order_reminder", "en", "1002"),
        "button": "Show status",
    },
}


@pytest.mark.parametrize(
    ("language", "restart"),
    [("German", False), ("English", False), ("German", True)],
    ids=["German", "English", "German, all servers killed before the reminder"],
)
def test_newcomer(bot, world, phone, language, restart):
    """The whole mission, in both languages, also when everything is killed and started again in the middle."""
    story = STORIES[language]
    phone.write(story["hello"][0])
    assert story["hello"][1] in phone.wait_for(1)[0]["text"]
    phone.write(story["ask"])
    assert story["which"] in phone.wait_for(2)[1]["text"]
    phone.write("9999")
    assert story["unknown"] in phone.wait_for(3)[2]["text"]
    phone.write("1002")
    state, settled = phone.wait_for(5)[3:]
    assert story["state"] in state["text"]
    assert settled["buttons"]
    phone.write(story["remind"])
    assert story["promise"] in phone.wait_for(6)[5]["text"]
    assert phone.chat()["window"]["open"]

    if restart:
        for name in ("rasa", "actions", "simulator"):
            bot.kill(name)
        bot.start()
    world.advance(hours=25)

    reminder = phone.wait_for(7)[6]
    name, code, text = story["template"]
    assert (reminder["template"]["name"], reminder["template"]["language"]) == (name, code)
    assert text in reminder["text"]
    assert not phone.chat()["window"]["open"]
    phone.tap(reminder, story["button"])
    answer = phone.wait_for(8)[7]
    assert answer["type"] == "text"
    assert story["state"] in answer["text"]
    assert phone.chat()["window"]["open"]
