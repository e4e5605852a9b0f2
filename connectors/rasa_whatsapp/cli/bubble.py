"""Draw a message's bubble on a terminal: framed, as wide as on a phone, WhatsApp's markup as the terminal's.

Widths are those of cells: an emoji or a Chinese character takes two, an accent none.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import click
import regex
from wcwidth import wcswidth

from rasa_whatsapp.cli import shown
from rasa_whatsapp.cloud.templates.bubble import Bubble, Button

WIDTH = 44
_LEAST_WIDTH = 16
_GRAPHEME = regex.compile(r"\X")
_MARKED = re.compile(r"```(?P<code>.+?)```|(?<!\w)(?P<mark>[*_~])(?=\S)(?P<text>[^\n]*?\S)(?P=mark)(?!\w)", re.DOTALL)
_STYLES = {"*": "bold", "_": "italic", "~": "strikethrough"}
_ICONS = {"QUICK_REPLY": "↩", "URL": "↗", "PHONE_NUMBER": "✆", "VOICE_CALL": "✆", "COPY_CODE": "⧉", "OTP": "⧉"}
_SEE_ALL = "≡ See all options"


@dataclass(frozen=True, slots=True)
class Style:
    """How a piece of text looks."""

    bold: bool = False
    italic: bool = False
    strikethrough: bool = False
    dim: bool = False


Cell = tuple[str, Style]


def drawn(bubble: Bubble, width: int = WIDTH) -> list[str]:
    """Return the lines of a bubble at most `width` cells wide; the cards of a carousel follow it, each as a bubble."""
    inner = max(width, _LEAST_WIDTH) - 4
    blocks = [list(_content(bubble, inner)), *([_centred(label, inner)] for label in _labels(bubble))]
    lines = [f"╭{'─' * (inner + 2)}╮"]
    for number, block in enumerate(blocks):
        lines += [f"├{'─' * (inner + 2)}┤"] if number else []
        lines += [f"│ {_padded(cells, inner)} │" for cells in block]
    lines.append(f"╰{'─' * (inner + 2)}╯")
    for card in bubble.cards:
        lines += [f"  {line}" for line in drawn(card, width - 2)]
    return lines


def label(button: Button) -> str:
    """Return a button's label behind the sign of what it does."""
    return f"{_ICONS.get(button.kind, '•')} {shown.line(button.label)}"


def _content(bubble: Bubble, width: int) -> Iterator[list[Cell]]:
    if bubble.medium:
        yield []
        yield _centred(f"[ {bubble.medium} ]", width)
        yield []
    if bubble.header:
        yield from _wrapped(_cells(bubble.header, Style(bold=True)), width)
    yield from _wrapped(_marked(bubble.body, Style()), width)
    if bubble.offer:
        yield from _wrapped(_cells(bubble.offer, Style(bold=True)), width)
    if bubble.footer:
        yield []
        yield from _wrapped(_cells(bubble.footer, Style(dim=True)), width)


def _labels(bubble: Bubble) -> list[str]:
    return [*map(label, bubble.shown), *([_SEE_ALL] if bubble.hides_some else [])]


def _marked(text: str, style: Style) -> list[Cell]:
    """Return the cells of a text with its markup: bold, italic and struck through may be in each other."""
    cells: list[Cell] = []
    end = 0
    for found in _MARKED.finditer(text):
        cells += _cells(text[end : found.start()], style)
        if found["code"] is not None:
            cells += _cells(found["code"], style)
        else:
            cells += _marked(found["text"], replace(style, **{_STYLES[found["mark"]]: True}))
        end = found.end()
    return cells + _cells(text[end:], style)


def _cells(text: str, style: Style) -> list[Cell]:
    """Return the characters as a reader counts them; line breaks stay, what steers a terminal is written out."""
    lines = [shown.line(line) for line in text.replace("\r\n", "\n").split("\n")]
    return [(character, style) for character in _GRAPHEME.findall("\n".join(lines))]


def _wrapped(cells: Sequence[Cell], width: int) -> Iterator[list[Cell]]:
    """Yield lines that are not wider; a line ends between words, a word that is wider than a line anywhere."""
    line: list[Cell] = []
    for cell in cells:
        if cell[0] == "\n":
            yield line
            line = []
            continue
        line.append(cell)
        if _width(line) > width:
            full, line = _broken(line)
            yield full
    yield line


def _broken(line: list[Cell]) -> tuple[list[Cell], list[Cell]]:
    """Return a line that is too wide by its last cell in two."""
    blanks = [position for position, (character, _) in enumerate(line) if character == " " and position]
    if blanks:
        return line[: blanks[-1]], line[blanks[-1] + 1 :]
    return line[:-1], line[-1:]


def _centred(text: str, width: int) -> list[Cell]:
    cells = _cells(text, Style())
    while _width(cells) > width:
        cells = [*cells[:-2], ("…", Style())]
    return [(" ", Style())] * ((width - _width(cells)) // 2) + cells


def _padded(cells: Sequence[Cell], width: int) -> str:
    text, run, style = "", "", Style()
    for character, its in cells:
        if its != style:
            text, run, style = text + _styled(run, style), "", its
        run += character
    return text + _styled(run, style) + " " * (width - _width(cells))


def _styled(text: str, style: Style) -> str:
    if not text or style == Style():
        return text
    return click.style(
        text,
        bold=style.bold or None,
        italic=style.italic or None,
        strikethrough=style.strikethrough or None,
        dim=style.dim or None,
    )


def _width(cells: Sequence[Cell]) -> int:
    return sum(max(wcswidth(character), 0) for character, _ in cells)
