"""Each draft is its documented Graph object, tells what can be tapped, and turns its pages."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rasa_whatsapp.cloud import objects
from rasa_whatsapp.cloud.drafts import (
    MORE_ID,
    Buttons,
    Card,
    Carousel,
    Link,
    ListMenu,
    Media,
    MediaMessage,
    Option,
    Raw,
    Text,
    content_of,
    numbers_of,
    options_of,
)
from rasa_whatsapp.cloud.pages import first_page, more_of, page_of

YES, NO = Option("y", "Yes", "/affirm"), Option("n", "No", "/deny", "not at all")
IMAGE = Media("image", link="https://s.example/a.png")
LIST_BODY = {"type": "list", "body": {"text": "Which?"}}
YES_ROW, NO_ROW = {"id": "y", "title": "Yes"}, {"id": "n", "title": "No", "description": "not at all"}


def interactive(**parts):
    """Return an interactive message object."""
    return {"type": "interactive", "interactive": parts}


def listed(*rows):
    """Return the action of a list under the button Choose."""
    return {"button": "Choose", "sections": [{"title": "Choose", "rows": [*rows]}]}


@pytest.mark.parametrize(
    ("draft", "content"),
    [
        pytest.param(Text("Hello"), {"type": "text", "text": {"body": "Hello"}}, id="text"),
        pytest.param(
            MediaMessage(IMAGE, "Bag"),
            {"type": "image", "image": {"link": "https://s.example/a.png", "caption": "Bag"}},
            id="image",
        ),
        pytest.param(
            MediaMessage(Media("document", media_id="7", filename="a.pdf")),
            {"type": "document", "document": {"id": "7", "filename": "a.pdf"}},
            id="document by id",
        ),
        pytest.param(
            MediaMessage(Media("audio", media_id="7", voice=True)),
            {"type": "audio", "audio": {"id": "7", "voice": True}},
            id="voice",
        ),
        pytest.param(
            MediaMessage(Media("sticker", media_id="7")), {"type": "sticker", "sticker": {"id": "7"}}, id="sticker"
        ),
        pytest.param(
            Buttons("Sure?", (YES,), IMAGE, "small print"),
            interactive(
                type="button",
                header={"type": "image", "image": {"link": "https://s.example/a.png"}},
                body={"text": "Sure?"},
                footer={"text": "small print"},
                action={"buttons": [{"type": "reply", "reply": {"id": "y", "title": "Yes"}}]},
            ),
            id="buttons",
        ),
        pytest.param(
            ListMenu("Which?", "Choose", (YES, NO)), interactive(**LIST_BODY, action=listed(YES_ROW, NO_ROW)), id="list"
        ),
        pytest.param(
            ListMenu("Which?", "Choose", (YES,), after=(NO,), more_button="Next"),
            interactive(**LIST_BODY, action=listed(YES_ROW, {"id": "rasa-whatsapp/more", "title": "Next"})),
            id="list with a next page",
        ),
        pytest.param(
            ListMenu("Which?", "Choose", (YES, NO), before=(YES,) * 9, numbered=True),
            interactive(
                **LIST_BODY,
                action=listed(
                    {"id": "y", "title": "10", "description": "Yes"},
                    {"id": "n", "title": "11", "description": "No: not at all"},
                ),
            ),
            id="list by number",
        ),
        pytest.param(
            ListMenu(
                "Which?", "Choose", (Option("a", "t" * 72, "/a", "d"), Option("b", "t" * 73, "/b")), numbered=True
            ),
            interactive(
                **LIST_BODY,
                action=listed({"id": "a", "title": "1", "description": "t" * 72}, {"id": "b", "title": "2"}),
            ),
            id="what does not fit beside a number stands in the text only",
        ),
        pytest.param(
            Link("See", "Shop", "https://s.example"),
            interactive(
                type="cta_url",
                body={"text": "See"},
                action={"name": "cta_url", "parameters": {"display_text": "Shop", "url": "https://s.example"}},
            ),
            id="link",
        ),
        pytest.param(
            Carousel("Ours", (Card(IMAGE, "Bag", (YES,)), Card(IMAGE, "", (NO,)))),
            interactive(
                type="carousel",
                body={"text": "Ours"},
                action={
                    "cards": [
                        {
                            "card_index": 0,
                            "type": "cta_url",
                            "header": {"type": "image", "image": {"link": "https://s.example/a.png"}},
                            "body": {"text": "Bag"},
                            "action": {
                                "buttons": [{"type": "quick_reply", "quick_reply": {"id": "y", "title": "Yes"}}]
                            },
                        },
                        {
                            "card_index": 1,
                            "type": "cta_url",
                            "header": {"type": "image", "image": {"link": "https://s.example/a.png"}},
                            "action": {"buttons": [{"type": "quick_reply", "quick_reply": {"id": "n", "title": "No"}}]},
                        },
                    ]
                },
            ),
            id="carousel",
        ),
        pytest.param(
            Raw({"type": "location", "location": {"latitude": 1, "longitude": 2}}),
            {"type": "location", "location": {"latitude": 1, "longitude": 2}},
            id="raw",
        ),
    ],
)
def test_contents(draft, content):
    """A payload never travels where an id does; the object is lawful."""
    assert content_of(draft) == content
    if not isinstance(draft, ListMenu) or not draft.before:
        assert objects.check(content) == []


RAW_LIST = interactive(type="list", body={"text": "x"}, action=listed({"id": "/a{}", "title": "A"}))
RAW_BUTTONS = interactive(
    type="button", body={"text": "x"}, action={"buttons": [{"type": "reply", "reply": {"id": "b", "title": "B"}}]}
)


@pytest.mark.parametrize(
    ("draft", "choices"),
    [
        (Text("x"), {}),
        (MediaMessage(IMAGE), {}),
        (Link("x", "Shop", "https://s.example"), {}),
        (Buttons("x", (YES, NO)), {"y": "/affirm", "n": "/deny"}),
        (ListMenu("x", "Choose", (YES,), after=(NO,)), {"y": "/affirm"}),
        (Carousel("x", (Card(IMAGE, "", (YES,)), Card(IMAGE, "", (NO,)))), {"y": "/affirm", "n": "/deny"}),
        (Raw(RAW_LIST), {"/a{}": "/a{}"}),
        (Raw(RAW_BUTTONS), {"b": "b"}),
        (Raw(content_of(Carousel("x", (Card(IMAGE, "", (YES,)), Card(IMAGE, "", (NO,)))))), {"y": "y", "n": "n"}),
        (Raw({"type": "text", "text": {"body": "x"}}), {}),
    ],
    ids=["text", "image", "link", "buttons", "list", "carousel", "raw list", "raw buttons", "raw carousel", "raw text"],
)
def test_options(draft, choices):
    """What can be tapped and what it means; of a raw object the id is the meaning, and the next page is no option."""
    assert {option.choice_id: option.payload for option in options_of(draft)} == choices


def options(count, title="Choice {}"):
    """Return that many options."""
    return tuple(Option(f"id-{n}", title.format(n), f"/p{n}") for n in range(1, count + 1))


def turned(menu):
    """Return all pages of a menu, each further one from JSON as a store keeps it."""
    found = [menu]
    while (more := more_of(found[-1])) is not None:
        found.append(page_of(json.loads(json.dumps(more))))
    return found


@pytest.mark.parametrize(
    ("count", "sizes"), [(1, [1]), (10, [10]), (11, [9, 2]), (19, [9, 10]), (20, [9, 9, 2]), (23, [9, 9, 5])]
)
def test_pages(count, sizes):
    """Ten rows are one page; of more, nine and the row for the next, in order, without loss."""
    pages = turned(first_page("Which?", options(count), button="Choose", more_button="More", numbered=False))
    assert [len(page.options) for page in pages] == sizes
    assert [option for page in pages for option in page.options] == [*options(count)]
    for page in pages:
        rows = content_of(page)["interactive"]["action"]["sections"][0]["rows"]
        assert objects.check(content_of(page)) == []
        assert (rows[-1]["id"] == MORE_ID) == (page is not pages[-1])


def test_the_next_page_says_where_it_is():
    """Its text counts; its rows keep the words of the first page."""
    first, second = turned(first_page("Which?", options(12), button="Pick", more_button="Next", numbered=False))
    assert (first.body, second.body, second.button, second.more_button) == ("Which?", "10-12 / 12", "Pick", "Next")


def test_numbers_go_on_over_pages():
    """A page shows its own lines in full, and takes the numbers of the pages before."""
    first, second = turned(
        first_page("x", options(12, "A rather long title, number {}"), button="P", more_button="M", numbered=True)
    )
    assert second.body == (
        "10. A rather long title, number 10\n11. A rather long title, number 11\n12. A rather long title, number 12"
    )
    assert numbers_of(first) == tuple(f"/p{n}" for n in range(1, 10))
    assert numbers_of(second) == tuple(f"/p{n}" for n in range(1, 13))
    assert numbers_of(ListMenu("x", "P", options(3))) == ()
    assert more_of(Text("x")) is None


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(1, 2000), min_size=1, max_size=30), st.booleans())
def test_pages_of_any_titles(lengths, numbered):
    """However long the titles are, every further page is lawful and shows each of its options in full."""
    many = tuple(
        Option(f"id-{n}", "t" * (length if numbered else 1 + length % 24), f"/p{n}") for n, length in enumerate(lengths)
    )
    pages = turned(first_page("Which?", many, button="Choose", more_button="More", numbered=numbered))
    assert [option for page in pages for option in page.options] == [*many]
    for page in pages[1:]:
        assert objects.check(content_of(page)) == []
        assert not numbered or all(option.title in page.body for option in page.options)
