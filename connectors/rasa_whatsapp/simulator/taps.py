"""What a tap on one of the business's messages sends back.

Pure. A template's quick reply and a session button look alike and travel differently (fact sheet 2.2.1).
"""

from __future__ import annotations

from typing import Any

from rasa_whatsapp.simulator.chat import ChatMessage


class TapRefused(ValueError):
    """There is nothing of that name to tap, or tapping it sends nothing."""


def tap(message: ChatMessage, name: str) -> dict[str, Any]:
    """Return the content of the message that a tap on a button or row sends; `name` is its id, text or payload."""
    for section in message.bubble.get("list", {}).get("sections", []):
        for row in section["rows"]:
            if name == row["id"]:
                return _interactive("list_reply", row)
    button = _find(message.bubble.get("buttons", []), name)
    if button["kind"] == "reply":
        return _interactive("button_reply", {"id": button["id"], "title": button["title"]})
    if button["kind"] == "quick_reply":
        return {"type": "button", "button": {"payload": button["payload"], "text": button["title"]}}
    raise TapRefused(f"a tap on a {button['kind']} button sends no message")


def _interactive(kind: str, answer: dict[str, Any]) -> dict[str, Any]:
    return {"type": "interactive", "interactive": {"type": kind, kind: answer}}


def _find(buttons: list[dict[str, Any]], name: str) -> dict[str, Any]:
    for key in ("id", "title", "payload"):
        for button in buttons:
            if button.get(key) == name:
                return button
    raise TapRefused(f"the message has no button or row {name!r}")
