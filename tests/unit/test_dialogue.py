"""Rasa's response dicts become drafts that WhatsApp takes, or a refusal that names the key; nothing is cut."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rasa_whatsapp.cloud.drafts import Buttons, ListMenu, Text
from rasa_whatsapp.cloud.templates import TemplateUse
from rasa_whatsapp.dialogue import ConsentNote, to_utterance
from rasa_whatsapp.errors import DraftImpossible
from rasa_whatsapp.policy.consent import Choice, Scope


def units(text):
    """Count UTF-16 units, apart from the code under test."""
    return sum(2 if ord(character) > 0xFFFF else 1 for character in text)


def assert_lawful(draft):
    """Hold a draft against Meta's limits (fact sheet 5.3, 5.4)."""
    if isinstance(draft, Text):
        assert 1 <= units(draft.body) <= 4096
        return
    ids = [option.choice_id for option in draft.options]
    titles = [option.title for option in draft.options]
    assert len(set(ids)) == len(ids)
    assert len(set(titles)) == len(titles)
    assert all(title.strip() and choice == choice.strip() and choice for title, choice in zip(titles, ids, strict=True))
    if isinstance(draft, Buttons):
        assert 1 <= units(draft.body) <= 1024
        assert 1 <= len(ids) <= 3
        assert all(units(title) <= 20 for title in titles)
        assert all(units(choice) <= 256 for choice in ids)
    else:
        assert 1 <= units(draft.body) <= 4096
        assert 1 <= len(ids) <= 10
        assert 1 <= units(draft.button) <= 20
        assert all(units(title) <= 24 for title in titles)
        assert all(units(choice) <= 200 for choice in ids)


def drafts_of(response):
    """Return the drafts of a response, each held against the limits."""
    drafts = to_utterance(response).drafts
    for draft in drafts:
        assert_lawful(draft)
    return drafts


def buttons(*titles, payload="/p{}"):
    """Return Rasa buttons with these titles, and payloads by their position."""
    return [{"title": title, "payload": payload.format(number)} for number, title in enumerate(titles, start=1)]


def shown(draft):
    """Return a draft short: its body, and its kind with what can be tapped."""
    if isinstance(draft, Text):
        return draft.body
    kind = "buttons" if isinstance(draft, Buttons) else "list"
    return draft.body, kind, [(option.title, option.payload) for option in draft.options]


@pytest.mark.parametrize(
    ("response", "expected"),
    [
        pytest.param({"text": "Hello"}, ["Hello"], id="text"),
        pytest.param({"text": "  Hello\n"}, ["Hello"], id="text with blanks around"),
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
            [("Sure?\n1. " + "x" * 25 + "\n2. No", "list", [("1", "/p1"), ("2", "/p2")])],
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
            [("Which?\n1. Same\n2. Same", "list", [("1", "/p1"), ("2", "/p2")])],
            id="the same title twice",
        ),
        pytest.param(
            {"text": "Which?", "buttons": buttons("A", "B", payload="/same")},
            [("Which?", "buttons", [("A", "/same"), ("B", "/same")])],
            id="the same payload twice",
        ),
        pytest.param(
            {"text": "Which?", "buttons": [{"title": "A"}, {"title": "B", "payload": ""}]},
            [("Which?", "buttons", [("A", "A"), ("B", "B")])],
            id="no payload",
        ),
        pytest.param(
            {"text": "Which?", "buttons": buttons("A", payload="/inform" + "x" * 5000)},
            [("Which?", "buttons", [("A", "/inform" + "x" * 5000)])],
            id="a payload of 5000",
        ),
        pytest.param(
            {"text": "See", "buttons": [{"title": "Shop", "type": "web_url", "url": "https://shop.example"}]},
            ["See\nShop: https://shop.example"],
            id="a web address",
        ),
        pytest.param(
            {"text": "See", "buttons": [{"title": "Shop", "url": "https://s.example"}, *buttons("No")]},
            [("See\nShop: https://s.example", "buttons", [("No", "/p1")])],
            id="a web address and a button",
        ),
        pytest.param(
            {"buttons": [{"title": "Shop", "url": "https://s.example"}]},
            ["Shop: https://s.example"],
            id="only an address",
        ),
        pytest.param(
            {"text": "Look", "image": "https://s.example/a.png"}, ["Look", "https://s.example/a.png"], id="an image"
        ),
        pytest.param(
            {"text": "Look", "attachment": "https://s.example/a.pdf"},
            ["Look", "https://s.example/a.pdf"],
            id="an attachment",
        ),
        pytest.param(
            {
                "text": "Ours:",
                "elements": [
                    {
                        "title": "Bag",
                        "subtitle": "red",
                        "image_url": "https://s.example/b.png",
                        "buttons": buttons("Buy"),
                    },
                    {"title": "Hat"},
                ],
            },
            ["Ours:", ("Bag\nred\nhttps://s.example/b.png", "buttons", [("Buy", "/p1")]), "Hat"],
            id="elements",
        ),
        pytest.param(
            {"text": "x", "buttons": [], "elements": [], "custom": {}, "image": None, "quick_replies": None},
            ["x"],
            id="empty keys as Rasa sends them",
        ),
        pytest.param({"text": "x", "id": "1", "utter_action": "utter_x"}, ["x"], id="keys of Rasa's own"),
    ],
)
def test_responses(response, expected):
    """Each kind of response is said in full, within the limits."""
    assert [shown(draft) for draft in drafts_of(response)] == expected


