"""Links in message objects: found wherever media may stand, replaced by ids, said as text."""

from __future__ import annotations

import copy

import pytest

from rasa_whatsapp.cloud.media_links import MediaLink, as_plain, links_of, with_ids

IMAGE = {"type": "image", "image": {"link": "https://cdn.example/a.jpg", "caption": "A teapot"}}
DOCUMENT = {"type": "document", "document": {"link": "https://cdn.example/b.pdf", "filename": "Invoice.pdf"}}
STICKER = {"type": "sticker", "sticker": {"link": "https://cdn.example/s.webp"}}
HEADER = {"type": "video", "video": {"link": "https://cdn.example/v.mp4"}}
ACTION = {"buttons": [{"type": "reply", "reply": {"id": "y", "title": "Yes"}}]}
BUTTONS = {
    "type": "interactive",
    "interactive": {"type": "button", "header": HEADER, "body": {"text": "Like it?"}, "action": ACTION},
}
CARD_1 = {
    "card_index": 0,
    "type": "cta_url",
    "header": {"type": "image", "image": {"link": "https://cdn.example/1.png"}},
    "body": {"text": "One"},
    "action": {"name": "cta_url", "parameters": {"display_text": "See", "url": "https://shop.example/1"}},
}
CARD_2 = {
    "card_index": 1,
    "type": "cta_url",
    "header": {"type": "image", "image": {"link": "https://cdn.example/2.png"}},
    "action": {"buttons": [{"type": "quick_reply", "quick_reply": {"id": "c", "title": "Take it"}}]},
}
CAROUSEL = {
    "type": "interactive",
    "interactive": {"type": "carousel", "body": {"text": "Two things"}, "action": {"cards": [CARD_1, CARD_2]}},
    "context": {"message_id": "wamid.1"},
}
TEMPLATE = {
    "type": "template",
    "template": {
        "name": "t",
        "components": [
            {"type": "header", "parameters": [{"type": "image", "image": {"link": "https://cdn.example/t.png"}}]},
            {"type": "body", "parameters": [{"type": "text", "text": "image"}]},
        ],
    },
}
LONG = [
    CARD_1 | {"header": {"type": "image", "image": {"link": "https://cdn.example/" + "x" * 500}}} for _ in range(10)
]
NONE = [
    {"type": "text", "text": {"body": "https://cdn.example/a.jpg"}},
    {"type": "image", "image": {"id": "77", "caption": "by id"}},
    {"type": "interactive", "interactive": {"type": "button", "header": {"type": "text", "text": "x"}, "body": {}}},
    {"type": "location", "location": {"link": "https://cdn.example/a.jpg"}},
    {"type": "image", "image": "https://cdn.example/a.jpg"},
    {"type": "image"},
    {"type": ["image"]},
]


@pytest.mark.parametrize(
    ("content", "links"),
    [
        (IMAGE, [MediaLink("image", "https://cdn.example/a.jpg")]),
        (DOCUMENT, [MediaLink("document", "https://cdn.example/b.pdf", "Invoice.pdf")]),
        (STICKER, [MediaLink("sticker", "https://cdn.example/s.webp")]),
        (BUTTONS, [MediaLink("video", "https://cdn.example/v.mp4")]),
        (
            CAROUSEL,
            [MediaLink("image", "https://cdn.example/1.png"), MediaLink("image", "https://cdn.example/2.png")],
        ),
        (TEMPLATE, [MediaLink("image", "https://cdn.example/t.png")]),
        ({"a": [IMAGE, IMAGE]}, [MediaLink("image", "https://cdn.example/a.jpg")]),
        *((content, []) for content in NONE),
    ],
)
def test_links(content, links):
    """Each link is found once, in order; ids, words and other objects are none."""
    assert list(links_of(content)) == links


