"""Texts with variables in a template that is being created: what Meta demands of them (fact sheet 6.3). Pure.

`{{1}}`, `{{2}}` ... in a POSITIONAL template, `{{lower_case}}` in a NAMED one; each with an example for the reviewer.
"""

from __future__ import annotations

import re
from typing import Any

import regex

from rasa_whatsapp.simulator.kinds.fields import units
from rasa_whatsapp.simulator.refusals import Refused

OTHER = 2388039
LENGTH = 2388040
HEADER = 2388047
BODY = 2388072
FOOTER = 2388073
LABEL = 2388060
SIGNS = 2388072  # what a header is refused with for its signs; the same number as a body's
RATIO = 2388293
DANGLING = 2388299

BRACES = re.compile(r"\{\{([^{}]*)\}\}")
_ADJACENT = re.compile(r"\}\}\s*\{\{")
_EMOJI = regex.compile(
    r"\p{Emoji_Presentation}|\p{Emoji}\uFE0F|[0-9#*]\u20E3|(?![\u00A9\u00AE\u2122])\p{Extended_Pictographic}"
)
_FORMATTING = re.compile(r"[*_~\n\r]|```")
_WRITTEN = {"POSITIONAL": re.compile(r"[1-9][0-9]*"), "NAMED": re.compile(r"[a-z_][a-z0-9_]*")}


def refused(details: str, subcode: int = OTHER) -> Refused:
    """Return Meta's refusal of a template."""
    return Refused(100, details, subcode=subcode)


def bounded(part: dict[str, Any], name: str, what: str, limit: int, subcode: int) -> str:
    """Return a text that must be there, not blank and at most `limit` UTF-16 units long."""
    text = part.get(name)
    if not isinstance(text, str) or not text.strip():
        raise refused(f"The {what} needs a text in the field {name}.", subcode)
    if units(text) > limit:
        raise refused(f"The {what} has {units(text)} characters, at most {limit} are allowed.", LENGTH)
    return text


def check_signs(text: str, refusal: str, subcode: int) -> None:
    """Refuse emoji, line breaks and formatting characters, but for those in the names of variables.

    Meta's words for buttons: https://github.com/glific/glific/issues/4383; for headers: https://www.twilio.com/docs/api/errors/63040.
    """
    rest = BRACES.sub("", text)
    if _EMOJI.search(rest) or _FORMATTING.search(rest):
        raise refused(refusal, subcode)


def variables(text: str, form: str, what: str, subcode: int) -> list[str]:
    """Return the variables of a text in order, each once; refuse what is written like none of this format."""
    found = [name.strip() for name in BRACES.findall(text)]
    rest = BRACES.sub("", text)
    if "{{" in rest or "}}" in rest:
        raise refused(f"The {what} has braces that do not match.", subcode)
    for name in found:
        if not _WRITTEN[form].fullmatch(name):
            raise refused(f"The {what} has a variable {{{{{name}}}}}, which is none of format {form}.", subcode)
    return list(dict.fromkeys(found))


def check_positions(names: list[str], what: str, subcode: int) -> None:
    """Refuse numbers that do not run from 1 without a gap."""
    numbers = sorted(int(name) for name in names)
    if numbers != list(range(1, len(numbers) + 1)):
        raise refused(f"The variables of the {what} must be numbered from 1 without a gap.", subcode)


def check_running_text(text: str, count: int) -> None:
    """Refuse a body that begins or ends with a variable, or has two side by side, or too many for its length."""
    bare = text.strip()
    spots = [match.span() for match in BRACES.finditer(bare)]
    if spots and (spots[0][0] == 0 or spots[-1][1] == len(bare)):
        raise refused("Variables can't be at the start or end of the template.", DANGLING)
    if _ADJACENT.search(text):
        raise refused("Two variables must not stand side by side.", BODY)
    # Meta prints no number; several providers found 2n + 1 words for n variables (secondary).
    words = [word for word in BRACES.sub(" ", text).split() if any(sign.isalnum() for sign in word)]
    if count and len(words) < 2 * count + 1:
        raise refused(
            f"This template has too many variables for its length: {count} variables need {2 * count + 1} words,"
            f" it has {len(words)}. Reduce the number of variables or increase the message length.",
            RATIO,
        )


def check_examples(part: dict[str, Any], what: str, names: list[str], form: str, subcode: int) -> None:
    """Refuse a `header` or `body` that has no example for one of its variables."""
    if not names:
        return
    example = part.get("example")
    given = example if isinstance(example, dict) else {}
    key = f"{what}_text_named_params" if form == "NAMED" else f"{what}_text"
    values = given.get(key)
    examples = _named(values) if form == "NAMED" else _numbered(values, nested=what == "body")
    missing = [name for name in names if not examples.get(name)]
    if missing:
        raise refused(
            f"The {what} needs an example in {key} for each variable, {{{{{missing[0]}}}}} has none.", subcode
        )


def _named(values: Any) -> dict[str, str]:
    entries = [entry for entry in values if isinstance(entry, dict)] if isinstance(values, list) else []
    return {str(entry.get("param_name")): str(entry.get("example") or "") for entry in entries}


def _numbered(values: Any, *, nested: bool) -> dict[str, str]:
    """Return examples by number; those of a body are a list in a list."""
    if nested:
        values = values[0] if isinstance(values, list) and len(values) == 1 else None
    texts = values if isinstance(values, list) else []
    return {str(number): value for number, value in enumerate(texts, start=1) if isinstance(value, str)}
