"""What Meta accepts and refuses of each outbound kind: tables of contents and codes."""

from __future__ import annotations

from typing import Any

import pytest

from rasa_whatsapp.simulator.kinds import READERS, SendContext, read_content
from rasa_whatsapp.simulator.refusals import Refused

CONTEXT = SendContext(
    sender="4930901820000",
    recipient="4915112345678",
    to_user_id=False,
    find_template=lambda name, language: None,
    find_media=lambda media_id: None,
)


def read(kind: str, content: Any) -> dict[str, Any]:
    """Read a content and return what the phone shows."""
    return read_content(kind, {kind: content}, CONTEXT).to_json()


def buttons(*replies: tuple[str, str], body: str = "Well?", **parts: Any) -> dict[str, Any]:
    """Return an interactive content with reply buttons of (id, title)."""
    listed = [{"type": "reply", "reply": {"id": key, "title": title}} for key, title in replies]
    return {"type": "button", "body": {"text": body}, "action": {"buttons": listed}, **parts}


def menu(*sections: dict[str, Any], button: str = "Choose", body: str = "Which?", **parts: Any) -> dict[str, Any]:
    """Return an interactive content with a list."""
    action = {"button": button, "sections": list(sections)}
    return {"type": "list", "body": {"text": body}, "action": action, **parts}


def rows(count: int, first: int = 0) -> list[dict[str, str]]:
    """Return plain list rows."""
    return [{"id": f"r{number}", "title": f"Row {number}"} for number in range(first, first + count)]


ONE_ROW = {"title": "All", "rows": [{"id": "a", "title": "A"}]}
YES = ("yes", "Yes")
GRINNING = "\U0001f600"  # two UTF-16 units

ACCEPTED = [
    pytest.param("text", {"body": "x"}, id="text of one character"),
    pytest.param("text", {"body": "x" * 4096, "preview_url": True}, id="text of 4096"),
    pytest.param("text", {"body": GRINNING * 2048}, id="text of 2048 emoji"),
    pytest.param("interactive", buttons(YES), id="one button"),
    pytest.param("interactive", buttons(("a", "A" * 20), ("b" * 256, "B"), ("c", "C")), id="buttons at their limits"),
    pytest.param("interactive", buttons(YES, body="x" * 1024), id="button body of 1024"),
    pytest.param(
        "interactive",
        buttons(YES, header={"type": "text", "text": "h" * 60}, footer={"text": "f" * 60}),
        id="header and footer of 60",
    ),
    pytest.param(
        "interactive",
        buttons(YES, header={"type": "image", "image": {"link": "https://shop.example/a.png"}}),
        id="button header with a picture",
    ),
    pytest.param("interactive", menu(ONE_ROW, body="x" * 4096), id="list body of 4096"),
    pytest.param("interactive", menu({"rows": rows(10)}), id="one section needs no title"),
    pytest.param(
        "interactive",
        menu(*[{"title": "s" * 24, "rows": rows(1, first=number)} for number in range(10)], button="b" * 20),
        id="ten sections",
    ),
    pytest.param(
        "interactive",
        menu({"rows": [{"id": "i" * 200, "title": "t" * 24, "description": "d" * 72}]}),
        id="row at its limits",
    ),
    pytest.param("image", {"link": "https://shop.example/a.png", "caption": "c" * 1024}, id="picture with caption"),
    pytest.param("location", {"latitude": 52.5, "longitude": "13.4"}, id="location"),
    pytest.param("contacts", [{"name": {"formatted_name": "Lea K", "first_name": "Lea"}}], id="contact card"),
    pytest.param(
        "contacts",
        [
            {
                "name": {"formatted_name": "Lea K", "first_name": "Lea"},
                "birthday": "1990-01-31",
                "phones": [{"phone": "1"}],
            }
        ],
        id="contact card with birthday and phone",
    ),
    pytest.param("reaction", {"message_id": "wamid.x", "emoji": ""}, id="reaction taken back"),
]

