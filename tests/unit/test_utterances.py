"""Rasa's response dicts become drafts that WhatsApp takes, or a refusal that names the key; nothing is cut."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rasa_whatsapp.cloud import objects
from rasa_whatsapp.cloud.drafts import (
    Buttons,
    Carousel,
    Link,
    ListMenu,
    MediaMessage,
    Raw,
    Text,
    content_of,
    numbers_of,
    options_of,
)
from rasa_whatsapp.cloud.pages import more_of, page_of
from rasa_whatsapp.cloud.templates import TemplateUse
from rasa_whatsapp.errors import DraftImpossible
from rasa_whatsapp.policy.consent import Choice, Scope
from rasa_whatsapp.responses.utterances import ConsentNote, Wording, to_utterance

PICTURE, FILM, PAPER = "https://s.example/a.png", "https://s.example/a.mp4", "https://s.example/My%20terms.pdf"
SONG, STICKER = "https://s.example/a.mp3", "https://s.example/a.webp"
SHOP = {"title": "Shop", "url": "https://s.example"}


def units(text):
    """Count UTF-16 units, apart from the code under test."""
    return sum(2 if ord(character) > 0xFFFF else 1 for character in text)


def assert_fits(draft):
    """Hold a draft against Meta's limits (fact sheet 5.3, 5.4) as they are written there, apart from the table of objects."""
    assert objects.check(content_of(draft)) == []
    if isinstance(draft, Text):
        assert 1 <= units(draft.body) <= 4096
    elif isinstance(draft, MediaMessage):
        assert units(draft.caption) <= 1024
    elif isinstance(draft, (Buttons, Link)):
        assert 1 <= units(draft.body) <= 1024
    if isinstance(draft, Buttons):
        titles = [option.title for option in draft.options]
        assert 1 <= len(set(titles)) == len(titles) <= 3
        assert all(units(title) <= 20 for title in titles)
        assert all(1 <= units(option.choice_id.strip()) == units(option.choice_id) <= 256 for option in draft.options)
    if isinstance(draft, ListMenu):
        action = content_of(draft)["interactive"]["action"]
        (section,) = action["sections"]
        assert 1 <= units(draft.body) <= 4096
        assert 1 <= units(action["button"]) <= 20
        assert 1 <= len({row["id"] for row in section["rows"]}) == len(section["rows"]) <= 10
        assert all(
            1 <= units(row["title"]) <= 24 and units(row.get("description", "")) <= 72 for row in section["rows"]
        )
        assert all(1 <= units(row["id"].strip()) == units(row["id"]) <= 200 for row in section["rows"])


def drafts_of(response, **wording):
    """Return the drafts of a response, each held against the limits."""
    drafts = to_utterance(response, Wording(**wording)).drafts
    for draft in drafts:
        assert_fits(draft)
    return drafts


def buttons(*titles, payload="/p{}"):
    """Return Rasa buttons with these titles, and payloads by their position."""
    return [{"title": title, "payload": payload.format(number)} for number, title in enumerate(titles, start=1)]


def shown(draft):
    """Return a draft short: its body, its kind with what can be tapped, the link of its header or file."""
    if isinstance(draft, Text):
        return draft.body
    if isinstance(draft, MediaMessage):
        media = draft.media
        return (media.kind, media.link or media.media_id, draft.caption)
    if isinstance(draft, Carousel):
        cards = [
            (card.body, card.header.link, card.url or [option.title for option in card.options]) for card in draft.cards
        ]
        return draft.body, "carousel", cards
    if isinstance(draft, Raw):
        return draft.content
    header = [draft.header.link] if isinstance(draft, (Buttons, Link)) and draft.header else []
    if isinstance(draft, Link):
        return draft.body, "link", f"{draft.title} {draft.url}", *header
    kind = "buttons" if isinstance(draft, Buttons) else "numbers" if draft.numbered else "list"
    return draft.body, kind, [(option.title, option.payload) for option in draft.options], *header