def test_a_list_of_more_than_ten():
    """Eleven choices are two lists; a longer one three."""
    titles = [f"Choice {number}" for number in range(1, 24)]
    drafts = drafts_of({"text": "Which?", "buttons": buttons(*titles)})
    assert [len(draft.options) for draft in drafts] == [10, 10, 3]
    assert [draft.body for draft in drafts] == ["Which?", "…", "…"]
    assert [option.title for draft in drafts for option in draft.options] == titles


def test_numbers_go_on_over_lists():
    """Long titles of many choices are numbered through."""
    titles = [f"A choice with a rather long title {number}" for number in range(1, 13)]
    drafts = drafts_of({"text": "Which?", "buttons": buttons(*titles)})
    assert [option.title for draft in drafts for option in draft.options] == [str(number) for number in range(1, 13)]
    assert "12. A choice with a rather long title 12" in drafts[0].body


@pytest.mark.parametrize(
    ("length", "choices", "parts"),
    [
        (4096, 0, [4096]),
        (4097, 0, [4096, 1]),
        (1024, 2, [1024]),
        (1025, 2, [1024, 1]),
        (4096, 2, [1024, 1024, 1024, 1024]),
        (4096, 4, [4096]),
        (4097, 4, [4096, 1]),
    ],
)
def test_long_texts(length, choices, parts):
    """What is too long is split; what can be tapped stands under the end."""
    drafts = drafts_of({"text": "x" * length, "buttons": buttons(*"ABCD"[:choices])})
    assert [len(draft.body) for draft in drafts] == parts
    assert isinstance(drafts[-1], (Text, Buttons, ListMenu)[0 if not choices else 1 if choices < 4 else 2])


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
    """The dict belongs to the caller."""
    response = {"text": " x ", "buttons": buttons("Yes"), "custom": {"template": {"name": "t"}}}
    copy = {"text": " x ", "buttons": buttons("Yes"), "custom": {"template": {"name": "t"}}}
    to_utterance(response)
    assert response == copy


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