REFUSED = [
    pytest.param("text", {"body": "x" * 4097}, 100, id="text of 4097"),
    pytest.param("text", {"body": GRINNING * 2049}, 100, id="text of 2049 emoji"),
    pytest.param("text", {"body": ""}, 100, id="empty text"),
    pytest.param("text", {"body": "  \n"}, 100, id="blank text"),
    pytest.param("text", {}, 100, id="text without body"),
    pytest.param("text", {"body": 7}, 100, id="text that is a number"),
    pytest.param("text", "hello", 100, id="text that is no object"),
    pytest.param("text", {"body": "x", "preview_url": "yes"}, 100, id="preview that is no boolean"),
    pytest.param("interactive", buttons(), 131009, id="no button"),
    pytest.param("interactive", buttons(*[(str(i), str(i)) for i in range(4)]), 131009, id="four buttons"),
    pytest.param("interactive", buttons(("a", "x" * 21)), 131009, id="button title of 21"),
    pytest.param("interactive", buttons(("a", "x" * 19 + GRINNING)), 131009, id="button title of 19 and an emoji"),
    pytest.param("interactive", buttons(("a", "")), 131009, id="empty button title"),
    pytest.param("interactive", buttons(("x" * 257, "A")), 131009, id="button id of 257"),
    pytest.param("interactive", buttons(("", "A")), 131009, id="empty button id"),
    pytest.param("interactive", buttons(("a", "A"), ("a", "B")), 131009, id="button id twice"),
    pytest.param("interactive", buttons(("a", "A"), ("b", "A")), 131009, id="button title twice"),
    pytest.param("interactive", buttons(YES, body="x" * 1025), 131009, id="button body of 1025"),
    pytest.param("interactive", buttons(YES, body=""), 131009, id="empty body"),
    pytest.param("interactive", buttons(YES, footer={"text": "f" * 61}), 131009, id="footer of 61"),
    pytest.param("interactive", buttons(YES, header={"type": "text", "text": "h" * 61}), 131009, id="header of 61"),
    pytest.param("interactive", {"type": "button", "body": {"text": "x"}}, 100, id="no action"),
    pytest.param("interactive", {"type": "button", "action": {"buttons": []}}, 131009, id="no buttons and no body"),
    pytest.param("interactive", {"type": "poll"}, 100, id="interactive type unknown to Meta"),
    pytest.param("interactive", {"type": "order_details"}, 134011, id="payments"),
    pytest.param("interactive", menu(ONE_ROW, body="x" * 4097), 131009, id="list body of 4097"),
    pytest.param("interactive", menu(), 131009, id="no section"),
    pytest.param("interactive", menu({"title": "All", "rows": []}), 131009, id="no row"),
    pytest.param("interactive", menu({"rows": rows(11)}), 131009, id="eleven rows"),
    pytest.param(
        "interactive",
        menu({"title": "A", "rows": rows(6)}, {"title": "B", "rows": rows(5, first=6)}),
        131009,
        id="eleven rows in two sections",
    ),
    pytest.param("interactive", menu(ONE_ROW, {"rows": rows(1)}), 100, id="second section makes titles necessary"),
    pytest.param("interactive", menu({"title": "x" * 25, "rows": rows(1)}), 131009, id="section title of 25"),
    pytest.param("interactive", menu({"rows": [{"id": "a", "title": "x" * 25}]}), 131009, id="row title of 25"),
    pytest.param("interactive", menu({"rows": [{"id": "x" * 201, "title": "A"}]}), 131009, id="row id of 201"),
    pytest.param(
        "interactive",
        menu({"rows": [{"id": "a", "title": "A", "description": "x" * 73}]}),
        131009,
        id="row description of 73",
    ),
    pytest.param("interactive", menu({"rows": rows(1) + rows(1)}), 131009, id="row id twice"),
    pytest.param("interactive", menu(ONE_ROW, button="x" * 21), 131009, id="list button of 21"),
    pytest.param(
        "interactive",
        menu(ONE_ROW, header={"type": "image", "image": {"link": "https://shop.example/a.png"}}),
        131009,
        id="list header with a picture",
    ),
    pytest.param("image", {}, 100, id="picture without source"),
    pytest.param("image", {"id": "1", "link": "https://shop.example/a.png"}, 100, id="picture with two sources"),
    pytest.param("image", {"id": "1"}, 131009, id="unknown media id"),
    pytest.param("image", {"link": "ftp://shop.example/a.png"}, 131009, id="picture by ftp"),
    pytest.param("audio", {"link": "https://shop.example/a.ogg", "caption": "x"}, 100, id="audio with caption"),
    pytest.param("location", {"latitude": 91, "longitude": 0}, 131009, id="latitude of 91"),
    pytest.param("location", {"latitude": "north", "longitude": 0}, 100, id="latitude in words"),
    pytest.param("contacts", [], 100, id="no contact"),
    pytest.param("contacts", [{"name": {"formatted_name": "Lea"}}], 131009, id="contact with one name part"),
    pytest.param(
        "contacts",
        [{"name": {"formatted_name": "Lea K", "first_name": "Lea"}, "birthday": "31.1.1990"}],
        131009,
        id="birthday written otherwise",
    ),
    pytest.param(
        "contacts",
        [{"name": {"formatted_name": "Lea K", "first_name": "Lea"}, "phones": ["1"]}],
        100,
        id="phone that is no object",
    ),
    pytest.param("reaction", {"emoji": "x"}, 100, id="reaction to nothing"),
    pytest.param("reaction", {"message_id": " ", "emoji": "x"}, 131009, id="reaction to a blank id"),
]