@pytest.mark.parametrize(
    ("response", "expected"),
    [
        pytest.param({"text": "Hello"}, ["Hello"], id="text"),
        pytest.param({"text": "  Hello\n"}, ["Hello"], id="text with blanks around"),
        pytest.param({"text": "**Hello** [x](https://s.example)"}, ["*Hello* x (https://s.example)"], id="Markdown"),
        pytest.param(
            {"text": "x", "buttons": [], "elements": [], "custom": {}, "image": None, "quick_replies": None},
            ["x"],
            id="empty keys as Rasa sends them",
        ),
        pytest.param({"text": "x", "id": "1", "utter_action": "utter_x"}, ["x"], id="keys of Rasa's own"),
        pytest.param(
            {"text": "Sure?", "buttons": buttons("Yes")}, [("Sure?", "buttons", [("Yes", "/p1")])], id="one button"
        ),
        pytest.param(
            {"text": "Sure?", "buttons": buttons("Yes", "No", "Later")},
            [("Sure?", "buttons", [("Yes", "/p1"), ("No", "/p2"), ("Later", "/p3")])],
            id="three buttons",
        ),
        pytest.param(
            {"text": "Sure?", "quick_replies": buttons("Yes", "No")},
            [("Sure?", "buttons", [("Yes", "/p1"), ("No", "/p2")])],
            id="quick replies",
        ),
        pytest.param(
            {"text": "Which?", "buttons": buttons("A", "B", "C", "D")},
            [("Which?", "list", [("A", "/p1"), ("B", "/p2"), ("C", "/p3"), ("D", "/p4")])],
            id="four buttons",
        ),
        pytest.param(
            {"text": "Sure?", "buttons": buttons("x" * 20)},
            [("Sure?", "buttons", [("x" * 20, "/p1")])],
            id="title of 20",
        ),
        pytest.param(
            {"text": "Sure?", "buttons": buttons("x" * 21)}, [("Sure?", "list", [("x" * 21, "/p1")])], id="title of 21"
        ),
        pytest.param(
            {"text": "Sure?", "buttons": buttons("x" * 24)}, [("Sure?", "list", [("x" * 24, "/p1")])], id="title of 24"
        ),
        pytest.param(
            {"text": "Sure?", "buttons": buttons("x" * 25, "No")},
            [("Sure?\n1. " + "x" * 25 + "\n2. No", "numbers", [("x" * 25, "/p1"), ("No", "/p2")])],
            id="title of 25",
        ),
        pytest.param(
            {"text": "Sure?", "buttons": buttons("🙂" * 10)},
            [("Sure?", "buttons", [("🙂" * 10, "/p1")])],
            id="ten emoji are twenty units",
        ),
        pytest.param(
            {"text": "Sure?", "buttons": buttons("🙂" * 11)},
            [("Sure?", "list", [("🙂" * 11, "/p1")])],
            id="eleven emoji are too many for a button",
        ),
        pytest.param(
            {"text": "Which?", "buttons": buttons("Same", "Same")},
            [("Which?\n1. Same\n2. Same", "numbers", [("Same", "/p1"), ("Same", "/p2")])],
            id="the same title twice",
        ),
        pytest.param(
            {"text": "Which?", "buttons": [{"title": "A", "payload": "/a", "description": "first"}]},
            [("Which?", "list", [("A", "/a")])],
            id="a description needs a row",
        ),
        pytest.param(
            {"text": "Which?", "buttons": [{"title": "A", "payload": "/a", "description": "d" * 73}]},
            [("Which?\n1. A: " + "d" * 73, "numbers", [("A", "/a")])],
            id="a description of 73",
        ),
        pytest.param(
            {"text": "Which?", "buttons": buttons("A", "B", payload="/same")},
            [("Which?", "buttons", [("A", "/same"), ("B", "/same")])],
            id="the same payload twice",
        ),
        pytest.param(
            {
                "text": "Which?",
                "buttons": [{"title": "A"}, {"title": "B", "payload": ""}, {"title": "C", "payload": " "}],
            },
            [("Which?", "buttons", [("A", "A"), ("B", "B"), ("C", "C")])],
            id="no payload",
        ),
        pytest.param(
            {"text": "Which?", "buttons": buttons("A", payload="/inform" + "x" * 5000)},
            [("Which?", "buttons", [("A", "/inform" + "x" * 5000)])],
            id="a payload of 5000",
        ),
        pytest.param(
            {"text": "See", "buttons": [SHOP]}, [("See", "link", "Shop https://s.example")], id="a web address"
        ),
        pytest.param(
            {"buttons": [SHOP]}, [("Shop", "link", "Shop https://s.example")], id="a web address without a text"
        ),
        pytest.param(
            {"text": "See", "buttons": [SHOP, *buttons("No")]},
            [("See", "buttons", [("No", "/p1")]), ("Shop", "link", "Shop https://s.example")],
            id="a web address and a button",
        ),
        pytest.param(
            {"text": "See", "buttons": [SHOP, {"title": "Blog", "url": "https://b.example"}]},
            [("See", "link", "Shop https://s.example"), ("Blog", "link", "Blog https://b.example")],
            id="two web addresses",
        ),
        pytest.param(
            {"text": "See", "buttons": [{"title": "The whole of our shop", "url": "https://s.example"}]},
            ["See\nThe whole of our shop: https://s.example"],
            id="a web address with a title of 21",
        ),
        pytest.param(
            {"text": "See", "buttons": [{"title": "Call", "url": "tel:+4930"}, *buttons("No")]},
            [("See\nCall: tel:+4930", "buttons", [("No", "/p1")])],
            id="an address that no button opens",
        ),
        pytest.param({"image": PICTURE}, [("image", PICTURE, "")], id="an image"),
        pytest.param({"text": "*Look*", "image": PICTURE}, [("image", PICTURE, "_Look_")], id="an image and a text"),
        pytest.param(
            {"text": "Look", "image": PICTURE, "buttons": buttons("Yes", "No")},
            [("Look", "buttons", [("Yes", "/p1"), ("No", "/p2")], PICTURE)],
            id="an image over buttons",
        ),
        pytest.param(
            {"text": "Look", "image": PICTURE, "buttons": [SHOP]},
            [("Look", "link", "Shop https://s.example", PICTURE)],
            id="an image over a web address",
        ),
        pytest.param(
            {"text": "Look", "image": PICTURE, "buttons": buttons("A", "B", "C", "D")},
            [
                ("image", PICTURE, ""),
                ("Look", "list", [("A", "/p1"), ("B", "/p2"), ("C", "/p3"), ("D", "/p4")]),
            ],
            id="an image before a list",
        ),
        pytest.param({"text": "Read", "attachment": PAPER}, [("document", PAPER, "Read")], id="an attachment"),
        pytest.param({"attachment": FILM}, [("video", FILM, "")], id="a film by its ending"),
        pytest.param({"text": "Hear", "attachment": SONG}, ["Hear", ("audio", SONG, "")], id="audio has no caption"),
        pytest.param({"text": "Hi", "attachment": STICKER}, ["Hi", ("sticker", STICKER, "")], id="a sticker has none"),
        pytest.param(
            {"attachment": {"type": "audio", "url": SONG, "caption": "Listen"}},
            [("audio", SONG, ""), "Listen"],
            id="a caption that cannot stand beside audio",
        ),
        pytest.param(
            {"text": "Read", "attachment": {"url": PAPER, "caption": "**Terms**"}},
            ["Read", ("document", PAPER, "*Terms*")],
            id="an attachment with its own caption",
        ),
        pytest.param(
            {"attachment": {"link": FILM, "caption": "x" * 1025}},
            [("video", FILM, ""), "x" * 1025],
            id="a caption of 1,025",
        ),
        pytest.param(
            {"text": "x" * 1025, "image": PICTURE},
            [("image", PICTURE, ""), "x" * 1025],
            id="a text of 1,025 to an image",
        ),
        pytest.param(
            {"text": "Look", "image": PICTURE, "attachment": PAPER},
            [("image", PICTURE, "Look"), ("document", PAPER, "")],
            id="an image and an attachment",
        ),
        pytest.param(
            {"attachment": {"type": "video", "payload": {"title": "Film", "src": "https://s.example/v"}}},
            [("video", "https://s.example/v", "Film")],
            id="Rasa's way to write an attachment",
        ),
        pytest.param(
            {"attachment": {"type": "file", "id": "77", "filename": "a.pdf"}}, [("document", "77", "")], id="by id"
        ),
        pytest.param(
            {"attachment": {"url": "https://s.example/x", "filename": "a.JPG"}},
            [("image", "https://s.example/x", "")],
            id="a kind by the file name",
        ),
        pytest.param({"attachment": "https://s.example/x"}, [("document", "https://s.example/x", "")], id="no ending"),
    ],
)
def test_responses(response, expected):
    """Each kind of response is said in full, within the limits."""
    assert [shown(draft) for draft in drafts_of(response)] == expected


