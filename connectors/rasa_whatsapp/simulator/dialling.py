"""Phone numbers as they are dialled and as WhatsApp knows them: country codes, a missing `+`, Brazil and Mexico.

Pure. WhatsApp's id of a Brazilian or Mexican mobile may have one digit more or less than the dialled number, so the
`wa_id` of an answer may differ from its `input` (fact sheet 5.1).
"""

from __future__ import annotations

import re
from functools import lru_cache

from rasa_whatsapp.simulator.identifiers import to_wa_id

# One digit, two digits; every other country has three.
_CALLING_CODE = re.compile(r"[17]|2[07]|3[0-469]|4[013-9]|5[1-8]|6[0-6]|8[1246]|9[0-58]")
# Country, area, the 9 that mobiles got from 2012 on, and the eight digits that they had before.
_BRAZIL = re.compile(r"(55)([1-9]\d)(9?)([6-9]\d{7})")
_MEXICO = re.compile(r"(52)(1?)(\d{10})")
# The areas that got the 9 first carry it in WhatsApp, the others do not (secondary).
_LAST_AREA_WITH_NINE = 28


def calling_code(number: str) -> str:
    """Return the country calling code at the beginning of a number's digits."""
    found = _CALLING_CODE.match(number)
    return found[0] if found is not None else number[:3]


@lru_cache(maxsize=10_000)
def spellings(number: str) -> tuple[str, ...]:
    """Return all digits that mean the same phone, the given ones first."""
    brazil, mexico = _BRAZIL.fullmatch(number), _MEXICO.fullmatch(number)
    if brazil is not None:
        other = f"55{brazil[2]}{'' if brazil[3] else '9'}{brazil[4]}"
    elif mexico is not None:
        other = f"52{'' if mexico[2] else '1'}{mexico[3]}"
    else:
        return (number,)
    return (number, other)


def whatsapp_spelling(number: str) -> str:
    """Return the digits under which WhatsApp knows a phone that nobody has met yet."""
    brazil, mexico = _BRAZIL.fullmatch(number), _MEXICO.fullmatch(number)
    if brazil is not None:
        nine = "9" if int(brazil[2]) <= _LAST_AREA_WITH_NINE else ""
        return f"55{brazil[2]}{nine}{brazil[4]}"
    return f"521{mexico[3]}" if mexico is not None else number


def dialled_from(sender: str, number: str) -> str:
    """Return the digits that Meta dials for a number without a `+`: the sender's own country code comes in front.

    Meta's page says so, and that this may reach the wrong person (fact sheet 5.1). A number that is too long for
    that is left as it is.
    """
    return to_wa_id(calling_code(sender) + number) or number
