"""What a tap on one of the business's messages sends back.

Pure. A template's quick reply and a session button look alike and travel differently (fact sheet 2.2.1).
"""

from __future__ import annotations

from typing import Any

from rasa_whatsapp.simulator.chat import ChatMessage
from rasa_whatsapp.simulator.customers import Customer

# What a customer does instead of tapping, by kind of button.
INSTEAD = {
    "location": "send a location that quotes the message",
    "flow": "send a flow_reply to the message",
    "address": "send a flow_reply to the message",
    "call": "call the business",
}


class TapRefused(ValueError):
    """There is nothing of that name to tap, or tapping it sends nothing."""


def tap(message: ChatMessage, name: str, customer: Customer) -> dict[str, Any]:
    """Return the content of the message that a tap on a button or row sends; `name` is its id, text or payload."""
    for section in message.bubble.get("list", {}).get("sections", []):
        for row in section["rows"]:
            if name == row["id"]:
                return _interactive("list_reply", row)
    cards = message.bubble.get("carousel", [])
    buttons = [*message.bubble.get("buttons", []), *(button for card in cards for button in card["buttons"])]
    return _answer(_find(buttons, name), customer)


def own_card(customer: Customer) -> dict[str, Any]:
    """Return the contact card with which a customer answers a request for it; there is no vcard (fact sheet 2.6)."""
    phone = {"phone": f"+{customer.wa_id}", "wa_id": customer.wa_id, "type": "CELL"}
    return {"name": {"formatted_name": customer.name, "first_name": customer.name}, "phones": [phone]}


def _answer(button: dict[str, Any], customer: Customer) -> dict[str, Any]:
    match button["kind"]:
        case "reply":
            return _interactive("button_reply", {"id": button["id"], "title": button["title"]})
        case "quick_reply":
            return {"type": "button", "button": {"payload": button["payload"], "text": button["title"]}}
        case "contact":
            return {"type": "contacts", "contacts": [own_card(customer) | {"origin": "contact_request"}]}
        case "call_permission":
            return _interactive("call_permission_reply", _permission(button["id"]))
        case kind:
            instead = f": {INSTEAD[kind]}" if kind in INSTEAD else ""
            raise TapRefused(f"a tap on a {kind} button sends no message{instead}")


def _permission(answer: str) -> dict[str, Any]:
    permanent = {"is_permanent": True} if answer == "accept" else {}
    return {"response": answer, **permanent, "response_source": "user_action"}


def _interactive(kind: str, answer: dict[str, Any]) -> dict[str, Any]:
    return {"type": "interactive", "interactive": {"type": kind, kind: answer}}


def _find(buttons: list[dict[str, Any]], name: str) -> dict[str, Any]:
    for key in ("id", "title", "payload"):
        for button in buttons:
            if button.get(key) == name:
                return button
    raise TapRefused(f"the message has no button or row {name!r}")