@pytest.mark.parametrize(
    ("attachment", "filename"),
    [
        (PAPER, "My terms.pdf"),
        ({"url": PAPER, "filename": "Terms.pdf"}, "Terms.pdf"),
        ("https://s.example/x", ""),
        ("https://s.example/a%2Fb.pdf", ""),
    ],
)
def test_documents_have_names(attachment, filename):
    """A document goes by the name it is given, else by the end of its link."""
    (draft,) = drafts_of({"attachment": attachment})
    assert draft.media.filename == filename


def test_a_voice_note():
    """The type voice is audio that shows as one."""
    (draft,) = drafts_of({"attachment": {"type": "voice", "id": "77"}})
    assert content_of(draft) == {"type": "audio", "audio": {"id": "77", "voice": True}}


BAG = {"title": "Bag", "subtitle": "red", "image_url": PICTURE, "buttons": buttons("Buy", "Ask")}
HAT = {"title": "Hat", "image_url": PICTURE, "buttons": buttons("Buy", "Ask")}
BAG_CARD = ("Bag\nred", PICTURE, ["Buy", "Ask"])
BAG_ALONE = ("Bag\nred", "buttons", [("Buy", "/p1"), ("Ask", "/p2")], PICTURE)
HAT_CARD = ("Hat", PICTURE, ["Buy", "Ask"])
HAT_ALONE = ("Hat", "buttons", [("Buy", "/p1"), ("Ask", "/p2")], PICTURE)


