"""Two texts as one message."""

from __future__ import annotations

import pytest

from rasa_whatsapp.cloud.joined_texts import is_plain, joined


def text(body, **more):
    """Return a text message."""
    return {"type": "text", "text": {"body": body, **more}}


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (text("Hi"), True),
        (text("https://shop.example", preview_url=True), False),
        (text("Hi") | {"context": {"message_id": "wamid.A"}}, False),
        ({"type": "image", "image": {"link": "https://shop.example/a.png", "caption": "Hi"}}, False),
        ({"type": "interactive", "interactive": {"type": "button", "body": {"text": "Hi"}}}, False),
        ({"type": "reaction", "reaction": {"message_id": "wamid.A", "emoji": "x"}}, False),
        (None, False),
    ],
    ids=["a text", "with a preview", "that quotes", "a picture", "with buttons", "a reaction", "only a template"],
)
def test_what_is_nothing_but_a_text(content, expected):
    """Only that is joined."""
    assert is_plain(content) is expected


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ("Hi.", "How are you?", "Hi.\n\nHow are you?"),
        ("a\nb", "- c\n- d", "a\nb\n\n- c\n- d"),
        ("a" * 4000, "b" * 94, "a" * 4000 + "\n\n" + "b" * 94),
        ("a" * 4000, "b" * 95, None),
        ("\U0001f600" * 2000, "b" * 94, "\U0001f600" * 2000 + "\n\n" + "b" * 94),
        ("\U0001f600" * 2000, "b" * 95, None),
    ],
    ids=["two sentences", "several lines", "4096 characters", "one more", "4096 UTF-16 units", "one unit more"],
)
def test_one_message_for_two(first, second, expected):
    """A blank line is between them; what is too long stays apart."""
    assert joined(text(first), text(second)) == (None if expected is None else text(expected))
