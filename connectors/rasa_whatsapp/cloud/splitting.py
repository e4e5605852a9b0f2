"""Split a long text into parts that WhatsApp takes: at a paragraph, a line, a sentence, a word, last at a grapheme.

Nothing is lost but the blanks at the cuts. A link stays whole while it fits into one part, also where no blank stands before it.
"""

from __future__ import annotations

import regex

from rasa_whatsapp.cloud import limits

_PARAGRAPH, _LINE, _BLANKS = r"\n\s*\n\s*", r"\n\s*", r"\s+"
_SENTENCE = r"(?<=[.!?…])\s+|(?<=[。！？])\s*(?![\p{GCB=Extend}\p{GCB=ZWJ}\p{GCB=SpacingMark}])"  # noqa: RUF001 - full-width stops
# best border first; each pattern matches the blanks that the cut removes
_BORDERS = tuple(regex.compile(pattern) for pattern in (_PARAGRAPH, _LINE, _SENTENCE, _BLANKS))
_GRAPHEME = regex.compile(r"\X")
_LINK = regex.compile(r"(?i)https?://\S+")
_LINK_BEGINS = len("https://x")  # by so many characters a link is known as one
_SMALLEST_SHARE = 0.5  # a nicer border is only taken if the part is not left mostly empty


def split_text(text: str, limit: int) -> list[str]:
    """Return the parts of the text in order, each of 1 to `limit` UTF-16 units."""
    parts = []
    rest = text.strip()
    while limits.length(rest) > limit:
        part, rest = _split_once(rest, limit)
        parts.append(part)
    return [*parts, rest] if rest else parts


def is_inside_link(text: str, cut: int) -> bool:
    """Tell whether a cut at this place would break a link."""
    return _link_around(text, cut) is not None


def _split_once(text: str, limit: int) -> tuple[str, str]:
    reach = _reach(text, limit)
    for border in _BORDERS:
        for cut in reversed([found for found in border.finditer(text, 0, reach + 1) if found.start() > 0]):
            nice = cut.start() >= reach * _SMALLEST_SHARE or border is _BORDERS[-1]
            if cut.start() <= reach and nice and _link_around(text, cut.start()) is None:
                return text[: cut.start()], text[cut.end() :].lstrip()
    end = _grapheme_end(text, reach)
    end = _link_around(text, end) or end  # a link that begins the text is longer than a part
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


def _link_around(text: str, cut: int) -> int | None:
    """Return where the link begins that a cut would break, or None if it breaks none."""
    for begun in _LINK.finditer(text, 0, cut + _LINK_BEGINS):
        if begun.start() < cut <= begun.end():
            whole = _LINK.match(text, begun.start())
            return begun.start() if whole and whole.end() > cut else None
    return None
