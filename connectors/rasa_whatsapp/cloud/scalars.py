"""The shapes of single values: texts, links, numbers, words; each names what is wrong with a value that does not fit.

A problem names the field, the kind or length of what is there, and the limit; never the value itself.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

import regex

from rasa_whatsapp.cloud import limits


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong: where (`interactive.action.buttons[3]`), and what, as the rest of a sentence."""

    path: str
    text: str

    def __str__(self) -> str:
        return f"{self.path or 'the message'} {self.text}"


Shape = Callable[[Any, str], Iterator[Problem]]

_AUTHORITY = regex.compile(r"(?i)https?://([^/?#\s]*)[^\s]*")
_HOST = regex.compile(r"(?:[\w-]+(?:\.[\w-]+)*\.?|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?")
NEAR = 0.8  # how alike two words must be for one to be a misspelling of the other


def join(path: str, key: str) -> str:
    """Return the path of a field of the object at `path`."""
    return f"{path}.{key}" if path else key


_EMOJI = regex.compile(r"\p{Extended_Pictographic}|\p{Regional_Indicator}")


def text(most: int | None = None, *, edges: bool = False, line_breaks: int | None = None, emoji: bool = True) -> Shape:
    """Return the shape of a text that is not blank; `most` in UTF-16 units, with `edges` no blanks around it."""

    def check(value: Any, path: str) -> Iterator[Problem]:
        if not isinstance(value, str):
            yield not_a(value, path, "a text")
        elif not value.strip():
            yield Problem(path, "is empty")
        elif most is not None and limits.length(value) > most:
            yield Problem(path, f"has {limits.length(value)} characters, at most {most} are allowed")
        elif edges and value != value.strip():
            yield Problem(path, "begins or ends with a blank")
        elif line_breaks is not None and value.count("\n") > line_breaks:
            yield Problem(path, f"has {value.count(chr(10))} line breaks, at most {line_breaks} are allowed")
        elif not emoji and _EMOJI.search(value):
            yield Problem(path, "has an emoji, which is not allowed here")

    return check


def matching(pattern: str, form: str) -> Shape:
    """Return the shape of a text that fits the pattern; `form` says in words how it looks."""

    def check(value: Any, path: str) -> Iterator[Problem]:
        if not isinstance(value, str):
            yield not_a(value, path, "a text")
        elif not regex.fullmatch(pattern, value):
            yield Problem(path, f"is not {form}")

    return check


def link(value: Any, path: str) -> Iterator[Problem]:
    """Name what is wrong with a web address: http or https, a host, no credentials, no blanks."""
    if not isinstance(value, str):
        yield not_a(value, path, "a link")
        return
    found = _AUTHORITY.fullmatch(value)
    if not found:
        yield Problem(path, "is no link: it must begin with http:// or https:// and have no blanks")
    elif "@" in found[1]:
        yield Problem(path, "has a user name or password in it, which everybody could read")
    elif not _HOST.fullmatch(found[1]):
        yield Problem(path, "has no host after http:// or https://")


def number(low: float, high: float, *, whole: bool = False, or_text: bool = False) -> Shape:
    """Return the shape of a number within bounds; with `or_text` it may be written as a text."""

    def check(value: Any, path: str) -> Iterator[Problem]:
        figure: Any = _figure(value) if or_text and isinstance(value, str) else value
        is_whole = isinstance(figure, int) or (isinstance(figure, float) and figure.is_integer())
        is_number = isinstance(figure, int) or (isinstance(figure, float) and math.isfinite(figure))
        if isinstance(figure, bool) or not (is_whole if whole else is_number):
            yield not_a(value, path, "a whole number" if whole else "a number")
        elif not low <= figure <= high:
            yield Problem(path, f"is not between {low} and {high}")

    return check


def boolean(value: Any, path: str) -> Iterator[Problem]:
    """Take true and false."""
    if not isinstance(value, bool):
        yield not_a(value, path, "true or false")


def one_of(*words: str) -> Shape:
    """Return the shape of a text that is one of these words."""

    def check(value: Any, path: str) -> Iterator[Problem]:
        if str(value) in words and not isinstance(value, str):
            yield not_a(value, path, "a text")
        elif value not in words:
            yield Problem(path, f"is not {' or '.join(words)}{meant(value, words)}")

    return check


def not_a(value: Any, path: str, wanted: str) -> Problem:
    """Return the problem that a value is of another kind than wanted."""
    quotes = "; put it in quotes" if wanted == "a text" and isinstance(value, (int, float)) else ""
    return Problem(path, f"is {kind_of(value)}, not {wanted}{quotes}")


def kind_of(value: Any) -> str:
    """Return the kind of a value in words, never the value."""
    names = {
        bool: "true or false",
        int: "a number",
        float: "a number",
        str: "a text",
        list: "a list",
        type(None): "empty",
    }
    return "an object" if isinstance(value, Mapping) else names.get(type(value), f"a {type(value).__name__}")


def meant(value: Any, words: Sequence[str]) -> str:
    """Return the question whether another word was meant, or nothing."""
    near = get_close_matches(value, words, n=1, cutoff=NEAR) if isinstance(value, str) else []
    return f"; did you mean {near[0]}?" if near else ""


def _figure(value: str) -> float | None:
    try:
        figure = float(value)
    except ValueError:
        return None
    return figure if math.isfinite(figure) else None
