"""Readers of single values: what YAML gave becomes the value that the program uses, or Unacceptable says what is expected.

Law: a reader never repeats what it was given; whoever reports it knows whether that is a secret.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from datetime import time, timedelta, tzinfo
from importlib.util import find_spec
from typing import Any

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from rasa_whatsapp import time_zones
from rasa_whatsapp.cloud import languages, limits, text_language
from rasa_whatsapp.cloud.web_addresses import read_address
from rasa_whatsapp.policy.quiet_hours import QuietHours

_HOST = re.compile(r"(?:[a-z0-9][a-z0-9.-]*|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?")
_POSTGRESQL_DRIVERS = ("postgresql", "postgresql+psycopg2")
_HOURS = re.compile(r"((?:[01][0-9]|2[0-3]):[0-5][0-9])\s*-\s*((?:[01][0-9]|2[0-3]):[0-5][0-9])")
_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")  # RFC 9110, 5.6.2: a token


class Unacceptable(Exception):
    """A value is not what a setting expects; the text is the expectation, `place` that of the wrong item in a list of such."""

    def __init__(self, expected: str, place: int | None = None) -> None:
        self.place = place
        super().__init__(expected)


def text(value: Any) -> str:
    """Return a text without blanks around it."""
    if not isinstance(value, str):
        raise Unacceptable("a text, so put it in quotes")
    if not value.strip():
        raise Unacceptable("a text that is not empty")
    return value.strip()


def digits(value: Any) -> str:
    """Return an id of Meta's, which YAML may have taken for a number."""
    given = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    if not isinstance(given, str) or not re.fullmatch(r"[0-9]+", given.strip()):
        raise Unacceptable("the digits of an id from Meta's App Dashboard (not a phone number with +)")
    return given.strip()


def web_address(value: Any) -> str:
    """Return an address without the slash at its end."""
    address = text(value)
    if read_address(address) is None or "?" in address:
        raise Unacceptable("an address that starts with https:// (or http:// for a simulator)")
    return address.rstrip("/")


def api_version(value: Any) -> str:
    """Return a Graph version."""
    version = text(value)
    if not re.fullmatch(r"v[0-9]+\.0", version):
        raise Unacceptable("a Graph version such as v26.0")
    return version


def database(value: Any) -> str:
    """Return the address of an SQLite file or of a PostgreSQL database."""
    if is_misread(text(value)):
        raise Unacceptable("an address whose user and password are percent-encoded: %40 for @, %2F for /, %3A for :")
    try:
        url = make_url(text(value))
    except (ArgumentError, ValueError):  # ValueError: the port is no number
        url = None
    backend = url.get_backend_name() if url is not None else ""
    if url is not None and backend == "postgresql" and url.database and url.drivername in _POSTGRESQL_DRIVERS:
        if find_spec("psycopg2") is None:
            raise Unacceptable("psycopg2, which is not installed: pip install 'rasa-whatsapp[postgres]'")
    elif url is None or backend != "sqlite" or url.database in (None, "", ":memory:"):
        raise Unacceptable(
            "the address of an SQLite file, such as sqlite:///rasa_whatsapp.sqlite, or of a PostgreSQL database, "
            "such as postgresql://user:password@host:5432/name"
        )
    return str(value).strip()


def is_misread(address: str) -> bool:
    """Tell whether a password with a raw @ would be taken apart: what is left of it would stand in host, port or database."""
    return address.count("@") > 1 and not address.startswith("sqlite")


def hours(value: Any) -> QuietHours:
    """Return hours of the day such as 21:00-08:00."""
    found = _HOURS.fullmatch(value.strip()) if isinstance(value, str) else None
    if found is None or found[1] == found[2]:
        raise Unacceptable("hours of the day such as 21:00-08:00, in quotes")
    return QuietHours(time.fromisoformat(found[1]), time.fromisoformat(found[2]))


def time_zone(value: Any) -> tzinfo:
    """Return a time zone of the tz database."""
    found = time_zones.zone(text(value))
    if found is None:
        raise Unacceptable("the name of a time zone such as Europe/Berlin")
    return found


