"""Meta's error codes: what to do about each, and what to tell the operator.

https://developers.facebook.com/documentation/business-messaging/whatsapp/support/error-codes
"""

from __future__ import annotations

from enum import Enum


class Disposition(Enum):
    """What the sender does next."""

    RETRY = "retry"
    UNCERTAIN = "uncertain"  # it may have been sent: let the status webhook settle it
    NEEDS_TEMPLATE = "needs_template"
    STOP_CONTACTING = "stop_contacting"
    STOP_SENDING = "stop_sending"  # nothing from this number would be taken: an operator has to act
    GIVE_UP = "give_up"


_R, _U, _T, _S, _H, _G = (
    Disposition.RETRY,
    Disposition.UNCERTAIN,
    Disposition.NEEDS_TEMPLATE,
    Disposition.STOP_CONTACTING,
    Disposition.STOP_SENDING,
    Disposition.GIVE_UP,
)

# code -> (disposition, remedy)
CODES: dict[int, tuple[Disposition, str]] = {
    0: (_H, "the access token is not accepted: set a new access_token"),
    1: (_U, "unknown API problem; see Meta's status page if it stays"),
    2: (_R, "Meta is overloaded for a moment"),
    3: (_H, "the app lacks a permission: check its WhatsApp permissions"),
    4: (_R, "the app's call rate is reached: it slows down"),
    10: (_H, "the permission was not granted or was removed: grant whatsapp_business_messaging"),
    33: (_H, "the business number is gone: check phone_number_id"),
    100: (_G, "Meta does not accept a field of the message: see its details"),
    190: (_H, "the access token has expired: set a new access_token"),
    368: (_H, "the account is blocked for a policy violation: see WhatsApp Manager"),
    80007: (_R, "the account's rate limit is reached: it slows down"),
    130403: (_G, "the business has blocked this customer: unblock first"),
    130429: (_R, "the number's throughput is reached: it slows down"),
    130472: (_G, "the customer is in one of Meta's experiments and gets no marketing: use another channel"),
    130497: (_G, "the account may not write to this country"),
    131000: (_U, "something went wrong at Meta; it may have been sent"),
    131005: (_H, "access denied: check the token's permissions"),
    131008: (_G, "a required field is missing: see its details"),
    131009: (_G, "a field's value is not valid: see its details"),
    131016: (_R, "the service is unavailable for a moment"),
    131021: (_G, "recipient and sender are the same number"),
    131026: (_G, "the customer cannot be reached on WhatsApp: use another channel"),
    131030: (_G, "a test number may only write to its allowed recipients: add the number"),
    131031: (_H, "the account is locked: see WhatsApp Manager"),
    131037: (_H, "the number's display name needs approval"),
    131042: (_H, "there is a problem with the payment method: see WhatsApp Manager"),
    131044: (_H, "there is a problem with payment or credit: see WhatsApp Manager"),
    131045: (_H, "the number is not registered: register it"),
    131047: (_T, "more than 24 hours since the customer's last message: only an approved template may be sent"),
    131048: (_G, "customers report the number as spam: only replies go for an hour; check its quality"),
    131049: (_G, "Meta withheld it to keep the customer engaged: not before 24 hours"),
    131050: (_S, "the customer stopped marketing messages from this business"),
    131051: (_G, "Meta does not support this kind of message"),
    131052: (_G, "Meta could not load the media"),
    131053: (_G, "Meta could not process the media: check kind and size"),
    131056: (_R, "too many messages to this customer in a short time: it slows down"),
    131057: (_R, "the account is in maintenance for about a minute"),
    131062: (_G, "this template needs a phone number: ask the customer for it"),
    131064: (_G, "too many of the account's utility messages were promotional: Meta limits them for a day"),
    132000: (_G, "the number of parameters does not fit the template: compare it with the catalogue"),
    132001: (_G, "the template does not exist in this language or is not approved: check name and language"),
    132005: (_G, "the template's text is too long once filled: shorten a parameter"),
    132007: (_G, "the template's content breaks Meta's policy"),
    132012: (_G, "a parameter has the wrong form: compare it with the catalogue"),
    132015: (_G, "the template is paused for low quality: use another one"),
    132016: (_G, "the template is disabled for good: make a new one"),
    132018: (_G, "a parameter's text is not allowed: no line breaks, tabs or runs of blanks"),
    133004: (_U, "Meta's server was unavailable; it may have been sent"),
    133010: (_H, "the business number is not registered: register it"),
    134101: (_R, "the template is still being prepared at Meta, which takes some minutes"),
    139200: (_G, "Meta has blocked Direct Send for this account: see WhatsApp Manager"),
    2494100: (_R, "the number is in maintenance for some minutes"),
}

_PERMISSION = (_H, "a permission is missing: check the token's permissions")


def disposition_of(code: int, http_status: int = 400) -> tuple[Disposition, str]:
    """Return what to do about a code, and the remedy in words; codes not listed go by the HTTP status."""
    if code in CODES:
        return CODES[code]
    if 200 <= code <= 299:
        return _PERMISSION
    if http_status == 429:
        return _R, "too many requests: it slows down"
    if http_status >= 500 and code < 0:
        return _U, "a gateway answered instead of Meta; it may have been sent"
    if http_status >= 500:
        return _R, "Meta answered with a server error"
    return _G, "see Meta's list of error codes"