@pytest.mark.parametrize(("kind", "content"), ACCEPTED)
def test_accepts_what_keeps_the_limits(kind: str, content: Any) -> None:
    """A content at its limits is accepted."""
    read(kind, content)


@pytest.mark.parametrize(("kind", "content", "code"), REFUSED)
def test_refuses_with_metas_code(kind: str, content: Any, code: int) -> None:
    """A content beyond a limit gets Meta's code."""
    with pytest.raises(Refused) as refused:
        read(kind, content)
    assert refused.value.code == code


def test_unknown_type_names_the_known_ones() -> None:
    """A type that Meta does not know gets code 100."""
    with pytest.raises(Refused) as refused:
        read("hologram", {})
    assert refused.value.code == 100


def test_content_missing_for_its_type() -> None:
    """A type without the object named like it gets 131008."""
    with pytest.raises(Refused) as refused:
        read_content("text", {"type": "text"}, CONTEXT)
    assert (refused.value.code, refused.value.details) == (131008, "Parameter 'text' is mandatory for type 'text'")


def test_phone_shows_buttons_and_list() -> None:
    """What can be tapped is shown with ids and titles."""
    shown = read("interactive", buttons(("/a", "Order state"), ("/b", "Remind me"), footer={"text": "Any time"}))
    assert shown == {
        "text": "Well?",
        "footer": "Any time",
        "buttons": [
            {"id": "/a", "title": "Order state", "kind": "reply"},
            {"id": "/b", "title": "Remind me", "kind": "reply"},
        ],
    }
    shown = read("interactive", menu({"title": "Open", "rows": [{"id": "o1", "title": "1002", "description": "late"}]}))
    assert shown["list"] == {
        "button": "Choose",
        "sections": [{"title": "Open", "rows": [{"id": "o1", "title": "1002", "description": "late"}]}],
    }


@pytest.mark.parametrize(
    ("location", "shown"),
    [
        pytest.param({"name": "Shop", "address": "Street 1"}, {"name": "Shop", "address": "Street 1"}, id="place"),
        pytest.param({"address": "Street 1"}, {}, id="address without a name is not shown"),
    ],
)
def test_phone_shows_a_place(location: dict[str, str], shown: dict[str, str]) -> None:
    """A location is a pin with the name and, below it, the address."""
    bubble = read("location", {"latitude": 52.5, "longitude": "13.4", **location})
    assert bubble["location"] == {"latitude": 52.5, "longitude": 13.4, **shown}


def test_every_kind_has_a_reader() -> None:
    """The kinds of the fact sheet's simple types, interactive and template are all read."""
    assert set(READERS) == {
        "text", "interactive", "template", "image", "video", "audio", "document", "sticker", "location", "contacts",
        "reaction",
    }  # fmt: skip
