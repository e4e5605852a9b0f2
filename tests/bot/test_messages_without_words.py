"""What customers send beside words: files, places, carts and the rest, alone and with a caption, in whole conversations."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from rasa_whatsapp.errors import MediaRefused, MediaUnavailable

from .conftest import Chat, FakeDownload

Begin = Callable[..., Chat]
PHOTO = {"id": "555000111", "kind": "image", "mime_type": "image/jpeg"}


@pytest.mark.parametrize("kind", ["image", "video", "audio", "voice", "document"])
@pytest.mark.parametrize(
    ("hello", "answer", "yes", "asks"),
    [
        ("Hallo", "Danke, deine Datei ist angekommen: 555000111.jpg (34 kB).", "ja", "Wie lautet deine Bestellnummer?"),
        ("Hello", "Thank you, your file has arrived: 555000111.jpg (34 kB).", "yes", "What is your order number?"),
    ],
    ids=["German", "English"],
)
@pytest.mark.usefixtures("download")
def test_a_file_is_stored_and_asked_about(chat: Begin, kind: str, hello: str, answer: str, yes: str, asks: str) -> None:
    """The answer quotes the file and names it; a typed yes goes on to the order."""
    customer = chat()
    customer.say(hello)
    (stored,) = customer.send(f"whatsapp_{kind}", media=PHOTO)
    assert stored.text.startswith(answer)
    assert list(stored.buttons.values()) == ["/ask_order_state", "/decline", "/ask_human"]
    assert stored.custom == {"whatsapp": {"reply_to": "last"}}
    assert customer.slot("whatsapp_media") == PHOTO
    assert customer.say(yes)[0].text.startswith(asks)


@pytest.mark.parametrize(
    ("problem", "hello", "answer"),
    [
        (MediaUnavailable("gone"), "Hallo", "Entschuldige, deine Datei ließ sich gerade nicht laden."),
        (MediaUnavailable("gone"), "Hello", "I'm sorry, your file couldn't be loaded just now."),
        (MediaRefused("too large"), "Hallo", "Diese Datei konnte ich leider nicht annehmen"),
        (MediaRefused("too large"), "Hello", "I'm sorry, I couldn't accept this file."),
    ],
)
def test_a_file_that_cannot_be_had_is_asked_for_again(
    chat: Begin, download: FakeDownload, problem: Exception, hello: str, answer: str
) -> None:
    """Also after another file was stored: nothing of that one is said."""
    customer = chat()
    customer.say(hello)
    customer.send("whatsapp_image", media=PHOTO)
    download.problem = problem
    (said,) = customer.send("whatsapp_image", media=PHOTO)
    assert said.text.startswith(answer)
    assert said.buttons == {}


@pytest.mark.parametrize(
    ("caption", "first", "then"),
    [
        ("xkcd qwertz", "Thank you, your file has arrived", None),
        ("the teapot arrived broken", "Thank you, your file has arrived", "You can send everything back"),
        ("die Teekanne kam kaputt an", "Danke, deine Datei ist angekommen", "Du kannst alles innerhalb"),
        ("Where is order 1002?", "Thank you, your file has arrived", "Order 1002 (wool blanket"),
        ("1002", "Thank you, your file has arrived", "Order 1002 (wool blanket"),
        ("Where is my order?", "Thank you, your file has arrived", "What is your order number?"),
    ],
)
def test_a_photo_with_words_is_stored_and_the_words_are_answered(
    chat: Begin, download: FakeDownload, caption: str, first: str, then: str | None
) -> None:
    """Words that are not understood are no hindrance."""
    answers = [said.text for said in chat().say(caption, media=PHOTO)]
    assert answers[0].startswith(first)
    assert then is None or answers[1].startswith(then)
    assert len(download.references) == 1


@pytest.mark.parametrize(
    ("caption", "answer"),
    [
        ("How much is shipping?", "We deliver"),
        ("Hello", "Hello! This is"),
        ("thank you", "You're welcome!"),
    ],
)
def test_a_photo_with_other_words_is_not_stored(chat: Begin, download: FakeDownload, caption: str, answer: str) -> None:
    """The words are answered as always; nothing is said of the photo, whose reference is in the slot."""
    customer = chat()
    assert customer.say(caption, media=PHOTO)[0].text.startswith(answer)
    assert download.references == []
    assert customer.slot("whatsapp_media") == PHOTO


def test_a_file_while_a_form_asks_is_stored_and_the_form_goes_on(chat: Begin, download: FakeDownload) -> None:
    """The form's question comes again."""
    customer = chat()
    customer.say("Where is my order?")
    stored, question = customer.send("whatsapp_voice", media=PHOTO)
    assert stored.text.startswith("Thank you, your file has arrived")
    assert question.text.startswith("What is your order number?")
    assert customer.say("1003")[0].text.startswith("Order 1003")