@pytest.mark.parametrize(
    ("response", "problem"),
    [
        ({}, "neither text nor a template"),
        ({"text": None}, "neither text nor a template"),
        ({"text": " \n"}, "neither text nor a template"),
        ({"text": 7}, "text is not a text"),
        ({"text": ["x"]}, "text is not a text"),
        ({"buttons": buttons("Yes")}, "buttons without text"),
        ({"text": "x", "buttons": "Yes"}, "buttons is not a list"),
        ({"text": "x", "buttons": ["Yes"]}, "buttons is not a list"),
        ({"text": "x", "buttons": [{"title": "A"}, {"payload": "/a"}]}, "buttons: number 2 has no title"),
        ({"text": "x", "buttons": [{"title": "  "}]}, "buttons: number 1 has no title"),
        ({"text": "x", "elements": {"title": "A"}}, "elements is not a list"),
        ({"text": "x", "elements": [{"buttons": buttons("A")}]}, "buttons without text"),
        ({"text": "x", "custom": "template"}, "custom is not a mapping"),
        ({"text": "x", "custom": {"templat": {}}}, "custom.templat is not known"),
        ({"text": "x", "custom": {"template": "t"}}, "custom.template needs a name"),
        ({"text": "x", "custom": {"template": {}}}, "custom.template needs a name"),
        ({"text": "x", "custom": {"template": {"name": 5}}}, "custom.template needs a name"),
        ({"text": "x", "custom": {"template": {"name": "t", "params": {}}}}, "custom.template.params is not known"),
        (
            {"text": "x", "custom": {"template": {"name": "t", "parameters": ["a"]}}},
            "custom.template.parameters must be",
        ),
        ({"text": "x", "custom": {"template": {"name": "t", "payloads": "/a"}}}, "custom.template.payloads a list"),
        ({"text": "x", "custom": {"consent": "opt_in"}}, "custom.consent needs either"),
        ({"text": "x", "custom": {"consent": {}}}, "custom.consent needs either"),
        ({"text": "x", "custom": {"consent": {"opt_in": "all", "opt_out": "all"}}}, "custom.consent needs either"),
        ({"text": "x", "custom": {"consent": {"opt_in": "everything"}}}, "custom.consent.opt_in is 'everything'"),
        ({"text": "x", "custom": {"consent": {"opt_in": None}}}, "custom.consent.opt_in is None"),
        ({"text": "x", "custom": {"list_button": "x" * 21}}, "custom.list_button must have 1 to 20"),
        ({"text": "x", "custom": {"list_button": ""}}, "custom.list_button must have 1 to 20"),
        ({"text": "x", "custom": {"list_button": 3}}, "custom.list_button must have 1 to 20"),
    ],
)
def test_impossible_responses(response, problem):
    """What WhatsApp cannot take is refused with the key that is wrong."""
    with pytest.raises(DraftImpossible) as refused:
        to_utterance(response)
    assert problem in str(refused.value)


def test_list_button():
    """A response may name the button of its list."""
    response = {"text": "Which?", "buttons": buttons("A", "B", "C", "D"), "custom": {"list_button": "Auswählen"}}
    (menu,) = to_utterance(response).drafts
    assert menu.button == "Auswählen"


_WORDS = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
_BUTTON = st.fixed_dictionaries(
    {"title": _WORDS.filter(lambda word: word.strip())}, optional={"payload": st.text(max_size=300)}
)


@settings(max_examples=150, deadline=None)
@given(st.text(min_size=1, max_size=3000).filter(lambda text: text.strip()), st.lists(_BUTTON, max_size=25))
def test_any_menu_is_lawful_and_whole(text, choices):
    """Whatever a designer writes, each part is within the limits and every choice is there with its meaning."""
    drafts = drafts_of({"text": text, "buttons": choices})
    offered = [option.payload for draft in drafts if not isinstance(draft, Text) for option in draft.options]
    assert offered == [str(choice.get("payload") or choice["title"].strip()) for choice in choices]


@pytest.mark.parametrize("key", ["attachment", "image"])
def test_what_is_no_address_is_never_sent_as_python(key):
    """Rasa's attachment may be a mapping: its address is sent or it is refused."""
    response = {"text": "x", key: {"type": "video", "payload": {"src": "https://shop.example/v"}}}
    try:
        drafts = drafts_of(response)
    except DraftImpossible:
        return
    assert [draft for draft in drafts if "{" in draft.body] == []
