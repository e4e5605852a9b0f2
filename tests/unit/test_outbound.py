"""Graph requests as Meta documents them: addresses, contents, receipts."""

from __future__ import annotations

import pytest

from rasa_whatsapp.cloud.drafts import Buttons, ListMenu, Option, Text, content_of, options_of
from rasa_whatsapp.cloud.outbound import Recipient, message, read_receipt

YES, NO = Option("y", "Yes", "/affirm"), Option("n", "No", "/deny", "not at all")


@pytest.mark.parametrize(
    ("recipient", "address"),
    [
        (Recipient("4915112345678", None), {"to": "+4915112345678"}),
        (Recipient("+4915112345678", None), {"to": "+4915112345678"}),
        (Recipient("4915112345678", "DE.1"), {"to": "+4915112345678"}),
        (Recipient(None, "DE.1"), {"recipient": "DE.1"}),
    ],
    ids=["a number", "a number with its plus", "both", "a hidden number"],
)
def test_addresses(recipient, address):
    """A number goes with its plus; who hides it is reached by the business-scoped user id."""
    assert recipient.address() == address


@pytest.mark.parametrize(
    ("draft", "content"),
    [
        (Text("Hello"), {"type": "text", "text": {"body": "Hello"}}),
        (
            Buttons("Sure?", (YES, NO)),
            {
                "type": "interactive",
                "interactive": {
                    "type": "button",
                    "body": {"text": "Sure?"},
                    "action": {
                        "buttons": [
                            {"type": "reply", "reply": {"id": "y", "title": "Yes"}},
                            {"type": "reply", "reply": {"id": "n", "title": "No"}},
                        ]
                    },
                },
            },
        ),
        (
            ListMenu("Which?", "Choose", (YES, NO)),
            {
                "type": "interactive",
                "interactive": {
                    "type": "list",
                    "body": {"text": "Which?"},
                    "action": {
                        "button": "Choose",
                        "sections": [
                            {
                                "title": "Choose",
                                "rows": [
                                    {"id": "y", "title": "Yes"},
                                    {"id": "n", "title": "No", "description": "not at all"},
                                ],
                            }
                        ],
                    },
                },
            },
        ),
    ],
    ids=["text", "buttons", "list"],
)
def test_contents(draft, content):
    """Each draft is its documented object; a payload never travels where an id does."""
    assert content_of(draft) == content


def test_options():
    """What can be tapped."""
    assert options_of(Text("x")) == ()
    assert options_of(Buttons("x", (YES,))) == (YES,)


def test_message():
    """The whole body, with the key as callback data."""
    request = message("1000", Recipient("49", None), {"type": "text", "text": {"body": "x"}}, "wamid.A#1")
    assert (request.number_id, request.node) == ("1000", "messages")
    assert request.body == {
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        "to": "+49",
        "type": "text",
        "text": {"body": "x"},
        "biz_opaque_callback_data": "wamid.A#1",
    }


def test_message_of_a_category():
    """It makes a Direct Send of it; no other message has one."""
    content = {"type": "text", "text": {"body": "x"}}
    told = message("1000", Recipient("49", None), content, "k", "utility").body
    plain = message("1000", Recipient("49", None), content, "k").body
    assert told == plain | {"category": "utility"}


@pytest.mark.parametrize("typing", [True, False])
def test_read_receipt(typing):
    """A receipt marks the message, and shows typing if it is wished."""
    expected = {"messaging_product": "whatsapp", "status": "read", "message_id": "wamid.A"}
    if typing:
        expected["typing_indicator"] = {"type": "text"}
    assert read_receipt("1000", "wamid.A", typing=typing).body == expected
