"""Whole conversations with the trained bot and its real actions, as WhatsApp's customers have them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from .conftest import Chat

Begin = Callable[..., Chat]


@pytest.mark.parametrize(
    ("hello", "first_word", "language"),
    [("Hallo", "Hallo!", "de"), ("Hi", "Hello!", "en"), ("Hello", "Hello!", "en"), ("Guten Tag", "Hallo!", "de")],
)
def test_a_greeting_is_answered_in_its_language(chat: Begin, hello: str, first_word: str, language: str) -> None:
    """The first word decides."""
    customer = chat()
    assert customer.say(hello)[0].text.startswith(first_word)
    assert customer.slot("language") == language


def test_the_language_stays_until_the_customer_switches(chat: Begin) -> None:
    """Neither "Hi" nor a number switches; an English sentence does."""
    customer = chat()
    customer.say("Hallo")
    assert customer.say("Hi")[0].text.startswith("Hallo!")
    assert customer.say("1002")[0].text.startswith("Bestellung 1002")
    assert customer.say("How much is shipping?")[0].text.startswith("We deliver")


@pytest.mark.parametrize(
    ("question", "asks", "wrong", "unknown", "state"),
    [
        (
            "Wo ist meine Bestellung?",
            "Wie lautet deine Bestellnummer? Sie hat vier Ziffern, zum Beispiel 1002.",
            "Das sieht nicht nach einer Bestellnummer aus",
            "Unter dieser Nummer finde ich keine Bestellung.",
            "Bestellung 1002 (Wolldecke, waldgrün) ist unterwegs zu dir. Sendungsnummer: KB203040506DE",
        ),
        (
            "Where is my order?",
            "What is your order number? It has four digits, for example 1002.",
            "That doesn't look like an order number",
            "I can't find an order with this number.",
            "Order 1002 (wool blanket, forest green) is on its way to you. Tracking number: KB203040506DE",
        ),
    ],
    ids=["German", "English"],
)
def test_an_orders_state(chat: Begin, question: str, asks: str, wrong: str, unknown: str, state: str) -> None:
    """A wrong number is explained and asked for again, in one bubble, until the order is found."""
    customer = chat()
    assert [bubble.text for bubble in customer.say(question)] == [asks]
    for number, explanation in (("12", wrong), ("qwertz uiop", wrong), ("9999", unknown)):
        answers = customer.say(number)
        assert len(answers) == 1
        assert answers[0].text.startswith(explanation)
    found, settled = customer.say("1002")
    assert found.text == state
    assert list(settled.buttons.values()) == ["/affirm", "/deny", "/remind_me"]


@pytest.mark.parametrize(
    ("number", "words"),
    [
        ("1001", "being packed"),
        ("1003", "delivered"),
        ("1004", "come back"),
        ("1005", "cancelled"),
        ("1006", "on its way"),
    ],
)
def test_every_state_has_its_sentence(chat: Begin, number: str, words: str) -> None:
    """No state falls through to the sentence for a broken shop."""
    assert words in chat().say(number)[0].text


def test_a_question_in_between_is_answered(chat: Begin) -> None:
    """The form answers, then asks again."""
    customer = chat()
    customer.say("Where is my order?")
    answers = [bubble.text for bubble in customer.say("How long does delivery take?")]
    assert answers[0].startswith("We deliver")
    assert answers[1].startswith("What is your order number?")


@pytest.mark.parametrize(
    ("question", "word", "answer"),
    [("Bestellstatus bitte", "abbrechen", "Alles klar"), ("Where is my order?", "cancel", "All right")],
)
def test_the_form_can_be_left(chat: Begin, question: str, word: str, answer: str) -> None:
    """After that nothing is asked any more."""
    customer = chat()
    customer.say(question)
    said = customer.say(word)
    assert len(said) == 1
    assert said[0].text.startswith(answer)
    assert customer.tracker().active_loop is None


@pytest.mark.parametrize(
    ("question", "wish", "template"),
    [
        ("Wo ist Bestellung 1002?", "erinnere mich morgen daran", {"language": "de"}),
        ("Where is order 1002?", "remind me tomorrow about it", {"language": "en"}),
    ],
)
def test_a_reminder_from_the_wish_to_the_tap(chat: Begin, question: str, wish: str, template: dict[str, str]) -> None:
    """The wish is the opt-in; a day later a template comes; its button goes on in free form."""
    customer = chat()
    customer.say(question)
    promise = customer.say(wish)[-1]
    assert "1002" in promise.text
    assert promise.custom == {"consent": {"opt_in": "utility", "source": "reminder request"}}
    reminder = customer.events("reminder")[-1]
    assert (reminder.intent, reminder.kill_on_user_message) == ("EXTERNAL_order_reminder", False)
    customer.say("1003")  # another order is spoken of meanwhile
    (due,) = customer.follow_up(reminder.intent, *reminder.entities)
    payloads = ['/ask_order_state{"order_number":"1002"}', "/decline"]
    assert due.custom["template"][0] == {
        "name": "order_reminder", "parameters": {"order_id": "1002"}, "payloads": payloads, **template
    }  # fmt: skip
    assert list(due.buttons.values()) == payloads
    assert "1002" in customer.say(payloads[0])[0].text


def test_a_reminder_without_an_order_asks_which(chat: Begin) -> None:
    """Then it goes on by itself."""
    customer = chat()
    assert customer.say("Remind me tomorrow")[0].text.startswith("What is your order number?")
    assert customer.say("1003")[0].text.startswith("Sure! I'll write to you about order 1003")


@pytest.mark.parametrize(
    ("wish", "forget", "gone", "nothing"),
    [
        ("erinnere mich morgen an 1002", "Vergiss die Erinnerung", "In Ordnung", "Bei mir ist gerade keine"),
        ("remind me tomorrow about 1002", "Forget the reminder", "All right", "There is no reminder"),
    ],
)
def test_a_reminder_can_be_forgotten(chat: Begin, wish: str, forget: str, gone: str, nothing: str) -> None:
    """Once; after that there is none."""
    customer = chat()
    customer.say(wish)
    assert customer.say(forget)[0].text.startswith(gone)
    assert customer.say(forget)[0].text.startswith(nothing)


@pytest.mark.parametrize(("tap", "answer"), [("/affirm", "Great, glad"), ("/deny", "What is missing?")])
def test_an_open_question_is_followed_up(chat: Begin, tap: str, answer: str) -> None:
    """Its template's buttons answer it a day later."""
    customer = chat()
    customer.say("Where is order 1002?")
    assert customer.events("reminder")[-1].kill_on_user_message is True
    (due,) = customer.follow_up("EXTERNAL_open_question")
    assert due.custom == {}  # the catalogue declares its template
    assert list(due.buttons.values()) == ["/affirm", "/deny"]
    assert customer.say(tap)[0].text.startswith(answer)


