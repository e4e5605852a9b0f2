"""What Meta takes neither in a header of text nor on a button: emoji, line breaks, and the signs of WhatsApp's markup.

Sources: Meta's answer to a creation, "Buttons can't have any variables, newlines, emojis, or formatting characters" (2388060,
https://github.com/glific/glific/issues/4383); for headers https://www.twilio.com/docs/api/errors/63040. WhatsApp Manager lists the signs:
`*`, `_`, `~` and three backticks.
"""

from __future__ import annotations

from collections.abc import Iterator

import regex

MARKUP = ("*", "_", "~", "```")
# Digits, # and signs such as © are emoji only by what follows them; ↔ or ☎ are drawn as such on a phone in any case.
_EMOJI = regex.compile(
    r"\p{Emoji}\uFE0F|[0-9#*]\u20E3|\p{Emoji_Presentation}|(?![©®™])\p{Extended_Pictographic}",
)


def unfit_signs(text: str) -> Iterator[str]:
    """Yield what such a text has and must not have, in words; its variables have to be taken out before."""
    if _EMOJI.search(text):
        yield "an emoji"
    if "\n" in text or "\r" in text:
        yield "a line break"
    for sign in MARKUP:
        if sign in text:
            yield f"a sign of markup, {sign}"
