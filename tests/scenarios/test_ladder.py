"""Each rung of the fallback ladder on the running bot, in both languages: words, template, next template, Direct Send, parked words, nothing.

The bot is the example bot, whose template `news_waiting` asks customers to write again, with Direct Send switched on; only in its own test the account has it.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import pytest

from rasa_whatsapp.demo import Stack, running_bot

from .conftest import ROOT, eventually, texts

SAYINGS = {
    "German": {
        "code": "de",
        "hello": "Hallo",
        "ask": "Wo ist meine Bestellung 1002?",
        "remind": "erinnere mich morgen daran",
        "reminder": "Ich sollte dich an deine Bestellung 1002 erinnern",
        "not yet": "Nein, noch nicht",
        "state": "Bestellung 1002",
        "asks": "Der Kleeblatt-Laden hat Neuigkeiten zu deiner Bestellung",
        "button": "Bitte zeigen",
        "all": "Mehr habe ich gerade nicht für dich",
        "show": "Status zeigen",
    },
    "English": {
        "code": "en",
        "hello": "Hi",
        "ask": "Where is my order 1002?",
        "remind": "remind me tomorrow about it",
        "reminder": "You asked me to remind you about your order 1002",
        "not yet": "No, not yet",
        "state": "rder 1002",
        "asks": "The Kleeblatt shop has news for you about your order",
        "button": "Show me",
        "all": "That's all I have for you right now",
        "show": "Show status",
    },
}
in_both_languages = pytest.mark.parametrize("said", SAYINGS.values(), ids=SAYINGS)


@pytest.fixture(scope="module")
def bot(trained_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Return the running servers of the example bot, which tests kill."""
    state, settings = tmp_path_factory.mktemp("state"), {"direct_send": "utility"}
    with running_bot(ROOT, state=state, model=trained_model, settings=settings) as stack:
        yield stack


@pytest.fixture
def templates(world):
    """Return what pauses these templates, by default in both languages, for three hours or until it is over."""
    paused = []

    def pause(*names, languages=("de", "en")):
        for name, code in product(names, languages):
            world.decide(name, code, "PAUSED")
            paused.append((name, code))

    yield pause
    for name, code in paused:
        world.decide(name, code, "APPROVED")


@pytest.fixture
def direct_send(world):
    """Return what gives the account access to Direct Send, or blocks it, until the test is over."""
    yield world.set_direct_send
    world.set_direct_send("not_enabled")


def ask_for_reminder(phone, said) -> int:
    """Ask for a reminder of order 1002, due in a day; return how many messages the bot has said by then."""
    for words, count in ((said["hello"], 1), (said["ask"], 3), (said["remind"], 4)):
        phone.write(words)
        phone.wait_for(count)
    return 4


def shown(phone) -> list[tuple[str, str]]:
    """Return what the phone shows: the template's name and language, or how it is that there is none, and the text."""
    return [
        ("/".join((template["name"], template["language"])) if template else message["status"], message["text"])
        for message in phone.received()
        for template in [message.get("template")]
    ]


def let_others_be_done(world, store) -> None:
    """Let all that customers of earlier tests wait for come, so that none of it meets what the test is about."""
    world.advance(hours=48)
    open_ones = "SELECT id FROM follow_ups WHERE state IN ('pending', 'fired')"
    eventually(lambda: not store(open_ones), lambda: "no follow-up of an earlier test left")


def contact_of(store, phone) -> str:
    """Return the contact who is this customer."""
    (row,) = store("SELECT DISTINCT contact_id FROM aliases WHERE value = ?", phone.wa_id)
    return row[0]


def decision(store, phone, state: str) -> dict:
    """Return the latest decision about a message to this customer that is in this state."""
    query = "SELECT decision FROM outbox WHERE state = ? AND contact_id = ? ORDER BY id DESC"
    rows = store(query, state, contact_of(store, phone))
    return json.loads(rows[0][0]) if rows else {}


@in_both_languages
def test_words(world, phone, said):
    """The window is open: the reminder goes in its own words."""
    count = ask_for_reminder(phone, said)
    world.advance(hours=1)
    phone.write(said["hello"])
    phone.wait_for(count + 1)
    world.advance(hours=23.1)
    reminder = phone.wait_for(count + 2)[count + 1]
    assert said["reminder"] in reminder["text"]
    assert not reminder.get("template")


@in_both_languages
def test_template(world, phone, said):
    """The window is closed: the template goes."""
    count = ask_for_reminder(phone, said)
    world.advance(hours=25)
    phone.wait_for(count + 1)
    ((name, text),) = shown(phone)[count:]
    assert (name, said["reminder"] in text) == (f"order_reminder/{said['code']}", True)


@in_both_languages
def test_next_template(world, phone, said, templates):
    """Meta has paused the first template in the customer's language: the second one goes, once, and its buttons work."""
    count = ask_for_reminder(phone, said)
    world.advance(hours=23)
    templates("order_reminder", languages=[said["code"]])
    world.advance(hours=2)
    second = phone.wait_for(count + 1)[count]
    assert [name for name, _ in shown(phone)[count:]] == [f"open_question/{said['code']}"]
    phone.tap(second, said["not yet"])
    assert said["state"] in phone.wait_for(count + 2)[count + 1]["text"]


