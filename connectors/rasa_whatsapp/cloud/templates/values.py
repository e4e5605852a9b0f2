"""Single values of a template: what Meta would refuse of one is noted by its place in `custom.template`, before it is sent.

https://developers.facebook.com/documentation/business-messaging/whatsapp/messages/template-messages
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from rasa_whatsapp.cloud import limits
from rasa_whatsapp.cloud.scalars import Shape

# In a parameter no line break, tab or more than four blanks in a row (fact sheet 6.1); the rarer breaks are taken for such.
_BREAKS = re.compile(r"[\t\n\v\f\r\x85\u2028\u2029]+")
_RUN = re.compile(r" {5,}")
# Rasa leaves `{slot}` as it is if there is no such slot, and writes None for an empty one.
_SLOT = re.compile(r"\{([^{}\n]+)\}")
_WHOLE_SLOT = re.compile(r"\{[^\W\d]\w*\}")
_UNFILLED_COMMAND = re.compile(r"\{\{[^{}]*\{(\w+)\}")  # a filled one has single braces
_EMPTY = "None"
_WHOLE = re.compile(r"-?[0-9]{1,15}")
_PARAMETER = re.compile(r"(?:(cards\[\d+\])\.)?parameters\.(\w+)")


@dataclass(frozen=True, slots=True)
class Misfit:
    """One thing by which a response does not fit its template; `path` leads to it from `custom.template`, the text says it all."""

    path: str
    text: str


class ValueReader:
    """Makes values lawful and collects what cannot be made so.

    With `slots_pending` the values are those of a domain: a text with a `{slot}` in it passes for a right one.
    """

    def __init__(self, *, slots_pending: bool = False) -> None:
        self.misfits: list[Misfit] = []
        self._slots_pending = slots_pending

    def note(self, path: str, text: str) -> None:
        """Keep a misfit."""
        self.misfits.append(Misfit(path, text))

    def text(self, value: str | None, path: str, most: int | None = None) -> str:
        """Return a text without what Meta refuses in one; nothing and an unfilled slot are noted."""
        text = lawful((value or "").strip())
        slot = _SLOT.search(text)
        if slot and not self._slots_pending:
            self.note(path, f"{_called(path)} has no value: slot {slot[1]!r} is not filled")
        elif not slot:
            self._check(text, path, most)
        return text

    def payload(self, value: str, path: str) -> str:
        """Return what a tap brings back, as it is: a command has braces of its own."""
        unfilled = _UNFILLED_COMMAND.search(value)
        if unfilled and not self._slots_pending:
            self.note(path, f"{path} has no value: slot {unfilled[1]!r} is not filled")
        elif not (self._slots_pending and _SLOT.search(value)):
            self._check(value.strip(), path, limits.QUICK_REPLY_PAYLOAD)
        return value

    def data(self, value: Any, path: str) -> None:
        """Look for slots that are not filled in what a form begins with; it is the designer's own otherwise."""
        if isinstance(value, Mapping):
            for key, item in value.items():
                self.data(item, f"{path}.{key}")
        elif isinstance(value, list):
            for position, item in enumerate(value):
                self.data(item, f"{path}[{position}]")
        elif value == _EMPTY or (isinstance(value, str) and not self._slots_pending and _WHOLE_SLOT.fullmatch(value)):
            self.text(value, path)

    def shaped(self, value: str | None, path: str, shape: Shape) -> str:
        """Return a text of this shape, such as a link or a number."""
        text = self.text(value, path)
        for problem in shape(text, path) if _is_filled(text) else ():
            self.note(path, str(problem))
        return text

    def integer(self, value: str | None, path: str) -> int:
        """Return a whole number."""
        text = self.text(value, path)
        if _is_filled(text) and not _WHOLE.fullmatch(text):
            self.note(path, f"{path} is no whole number")
        return int(text) if _WHOLE.fullmatch(text) else 0

    def milliseconds(self, value: str | None, path: str) -> int:
        """Return a moment such as `2026-12-24T18:00:00+01:00` as Meta counts it: milliseconds since 1970 in UTC."""
        text = self.text(value, path)
        moment = _moment(text)
        if _is_filled(text) and moment is None:
            self.note(path, f"{path} is no moment with a time zone, such as 2026-12-24T18:00:00+01:00")
        return 0 if moment is None else int(moment.timestamp() * 1000)

    def whole(self, text: str, path: str, what: str, most: int) -> None:
        """Note a text that is too long now that its variables are filled."""
        if limits.length(text) > most and not (self._slots_pending and _SLOT.search(text)):
            self.note(
                path,
                f"its {what} has {limits.length(text)} characters once filled; Meta allows {most}. Shorten a parameter",
            )

    def _check(self, text: str, path: str, most: int | None) -> None:
        if text == "":
            self.note(path, f"{_called(path)} has no value: give it a text, or a slot that is filled")
        elif text == _EMPTY:
            self.note(path, f"{_called(path)} has no value: its slot is empty")
        elif most is not None and limits.length(text) > most:
            self.note(path, f"{_called(path)} has {limits.length(text)} characters; Meta allows {most}")


def lawful(value: str) -> str:
    """Return the value without what Meta refuses inside a parameter: line breaks, tabs, more than four blanks in a row."""
    return _RUN.sub(" ", _BREAKS.sub(" ", value))


def _is_filled(text: str) -> bool:
    return text not in ("", _EMPTY) and not _SLOT.search(text)


def _moment(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(re.sub("[zZ]$", "+00:00", text))
    except ValueError:
        return None
    return moment if moment.tzinfo else None


def _called(path: str) -> str:
    found = _PARAMETER.fullmatch(path)
    if not found:
        return path
    return f"parameter {found[2]!r} of {found[1]}" if found[1] else f"parameter {found[2]!r}"
