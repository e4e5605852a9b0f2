"""Meta's Direct Send (beta): which messages may go without a template outside the window, how they look then, which refusals end that.

Meta makes a template of each by itself. What is not listed on its page of supported features is not supported, so it is not tried; media in a
header need access of their own and are not tried either.
https://developers.facebook.com/documentation/business-messaging/whatsapp/direct-send/supported-features-and-limits
"""

from __future__ import annotations

from rasa_whatsapp.cloud import limits
from rasa_whatsapp.cloud.wire import JSONDict

CATEGORY = "utility"

_INTERACTIVE = frozenset({"button", "cta_url", "voice_call"})
_NOT_ENABLED = 100
_CLOSING = frozenset({131064, 139200})  # limited for a day, blocked for days or for good: messages were no utility
_NOT_SO = frozenset({_NOT_ENABLED, 131009, 131047, 131051, 131062}) | _CLOSING
_TEMPLATES = 132  # Meta's own template behind the message: the family 132000


def misfit(content: JSONDict) -> str | None:
    """Return why a checked message object cannot go so, or None if it can."""
    if content.get("type") == "text":
        return _too_long(content["text"]["body"])
    interactive = content.get("interactive") or {}
    if interactive.get("type") not in _INTERACTIVE:
        return "only texts, reply buttons, a link button or a call button can go so"
    if (interactive.get("header") or {"type": "text"}).get("type") != "text":
        return "a header with media cannot go so"
    return _too_long((interactive.get("body") or {}).get("text") or "")


def fitted(content: JSONDict) -> JSONDict:
    """Return what of a message object goes so: no quote, and no preview of links, which Meta does not support."""
    kind = content["type"]
    return {"type": kind, kind: {name: value for name, value in content[kind].items() if name != "preview_url"}}


def is_turned_down(code: int) -> bool:
    """Tell whether a refusal with this code is of Direct Send: the message may still go in another way."""
    return code in _NOT_SO or code // 1000 == _TEMPLATES


def closes(code: int, explanation: str = "") -> bool:
    """Tell whether a refusal says that the account may not use it now; 100 says many things, and this one in its details only."""
    return code in _CLOSING or (code == _NOT_ENABLED and "requires Direct Send" in explanation)


def _too_long(text: str) -> str | None:
    if limits.length(text) <= limits.DIRECT_SEND_BODY:
        return None
    return f"its text is over {limits.DIRECT_SEND_BODY} characters"