@in_both_languages
def test_direct_send(bot, world, phone, store, said, templates, direct_send):
    """Meta has paused both, and the account has Direct Send: the words go so, their button works, and the dialogue knows how they went."""
    count = ask_for_reminder(phone, said)
    world.advance(hours=23)
    templates("order_reminder", "open_question", languages=("de", "en"))
    direct_send("enabled")
    world.advance(hours=2)
    reminder = phone.wait_for(count + 1)[count]
    assert (said["reminder"] in reminder["text"], reminder["payload"].get("category")) == (True, "utility")
    eventually(lambda: decision(store, phone, "delivered").get("rung") == "direct_send", lambda: "it is delivered")
    phone.tap(reminder, said["show"])
    assert said["state"] in phone.wait_for(count + 2)[count + 1]["text"]
    assert slot(bot, store, phone, "whatsapp_last_proactive") == "sent_directly"
    assert sum(said["reminder"] in text for text in texts(phone.received())) == 1


@in_both_languages
def test_direct_send_that_is_blocked(world, phone, store, said, templates, direct_send):
    """Meta has blocked it: the words are parked, and come once, in their own way, when the customer taps the button of what asked for it."""
    let_others_be_done(world, store)
    count = ask_for_reminder(phone, said)
    world.advance(hours=23)
    templates("order_reminder", "open_question", languages=("de", "en"))
    direct_send("blocked")
    world.advance(hours=2)
    asked = phone.wait_for(count + 1)[count]
    assert asked["template"]["name"] == "news_waiting"
    assert "Direct Send: Meta did not take it so (error 139200)" in decision(store, phone, "parked")["reason"]
    phone.tap(asked, said["button"])
    reminder = phone.wait_for(count + 2)[count + 1]
    assert (said["reminder"] in reminder["text"], "category" in reminder["payload"]) == (True, False)
    assert sum(said["reminder"] in text for text in texts(phone.received())) == 1


@in_both_languages
def test_parked_words(bot, world, phone, store, said, templates):
    """Meta has paused both: the words are parked, and come when the customer taps the button of what asked for it, also after a kill."""
    count = ask_for_reminder(phone, said)
    world.advance(hours=23)
    templates("order_reminder", "open_question")
    world.advance(hours=2)
    asked = phone.wait_for(count + 1)[count]
    assert asked["template"]["name"] == "news_waiting"
    assert said["asks"] in asked["text"]
    assert decision(store, phone, "parked")["rung"] == "park"
    bot.kill("rasa")
    bot.start("rasa")
    world.advance(hours=2)
    phone.tap(asked, said["button"])
    reminder, answer = phone.wait_for(count + 3)[count + 1 : count + 3]
    assert said["reminder"] in reminder["text"]
    assert not reminder.get("template")
    assert said["all"] in answer["text"]
    answered = len(phone.received())
    phone.tap(reminder, said["show"])
    eventually(
        lambda: any(said["state"] in text for text in texts(phone.received()[answered:])), lambda: "the order's state"
    )
    assert sum(said["reminder"] in text for text in texts(phone.received())) == 1


@in_both_languages
@pytest.mark.parametrize("fault", ["http_error", "failed_status"])
@pytest.mark.parametrize("are_paused", [False, True], ids=["a template goes", "parked"])
def test_the_window_closes_on_the_way(world, phone, store, said, templates, fault, are_paused):
    """Open when it is decided, closed when it arrives (131047): the template goes; where Meta has paused it, the words are parked."""
    let_others_be_done(world, store)
    count = ask_for_reminder(phone, said)
    world.advance(hours=0.5)
    phone.write(said["hello"])
    phone.wait_for(count + 1)
    world.advance(hours=23.3)
    if are_paused:
        templates("order_reminder")
    world.set_faults({"kind": fault, "code": 131047, "times": 1})
    world.advance(hours=0.3)
    wanted = "news_waiting" if are_paused else "order_reminder"
    eventually(
        lambda: [name for name, _ in shown(phone) if name == f"{wanted}/{said['code']}"], lambda: f"template {wanted}"
    )


@in_both_languages
def test_nothing(bot, world, phone, store, said):
    """The customer said STOP: nothing goes, nobody is asked to write, and the next turn knows how the reminder went and why."""
    count = ask_for_reminder(phone, said)
    phone.write("STOP")
    phone.wait_for(count + 1)
    world.advance(hours=25)
    eventually(lambda: decision(store, phone, "refused"), lambda: "the reminder is refused")
    phone.write(said["hello"])
    phone.wait_for(count + 2)
    assert [name for name, _ in shown(phone) if "/" in name] == []
    assert decision(store, phone, "refused")["rung"] == "refuse"
    assert slot(bot, store, phone, "whatsapp_last_proactive") == "refused"
    assert "opted out" in slot(bot, store, phone, "whatsapp_last_proactive_reason")


def slot(bot, store, phone, name: str):
    """Return what the slot was filled with last in this customer's conversation."""
    with sqlite3.connect(bot.log_path("rasa").parent.parent / "trackers.sqlite") as connection:
        query = "SELECT data FROM events WHERE type_name = 'slot' AND sender_id = ? ORDER BY id DESC"
        events = (json.loads(data) for (data,) in connection.execute(query, (contact_of(store, phone),)))
        return next(event["value"] for event in events if event["name"] == name)
