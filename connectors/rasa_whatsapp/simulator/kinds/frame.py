"""What interactive messages have in common: header, body, footer around an action.

Pure. Each type says which of them it allows; the limits are the same for all but the body of a list.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rasa_whatsapp.simulator.bubbles import Bubble, Media
from rasa_whatsapp.simulator.kinds import fields
from rasa_whatsapp.simulator.kinds.context import SendContext
from rasa_whatsapp.simulator.kinds.media import read_source
from rasa_whatsapp.simulator.refusals import Refused

HEADER, BODY, FOOTER = 60, 1024, 60
ANY_HEADER = ("text", "image", "video", "document")
TEXT_HEADER = ("text",)
ACTION = "interactive['action']"
PARAMETERS = "interactive['action']['parameters']"


def framed(
    interactive: dict[str, Any],
    context: SendContext,
    *,
    headers: Sequence[str] = (),
    body_limit: int = BODY,
    body_required: bool = True,
    footer: bool = True,
) -> Bubble:
    """Return a bubble with header, body and footer, to which the reader of a type adds its action."""
    text, media = _header(interactive, headers, context)
    return Bubble(
        text=_body(interactive, body_limit, required=body_required),
        media=media,
        header=text,
        footer=_footer(interactive, allowed=footer),
    )


def action_of(interactive: dict[str, Any]) -> dict[str, Any]:
    """Return the action, which every type has."""
    return fields.object_at(interactive, "action", "interactive")


def named_action(interactive: dict[str, Any], name: str) -> dict[str, Any]:
    """Return the action of a type whose action has a fixed name."""
    action = action_of(interactive)
    if fields.string_at(action, "name", ACTION) != name:
        raise Refused(131009, f"Action name must be {name}")
    return action


def _header(
    interactive: dict[str, Any], allowed: Sequence[str], context: SendContext
) -> tuple[str | None, Media | None]:
    if interactive.get("header") is None:
        return None, None
    path = "interactive['header']"
    header = fields.object_at(interactive, "header", "interactive")
    kind = fields.string_at(header, "type", path)
    if kind not in allowed:
        raise Refused(131009, f"Header type {kind} is not allowed for this interactive message")
    if kind == "text":
        return fields.bounded(header, "text", path, label="Header text", limit=HEADER), None
    source = fields.object_at(header, kind, path)
    return None, read_source(source, kind, f"{path}['{kind}']", context)


def _body(interactive: dict[str, Any], limit: int, *, required: bool) -> str:
    if not required and interactive.get("body") is None:
        return ""
    body = fields.object_at(interactive, "body", "interactive")
    return fields.bounded(body, "text", "interactive['body']", label="Body text", limit=limit)


def _footer(interactive: dict[str, Any], *, allowed: bool) -> str | None:
    if interactive.get("footer") is None:
        return None
    if not allowed:
        raise Refused(131009, "A footer is not allowed for this interactive message")
    footer = fields.object_at(interactive, "footer", "interactive")
    return fields.bounded(footer, "text", "interactive['footer']", label="Footer text", limit=FOOTER)
