"""Two opinions of the same API: what our check lets pass the simulator takes, what it refuses the simulator refuses."""

from __future__ import annotations

import pytest

from rasa_whatsapp.cloud import objects
from rasa_whatsapp.cloud.answers import Accepted, Refused
from rasa_whatsapp.cloud.drafts import content_of
from rasa_whatsapp.responses.utterances import to_utterance

LINK = "https://shop.example/a.jpg"
YES = {"title": "Yes", "payload": "/affirm"}
MANY = [{"title": f"Item {number}", "payload": f"/item{number}"} for number in range(25)]
LONG = [
    {"title": f"A title that no button could ever hold, number {number}", "payload": f"/{number}"} for number in (1, 2)
]
ELEMENTS = [
    {
        "title": f"Thing {number}",
        "subtitle": "nice",
        "image_url": LINK,
        "buttons": [{"title": "See", "url": "https://shop.example/1"}],
    }
    for number in range(3)
]

RESPONSES = {
    "text": {"text": "Hello"},
    "emoji at the limit": {"text": "👍" * 2048},
    "a text of three messages": {"text": "word " * 2000},
    "markdown": {"text": "# Hi\n**bold** *it* ~~no~~ [shop](https://shop.example)\n* one\n* two"},
    "image": {"image": LINK},
    "image with caption": {"text": "Look", "image": LINK},
    "image with a long caption": {"text": "Look " * 300, "image": LINK},
    "image over buttons": {"text": "Look", "image": LINK, "buttons": [YES]},
    "document": {"attachment": {"url": "https://shop.example/a.pdf", "filename": "a.pdf", "caption": "Prices"}},
    "video": {"attachment": {"type": "video", "payload": {"src": "https://shop.example/a.mp4"}}},
    "buttons": {"text": "Sure?", "buttons": [YES, {"title": "No", "payload": "/deny"}]},
    "descriptions": {"text": "Which?", "buttons": [{**YES, "description": "I am sure"}]},
    "many options": {"text": "Which?", "buttons": MANY},
    "long titles": {"text": "Which?", "buttons": LONG},
    "long text over buttons": {"text": "word " * 1500, "buttons": [YES]},
    "quick replies": {"text": "Sure?", "quick_replies": [YES]},
    "a link button": {"text": "See", "buttons": [{"title": "Open", "url": "https://shop.example"}]},
    "a link button beside options": {"text": "See", "buttons": [YES, {"title": "Open", "url": "https://shop.example"}]},
    "elements": {"elements": ELEMENTS},
    "one element": {"elements": ELEMENTS[:1]},
}


@pytest.mark.parametrize("response", RESPONSES.values(), ids=RESPONSES.keys())
@pytest.mark.asyncio
async def test_what_responses_become_is_taken(door, response):
    """Every message of every response."""
    for draft in to_utterance(response).drafts:
        answer = await door.say(content_of(draft))
        assert isinstance(answer, Accepted), answer


def interactive(kind, action, **parts):
    """Return an interactive message object."""
    return {"type": "interactive", "interactive": {"type": kind, "body": {"text": "Body"}, "action": action, **parts}}


def buttons(*titles):
    """Return an action with reply buttons."""
    return {"buttons": [{"type": "reply", "reply": {"id": f"b{n}", "title": title}} for n, title in enumerate(titles)]}


def rows(count):
    """Return an action with a list."""
    entries = [{"id": f"r{number}", "title": f"Row {number}"} for number in range(count)]
    return {"button": "Open", "sections": [{"title": "All", "rows": entries}]}


FLOW = {"flow_message_version": "3", "flow_id": "1", "flow_cta": "Book"}
OBJECTS = {
    "location": ({"type": "location", "location": {"latitude": 52.5, "longitude": 13.4, "name": "Shop"}}, True),
    "location off the earth": ({"type": "location", "location": {"latitude": 95, "longitude": 13.4}}, False),
    "contacts": (
        {"type": "contacts", "contacts": [{"name": {"formatted_name": "Kim B.", "first_name": "Kim"}}]},
        True,
    ),
    "contacts without a name": ({"type": "contacts", "contacts": [{"phones": [{"phone": "+491"}]}]}, False),
    "sticker with a caption": ({"type": "sticker", "sticker": {"link": LINK, "caption": "x"}}, False),
    "image with a file name": ({"type": "image", "image": {"link": LINK, "filename": "a.jpg"}}, False),
    "image by link and id": ({"type": "image", "image": {"link": LINK, "id": "1"}}, False),
    "a text too long": ({"type": "text", "text": {"body": "x" * 4097}}, False),
    "an empty text": ({"type": "text", "text": {"body": ""}}, False),
    "buttons": (interactive("button", buttons("Yes", "No")), True),
    "four buttons": (interactive("button", buttons("1", "2", "3", "4")), False),
    "equal titles": (interactive("button", buttons("Yes", "Yes")), False),
    "a title too long": (interactive("button", buttons("x" * 21)), False),
    "ten rows": (interactive("list", rows(10)), True),
    "eleven rows": (interactive("list", rows(11)), False),
    "a location request": (interactive("location_request_message", {"name": "send_location"}), True),
    "an address in India": (
        interactive("address_message", {"name": "address_message", "parameters": {"country": "DE"}}),
        False,
    ),
    "a flow": (interactive("flow", {"name": "flow", "parameters": FLOW}), True),
    "a flow with an emoji": (
        interactive("flow", {"name": "flow", "parameters": {**FLOW, "flow_cta": "Book 📅"}}),
        False,
    ),
    "a link button too long": (
        interactive(
            "cta_url", {"name": "cta_url", "parameters": {"display_text": "x" * 21, "url": "https://shop.example"}}
        ),
        False,
    ),
    "a product": (interactive("product", {"catalog_id": "1", "product_retailer_id": "a"}), True),
    "products without a header": (
        interactive(
            "product_list",
            {"catalog_id": "1", "sections": [{"title": "A", "product_items": [{"product_retailer_id": "a"}]}]},
        ),
        False,
    ),
    "a catalogue": (interactive("catalog_message", {"name": "catalog_message"}), True),
    "a hologram": ({"type": "hologram", "hologram": {}}, False),
}


@pytest.mark.parametrize(("content", "is_lawful"), OBJECTS.values(), ids=OBJECTS.keys())
@pytest.mark.asyncio
async def test_both_agree(door, content, is_lawful):
    """On message objects as a designer may write them in custom.whatsapp."""
    assert (objects.check(content) == []) is is_lawful
    answer = await door.say(content)
    assert isinstance(answer, Accepted if is_lawful else Refused), answer
