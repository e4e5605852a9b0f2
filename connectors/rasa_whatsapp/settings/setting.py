"""One key of a mapping in the credentials: reads its value, or says what was found there (secrets masked) and what is expected."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from rasa_whatsapp.settings.readers import Unacceptable, is_misread

_SECRET_PARAMETERS = ("password", "sslpassword")  # of libpq, behind the address's ?


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One key: `provider` is the only one that it is for, `required` whether it must be given (there)."""

    name: str
    read: Callable[[Any], Any]
    meaning: str
    default: Any = None
    required: bool = False
    secret: bool = False
    provider: str | None = None

    def value_in(self, given: Mapping[str, Any], problems: list[str], *, required: bool, at: str = "") -> Any:
        """Return the value in a mapping, or the default; adds what is wrong with it, with `at` before the key."""
        value = given.get(self.name)
        if value is None:
            if required:
                problems.append(f"{at}{self.name}: missing; {self.meaning}")
            return self.default
        try:
            return self.read(value)
        except Unacceptable as expected:
            problems.append(f"{at}{self.name}: found {self._found(value, expected.place)}; expected {expected}")
            return self.default

    def _found(self, value: Any, place: int | None = None) -> str:
        if place is not None:
            return f"{self._found(value[place])} in the list"
        if isinstance(value, (list, Mapping)):
            return "a mapping" if isinstance(value, Mapping) else f"a list of {len(value)}"
        if self.secret:
            return "an empty text" if value == "" else masked(value)
        return without_password(value) if self.name == "database_url" else repr(value)


def unknown_keys(given: Collection[str], known: Collection[str], *, at: str = "") -> list[str]:
    """Return a problem for each key that is not known, with the nearest one that is; never its value."""
    problems = []
    for key in given:
        if key not in known:
            near = difflib.get_close_matches(key, known, n=1)
            hint = f"did you mean {near[0]}?" if near else f"known are: {', '.join(known)}"
            problems.append(f"{at}{key}: not a setting; {hint}")
    return problems


def masked(value: Any) -> str:
    """Return that a secret is there, and how long it is."""
    return f"•••• ({len(str(value))} characters)"


def without_password(value: Any) -> str:
    """Return a database's address for people to read."""
    if isinstance(value, str) and is_misread(value):
        scheme, mark, _ = value.partition("://")
        return f"{scheme}://•••" if mark else "something that is no database address"
    try:
        url = make_url(value)
        hidden = {name: "hidden" for name in _SECRET_PARAMETERS if name in url.query}
        return str(url.set(query={**url.query, **hidden}).render_as_string(hide_password=True))
    except (ArgumentError, AttributeError, ValueError):  # ValueError: the port is no number
        return "something that is no database address"