@pytest.mark.parametrize(
    ("content", "ids", "expected"),
    [
        (
            IMAGE,
            {"https://cdn.example/a.jpg": "77"},
            {"type": "image", "image": {"id": "77", "caption": "A teapot"}},
        ),
        (
            DOCUMENT,
            {"https://cdn.example/b.pdf": "78"},
            {"type": "document", "document": {"id": "78", "filename": "Invoice.pdf"}},
        ),
        (
            BUTTONS,
            {"https://cdn.example/v.mp4": "79"},
            {
                "type": "interactive",
                "interactive": {
                    "type": "button",
                    "header": {"type": "video", "video": {"id": "79"}},
                    "body": {"text": "Like it?"},
                    "action": ACTION,
                },
            },
        ),
        (
            CAROUSEL,
            {"https://cdn.example/2.png": "80"},
            {
                "type": "interactive",
                "interactive": {
                    "type": "carousel",
                    "body": {"text": "Two things"},
                    "action": {"cards": [CARD_1, CARD_2 | {"header": {"type": "image", "image": {"id": "80"}}}]},
                },
                "context": {"message_id": "wamid.1"},
            },
        ),
        (IMAGE, {"https://cdn.example/other.jpg": "77"}, IMAGE),
        (IMAGE, {}, IMAGE),
    ],
    ids=["an image", "a document", "a header", "one of two cards", "another link", "no id"],
)
def test_with_ids(content, ids, expected):
    """The id stands where the link stood, everything else as it was; the given object is not changed."""
    before = copy.deepcopy(content)
    assert with_ids(content, ids) == expected
    assert content == before


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (IMAGE, {"type": "text", "text": {"body": "A teapot\nhttps://cdn.example/a.jpg"}}),
        (DOCUMENT, {"type": "text", "text": {"body": "Invoice.pdf\nhttps://cdn.example/b.pdf"}}),
        (STICKER, {"type": "text", "text": {"body": "https://cdn.example/s.webp"}}),
        (
            IMAGE | {"context": {"message_id": "wamid.1"}},
            {
                "type": "text",
                "text": {"body": "A teapot\nhttps://cdn.example/a.jpg"},
                "context": {"message_id": "wamid.1"},
            },
        ),
        (
            BUTTONS,
            {
                "type": "interactive",
                "interactive": {
                    "type": "button",
                    "body": {"text": "https://cdn.example/v.mp4\n\nLike it?"},
                    "action": ACTION,
                },
            },
        ),
        (
            CAROUSEL,
            {
                "type": "text",
                "text": {
                    "body": "Two things\n\n"
                    "One\nhttps://cdn.example/1.png\nSee: https://shop.example/1\n\n"
                    "https://cdn.example/2.png\nTake it"
                },
                "context": {"message_id": "wamid.1"},
            },
        ),
        (TEMPLATE, TEMPLATE),
        *((content, content) for content in NONE),
    ],
    ids=[
        "an image",
        "a document",
        "a sticker",
        "a quote",
        "a header",
        "a carousel",
        "a template",
        *("without a link" for _ in NONE),
    ],
)
def test_as_plain(content, expected):
    """What is left when Meta cannot have the file: words and the link; choices stay."""
    before = copy.deepcopy(content)
    assert as_plain(content) == [expected]
    assert content == before


def test_a_link_beside_a_long_body():
    """Both are over the limit together: the link goes before, and the choices stay where they are."""
    content = {"type": "interactive", "interactive": BUTTONS["interactive"] | {"body": {"text": "x" * 1000}}}
    link, choices = as_plain(content)
    assert link == {"type": "text", "text": {"body": "https://cdn.example/v.mp4"}}
    assert choices["interactive"] == {"type": "button", "body": {"text": "x" * 1000}, "action": ACTION}


def test_a_carousel_of_long_links():
    """All of it is said, in as many texts as it takes, and each link is whole."""
    carousel = {"type": "carousel", "body": {"text": "Ten"}, "action": {"cards": LONG}}
    texts = [part["text"]["body"] for part in as_plain({"type": "interactive", "interactive": carousel})]
    links = [card["header"]["image"]["link"] for card in LONG]
    assert len(texts) > 1
    assert all(len(text) <= 4096 for text in texts)
    assert [link for link in links if any(link in text for text in texts)] == links