@pytest.mark.parametrize(
    ("response", "expected"),
    [
        pytest.param(
            {"text": "Ours:", "elements": [BAG, HAT]},
            [("Ours:", "carousel", [BAG_CARD, HAT_CARD])],
            id="quick replies",
        ),
        pytest.param(
            {"text": "Ours:", "elements": [{**BAG, "buttons": [SHOP]}, {**HAT, "buttons": [SHOP]}]},
            [
                (
                    "Ours:",
                    "carousel",
                    [("Bag\nred", PICTURE, "https://s.example"), ("Hat", PICTURE, "https://s.example")],
                )
            ],
            id="web addresses",
        ),
        pytest.param({"elements": [BAG, HAT]}, [BAG_ALONE, HAT_ALONE], id="no text for the carousel"),
        pytest.param({"text": "Ours:", "elements": [BAG]}, ["Ours:", BAG_ALONE], id="one element"),
        pytest.param({"text": "Ours:", "elements": [BAG] * 11}, ["Ours:", *[BAG_ALONE] * 11], id="eleven elements"),
        pytest.param(
            {"text": "Ours:", "elements": [BAG, {**HAT, "image_url": None}]},
            ["Ours:", BAG_ALONE, HAT_ALONE[:3]],
            id="one without an image",
        ),
        pytest.param(
            {"text": "Ours:", "elements": [BAG, {**HAT, "buttons": buttons("Buy")}]},
            ["Ours:", BAG_ALONE, ("Hat", "buttons", [("Buy", "/p1")], PICTURE)],
            id="other numbers of buttons",
        ),
        pytest.param(
            {"text": "Ours:", "elements": [BAG, {**HAT, "buttons": [SHOP]}]},
            ["Ours:", BAG_ALONE, ("Hat", "link", "Shop https://s.example", PICTURE)],
            id="other kinds of buttons",
        ),
        pytest.param(
            {"text": "Ours:", "elements": [BAG, {**HAT, "subtitle": "x" * 157}]},
            ["Ours:", BAG_ALONE, ("Hat\n" + "x" * 157, *HAT_ALONE[1:])],
            id="a card of 161",
        ),
        pytest.param(
            {"text": "Ours:", "elements": [BAG, {**HAT, "subtitle": "a\nb\nc"}]},
            ["Ours:", BAG_ALONE, ("Hat\na\nb\nc", *HAT_ALONE[1:])],
            id="a card of four lines",
        ),
        pytest.param(
            {"text": "Ours:", "elements": [BAG, {**HAT, "buttons": buttons("Buy", "x" * 21)}]},
            ["Ours:", BAG_ALONE, ("image", PICTURE, ""), ("Hat", "list", [("Buy", "/p1"), ("x" * 21, "/p2")])],
            id="a button of 21",
        ),
        pytest.param(
            {"text": "Ours:", "elements": [BAG, {**HAT, "buttons": buttons("Buy", "Buy")}]},
            [
                "Ours:",
                BAG_ALONE,
                ("image", PICTURE, ""),
                ("Hat\n1. Buy\n2. Buy", "numbers", [("Buy", "/p1"), ("Buy", "/p2")]),
            ],
            id="two buttons of one name",
        ),
        pytest.param(
            {
                "text": "Ours:",
                "elements": [BAG, {**HAT, "buttons": [*buttons("Buy"), {"title": "A", "description": "d"}]}],
            },
            ["Ours:", BAG_ALONE, ("image", PICTURE, ""), ("Hat", "list", [("Buy", "/p1"), ("A", "A")])],
            id="a button with a description",
        ),
        pytest.param(
            {"text": "Ours:", "elements": [BAG, {**HAT, "buttons": [*HAT["buttons"], {"title": "C", "url": "tel:1"}]}]},
            ["Ours:", BAG_ALONE, ("Hat\nC: tel:1", *HAT_ALONE[1:])],
            id="an address that no card opens",
        ),
        pytest.param(
            {"text": "Ours:", "elements": [BAG, {**HAT, "image_url": {"url": PICTURE, "caption": "Felt"}}]},
            ["Ours:", BAG_ALONE, ("image", PICTURE, "Felt"), HAT_ALONE[:3]],
            id="an image with its own caption",
        ),
        pytest.param(
            {"text": "Which?", "elements": [BAG, HAT], "buttons": buttons("None")},
            [("Which?", "buttons", [("None", "/p1")]), BAG_ALONE, HAT_ALONE],
            id="the text belongs to the buttons",
        ),
        pytest.param(
            {"elements": [{"title": "Hat", "default_action": {"type": "web_url", "url": "https://s.example/hat"}}]},
            ["Hat\nhttps://s.example/hat"],
            id="an address behind an element",
        ),
    ],
)
def test_elements(response, expected):
    """Elements are a carousel where Meta's rules allow one that shows everything, else one message after the other."""
    assert [shown(draft) for draft in drafts_of(response)] == expected


def test_choices_of_a_carousel_differ():
    """The same payload on two cards has two ids, so that a tap tells the card."""
    (draft,) = drafts_of({"text": "Ours:", "elements": [BAG, HAT]})
    assert len({option.choice_id for option in options_of(draft)}) == 4


def test_more_than_ten_choices():
    """They are pages; the words of the list are the response's."""
    titles = [f"Choice {number}" for number in range(1, 13)]
    custom = {"list_button": "Auswählen", "more_button": "Weitere"}
    (draft,) = drafts_of({"text": "Which?", "buttons": buttons(*titles), "custom": custom})
    rows = content_of(draft)["interactive"]["action"]["sections"][0]["rows"]
    assert [row["title"] for row in rows] == [*titles[:9], "Weitere"]
    assert draft.button == "Auswählen"
    assert [option.title for option in page_of(more_of(draft)).options] == titles[9:]


def test_wording():
    """The bot's own words stand where the response has none."""
    titles = [f"Choice {number}" for number in range(1, 13)]
    (draft,) = drafts_of(
        {"text": "**Which?**", "buttons": buttons(*titles)}, list_button="Los", more_button="Mehr", markdown=False
    )
    assert (draft.body, draft.button, draft.more_button) == ("**Which?**", "Los", "Mehr")


