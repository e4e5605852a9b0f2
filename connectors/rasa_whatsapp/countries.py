"""The country of a phone number, as its two letters: Meta's prices go by it.

https://github.com/daviddrysdale/python-phonenumbers (Google's libphonenumber)
"""

from __future__ import annotations

from functools import lru_cache

UNKNOWN = ""
_LONGEST_CODE = 3


@lru_cache(maxsize=4096)
def of_number(wa_id: str | None) -> str:
    """Return the country of a number in digits, such as `DE`; UNKNOWN if it is hidden, or of no country."""
    from phonenumbers import COUNTRY_CODE_TO_REGION_CODE, NumberParseException, parse, region_code_for_number

    if wa_id is None or not (wa_id.isascii() and wa_id.isdigit()):
        return UNKNOWN
    codes = (int(wa_id[:length]) for length in range(1, _LONGEST_CODE + 1))
    regions = next((known for code in codes if (known := COUNTRY_CODE_TO_REGION_CODE.get(code))), ())
    found = (
        regions[0] if len(regions) == 1 else None
    )  # most have a code of their own: it tells without reading the number
    if len(regions) > 1:
        try:
            found = region_code_for_number(parse(f"+{wa_id}"))
        except NumberParseException:
            return UNKNOWN
    return found if found is not None and found.isalpha() else UNKNOWN
