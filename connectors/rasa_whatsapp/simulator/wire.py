"""JSON as it may arrive from anybody: decoded strictly, or refused by one error."""

from __future__ import annotations

import json
from typing import Any, NoReturn


class NotJson(ValueError):
    """The text is not JSON, or nested beyond all measure."""


def decode(text: str) -> Any:
    """Return the value of a JSON text; NaN and Infinity, which Python would take, are refused."""
    try:
        return _READ(text)
    except (ValueError, RecursionError):
        raise NotJson("not JSON") from None


def _no_constant(name: str) -> NoReturn:
    raise NotJson(name)


_READ = json.JSONDecoder(parse_constant=_no_constant).decode
