"""Meta's error codes with their titles and HTTP statuses, and the two shapes in which they travel.

A refusal in an HTTP answer and one in a failed status are different objects (fact sheet 8.1).
"""

from __future__ import annotations

from typing import Any

from rasa_whatsapp.simulator.identifiers import new_trace_id

HREF = "https://developers.facebook.com/documentation/business-messaging/whatsapp/support/error-codes"

# code -> (HTTP status, title); M:support/error-codes, fact sheet 8.2.
CODES: dict[int, tuple[int, str]] = {
    0: (401, "AuthException"),
    1: (400, "API Unknown"),
    2: (503, "API Service"),
    3: (500, "API Method"),
    4: (400, "API Too Many Calls"),
    10: (403, "API Permission Denied"),
    33: (400, "Parameter value is not valid"),
    100: (400, "Invalid parameter"),
    190: (401, "Access token has expired"),
    368: (403, "Temporarily blocked for policies violations"),
    80007: (400, "Rate limit issues"),
    130403: (400, "Business has blocked this user"),
    130429: (400, "Rate limit hit"),
    130472: (400, "User's number is part of an experiment"),
    130497: (403, "Business account is restricted from messaging users in this country"),
    131000: (500, "Something went wrong"),
    131005: (403, "Access denied"),
    131008: (400, "Required parameter is missing"),
    131009: (400, "Parameter value is not valid"),
    131016: (500, "Service unavailable"),
    131021: (400, "Recipient cannot be sender"),
    131026: (400, "Message undeliverable"),
    131030: (400, "Recipient phone number not in allowed list"),
    131031: (403, "Account has been locked"),
    131037: (400, "WhatsApp provided number needs display name approval before message can be sent"),
    131042: (400, "Business eligibility payment issue"),
    131045: (500, "Incorrect certificate"),
    131047: (400, "Re-engagement message"),
    131048: (400, "Spam Rate limit hit"),
    131049: (400, "This message was not delivered to maintain healthy ecosystem engagement"),
    131050: (400, "User has stopped marketing messages from your business"),
    131051: (400, "Unsupported message type"),
    131052: (400, "Media download error"),
    131053: (400, "Media upload error"),
    131055: (400, "Method not allowed"),
    131056: (400, "(Business Account, Consumer Account) pair rate limit hit"),
    131057: (500, "Account in maintenance mode"),
    131059: (400, "Invalid cursor"),
    131060: (400, "This message is currently unavailable"),
    131062: (400, "Business-scoped user id recipients are not supported for this message"),
    132000: (400, "Number of parameters does not match the expected number of params"),
    132001: (404, "Template name does not exist in the translation"),
    132005: (400, "Translated text too long"),
    132007: (400, "Template content policy violated"),
    132012: (400, "Parameter format does not match format in the created template"),
    132015: (400, "Template is paused"),
    132016: (400, "Template is disabled"),
    132018: (400, "There was an error with the parameters of the template"),
    133004: (503, "Server temporarily unavailable"),
    133010: (400, "Phone number not registered"),
    134011: (400, "WhatsApp Payments terms of service has not been accepted"),
    135000: (400, "Generic user error"),
    139200: (400, "Direct Send Utility access is blocked"),
}

# What a failed status says beside the title; the sentence for everything else is the title itself.
DETAILS: dict[int, str] = {
    131026: "Message undeliverable.",
    131047: "Message failed to send because more than 24 hours have passed since the customer last replied to this number.",
    131049: "In order to maintain a healthy ecosystem engagement, the message failed to be delivered.",
    131053: "Unable to fetch or process the media.",
    131050: "Recipient has chosen to stop receiving marketing messages on WhatsApp from your business.",
}

# subcode -> title of what is refused when templates are managed (fact sheet 8.2; the first two are observed).
TEMPLATE_TITLES: dict[int, str] = {
    2388023: "Message template language is being deleted",
    2388024: "Content in this language already exists",
    2388019: "Message template limit exceeded",
    2388039: "Message template cannot be saved",
    2388040: "Character limit exceeded",
    2388047: "Message header format is incorrect",
    2388072: "Message body format is incorrect",
    2388073: "Message footer format is incorrect",
    2388293: "Parameters words ratio exceeds limit",
    2388299: "Leading or trailing parameters are not allowed",
}


class Refused(Exception):
    """A request that Meta would not accept, with its code and what exactly is wrong."""

    def __init__(self, code: int, details: str, *, status: int | None = None, subcode: int | None = None) -> None:
        """Take the HTTP status from the table of codes unless one is given."""
        super().__init__(f"{code}: {details}")
        self.code = code
        self.details = details
        self.status = status if status is not None else CODES.get(code, (400, ""))[0]
        self.subcode = subcode


def title(code: int) -> str:
    """Return Meta's name for a code, or a neutral one for a code that is not in the table."""
    return CODES[code][1] if code in CODES else "Unknown error"


def to_answer(refused: Refused) -> dict[str, Any]:
    """Return the JSON body of an HTTP answer that refuses."""
    error: dict[str, Any] = {
        "message": f"(#{refused.code}) {title(refused.code)}",
        "type": "OAuthException",
        "code": refused.code,
        "error_data": {"messaging_product": "whatsapp", "details": refused.details},
        "fbtrace_id": new_trace_id(),
    }
    if refused.subcode is not None:
        error["error_subcode"] = refused.subcode
    if refused.subcode in TEMPLATE_TITLES:
        # What is no message has no error_data; a person is told instead.
        del error["error_data"]
        error |= {
            "is_transient": False,
            "error_user_title": TEMPLATE_TITLES[refused.subcode],
            "error_user_msg": refused.details,
        }
    return {"error": error}


def to_status_error(code: int, details: str | None = None) -> dict[str, Any]:
    """Return one entry of a failed status's `errors[]`."""
    name = title(code)
    return {
        "code": code,
        "title": name,
        "message": name,
        "error_data": {"details": details or DETAILS.get(code, name)},
        "href": HREF,
    }
