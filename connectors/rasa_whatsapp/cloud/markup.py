"""Markdown as designers write it to the markup that WhatsApp shows; what is no Markdown comes out as it was.

One scan over one table of patterns; what is protected (code, links, addresses, escapes) matches as itself. No Markdown parser is used: a
parser renders a document, and on the way joins lines, renumbers lists, decodes entities and drops link definitions. Here nothing but
marks may change, so the text itself is what is edited.
https://faq.whatsapp.com/539178204879377 (bold, italics, strikethrough, lists, quotes, code)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import regex

_Found = regex.Match[str]
_Row = tuple[str, Callable[[_Found], str]]

# WhatsApp takes a mark only at the edge of a word; scripts that write no blanks between words have no such edges.
_LETTER = r"[[\p{L}\p{N}]--[\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}]]"
_LONGEST = 2000  # characters between two marks: bounds the search in a text full of lone marks

_FENCE = r"^[ ]{0,3}(?P<fence>```+(?![^\n]*`)|~~~+)(?s:.)*?(?:^[ ]{0,3}(?P=fence)[ \t]*$|\Z)"
_CODE = rf"(?<!`)(?P<ticks>`+)(?!`)(?:(?!\n\s*\n)(?s:.)){{1,{_LONGEST}}}?(?<!`)(?P=ticks)(?!`)"
_LINE_ACROSS = r"^[ \t]*(?:(?:\*[ \t]*){3,}|(?:_[ \t]*){3,})$"
_HEADING = r"^[ ]{0,3}\#{1,6}[ \t]+(?P<words>\S[^\n]*?)(?:[ \t]+\#+)?[ \t]*$"
# "+ 5 euros" is a sum, no list: as "- 5 euros" it would say the opposite
_BULLET = r"^(?P<indent>[ \t]*)(?:\*|\+(?![ \t]+\d))[ \t]+(?=\S)"
_ESCAPE = r"\\[!-/:-@\[-`\{-\~]"
# a mark at the end of an address belongs to the words around it
_WEB = r"(?i:https?://|www\.)[^\s<>]*[^\s<>*_\~.,;:!?'\")\]]"
_MAIL = r"(?<![\w.+\-])[\w.+\-]{1,64}@[\w\-]+(?:\.[\w\-]+)+"
_LINK = (
    r"!?\[(?P<label>(?:\\.|[^\[\]\\\n])*)\]"
    r"\((?=<?(?:https?:|mailto:|tel:|www\.))(?:<(?P<angled>[^<>\n]+)>|(?P<plain>(?:[^\s()<>]|\([^\s()<>]*\))+))"
    r"(?:[ \t]+\"(?P<title>[^\"\n]*)\")?[ \t]*\)"
)


def to_whatsapp(text: str) -> str:
    """Return the text with Markdown's bold, italics, strikes, links, headings and bullets as WhatsApp writes them."""
    return _scanned(text, _DOCUMENT, _DOCUMENT_SAID)


def _in_line(text: str) -> str:
    """Return the part of a line, in which nothing begins a heading or a list."""
    return _scanned(text, _WORDS, _WORDS_SAID)


def _scanned(text: str, pattern: regex.Pattern[str], said: Sequence[Callable[[_Found], str]]) -> str:
    return pattern.sub(
        lambda found: next(say for row, say in enumerate(said) if found[f"row{row}"] is not None)(found), text
    )


def _pair(mark: str, repeated: str, plain: str) -> str:
    """Return the pattern of words between two marks at the edges of words: code and addresses are taken as wholes."""
    atom = rf"(?>`[^`\n]+`|{_ESCAPE}|{_WEB}|{plain})"
    opening = rf"(?<!{_LETTER}|[{repeated}\\]){mark}(?=[^\s{repeated}])"
    closing = rf"(?<=[^\s\\]){mark}(?!{_LETTER}|[{repeated}])"
    return rf"{opening}(?P<inner>{atom}{{1,{_LONGEST}}}?){closing}"


def _as_it_is(found: _Found) -> str:
    return found[0]


def _heading(found: _Found) -> str:
    words = _in_line(found["words"])
    return words if "*" in words else f"*{words}*"


def _link(found: _Found) -> str:
    target = found["angled"] or found["plain"]
    if target.startswith(("mailto:", "tel:")) and "?" not in target:
        target = target.partition(":")[2]
    label = " ".join(part for part in (_in_line(found["label"]).strip(), found["title"]) if part)
    return target if label in ("", target) else f"{label} ({target})"


def _marked(before: str, after: str) -> Callable[[_Found], str]:
    return lambda found: f"{before}{_in_line(found['inner'])}{after}"


def _italics(found: _Found) -> str:
    inner = _in_line(found["inner"])
    # *_words_* is how WhatsApp writes bold italics, and in Markdown italics twice: either way it is as it should be
    return found[0] if inner[0] == inner[-1] == "_" else f"_{inner}_"


# earliest wins, and of those that begin at the same place the first
_IN_LINE: tuple[_Row, ...] = (
    (_CODE, _as_it_is),
    (_ESCAPE, _as_it_is),
    (_LINK, _link),
    (_WEB, _as_it_is),
    (_MAIL, _as_it_is),
    (_pair(r"\*\*\*", "*", r"(?!\*\*\*)."), _marked("*_", "_*")),
    (_pair("___", "_", "(?!___)."), _marked("*_", "_*")),
    (_pair(r"\*\*", "*", r"(?!\*\*).|\*(?=\*\*(?!\*))"), _marked("*", "*")),
    (_pair("__", "_", "(?!__).|_(?=__(?!_))"), _marked("*", "*")),
    (_pair(r"\~\~", r"\~", r"(?!\~\~)."), _marked("~", "~")),
    (_pair(r"\*", "*", r"\*\*(?=[^\s*])[^*\n]+\*\*(?!\*)|[^*\n]"), _italics),
)
_AT_LINE_START: tuple[_Row, ...] = (
    (_FENCE, _as_it_is),
    (_LINE_ACROSS, _as_it_is),
    (_HEADING, _heading),
    (_BULLET, lambda found: f"{found['indent']}- "),
)


def _compiled(rows: Sequence[_Row]) -> regex.Pattern[str]:
    named = "|".join(f"(?P<row{number}>{pattern})" for number, (pattern, _) in enumerate(rows))
    return regex.compile(named, regex.VERSION1 | regex.MULTILINE)


_DOCUMENT = _compiled([*_AT_LINE_START, *_IN_LINE])
_DOCUMENT_SAID = [say for _, say in (*_AT_LINE_START, *_IN_LINE)]
_WORDS = _compiled(_IN_LINE)
_WORDS_SAID = [say for _, say in _IN_LINE]