def test_a_choice_like_the_row_for_more_is_numbered():
    """Two rows with one title would be one too many."""
    (draft,) = drafts_of({"text": "Which?", "buttons": buttons(*"ABCDEFGHIJ", "More")})
    assert draft.numbered
    assert drafts_of({"text": "Which?", "buttons": buttons("A", "More")})[0] == Buttons(
        "Which?", draft_options("A", "More")
    )


def draft_options(*titles):
    """Return the options of buttons with these titles."""
    return drafts_of({"text": "x", "buttons": buttons(*titles)})[0].options


def test_a_payload_like_the_id_for_more_is_none():
    """A designer's payload never asks for the next page."""
    (draft,) = drafts_of({"text": "x", "buttons": [{"title": "A", "payload": "rasa-whatsapp/more"}]})
    assert draft.options[0].choice_id.startswith("choice-")
    assert draft.options[0].payload == "rasa-whatsapp/more"


def test_typed_numbers():
    """Where titles are numbered, a typed number is worth its payload; where they are shown, it is a number."""
    (numbered,) = drafts_of({"text": "Which?", "buttons": buttons("x" * 25, "No")})
    (titled,) = drafts_of({"text": "Which?", "buttons": buttons("A", "B", "C", "D")})
    assert numbers_of(numbered) == ("/p1", "/p2")
    assert numbers_of(titled) == ()


def test_long_numbered_titles_go_before():
    """Lines that do not fit above the list are said before it, none is left out."""
    titles = ["t" * 900 + str(number) for number in range(1, 8)]
    drafts = drafts_of({"text": "Which?", "buttons": buttons(*titles)})
    assert [type(draft) for draft in drafts] == [Text, ListMenu]
    assert "\n".join(draft.body for draft in drafts) == "\n".join(
        ["Which?", *(f"{number}. {title}" for number, title in enumerate(titles, start=1))]
    )


def test_the_channel_s_own_text_is_not_rewritten():
    """A variation for `channel: whatsapp` is written in WhatsApp's markup already."""
    response = {"text": "*bold* **x**", "channel": "whatsapp", "elements": [{"title": "*bold*"}]}
    assert [shown(draft) for draft in drafts_of(response)] == ["*bold* **x**", "*bold*"]


@pytest.mark.parametrize(
    ("length", "choices", "parts"),
    [
        (4096, 0, [4096]),
        (4097, 0, [4096, 1]),
        (1024, 2, [1024]),
        (1025, 2, [1024, 1]),
        (4096, 2, [3072, 1024]),
        (8192, 2, [4096, 3072, 1024]),
        (4096, 4, [4096]),
        (4097, 4, [4096, 1]),
    ],
)
def test_long_texts(length, choices, parts):
    """What is too long is split; what can be tapped stands under the end."""
    drafts = drafts_of({"text": "x" * length, "buttons": buttons(*"ABCD"[:choices])})
    assert [len(draft.body) for draft in drafts] == parts
    assert isinstance(drafts[-1], (Text, Buttons, ListMenu)[0 if not choices else 1 if choices < 4 else 2])


def test_an_image_stands_before_a_text_that_is_split():
    """A header would stand in the middle."""
    drafts = drafts_of({"text": "x" * 1025, "image": PICTURE, "buttons": buttons("A")})
    assert [shown(draft) for draft in drafts] == [
        ("image", PICTURE, ""),
        "x" * 1024,
        ("x", "buttons", [("A", "/p1")]),
    ]


def test_ids_of_choices_are_the_payloads_where_they_fit():
    """A short payload travels itself; a long, a doubled or an untrimmed one has a stand-in that does not change."""
    wishes = [
        {"title": "A", "payload": "/affirm"},
        {"title": "B", "payload": "/affirm"},
        {"title": "C", "payload": " /c "},
    ]
    (menu,) = drafts_of({"text": "x", "buttons": wishes})
    ids = [option.choice_id for option in menu.options]
    assert ids[0] == "/affirm"
    assert ids[1].startswith("choice-2-")
    assert ids[2].startswith("choice-3-")
    assert [option.choice_id for option in to_utterance({"text": "x", "buttons": wishes}).drafts[0].options] == ids


def test_a_response_is_not_changed():
    """The dict belongs to the caller, and a draft does not hold on to it."""
    response = {
        "text": " x ",
        "buttons": buttons("Yes"),
        "custom": {"template": {"name": "t"}, "whatsapp": {"reply_to": "last", "sticker": {"id": "1"}}},
    }
    copy = {
        "text": " x ",
        "buttons": buttons("Yes"),
        "custom": {"template": {"name": "t"}, "whatsapp": {"reply_to": "last", "sticker": {"id": "1"}}},
    }
    drafts = to_utterance(response).drafts
    assert response == copy
    response["custom"]["whatsapp"]["sticker"]["id"] = "2"
    assert content_of(drafts[-1]) == {"type": "sticker", "sticker": {"id": "1"}}


