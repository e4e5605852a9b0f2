"""Languages as BCP 47 names them: which translation a reader is served with, and what is mostly read in a country.

Meta writes `en_US` where BCP 47 writes `en-US`. How near two languages are is CLDR's table, by the library langcodes.
https://www.rfc-editor.org/info/bcp47
"""

from __future__ import annotations

from collections.abc import Collection
from functools import lru_cache

# CLDR's distances: another region 1 to 5, another script that the same people read 5, a dialect or sister language up to 10. Traditional and
# simplified Chinese are 54 apart, Catalan and Spanish 20: whoever reads these is better served by the next wanted language.
_NEAR = 10
_LATIN_AMERICA = {"es-LA": "es-419"}  # Meta's word for it; in BCP 47 it is Spanish as in Laos


def best(wanted: str, have: Collection[str]) -> str | None:
    """Return which of these languages serves a reader of the wanted one; None if none does, or if it is no language.

    The same one goes before the one without a region (`es` for `es_MX`), and that before the nearest other region.
    """
    reader = _tag(wanted)
    if reader is None:
        return None
    root = reader.partition("-")[0]
    ranked = sorted(
        (tag != reader, tag != root, distance, code)
        for code in have
        if (tag := _tag(code)) is not None and (distance := _distance(reader, tag)) <= _NEAR
    )
    return ranked[0][3] if ranked else None


def is_code(text: str) -> bool:
    """Tell whether this is the code of a language that there is, in BCP 47's writing or Meta's."""
    from langcodes import tag_is_valid

    tag = _tag(text)
    return tag is not None and bool(tag_is_valid(tag))


def of_customer(wa_id: str | None, user_id: str | None) -> str | None:
    """Return what is mostly read in the country of a number, else in the one that a user id begins with; None if it tells none.

    A number is in digits, `4915112345678`; a user id begins with its country, `DE.9Zk3abc` (fact sheet 2.6).
    """
    country = _country_of(wa_id, user_id)
    return _of_country(country) if country else None


def as_written_in(language: str, wa_id: str | None, user_id: str | None) -> str:
    """Return a language as it is written in the customer's country: `pt` is `pt-PT` to one with a Portuguese number."""
    country = _country_of(wa_id, user_id)
    return f"{language}-{country}" if country else language


def _country_of(wa_id: str | None, user_id: str | None) -> str | None:
    """Return the country of a number, else the one that a user id begins with, if there is such a one."""
    from phonenumbers import SUPPORTED_REGIONS

    country = _country(wa_id) if wa_id else (user_id or "").partition(".")[0]
    # not a number of no country, nor an id of another form
    return country if country in SUPPORTED_REGIONS else None


@lru_cache(maxsize=1024)
def _tag(code: str) -> str | None:
    # Loaded when it is needed: the command line is to start quickly.
    from langcodes import standardize_tag
    from langcodes.tag_parser import LanguageTagError

    try:
        tag = standardize_tag(code.strip())
    except LanguageTagError:
        return None
    return _LATIN_AMERICA.get(tag, tag)


@lru_cache(maxsize=4096)
def _distance(wanted: str, have: str) -> int:
    from langcodes import tag_distance

    return int(tag_distance(wanted, have))


@lru_cache(maxsize=4096)
def _country(wa_id: str) -> str | None:
    from phonenumbers import NumberParseException, parse, region_code_for_number

    try:
        region: str | None = region_code_for_number(parse(f"+{wa_id}"))
    except NumberParseException:
        return None
    return region


@lru_cache(maxsize=512)
def _of_country(country: str) -> str:
    from langcodes import Language

    return f"{Language.make(territory=country).maximize().language}-{country}"
