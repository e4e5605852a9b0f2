"""Stored values as lines on a terminal: moments in UTC, message ids without their head, nothing that steers the terminal."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import click

# Control characters, marks that turn the direction of writing, and halves of surrogate pairs, which UTF-8 cannot say.
_STEERING = re.compile("[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
_TAIL = 24


def moment(at: datetime) -> str:
    """Return a moment in UTC, whole seconds."""
    return f"{at:%Y-%m-%d %H:%M:%S} UTC"


def line(text: str) -> str:
    """Return a text on one line, with escapes for what is not printable."""
    return _STEERING.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def plain_json(value: Any, *, indent: int | None = None) -> str:
    """Return a value as JSON that can be read and printed."""
    text = json.dumps(value, ensure_ascii=False, indent=indent)
    return "\n".join(line(part) for part in text.split("\n"))


def tail(message_id: str) -> str:
    """Return the end of a message id: the head of a wamid holds the customer's number."""
    return message_id if len(message_id) <= _TAIL else f"…{message_id[-_TAIL:]}"


def fields(row: Mapping[str, Any]) -> None:
    """Print one line for each field of a row."""
    width = max(map(len, row))
    for name, value in row.items():
        click.echo(f"{name:<{width}}  {_plain(value)}")


def table(rows: Sequence[Sequence[str]]) -> list[str]:
    """Return rows as lines with their columns one below the other."""
    plain = [[line(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*plain, strict=True)]
    return ["  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip() for row in plain]


def listed(names: Iterable[object]) -> str:
    """Return names for the end of an error's line."""
    return ", ".join(line(str(name)) for name in names)


def refuse_left(wanted: Sequence[Any], done: Sequence[Any], why: str) -> None:
    """End the command by naming what was wanted and is not done, if there is something."""
    left = sorted(set(wanted) - set(done))
    if left:
        raise click.ClickException(f"{why}: {listed(left)}")


def _plain(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return moment(value)
    return plain_json(value) if isinstance(value, (list, dict)) else line(str(value))


def counted(count: int, noun: str) -> str:
    """Return a number of things in words: `1 template`, `2 templates`."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
