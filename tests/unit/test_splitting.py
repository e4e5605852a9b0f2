"""Long texts are split where a reader would: nothing is lost but blanks, nothing is cut that fits."""

from __future__ import annotations

import pytest
import regex
from hypothesis import given, settings
from hypothesis import strategies as st

from rasa_whatsapp.cloud.splitting import split_text

FAMILY = "👨‍👩‍👧‍👦"  # one grapheme of 11 UTF-16 units


@pytest.mark.parametrize(
    ("text", "limit", "parts"),
    [
        pytest.param("", 10, [], id="nothing"),
        pytest.param("  \n ", 10, [], id="blanks only"),
        pytest.param("exactly 10", 10, ["exactly 10"], id="as long as allowed"),
        pytest.param("  around  ", 10, ["around"], id="blanks around"),
        pytest.param("one two three", 8, ["one two", "three"], id="at a word"),
        pytest.param("aaaaa bbbb. cccc dd", 16, ["aaaaa bbbb.", "cccc dd"], id="a sentence before a word"),
        pytest.param("aaaa. bbbb\ncccc dd", 16, ["aaaa. bbbb", "cccc dd"], id="a line before a sentence"),
        pytest.param("aaaa bbb\n\ncccc\ndddd", 16, ["aaaa bbb", "cccc\ndddd"], id="a paragraph before a line"),
        pytest.param(
            "a\n\nbbbb bbbb bbbb bbbb", 16, ["a\n\nbbbb bbbb", "bbbb bbbb"], id="not for an almost empty part"
        ),
        pytest.param("abcdefghijkl", 5, ["abcde", "fghij", "kl"], id="no blank at all"),
        pytest.param("🙂🙂🙂", 4, ["🙂🙂", "🙂"], id="two units each"),
        pytest.param("🙂🙂🙂", 5, ["🙂🙂", "🙂"], id="not half an emoji"),
        pytest.param("ab" + FAMILY, 12, ["ab", FAMILY], id="not half a family"),
        pytest.param("abcd e\u0301f", 6, ["abcd", "e\u0301f"], id="not between letter and accent"),
        pytest.param(
            "see https://shop.example/a", 23, ["see", "https://shop.example/a"], id="a link that fits stays whole"
        ),
        pytest.param(
            "见https://shop.example/a", 22, ["见", "https://shop.example/a"], id="a link without a blank before it"
        ),
        pytest.param("https://shop.example/abc", 20, ["https://shop.example", "/abc"], id="a link too long for a part"),
        pytest.param("一二三。四五六七", 6, ["一二三。", "四五六七"], id="a sentence without blanks"),
        pytest.param("a https://s.e/一。b c", 16, ["a", "https://s.e/一。b", "c"], id="a full stop in a link"),
    ],
)
def test_cuts(text, limit, parts):
    """The best border in reach is taken."""
    assert split_text(text, limit) == parts


def units(text):
    """Count UTF-16 units, apart from the code under test."""
    return sum(2 if ord(character) > 0xFFFF else 1 for character in text)


_WORDS = st.text(st.sampled_from("abcä.!?-🙂👍🏽ß語" + "\u200d"), min_size=1, max_size=30) | st.sampled_from(
    [FAMILY, "🇩🇪🇦🇹", "https://shop.example/orders/1002?x=1", "ne\u0301e", "1.", "👍🏽"]
)
_TEXTS = st.lists(st.tuples(_WORDS, st.sampled_from([" ", "  ", "\n", "\n\n", " \n", "\t", "\xa0"])), max_size=30).map(
    lambda pairs: "".join(word + gap for word, gap in pairs)
)


@settings(max_examples=300, deadline=None)
@given(_TEXTS, st.integers(24, 80))
def test_laws(text, limit):
    """Each part fits and has something to read in it, and together they are the text, in order, without blanks at the cuts."""
    parts = split_text(text, limit)
    assert all(units(part) <= limit and part.strip() for part in parts)
    assert "".join("".join(parts).split()) == "".join(text.split())
    position = 0
    for part in parts:
        found = text.index(part, position)
        assert text[position:found].strip() == ""
        position = found + len(part)


@settings(max_examples=300, deadline=None)
@given(_TEXTS, st.integers(40, 80))
def test_no_word_that_fits_is_cut(text, limit):
    """A word or link that would fit into one part stands whole in one."""
    parts = split_text(text, limit)
    words = [word for word in text.split() if units(word) <= limit]
    for word in words:
        assert any(word in part for part in parts)


@settings(max_examples=300, deadline=None)
@given(st.text(st.sampled_from("ab。🙂👍🏽🇩🇪é\u0301\u200d👩👧"), min_size=1, max_size=80), st.integers(24, 40))
def test_no_grapheme_that_fits_is_cut(text, limit):
    """A text without blanks is cut between graphemes only, while they fit."""
    graphemes = regex.findall(r"\X", text)
    parts = split_text(text, limit)
    assert "".join(parts) == text
    if all(units(grapheme) <= limit for grapheme in graphemes):
        ends = {sum(map(len, graphemes[:count])) for count in range(len(graphemes) + 1)}
        assert {sum(map(len, parts[:count])) for count in range(len(parts) + 1)} <= ends


_LINK = st.from_regex(r"https://shop\.example/[a-z0-9/?=&.-]{0,15}[a-z0-9]", fullmatch=True)
_SCRIPT = st.text(st.sampled_from("见详情。！语"), max_size=40)


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.tuples(_SCRIPT, _LINK, st.sampled_from([" ", "\n", "\n\n"])), min_size=1, max_size=6),
    st.integers(40, 80),
)
def test_no_link_that_fits_is_cut(pieces, limit):
    """Also in a script without blanks a link stands whole in one part."""
    parts = split_text("".join("".join(piece) for piece in pieces), limit)
    position = 0
    for _, address, _ in pieces:
        position = next(index for index in range(position, len(parts)) if address in parts[index])
    assert all(units(part) <= limit for part in parts)


def test_a_grapheme_longer_than_a_part_is_still_sent():
    """A letter under a hundred accents goes out in pieces; nothing is lost, nothing loops."""
    text = "e" + "\u0301" * 100
    parts = split_text(text, 24)
    assert "".join(parts) == text
    assert max(map(units, parts)) <= 24


def test_a_very_long_text():
    """A megabyte is split in reasonable time."""
    parts = split_text("word and more. " * 70_000, 4096)
    assert len(parts) > 250
    assert "".join("".join(parts).split()) == "wordandmore." * 70_000
