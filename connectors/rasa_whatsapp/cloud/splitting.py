"""Split a long text into parts that WhatsApp takes: at a paragraph, a line, a sentence, a word, last at a grapheme.

Nothing is lost but the blanks at the cuts. A link has no blanks inside, so it stays whole while it fits into one part.
"""

from __future__ import annotations

import regex

from rasa_whatsapp.cloud import limits

# best border first; each pattern matches the blanks that the cut removes
_BORDERS = tuple(regex.compile(pattern) for pattern in (r"\n\s*\n\s*", r"\n\s*", r"(?<=[.!?…。])\s+", r"\s+"))
_GRAPHEME = regex.compile(r"\X")
_SMALLEST_SHARE = 0.5  # a nicer border is only taken if the part is not left mostly empty


def split_text(text: str, limit: int) -> list[str]:
    """Return the parts of the text in order, each of 1 to `limit` UTF-16 units."""
    parts = []
    rest = text.strip()
    while limits.length(rest) > limit:
        part, rest = _split_once(rest, limit)
        parts.append(part)
    return [*parts, rest] if rest else parts


def _split_once(text: str, limit: int) -> tuple[str, str]:
    reach = _reach(text, limit)
    for border in _BORDERS:
        for cut in reversed([found for found in border.finditer(text, 0, reach + 1) if found.start() > 0]):
            if cut.start() <= reach and (cut.start() >= reach * _SMALLEST_SHARE or border is _BORDERS[-1]):
                return text[: cut.start()], text[cut.end() :].lstrip()
    end = _grapheme_end(text, reach)
    return text[:end], text[end:].lstrip()


def _reach(text: str, limit: int) -> int:
    """Return how many characters of the text fit into `limit` UTF-16 units."""
    units = 0
    for index, character in enumerate(text):
        units += 2 if ord(character) > 0xFFFF else 1
        if units > limit:
            return index
    return len(text)


def _grapheme_end(text: str, reach: int) -> int:
    """Return the last grapheme border up to `reach`; a single grapheme longer than that is cut inside, as nothing else is left."""
    end = 0
    for found in _GRAPHEME.finditer(text, 0, reach + 1):
        if found.end() > reach:
            break
        end = found.end()
    return end or reach
