"""Every kind of message on the running servers: what customers send without words, what the bot shows, and who they are."""

from __future__ import annotations

import base64
import re

import pytest

from .conftest import Phone, eventually, texts

# A JPEG of one grey pixel.
PHOTO = base64.b64decode(
    "/9j/4AAQSkZJRgABAQEASABIAAD/2wBDAAgGBgcGBQgHBwcJCQgKDBQNDAsLDBkSEw8UHRofHh0aHBwgJC4nICIsIxwcKDcpLDAxNDQ0Hyc5PTgyPC4zNDL/"
    "wAALCAABAAEBAREA/8QAFAABAAAAAAAAAAAAAAAAAAAACf/EABQQAQAAAAAAAAAAAAAAAAAAAAD/2gAIAQEAAD8AVN//2Q=="
)
IMAGE = {"data": base64.b64encode(PHOTO).decode(), "mime_type": "image/jpeg"}


@pytest.mark.parametrize(
    ("hello", "told"),
    [("Hallo", r"angekommen: (\S+) \((\d+) B\)"), ("Hello", r"has arrived: (\S+) \((\d+) B\)")],
    ids=["German", "English"],
)
def test_a_photo_ends_as_a_file_that_the_bot_names(phone, received, hello, told):
    """Downloaded by the action, byte for byte, and the answer quotes the photo."""
    phone.write(hello)
    phone.wait_for(1)
    sent = phone.send("image", **IMAGE)
    answer = phone.wait_for(2)[1]
    name, size = re.search(told, answer["text"]).groups()
    assert (received / name).read_bytes() == PHOTO
    assert int(size) == len(PHOTO)
    assert answer["payload"]["context"] == {"message_id": sent}


@pytest.mark.parametrize(
    ("kind", "content", "says"),
    [
        ("location", {"latitude": 53.55, "longitude": 10.0}, "Hamburg"),
        ("sticker", {"data": base64.b64encode(b"RIFF....WEBP").decode(), "mime_type": "image/webp"}, "Nice sticker"),
        ("unsupported", {"of": "poll_creation"}, "I read text, locations"),
        (
            "contacts",
            {"contacts": [{"name": {"formatted_name": "Kim", "first_name": "Kim"}, "phones": [{"phone": "+49151"}]}]},
            "Thank you for the contact",
        ),
        (
            "order",
            {
                "catalog_id": "1",
                "text": "as a gift, please",
                "product_items": [
                    {"product_retailer_id": "teapot", "quantity": "2", "item_price": "39.90", "currency": "EUR"}
                ],
            },
            "79.80",
        ),
        ("request_welcome", {}, "Hello"),
    ],
    ids=["location", "sticker", "poll", "contact", "cart with a note", "first opening of the chat"],
)
def test_what_has_no_words_is_answered(phone, kind, content, says):
    """Each kind has a meaning for the dialogue, and opens the care window."""
    phone.write("Hello")
    phone.wait_for(1)
    phone.send(kind, **content)
    assert says in phone.wait_for(2)[1]["text"]
    assert phone.chat()["window"]["open"]


def test_what_is_no_turn(phone):
    """A reaction gets no answer; the next words do, in order."""
    phone.write("Hello")
    greeting = phone.wait_for(1)[0]
    phone.send("reaction", message_id=greeting["id"], emoji="👍")
    phone.send("reaction", message_id=greeting["id"], emoji=None)
    phone.write("thanks")
    assert len(phone.wait_for(2)) >= 2
    assert "unsupported" not in " ".join(texts(phone.received()))
    assert not any("I'm afraid" in text for text in texts(phone.received()))


def test_a_slash_in_a_caption_is_no_command(phone):
    """A caption is typed text."""
    phone.write("Hello")
    phone.wait_for(1)
    phone.send("image", **IMAGE, caption="/restart")
    assert "has arrived" in phone.wait_for(2)[1]["text"]


class TestShown:
    """What the phone shows of responses."""

    @pytest.fixture
    def greeted(self, phone) -> Phone:
        """Return a phone in an English conversation with one message received."""
        phone.write("Hello")
        phone.wait_for(1)
        return phone

    def test_a_list_with_descriptions(self, greeted):
        """Eight topics in one list; a tap is a command."""
        greeted.write("What can you do?")
        topics = greeted.wait_for(2)[1]
        rows = [row for section in topics["list"]["sections"] for row in section["rows"]]
        assert len(rows) == 8
        assert all(row["description"] for row in rows)
        greeted.tap(topics, rows[0]["title"])
        assert greeted.wait_for(3)[2]["text"]

    def test_a_carousel(self, greeted):
        """Elements of a response, as cards."""
        greeted.write("Show me your bestsellers")
        cards = greeted.wait_for(2)[1]
        assert cards["payload"]["interactive"]["type"] == "carousel"
        assert len(cards["payload"]["interactive"]["action"]["cards"]) >= 2

    def test_a_link_button(self, greeted):
        """A button with an address opens it; nothing comes back from a tap."""
        greeted.write("I want to return something")
        interactive = greeted.wait_for(2)[1]["payload"]["interactive"]
        assert interactive["type"] == "cta_url"
        assert interactive["action"]["parameters"]["url"].startswith("https://shop.example/")

    def test_a_request_for_the_location(self, greeted):
        """The customer's answer to it finds the nearest store, with a pin on the map and WhatsApp's own bold."""
        greeted.write("Where is your store?")
        request = greeted.wait_for(2)[1]
        assert request["payload"]["interactive"]["type"] == "location_request_message"
        greeted.send("location", latitude=52.5, longitude=13.4, quoting=request["id"])
        nearest, pin = greeted.wait_for(4)[2:]
        assert "*Kleeblatt Berlin*" in nearest["text"]
        assert "**" not in nearest["text"]
        assert pin["payload"]["location"]["latitude"] == 52.52


class TestWho:
    """Who the customer is."""

    def test_a_changed_number_keeps_the_conversation(self, phone):
        """Asked for the order under the old number, answered under the new one; the reminder comes to the new one too."""
        phone.write("Where is my order?")
        phone.wait_for(1)
        moved = Phone(phone.simulator, str(int(phone.wa_id) + 5_000_000))
        phone.do("number", new_wa_id=moved.wa_id)
        moved.write("1002")
        eventually(
            lambda: any("1002" in text for text in texts(moved.received())),
            lambda: "the order's state at the new number",
        )

    def test_a_hidden_number(self, phone, world):
        """Only a user id is known: the answer goes to `recipient`."""
        phone.hide_number()
        phone.write("Hello")
        phone.wait_for(1)
        sent = [request["body"] for request in world.requests() if "type" in (request["body"] or {})]
        assert any("recipient" in body and "to" not in body for body in sent)

    def test_a_human_answers_from_the_app(self, phone):
        """The bot is silent in that chat from then on."""
        phone.write("Hello")
        phone.wait_for(1)
        phone.do("echo", text="Anna here, I take over")
        eventually(lambda: len(phone.received()) == 2, lambda: "the human's words on the phone")
        phone.write("Where is my order?")
        other = Phone(phone.simulator, str(int(phone.wa_id) + 6_000_000))
        other.write("Hello")
        other.wait_for(1)
        assert len(phone.received()) == 2

    def test_a_call_opens_the_window(self, phone, store):
        """Without a word written: in Meta's book and in ours."""
        phone.do("call")
        query = "SELECT window_opened_at FROM contacts JOIN aliases ON contact_id = id WHERE value = ?"
        eventually(lambda: store(query, phone.wa_id), lambda: "a contact who called")
        assert store(query, phone.wa_id)[0][0] is not None
        assert phone.chat()["window"]["open"]
