"""The time zones that a phone number may be in: by its area where the number tells, else all of its country.

https://github.com/daviddrysdale/python-phonenumbers (Google's libphonenumber)
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_UNKNOWN = "Etc/Unknown"


def zone(name: str) -> tzinfo | None:
    """Return the time zone of this name in the tz database, or None."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


def of_number(wa_id: str | None, default: tzinfo) -> Sequence[tzinfo]:
    """Return the zones of a number in digits, or only the default one if the number is hidden or tells none."""
    return _of_known_number(wa_id, default) if wa_id else (default,)


@lru_cache(maxsize=4096)
def _of_known_number(wa_id: str, default: tzinfo) -> tuple[tzinfo, ...]:
    from phonenumbers import NumberParseException, parse
    from phonenumbers.timezone import time_zones_for_number

    try:
        names = time_zones_for_number(parse(f"+{wa_id}"))
    except NumberParseException:
        return (default,)
    found = [known for name in names if name != _UNKNOWN and (known := zone(name)) is not None]
    return tuple(found) or (default,)
