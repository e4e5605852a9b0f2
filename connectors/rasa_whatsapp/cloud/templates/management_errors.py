"""Read Meta's refusal of a call that manages templates: what it means, what to do, and what else it stops.

Beside the code of an error Meta sends a subcode for what is wrong with a template; the subcode wins (fact sheet 8.1, 8.2).
https://developers.facebook.com/documentation/business-messaging/whatsapp/support/error-codes
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from rasa_whatsapp.cloud.wire import JSONDict, read_json


class Scope(Enum):
    """What a failed call says of the calls after it."""

    TEMPLATE = "template"  # only this template was refused
    ACCOUNT = "account"  # no other call would go better now
    UNCERTAIN = "uncertain"  # it may have been done: look before it is tried again


@dataclass(frozen=True, slots=True)
class Failure:
    """A call that was refused, or whose fate is not known; `again` says that the same call may go well soon."""

    scope: Scope
    text: str
    code: int = 0
    again: bool = False


_LOCKED = (
    "this name and language are being deleted: Meta locks the name of an approved one for 30 days. Take another name"
)
_PERMISSION = "the access token lacks a permission: it needs whatsapp_business_management for this account"

# subcode -> (scope, what to do); 2388023 and 2388024 are seen in practice, not in Meta's list
SUBCODES: dict[int, tuple[Scope, str]] = {
    33: (
        Scope.ACCOUNT,
        "there is no such account for this token: check business_account_id, and that the token may use it",
    ),
    2388019: (
        Scope.ACCOUNT,
        "the account has as many templates as it may have (250, or 6,000 if verified): delete some",
    ),
    2388023: (Scope.TEMPLATE, _LOCKED),
    2388024: (Scope.TEMPLATE, "the account has this name in this language: push again, it is looked at first"),
    2388039: (Scope.TEMPLATE, "Meta does not take the template: see its words"),
    2388040: (Scope.TEMPLATE, "a text is too long: shorten it"),
    2388047: (Scope.TEMPLATE, "the header is not as Meta wants it"),
    2388072: (Scope.TEMPLATE, "the body is not as Meta wants it"),
    2388073: (Scope.TEMPLATE, "the footer is not as Meta wants it"),
    2388293: (Scope.TEMPLATE, "too many variables for so short a text: write more words, or use fewer variables"),
    2388299: (Scope.TEMPLATE, "the text begins or ends with a variable: put a word before and after it"),
    2388318: (Scope.TEMPLATE, "Meta made it for Direct Send, so it cannot be changed"),
    2388330: (Scope.TEMPLATE, "Meta made it for Direct Send, so it cannot be deleted"),
}

# code -> (scope, what to do, whether a repeated call may go well soon)
CODES: dict[int, tuple[Scope, str, bool]] = {
    0: (Scope.ACCOUNT, "the access token is not accepted: set a new access_token", False),
    1: (Scope.UNCERTAIN, "unknown problem at Meta: see its status page if it stays", True),
    2: (Scope.ACCOUNT, "Meta is overloaded for a moment: try again later", True),
    3: (Scope.ACCOUNT, _PERMISSION, False),
    4: (Scope.ACCOUNT, "the app's call rate is reached: wait an hour", True),
    10: (Scope.ACCOUNT, _PERMISSION, False),
    33: SUBCODES[33] + (False,),
    100: (Scope.TEMPLATE, "Meta does not accept a field: see its words", False),
    190: (Scope.ACCOUNT, "the access token has expired: set a new access_token", False),
    368: (Scope.ACCOUNT, "the account is blocked for a policy violation: see WhatsApp Manager", False),
    80007: (Scope.ACCOUNT, "the account's call rate is reached: wait an hour", True),
    80008: (Scope.ACCOUNT, "the account's call rate is reached: wait an hour", True),
    131000: (Scope.UNCERTAIN, "something went wrong at Meta", True),
    131005: (Scope.ACCOUNT, _PERMISSION, False),
    131009: (Scope.TEMPLATE, "Meta does not accept a value: see its words", False),
    131016: (Scope.ACCOUNT, "Meta's service is unavailable for a moment: try again later", True),
    131031: (Scope.ACCOUNT, "the account is locked: see WhatsApp Manager", False),
    131059: (Scope.ACCOUNT, "the list changed while it was read: try again", False),
    132007: (Scope.TEMPLATE, "the content breaks Meta's policy", False),
}
STALE_CURSOR = 131059
_NO_SUCH_OBJECT = 33
_NO_SUCH_APP = "there is no such app or upload for this token: check app_id, and that the token is the app's own"
_ABOUT_THE_TOKEN = (0, 190)  # Meta's words for these may quote the token


def read_failure(http_status: int, body: bytes, *, of_upload: bool = False) -> Failure:
    """Return what an answer means that is no success; never raises on a strange one.

    What is not there is the account, or in a call `of_upload` the app.
    """
    error = _error(body)
    code, subcode = _number(error.get("code")), _number(error.get("error_subcode"))
    if not error and http_status >= 500:
        return Failure(Scope.UNCERTAIN, f"HTTP {http_status}: a gateway answered instead of Meta", again=True)
    if not error:
        return Failure(Scope.ACCOUNT, f"HTTP {http_status} without an explanation: check graph_url and api_version")
    scope, remedy, again = _meaning(code, subcode, http_status)
    if of_upload and _NO_SUCH_OBJECT in (code, subcode):
        remedy = _NO_SUCH_APP
    named = f"Meta's error {code}" + (f" ({subcode})" if subcode else "")
    words = "" if code in _ABOUT_THE_TOKEN else _words(error)
    return Failure(scope, f"{named}: {remedy}" + (f". Meta says: {words}" if words else ""), code, again)


def _meaning(code: int, subcode: int, http_status: int) -> tuple[Scope, str, bool]:
    if subcode in SUBCODES:
        return *SUBCODES[subcode], False
    if code in CODES:
        return CODES[code]
    if 200 <= code <= 299:
        return Scope.ACCOUNT, _PERMISSION, False
    if http_status == 429:
        return Scope.ACCOUNT, "too many calls: wait an hour", True
    if http_status >= 500:
        return Scope.UNCERTAIN, "Meta answered with a server error", True
    return Scope.TEMPLATE, "see Meta's list of error codes", False


def _error(body: bytes) -> JSONDict:
    try:
        content = read_json(body)
    except ValueError:
        return {}
    error = content.get("error") if isinstance(content, dict) else None
    return error if isinstance(error, dict) else {}


def _number(value: object) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else 0


def _words(error: JSONDict) -> str:
    """Return Meta's own explanation, in its language; the one for people first."""
    data = error.get("error_data")
    details = data.get("details") if isinstance(data, dict) else data
    for words in (error.get("error_user_msg"), details, error.get("message")):
        if isinstance(words, str) and words.strip():
            return words.strip()
    return ""