@pytest.mark.parametrize("tap", ["/ask_order_state", "/decline", "yes"])
@pytest.mark.usefixtures("download")
def test_a_file_sent_while_a_question_is_open_is_what_the_answer_is_about(chat: Begin, tap: str) -> None:
    """A yes does not settle the order that was spoken of before."""
    customer = chat()
    customer.say("Where is order 1002?")
    customer.send("whatsapp_image", media=PHOTO)
    assert not customer.say(tap)[0].text.startswith("Great, glad")


@pytest.mark.parametrize(
    ("question", "place", "answer", "shown"),
    [
        (
            "Wo ist euer Laden?",
            {"latitude": 52.39, "longitude": 13.06},
            "Danke für den Standort! Am nächsten ist **Kleeblatt Berlin**, Kleeblattweg 1, 10115 Berlin: 27 km",
            "Kleeblatt Berlin",
        ),
        (
            "Where is your store?",
            {"latitude": 53.08, "longitude": 8.80},
            "Thank you for the location! The nearest store is **Kleeblatt Hamburg**, Am Kleeblatt 4, 20095 Hamburg: 95 km",
            "Kleeblatt Hamburg",
        ),
    ],
    ids=["German", "English"],
)
def test_the_nearest_store(chat: Begin, question: str, place: dict[str, float], answer: str, shown: str) -> None:
    """From the question over the request for the location to the store on the map."""
    customer = chat()
    (request,) = customer.say(question)
    assert request.custom["whatsapp"]["interactive"]["type"] == "location_request_message"
    told, pin = customer.send("whatsapp_location", location=place)
    assert told.text.startswith(answer)
    assert pin.custom["whatsapp"]["location"]["name"] == shown


def test_another_channel_gets_the_stores_in_words(chat: Begin) -> None:
    """There is no request for a location on it."""
    (said,) = chat("rest").say("Where is your store?")
    assert said.text.startswith("We have two stores")
    assert said.custom == {}


@pytest.mark.parametrize(
    ("hello", "lines"),
    [
        (
            "Hallo",
            [
                "Danke, das ist dein Warenkorb:",
                "- 2 × Teekanne aus Steingut: 39,00 €",
                "**Summe: 39,00 €**",
                "Bezahlen kannst du ihn im Shop.",
            ],
        ),
        (
            "Hello",
            [
                "Thank you, this is your cart:",
                "- 2 × stoneware teapot: €39.00",
                "**Total: €39.00**",
                "You can pay for it in the shop.",
            ],
        ),
    ],
    ids=["German", "English"],
)
def test_a_cart_is_read_out(chat: Begin, hello: str, lines: list[str]) -> None:
    """Its items, its total and the way to the checkout."""
    customer = chat()
    customer.say(hello)
    items = [{"product_retailer_id": "teapot", "quantity": 2, "item_price": 19.5, "currency": "EUR"}]
    (said,) = customer.send("whatsapp_order", order={"catalog_id": "1", "product_items": items})
    assert said.text.splitlines() == lines
    assert next(iter(said.buttons.values())).startswith("https://shop.example/")


@pytest.mark.parametrize(
    ("intent", "german", "english"),
    [
        ("whatsapp_contacts", "Danke für den Kontakt.", "Thank you for the contact."),
        ("whatsapp_flow_reply", "Danke, deine Angaben", "Thank you, your details"),
        ("whatsapp_sticker", "Schöner Sticker!", "Nice sticker!"),
        ("whatsapp_unsupported", "Damit kann ich leider nichts anfangen.", "I'm afraid I can't make anything of that."),
        ("whatsapp_welcome", "Hallo!", "Hello!"),
    ],
)
def test_every_other_kind_has_its_answer(chat: Begin, intent: str, german: str, english: str) -> None:
    """In the language of the words before it."""
    customer = chat()
    customer.say("Wie geht es dir?")
    assert customer.send(intent)[0].text.startswith(german)
    customer.say("How are you?")
    assert customer.send(intent)[0].text.startswith(english)