@pytest.mark.parametrize(
    ("greeting", "answer"), [("Hallo", "Mehr habe ich gerade nicht"), ("Hi", "That's all I have")], ids=["de", "en"]
)
def test_a_tap_on_the_template_that_asks_to_be_written_to(chat: Begin, greeting: str, answer: str) -> None:
    """What was parked comes before, by itself; in the middle of a form, the form goes on."""
    customer = chat()
    customer.say(greeting)
    (said,) = customer.say("/show_parked")
    assert said.text.startswith(answer)
    customer.say("/ask_order_state")
    assert len(customer.say("/show_parked")) == 2
    assert customer.tracker().active_loop is not None


def test_a_reminder_inside_the_window_tells_the_state_at_once(chat: Begin) -> None:
    """This is a rule on the care window: no button is needed, the look-up is about the reminder's own order."""
    customer = chat()
    customer.say("remind me tomorrow about 1002")
    customer.say("1003")
    reminder = customer.events("reminder")[0]
    first, state, question = customer.follow_up(reminder.intent, *reminder.entities, is_open=True)
    assert first.custom["template"]["name"] == "order_reminder"
    assert state.text.startswith("Order 1002 (wool blanket")
    assert question.text == "Is everything settled?"


@pytest.mark.parametrize(("is_open", "bubbles"), [(True, 2), (False, 1)], ids=["open", "closed"])
def test_a_form_left_open_asks_again_only_inside_the_window(chat: Begin, is_open: bool, bubbles: int) -> None:
    """This is another rule on the care window: outside it, the form is left and only the reminder is said."""
    customer = chat()
    customer.say("Where is my order?")
    entity = {"entity": "order_id", "value": "1002"}
    assert len(customer.follow_up("EXTERNAL_order_reminder", entity, is_open=is_open)) == bubbles
    assert (customer.tracker().active_loop is not None) is is_open