@pytest.mark.parametrize(
    ("whatsapp", "drafts", "reply_to"),
    [
        pytest.param(
            {"type": "sticker", "sticker": {"id": "1"}},
            ["x", {"type": "sticker", "sticker": {"id": "1"}}],
            None,
            id="object",
        ),
        pytest.param(
            {"location": {"latitude": 1, "longitude": 2}},
            ["x", {"type": "location", "location": {"latitude": 1, "longitude": 2}}],
            None,
            id="without its type",
        ),
        pytest.param(
            {
                "messaging_product": "whatsapp",
                "recipient_type": "individual",
                "type": "sticker",
                "sticker": {"id": "1"},
            },
            ["x", {"type": "sticker", "sticker": {"id": "1"}}],
            None,
            id="as Meta's samples have it",
        ),
        pytest.param(
            {"reaction": {"message_id": "last", "emoji": "👍"}},
            ["x", {"type": "reaction", "reaction": {"message_id": "last", "emoji": "👍"}}],
            None,
            id="a reaction to the last message",
        ),
        pytest.param({"reply_to": "last"}, ["x"], "last", id="only a quote"),
        pytest.param({"reply_to": "wamid.ABC="}, ["x"], "wamid.ABC=", id="a quote by id"),
        pytest.param(
            {"sticker": {"id": "1"}, "context": {"message_id": "wamid.A"}},
            ["x", {"type": "sticker", "sticker": {"id": "1"}}],
            "wamid.A",
            id="a quote as Meta writes it",
        ),
        pytest.param({}, ["x"], None, id="nothing"),
    ],
)
def test_message_objects(whatsapp, drafts, reply_to):
    """`custom.whatsapp` is said after the rest; what it quotes is taken out of it."""
    utterance = to_utterance({"text": "x", "custom": {"whatsapp": whatsapp}})
    assert [shown(draft) for draft in utterance.drafts] == drafts
    assert utterance.reply_to == reply_to


def test_template():
    """A response carries its template; what a slot left empty is an empty parameter."""
    template = {
        "name": "t",
        "language": "de",
        "parameters": {"order_id": 1002, "name": None, 1: "x"},
        "payloads": ["/affirm", "/deny"],
    }
    utterance = to_utterance({"text": "x", "custom": {"template": template}})
    assert utterance.template == TemplateUse(
        name="t",
        language="de",
        parameters={"order_id": "1002", "name": "", "1": "x"},
        payloads=("/affirm", "/deny"),
    )


def test_a_response_may_be_a_template_only():
    """Then there is no free form."""
    utterance = to_utterance({"custom": {"template": {"name": "t"}}})
    assert utterance.drafts == ()
    assert utterance.template == TemplateUse(name="t", parameters={})


@pytest.mark.parametrize(
    ("consent", "note"),
    [
        (
            {"opt_in": "utility", "source": "reminder request"},
            ConsentNote(Choice.OPT_IN, Scope.UTILITY, "reminder request"),
        ),
        ({"opt_out": "all"}, ConsentNote(Choice.OPT_OUT, Scope.ALL, "said in the chat")),
        ({"opt_in": "marketing", "source": None}, ConsentNote(Choice.OPT_IN, Scope.MARKETING, "said in the chat")),
    ],
)
def test_consent(consent, note):
    """A response that says so records a consent."""
    assert to_utterance({"text": "x", "custom": {"consent": consent}}).consent == note


def reply(number):
    """Return a reply button of a message object."""
    return {"type": "reply", "reply": {"id": str(number), "title": str(number)}}


FOUR = {
    "type": "interactive",
    "interactive": {"type": "button", "body": {"text": "x"}, "action": {"buttons": [reply(n) for n in range(4)]}},
}
SECRET = "https://ann:s3cret@s.example/x"


