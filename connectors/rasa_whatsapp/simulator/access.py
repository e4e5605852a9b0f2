"""Who may ask: the token of a business number, at Meta's door as a bearer token, at 360dialog's as an API key.

A number's own address takes that number's token only; what belongs to the whole account takes any of them.
"""

from __future__ import annotations

import hmac
from collections.abc import Collection

from aiohttp import web

from rasa_whatsapp.simulator.refusals import Refused
from rasa_whatsapp.simulator.settings import Number, Settings

KEY_HEADER = "D360-API-KEY"
# How a token can be shown at Meta's door; uploads want the older word (docs/graph-api/guides/upload).
SCHEMES = ("bearer", "oauth")


def bearer(request: web.Request, schemes: Collection[str] = SCHEMES[:1]) -> str:
    """Return the token of a request at Meta's door."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() in schemes else ""


def check_bearer(settings: Settings, request: web.Request, schemes: Collection[str] = SCHEMES[:1]) -> None:
    """Refuse a token that opens nothing."""
    if not opened_by(settings, bearer(request, schemes)):
        raise Refused(190, "Invalid OAuth access token - Cannot parse access token")


def number_by_key(settings: Settings, request: web.Request) -> Number:
    """Return the business number whose key a request at 360dialog's door carries."""
    numbers = opened_by(settings, request.headers.get(KEY_HEADER, ""))
    if not numbers:
        raise Refused(190, "Invalid api key", status=401)
    return numbers[0]


def number_at(settings: Settings, request: web.Request) -> Number:
    """Return the business number that a request at Meta's door is about, if its token opens it."""
    node = request.match_info["node"]
    for number in opened_by(settings, bearer(request)):
        if number.id == node:
            return number
    raise no_such_object(node)


def opened_by(settings: Settings, token: str) -> list[Number]:
    """Return the business numbers that a token opens, in the order of the settings."""
    given = token.encode("utf-8", "surrogateescape")
    return [number for number in settings.numbers if hmac.compare_digest(given, number.token.encode())]


def no_such_object(node: str) -> Refused:
    """Return Meta's refusal of an id that is not there, or not for this token."""
    return Refused(
        100,
        f"Object with ID '{node}' does not exist, cannot be loaded due to missing permissions, or does not support"
        " this operation",
        subcode=33,
    )
