"""Turns growing log files into prefixed lines on a terminal, coloured only there.

Law: reads what others write, holds nothing up, and prints each line once. What it leaves out is in the files.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import click

COLOURS = ("cyan", "yellow", "magenta", "blue")
ESCAPES = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
# Rasa 3.6's own libraries, some 10 lines at each start; Sanic 21 overrides every other way to silence them.
LIBRARY_NOISE = re.compile(r"\S*/site-packages/\S+:[0-9]+: \w*DeprecationWarning: ")
NOISE_LINES = 3
CLEAR_LINE = "\x1b[2K\r"


class LogFollower:
    """Prints what several processes have newly logged."""

    def __init__(self, write: Callable[[str], None], *, coloured: bool) -> None:
        """Follow nothing yet. `coloured` means a terminal; what is written there need not end with a line end."""
        self._write = write
        self._coloured = coloured
        self._logs: dict[str, Path] = {}
        self._read: dict[str, int] = {}
        self._prefixes: dict[str, str] = {}

    def follow(self, logs: Mapping[str, Path]) -> None:
        """Follow these logs from their start, also one that does not exist yet."""
        self._logs = dict(logs)
        self._read = dict.fromkeys(logs, 0)
        self._prefixes = {name: self._prefix(name, at) for at, name in enumerate(logs)}

    def pump(self) -> None:
        """Print the complete lines that have come since the last call, and on a terminal the progress bar that runs."""
        for name in self._logs:
            fresh = self._fresh(name)
            end = fresh.rfind(b"\n") + 1
            self._read[name] += end
            for line in without_noise(fresh[:end].decode("utf-8", "replace").split("\n")[:-1]):
                self._write(self._prefixes[name] + readable(line, coloured=self._coloured) + "\n")
            if self._coloured and b"\r" in fresh[end:]:
                self._show_progress(fresh[end:].decode("utf-8", "replace"))

    def _fresh(self, name: str) -> bytes:
        try:
            with self._logs[name].open("rb") as log:
                log.seek(self._read[name])
                return log.read()
        except FileNotFoundError:
            return b""

    def _show_progress(self, bar: str) -> None:
        width = shutil.get_terminal_size().columns - 1
        self._write(CLEAR_LINE + last_state(bar)[:width] + "\r")

    def _prefix(self, name: str, at: int) -> str:
        prefix = f"{name:<{max(map(len, self._logs))}} | "
        return CLEAR_LINE + click.style(prefix, fg=COLOURS[at % len(COLOURS)]) if self._coloured else prefix


def without_noise(lines: Iterable[str]) -> Iterator[str]:
    """Leave out the deprecation warnings of libraries: the warning, and up to the indented line of source that it quotes."""
    rest_of_noise = 0
    for line in lines:
        if LIBRARY_NOISE.match(line):
            rest_of_noise = NOISE_LINES
        elif rest_of_noise:
            rest_of_noise = 0 if line.startswith("  ") else rest_of_noise - 1
        else:
            yield line


def readable(line: str, *, coloured: bool) -> str:
    """Return a log line as a person reads it: Rasa's JSON lines as text, of a progress bar the end, colours if they show."""
    line = last_state(line)
    if line.startswith("{"):
        line = _from_json(line)
    return line if coloured else ESCAPES.sub("", line)


def last_state(line: str) -> str:
    """Return what a terminal shows in the end of a line that was overwritten again and again."""
    return line.rstrip("\r").rpartition("\r")[2]


def _from_json(line: str) -> str:
    # structlog, as Rasa 3.6 configures it for an output that is no terminal
    try:
        entry = json.loads(line)
    except ValueError:
        return line
    if not isinstance(entry, dict) or "event" not in entry:
        return line
    level = str(entry.pop("level", "")).upper()
    event = entry.pop("event")
    said = entry.pop("event_info", event)
    details = " ".join(f"{key}={value}" for key, value in entry.items() if key != "timestamp")
    return " ".join(part for part in (level, str(said), details) if part)


def banner(lines: Sequence[str], *, coloured: bool) -> str:
    """Return the lines that tell where things are, in a box."""
    width = max(map(len, lines))
    rows = [f"|  {line:<{width}}  |" for line in lines]
    edge = "+" + "-" * (width + 4) + "+"
    box = "\n".join(("", edge, *rows, edge, ""))
    return click.style(box, fg="green", bold=True) if coloured else box
