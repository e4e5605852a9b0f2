"""JSON from the wire becomes values that every store takes, and the readers refuse what is none of their kind."""

from __future__ import annotations

import time
from datetime import datetime, timezone

import pytest

from rasa_whatsapp.cloud.wire import (
    MalformedField,
    as_objects,
    is_deep,
    optional_id,
    read_json,
    required_moment,
    required_number,
)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (b'{"a":[1,-2.5,"x",true,null]}', {"a": [1, -2.5, "x", True, None]}),
        (b'\xef\xbb\xbf{"a":1}', {"a": 1}),
        (rb'"caf\u00e9 \/ \ud83d\udc4d"', "café / 👍"),
        ('"café 👍"'.encode(), "café 👍"),
        (rb'["a\ud83dz","\udc4d","\ud83d\ud83d\udc4d"]', ["a�z", "�", "�👍"]),
        (rb'{"k\u0000":{"\ud83d":"a\u0000b"}}', {"k": {"�": "ab"}}),
        (rb'"\\u0000 \\ud83d"', r"\u0000 \ud83d"),
        (b'"a\xffz"', "a�z"),
        (b'"\xed\xa0\xbd"', "���"),
        (b"[1e999,-1e999,NaN,Infinity,-Infinity]", [None, None, None, None, None]),
        (b"[" + b"9" * 301 + b"," + b"9" * 5000 + b"]", [None, None]),
        (b"9" * 300, 10**300 - 1),
    ],
    ids=[
        "each kind",
        "byte order mark",
        "escapes",
        "no escapes",
        "half pairs",
        "NUL and half pairs in keys and depths",
        "escaped backslashes",
        "a byte of no UTF-8",
        "half a pair in UTF-8",
        "no numbers",
        "integers that no double holds",
        "the longest integer",
    ],
)
def test_json(text, value):
    """JSON is read as it is, but for what no store takes."""
    assert read_json(text) == value


@pytest.mark.parametrize(
    "text",
    ["", "{", "[1,]", '"a\x00b"', '"a', "[" * 2000, "[" * 2000 + "]" * 1999, "]" * 70, '{"a":' * 2000 + '"\\"' * 2000],
    ids=[
        "nothing",
        "cut",
        "a comma",
        "a bare NUL",
        "half a text",
        "deep",
        "nearly closed",
        "only closed",
        "deep quotes",
    ],
)
def test_no_json(text):
    """What is not JSON is refused, also when it is deep."""
    with pytest.raises(ValueError, match=r"."):
        read_json(text)


def test_an_endless_text_takes_no_endless_time():
    """A text that never ends is looked through once, not once from each of its 100,000 escaped quotes."""
    started = time.perf_counter()
    with pytest.raises(ValueError, match=r"."):
        read_json("[" * 2000 + '"' + r"\"" * 100_000)
    assert time.perf_counter() - started < 5


@pytest.mark.parametrize("depth", [65, 66, 500, 5000])
def test_too_deep(depth):
    """A list on the 65th level gives way to a text, and what stands beside it is not touched."""
    text = '["[{", ' + "[" * (depth - 2) + '["]}"]' + "]" * (depth - 2) + ', {"a": "}"}]'
    value = read_json(text)
    assert (value[0], value[2]) == ("[{", {"a": "}"})
    levels = 0
    while isinstance(value[1], list):
        value, levels = [None, value[1][0]], levels + 1
    assert (levels, value[1]) == (63, "(nested too deeply)")


def test_just_deep_enough():
    """64 levels are kept."""
    value = read_json("[" * 64 + "]" * 64)
    assert (is_deep(value, 64), is_deep(value, 63)) == (False, True)


@pytest.mark.parametrize(
    ("value", "number"),
    [(1, 1), (1.5, 1.5), (-90, -90), (90, 90), ("1", 1), ("1.50", 1.5), ("-0.5", -0.5), ("007", 7)],
)
def test_numbers(value, number):
    """A number may come as a text."""
    found = required_number({"n": value}, "n", least=-90, most=90)
    assert (found, type(found)) == (number, type(number))


@pytest.mark.parametrize(
    "value",
    [None, True, False, [], {}, "", " 1", "1 ", "1_0", "١", "+1", ".5", "1.", "1e1", "0x1", "nan", "inf", "NaN", 90.1, -91, "91", float("nan"), float("inf"), "9" * 21, "9" * 10_000],
)  # fmt: skip
def test_no_numbers(value):
    """What is not written as JSON writes a number, or is out of range, is none."""
    with pytest.raises(MalformedField, match=r"^n is missing or not a number from -90 to 90$"):
        required_number({"n": value}, "n", least=-90, most=90)


@pytest.mark.parametrize(
    ("value", "identifier"),
    [("a", "a"), (7, "7"), (0, "0"), ("", None), (True, None), (1.5, None), (None, None), ([], None)],
)
def test_identifiers(value, identifier):
    """An identifier may come as a number."""
    assert optional_id({"id": value}, "id") == identifier


@pytest.mark.parametrize("value", [None, {}, [], "x", [{}, 1], [None]])
def test_no_lists_of_objects(value):
    """A list of objects holds at least one, and nothing else."""
    with pytest.raises(MalformedField, match=r"^cards is not a list of objects$"):
        as_objects(value, "cards")


@pytest.mark.parametrize(
    "value", ["-1", "1_0", " 1", "١٧٩٥٣٤١٦٠٠", "1e9", "1795341600.0", -1, 1795341600.5, 10**12, 10**300, "999999999999"]
)
def test_no_moments(value):
    """Unix seconds are up to twelve digits, within the years that a calendar has."""
    with pytest.raises(MalformedField, match=r"^at is "):
        required_moment({"at": value}, "at")


def test_the_last_moment():
    """The calendar ends with the year 9999."""
    assert required_moment({"at": "253402300799"}, "at") == datetime(9999, 12, 31, 23, 59, 59, tzinfo=timezone.utc)