@pytest.mark.parametrize(("channel", "bubbles"), [("whatsapp", 2), ("rest", 1)])
def test_thanks_lead_to_a_question_only_inside_the_window(chat: Begin, channel: str, bubbles: int) -> None:
    """This is the story on the care window, also after other turns."""
    customer = chat(channel)
    customer.say("Hi")
    customer.say("How much is shipping?")
    assert len(customer.say("Thank you")) == bubbles


def test_bad_feedback_leads_to_a_person(chat: Begin) -> None:
    """The yes belongs to the question before it."""
    customer = chat()
    customer.say("Where is order 1002?")
    customer.say("thanks")
    customer.say("/feedback_bad")
    assert "help@kleeblatt.example" in customer.say("yes please")[0].text


@pytest.mark.parametrize(
    ("channel", "answer"),
    [
        ("whatsapp", "I can write to you freely for another 23 h 59 min."),
        ("rest", "There is no time limit on this channel"),
    ],
)
def test_the_bot_says_how_long_it_may_write(chat: Begin, channel: str, answer: str) -> None:
    """This is the response condition on the care window."""
    assert chat(channel).say("How long can you write to me?")[0].text.startswith(answer)


@pytest.mark.parametrize(
    ("intent", "consent"),
    [
        ("/whatsapp_opt_out", {"opt_out": "all", "source": "opt-out in the chat"}),
        ("/whatsapp_opt_in", {"opt_in": "utility", "source": "opt-in in the chat"}),
    ],
)
def test_consent_is_answered_in_words(chat: Begin, intent: str, consent: dict[str, Any]) -> None:
    """The answer records what it says, also when the wish was a sentence and not the word STOP."""
    assert chat().say(intent)[0].custom == {"consent": consent}


def test_another_channel_gets_no_whatsapp_part(chat: Begin) -> None:
    """Templates and consent stay with WhatsApp."""
    customer = chat("rest")
    assert customer.say("remind me tomorrow about 1002")[0].custom == {}
    assert customer.follow_up("EXTERNAL_order_reminder", {"entity": "order_id", "value": "1002"})[0].custom == {}


@pytest.mark.parametrize(
    "text",
    [
        "(the reminder about an order is due)",
        "EXTERNAL_order_reminder",
        "the question was left open for a day",
        "EXTERNAL: EXTERNAL_open_question",
        "(a photo without a caption)",
        "whatsapp_image",
        "(a tap on the news that wait)",
        "show_parked",
    ],
)
def test_no_typed_text_is_a_follow_up_or_a_photo(bot: Any, text: str) -> None:
    """What is never typed is not learned, so it is in no ranking; STOP in a sentence is."""
    names = {intent["name"] for intent in bot.parse(text)["intent_ranking"]}
    assert {name for name in names if name.startswith(("EXTERNAL_", "whatsapp_", "show_parked"))} <= {
        "whatsapp_opt_out",
        "whatsapp_opt_in",
    }


@pytest.mark.parametrize(
    ("question", "titles"),
    [
        ("Zeig mir eure Bestseller", ["Teekanne aus Steingut", "Wolldecke, waldgrün", "Brotkasten aus Buche"]),
        ("show me your bestsellers", ["Stoneware teapot", "Wool blanket, forest green", "Beech bread box"]),
    ],
)
def test_bestsellers_come_as_cards(chat: Begin, question: str, titles: list[str]) -> None:
    """Each with a picture and a link."""
    (said,) = chat().say(question)
    assert [card["title"] for card in said.rest["elements"]] == titles
    assert all(card["image_url"] and card["buttons"][0]["url"] for card in said.rest["elements"])


def test_where_the_number_stands_is_shown(chat: Begin) -> None:
    """The answer brings a picture."""
    assert chat().say("Where do I find the order number?")[0].rest["image"].endswith("/delivery-note.png")
