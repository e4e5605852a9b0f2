"""Direct Send: whether the account may send utility messages without a template, and what such a message may be (M:direct-send).

The access is kept. Meta makes a template of each message in the background; here all of them go with the one that it falls back on.
"""

from __future__ import annotations

from enum import Enum
from typing import Any

from rasa_whatsapp.simulator.kinds import fields
from rasa_whatsapp.simulator.refusals import Refused
from rasa_whatsapp.simulator.storage import Storage

TEMPLATE_ID = "900000000000001"
BODY = 1024
INTERACTIVE = ("button", "cta_url", "voice_call")
ORDINARY = "service"
CATEGORIES = ("authentication", ORDINARY, "utility")
KEPT_AS = "direct_send"


class Access(Enum):
    """What Meta lets the account do."""

    NOT_ENABLED = "not_enabled"
    ENABLED = "enabled"
    BLOCKED = "blocked"


class DirectSend:
    """The account's access, and the check of what is sent so."""

    def __init__(self, storage: Storage) -> None:
        """Take what the access is kept in."""
        self._storage = storage

    @property
    def access(self) -> Access:
        """Return the access; an account has none unless it is given."""
        return Access(self._storage.kept(KEPT_AS, Access.NOT_ENABLED.value))

    def change(self, access: Access) -> None:
        """Give or take the access."""
        self._storage.keep(KEPT_AS, access.value)

    def category_of(self, body: dict[str, Any], kind: str) -> str | None:
        """Return as which category a message goes without a template, None for an ordinary one and for a template."""
        category = body.get("category")
        if category in (None, ORDINARY) or kind == "template":
            return None
        if category not in CATEGORIES:
            raise Refused(100, f"Param category must be one of {{{', '.join(CATEGORIES).upper()}}} - got {category!r}.")
        access = self.access
        if access is Access.BLOCKED:
            raise Refused(139200, "Direct Send Access is restricted: not available for this WABA right now.")
        # Authentication needs an access of its own, which nobody gives here.
        if access is Access.NOT_ENABLED or category != "utility":
            raise Refused(
                100,
                "Parameter Invalid: The 'category' value requires Direct Send, which isn't enabled for this account. "
                "Use an approved message template instead.",
            )
        _check_content(body[kind], kind)
        return str(category)


def _check_content(content: dict[str, Any], kind: str) -> None:
    if kind == "text":
        text = content["body"]
    elif kind == "interactive" and content["type"] in INTERACTIVE:
        text = (content.get("body") or {}).get("text", "")
    else:
        raise Refused(100, "Direct Send does not support this type of message")
    if fields.units(text) > BODY:
        raise Refused(100, f"Direct Send: the body must be at most {BODY} characters long.")
