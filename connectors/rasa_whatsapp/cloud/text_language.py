"""Which language a text is written in, if it is enough to tell; the library eld knows sixty.

A wrong guess sends a template that the customer cannot read, no guess leaves it to the country of their number. So little text, names and
addresses, and texts in two languages tell nothing. All sixty are always weighed: asked for German or English only, Turkish would be one of them.
"""

from __future__ import annotations

from collections.abc import Collection
from functools import lru_cache
from typing import TYPE_CHECKING

import regex

from rasa_whatsapp.cloud import languages

if TYPE_CHECKING:
    from eld import LanguageDetector

# What eld can tell, in its own codes (ISO 639-1).
KNOWN = (
    "am", "ar", "az", "be", "bg", "bn", "ca", "cs", "da", "de", "el", "en", "es", "et", "eu", "fa", "fi", "fr", "gu", "he",
    "hi", "hr", "hu", "hy", "is", "it", "ja", "ka", "kn", "ko", "ku", "lo", "lt", "lv", "ml", "mr", "ms", "nl", "no", "or",
    "pa", "pl", "pt", "ro", "ru", "sk", "sl", "sq", "sr", "sv", "ta", "te", "th", "tl", "tr", "uk", "ur", "vi", "yo", "zh",
)  # fmt: skip
_NO_WORD = regex.compile(r"\d|@|://|www\.", regex.IGNORECASE)  # what stands in numbers, addresses and links
_WITHOUT_BLANKS = r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}]"  # there two characters count as a word
_WORD = regex.compile(rf"(?:{_WITHOUT_BLANKS}\p{{M}}*){{2}}|(?!{_WITHOUT_BLANKS})\p{{L}}[\p{{L}}\p{{M}}'\u2019]+")
_MOST = 1000  # characters; eld looks at fewer
_FEWEST_WORDS = 3
# In small letters, or in a script that has no capitals: names, products and street addresses have none.
_FEWEST_SMALL = 2
_LEAD = 0.1  # over the next one that is asked for, on eld's scale, where a sentence reaches about 0.5


def language_of(text: str, among: Collection[str]) -> str | None:
    """Return the language of a text, if it is enough to tell and one of these (BCP 47, or Meta's writing) serves its readers."""
    plain = " ".join(word for word in text[:_MOST].split() if not _NO_WORD.search(word))
    if not _is_enough(plain):
        return None
    result = _detector().detect(plain)
    if not result.is_reliable():
        return None
    found, scores = str(result.language), result.scores()
    serves = {code: languages.best(code, among) for code in scores}
    rivals = [scores[code] for code, served in serves.items() if served not in (None, serves[found])]
    is_clear = scores[found] - max(rivals, default=0.0) >= _LEAD
    return found if serves[found] is not None and is_clear else None


def is_known(code: str) -> bool:
    """Tell whether texts in this language can be told from others."""
    return any(languages.best(known, [code]) is not None for known in KNOWN)


def prepare() -> None:
    """Load the table of letters, a tenth of a second and fifty megabytes, before the first text comes."""
    _detector()


def _is_enough(text: str) -> bool:
    words = _WORD.findall(text)
    small = [word for word in words if not word[0].isupper()]
    return len(words) >= _FEWEST_WORDS and len(small) >= _FEWEST_SMALL


@lru_cache(maxsize=1)
def _detector() -> LanguageDetector:
    from eld import LanguageDetector

    return LanguageDetector()