@pytest.mark.parametrize(
    ("response", "problem"),
    [
        ({}, "neither text nor a template"),
        ({"text": None}, "neither text nor a template"),
        ({"text": " \n"}, "neither text nor a template"),
        ({"text": 7}, "text is not a text"),
        ({"text": ["x"]}, "text is not a text"),
        ({"buttons": buttons("Yes")}, "buttons stand without text"),
        ({"image": PICTURE, "buttons": buttons("Yes")}, "buttons stand without text"),
        ({"text": "x", "buttons": "Yes"}, "buttons is not a list of mappings"),
        ({"text": "x", "quick_replies": ["Yes"]}, "quick_replies is not a list of mappings"),
        ({"text": "x", "buttons": [{"title": "A"}, {"payload": "/a"}]}, "buttons[1].title is missing or empty"),
        ({"text": "x", "quick_replies": [{"title": "  "}]}, "quick_replies[0].title is missing or empty"),
        (
            {"text": "x", "buttons": buttons("x" * 2001)},
            "buttons[0].title has 2001 characters, at most 2000 can be offered; move it into the text",
        ),
        (
            {"text": "x", "buttons": [{"title": "A", "description": "x" * 2001}]},
            "buttons[0].description has 2001 characters, at most 2000",
        ),
        ({"text": "x", "buttons": [{"title": ["A"]}]}, "buttons[0].title is a list, not a text"),
        ({"text": "x", "buttons": [{"title": "A", "payload": {}}]}, "buttons[0].payload is an object, not a text"),
        ({"text": "x", "buttons": [{"title": "A", "url": "https://"}]}, "buttons[0].url has no host"),
        ({"text": "x", "buttons": [{"title": "A", "url": SECRET}]}, "buttons[0].url has a user name or password"),
        ({"image": 7}, "image is neither a link nor a mapping"),
        ({"image": "None"}, "image is no link: it must begin with http"),
        ({"image": "https:///a.png"}, "image has no host"),
        ({"image": {"url": SECRET}}, "image.url has a user name or password"),
        ({"attachment": {}, "text": ""}, "neither text nor a template"),
        ({"attachment": {"caption": "x"}}, "attachment needs exactly one of url"),
        ({"attachment": {"url": PAPER, "id": "7"}}, "attachment needs exactly one of url"),
        ({"attachment": {"url": PAPER, "captoin": "x"}}, "attachment.captoin is not known; did you mean caption?"),
        ({"attachment": {"type": "vidio", "url": PAPER}}, "attachment.type is none of image, video"),
        ({"attachment": {"type": "video", "payload": {"src": "file:///x"}}}, "attachment.payload.src is no link"),
        ({"text": "x", "elements": {"title": "A"}}, "elements is not a list of mappings"),
        ({"text": "x", "elements": [{"title": "A"}, {}]}, "elements[1] has neither title nor image"),
        ({"text": "x", "elements": [{"buttons": buttons("A")}]}, "elements[0].buttons stand without text"),
        ({"text": "x", "elements": [{"title": "A", "buttons": [{}]}]}, "elements[0].buttons[0].title is missing"),
        ({"text": "x", "elements": [{"title": "A", "image_url": "a.png"}]}, "elements[0].image_url is no link"),
        ({"text": "x", "custom": "template"}, "custom is not a mapping"),
        ({"text": "x", "custom": {"templat": {}}}, "custom.templat is not known; expected template, consent"),
        ({"text": "x", "custom": {1: {}}}, "custom.1 is not known"),
        ({"text": "x", "custom": {"template": "t"}}, "custom.template needs a name"),
        ({"text": "x", "custom": {"template": {}}}, "custom.template needs a name"),
        ({"text": "x", "custom": {"template": {"name": 5}}}, "custom.template needs a name"),
        ({"text": "x", "custom": {"template": {"name": "t", "params": {}}}}, "custom.template.params is not known"),
        (
            {"text": "x", "custom": {"template": {"name": "t", "parameters": "a"}}},
            "custom.template.parameters must be",
        ),
        (
            {"text": "x", "custom": {"template": {"name": "t", "payloads": "/a"}}},
            "custom.template.payloads is a text, not a list",
        ),
        ({"text": "x", "custom": {"consent": "opt_in"}}, "custom.consent needs either"),
        ({"text": "x", "custom": {"consent": {}}}, "custom.consent needs either"),
        ({"text": "x", "custom": {"consent": {"opt_in": "all", "opt_out": "all"}}}, "custom.consent needs either"),
        (
            {"text": "x", "custom": {"consent": {"opt_in": "everything"}}},
            "custom.consent.opt_in is none of utility, marketing and all",
        ),
        ({"text": "x", "custom": {"consent": {"opt_in": None}}}, "custom.consent.opt_in is none of utility"),
        ({"text": "x", "custom": {"list_button": "x" * 21}}, "custom.list_button must have 1 to 20"),
        ({"text": "x", "custom": {"list_button": ""}}, "custom.list_button must have 1 to 20"),
        ({"text": "x", "custom": {"list_button": 3}}, "custom.list_button must have 1 to 20"),
        ({"text": "x", "custom": {"more_button": "x" * 25}}, "custom.more_button must have 1 to 24"),
        ({"text": "x", "custom": {"whatsapp": "sticker"}}, "custom.whatsapp is not a mapping"),
        (
            {"custom": {"whatsapp": FOUR}},
            "custom.whatsapp.interactive.action.buttons[3] is one too many: there are 4, at most 3 are allowed",
        ),
        (
            {"custom": {"whatsapp": {"sticker": {"id": "1", "caption": "x"}}}},
            "custom.whatsapp.sticker.caption is not allowed here",
        ),
        ({"custom": {"whatsapp": {"locaton": {}}}}, "custom.whatsapp.locaton is not known; did you mean location?"),
        ({"custom": {"whatsapp": {"poll": {}}}}, "custom.whatsapp.type is missing"),
        ({"custom": {"whatsapp": {"to": "1", "sticker": {"id": "1"}}}}, "custom.whatsapp.to is said by the channel"),
        (
            {"custom": {"whatsapp": {"template": {"name": "t", "language": {"code": "de"}}}}},
            "custom.whatsapp is a template; use custom.template",
        ),
        ({"text": "x", "custom": {"whatsapp": {"reply_to": "None"}}}, "custom.whatsapp.reply_to is neither last nor"),
        (
            {"custom": {"whatsapp": {"reaction": {"message_id": "None", "emoji": "👍"}}}},
            "custom.whatsapp.reaction.message_id is neither last nor a message id",
        ),
        (
            {"text": "x", "custom": {"whatsapp": {"reply_to": "last", "context": {"message_id": "wamid.A"}}}},
            "custom.whatsapp.context stands beside reply_to",
        ),
        ({"text": "x", "custom": {"whatsapp": {"reply_to": 7}}}, "custom.whatsapp.reply_to is neither last nor"),
        (
            {"custom": {"whatsapp": {"reply_to": "last", "reaction": {"message_id": "last", "emoji": "👍"}}}},
            "custom.whatsapp.reply_to: a reaction quotes nothing",
        ),
    ],
)
def test_impossible_responses(response, problem):
    """What WhatsApp cannot take is refused with the key that is wrong, and never with a secret."""
    with pytest.raises(DraftImpossible) as refused:
        to_utterance(response)
    assert problem in str(refused.value)
    assert "s3cret" not in str(refused.value)


