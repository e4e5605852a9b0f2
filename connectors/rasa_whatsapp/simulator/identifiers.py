"""The identifiers that Meta hands out, made up; and how numbers are written and hidden.

wamid: opaque to everyone. Business-scoped user id: country code, dot, alphanumerics. A log shows four digits at most.
"""

from __future__ import annotations

import base64
import re
import secrets
import string
from hashlib import sha256

_ALPHANUMERIC = string.ascii_letters + string.digits
_BSUID = re.compile(r"[A-Z]{2}\.(?:ENT\.)?[A-Za-z0-9]{1,128}")
_WA_ID = re.compile(r"[1-9][0-9]{6,14}")
# Only to make up a plausible prefix; everyone else gets `ZZ`, which no country has.
_COUNTRIES = {"49": "DE", "43": "AT", "41": "CH", "33": "FR", "44": "GB", "55": "BR", "91": "IN", "1": "US"}


def new_wamid() -> str:
    """Return a fresh message id that looks like Meta's."""
    return "wamid." + base64.b64encode(secrets.token_bytes(30)).decode()


def new_call_id() -> str:
    """Return a fresh call id that looks like Meta's."""
    return "wacid." + base64.b64encode(secrets.token_bytes(24)).decode()


def new_media_id() -> str:
    """Return a fresh media id: digits."""
    return str(secrets.randbelow(9 * 10**15) + 10**15)


def user_id_of(wa_id: str) -> str:
    """Return the business-scoped user id of a number: opaque, and the same whenever that customer appears again."""
    return next_user_id(wa_id, "")


def next_user_id(wa_id: str, previous: str) -> str:
    """Return the user id that follows a previous one, when Meta makes a customer's id anew."""
    country = next((code for prefix, code in _COUNTRIES.items() if wa_id.startswith(prefix)), "ZZ")
    digest = sha256(f"user/{wa_id}{previous}".encode()).digest()
    return f"{country}." + "".join(_ALPHANUMERIC[byte % len(_ALPHANUMERIC)] for byte in digest[:20])


def new_trace_id() -> str:
    """Return a fresh `fbtrace_id`."""
    return "A" + "".join(secrets.choice(_ALPHANUMERIC) for _ in range(22))


def template_id(name: str, language: str) -> str:
    """Return the id of a template of the file: digits, the same after every start."""
    return str(int(sha256(f"{name}/{language}".encode()).hexdigest()[:13], 16))


def new_template_id() -> str:
    """Return a fresh id for a template that was created; webhooks carry it as a number, so JavaScript must hold it."""
    return str(secrets.randbelow(9 * 10**14) + 10**14)


def to_wa_id(number: str) -> str | None:
    """Return the digits of a phone number written with `+`, spaces, dashes or brackets, or None if it is no number."""
    digits = re.sub(r"[\s()\-]", "", number).removeprefix("+")
    return digits if _WA_ID.fullmatch(digits) else None


def is_user_id(value: str) -> bool:
    """Tell whether a text has the form of a business-scoped user id."""
    return _BSUID.fullmatch(value) is not None


def masked(number: str) -> str:
    """Return a number or id with all but its last four characters hidden."""
    return "*" * max(len(number) - 4, 0) + number[-4:]