def header_name(value: Any) -> str:
    """Return the name of an HTTP header."""
    name = text(value)
    if not _HEADER.fullmatch(name):
        raise Unacceptable("the name of an HTTP header, such as X-Webhook-Secret")
    return name


def flag(value: Any) -> bool:
    """Return true or false; nothing else passes for one."""
    if not isinstance(value, bool):
        raise Unacceptable("true or false")
    return value


def words(value: Any) -> tuple[str, ...]:
    """Return a list of texts without blanks around them."""
    given = _list(value, lambda word: isinstance(word, str) and word.strip(), "a list of texts")
    return tuple(word.strip() for word in given)


def language_codes(value: Any) -> tuple[str, ...]:
    """Return a list of codes such as en or pt_BR."""
    return tuple(_list(list(words(value)), languages.is_code, "a list of language codes such as en or pt_BR"))


def told_languages(value: Any) -> tuple[str, ...]:
    """Return a list of codes of languages that texts can be told from; it may be empty."""
    expected = f"a list of languages that can be told from a text: {', '.join(text_language.KNOWN)}"
    return tuple(_list(list(language_codes(value)), text_language.is_known, expected))


def hosts(value: Any) -> tuple[str, ...]:
    """Return a list of host names in small letters."""
    given = _list(
        value,
        lambda host: isinstance(host, str) and _HOST.fullmatch(host.lower()),
        "a list of hosts such as media.example.com, without https:// and path",
    )
    return tuple(host.lower() for host in given)


def mappings(value: Any) -> tuple[Mapping[Any, Any], ...]:
    """Return a list of mappings that is not empty."""
    if not isinstance(value, list) or not value or not all(isinstance(item, Mapping) for item in value):
        raise Unacceptable("a list of mappings, each with a phone_number_id")
    return tuple(value)


def whole(low: int, high: int) -> Callable[[Any], int]:
    """Return the reader of a whole number within bounds."""

    def read(value: Any) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            raise Unacceptable(f"a whole number from {low} to {high}")
        return value

    return read


def seconds(value: Any) -> timedelta:
    """Return a time of up to 30 days."""
    if not isinstance(value, (int, float)) or isinstance(value, bool) or not 0 <= value <= 30 * 86400:
        raise Unacceptable("seconds, from 0 to 2592000 (30 days)")
    return timedelta(seconds=value)


def days(low: int, high: int) -> Callable[[Any], timedelta]:
    """Return the reader of a number of days within bounds."""

    def read(value: Any) -> timedelta:
        return timedelta(days=whole(low, high)(value))

    return read


def one_of(known: Collection[str]) -> Callable[[Any], str]:
    """Return the reader of one of the known words."""

    def read(value: Any) -> str:
        if not isinstance(value, str) or value not in known:
            raise Unacceptable(f"one of {', '.join(known)}")
        return value

    return read


def some_of(known: Collection[str]) -> Callable[[Any], tuple[str, ...]]:
    """Return the reader of a list of known words, which may be empty."""

    def read(value: Any) -> tuple[str, ...]:
        expected = f"a list of some of {', '.join(known)}"
        return tuple(dict.fromkeys(_list(value, lambda word: isinstance(word, str) and word in known, expected)))

    return read


def text_up_to(limit: int) -> Callable[[Any], str]:
    """Return the reader of a text of at most that many characters, counted as Meta's limits are."""

    def read(value: Any) -> str:
        given = text(value)
        if limits.length(given) > limit:
            raise Unacceptable(f"a text of at most {limit} characters")
        return given

    return read


def _list(value: Any, fits: Callable[[Any], object], expected: str) -> list[Any]:
    """Return a list, each item of which fits."""
    if not isinstance(value, list):
        raise Unacceptable(expected)
    wrong = next((place for place, item in enumerate(value) if not fits(item)), None)
    if wrong is not None:
        raise Unacceptable(expected, wrong)
    return value