_WORDS = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
_TITLE = _WORDS.filter(lambda word: word.strip())
_BUTTON = st.fixed_dictionaries({"title": _TITLE}, optional={"payload": st.text(max_size=300), "description": _WORDS})


@settings(max_examples=150, deadline=None)
@given(st.text(min_size=1, max_size=3000).filter(lambda text: text.strip()), st.lists(_BUTTON, max_size=25))
def test_any_menu_is_lawful_and_whole(text, choices):
    """Whatever a designer writes, each part is within the limits and every choice is there with its meaning."""
    drafts = [*drafts_of({"text": text, "buttons": choices}, markdown=False)]
    while (more := more_of(drafts[-1])) is not None:
        drafts.append(page_of(more))
        assert_fits(drafts[-1])
    said = "".join("".join(draft.body for draft in drafts).split())
    assert [option.payload for draft in drafts for option in options_of(draft)] == [
        choice["payload"] if choice.get("payload", "").strip() else choice["title"].strip() for choice in choices
    ]
    assert said.startswith("".join(text.split()))
    if isinstance(drafts[-1], ListMenu) and drafts[-1].numbered:
        assert all("".join(choice["title"].split()) in said for choice in choices)


_URL = st.sampled_from(["https://s.example", "tel:+4930", PICTURE])
_ANY_BUTTON = _BUTTON | st.fixed_dictionaries({"title": _TITLE, "url": _URL})
_FILE = st.sampled_from([PICTURE, FILM, PAPER, SONG, STICKER, None])
_ATTACHMENT = _FILE | st.fixed_dictionaries({"url": st.just(PAPER)}, optional={"caption": _WORDS})
_ELEMENT = st.fixed_dictionaries(
    {"title": _TITLE},
    optional={"subtitle": _WORDS, "image_url": st.just(PICTURE), "buttons": st.lists(_ANY_BUTTON, max_size=4)},
)
_LIKE = st.integers(1, 12).flatmap(lambda count: st.builds(lambda element: [element] * count, _ELEMENT))


@settings(max_examples=200, deadline=None)
@given(
    st.fixed_dictionaries(
        {"text": _TITLE | st.text(min_size=1, max_size=5000).filter(lambda text: text.strip())},
        optional={
            "image": st.sampled_from([PICTURE, None]),
            "attachment": _ATTACHMENT,
            "buttons": st.lists(_ANY_BUTTON, max_size=12),
            "quick_replies": st.lists(_BUTTON, max_size=3),
            "elements": st.lists(_ELEMENT, max_size=4) | _LIKE,
        },
    )
)
def test_any_response_is_lawful(response):
    """Whatever keys stand together, all that is said passes Meta's rules, and every file and address is there."""
    drafts = drafts_of(response)
    said = str([content_of(draft) for draft in drafts])
    holders = [response, *response.get("elements", [])]
    urls = [button["url"] for holder in holders for button in holder.get("buttons", []) if button.get("url")]
    files = [holder.get(key) for holder in holders for key in ("image", "image_url", "attachment")]
    links = [file["url"] if isinstance(file, dict) else file for file in files if file]
    assert all(said.count(link) >= links.count(link) for link in links)
    assert all(url in said for url in urls)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | _FILE,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["title", "payload", "url", "id", "type", "src", "text", "whatsapp", "image"]), inner
        )
    ),
    max_leaves=8,
)
_KEYS = ["text", "image", "attachment", "buttons", "quick_replies", "elements", "custom", "channel"]


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(st.sampled_from(_KEYS), _JSON))
def test_any_json_is_said_or_refused(response):
    """Whatever a slot or an action puts under a key, the answer is lawful drafts or one kind of error."""
    try:
        drafts = to_utterance(response).drafts
    except DraftImpossible:
        return
    for draft in drafts:
        assert_fits(draft)


def test_a_long_link_above_buttons_stays_whole():
    """Longer than the text above buttons may be: it goes before, and the buttons stand alone."""
    link = "https://example.com/" + "x" * 1500
    sent = to_utterance({"text": f"See {link}", "buttons": [{"title": "Yes", "payload": "/yes"}]}).drafts
    assert [content_of(draft)["type"] for draft in sent] == ["text", "interactive"]
    assert content_of(sent[0])["text"]["body"] == f"See {link}"
    assert content_of(sent[1])["interactive"]["body"]["text"] == "…"
