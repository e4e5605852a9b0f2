r"""What the bot is told: webhook values, their envelope, and the bytes that are signed and sent.

Pure. The bytes are ASCII with `\u00e9` and `\/` escapes, as Meta writes them: a connector that parses and writes the
body again before checking the signature fails (M:webhooks/create-webhook-endpoint).
"""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import Any

from rasa_whatsapp.simulator.chat import ChatMessage
from rasa_whatsapp.simulator.customers import Customer
from rasa_whatsapp.simulator.settings import Settings


def value(settings: Settings) -> dict[str, Any]:
    """Return the part that every `messages` value has."""
    return {
        "messaging_product": "whatsapp",
        "metadata": {
            "display_phone_number": settings.display_phone_number,
            "phone_number_id": settings.phone_number_id,
        },
    }


def envelope(settings: Settings, field: str, content: Any) -> dict[str, Any]:
    """Return a webhook body with one change."""
    change = {"value": content, "field": field}
    return {
        "object": "whatsapp_business_account",
        "entry": [{"id": settings.business_account_id, "changes": [change]}],
    }


def encode(body: Any) -> bytes:
    """Return a body as Meta writes it: ASCII, every `/` escaped."""
    return json.dumps(body, ensure_ascii=True, separators=(",", ":")).replace("/", "\\/").encode("ascii")


def signature(body: bytes, app_secret: str) -> str:
    """Return the value of `X-Hub-Signature-256` for a body."""
    return "sha256=" + hmac.new(app_secret.encode(), body, hashlib.sha256).hexdigest()


def contact(customer: Customer, *, with_username: bool = True) -> dict[str, Any]:
    """Return a `contacts[]` entry; a hidden number is left out, not empty (fact sheet 2.6)."""
    profile = {"name": customer.name}
    if customer.username is not None and with_username:
        profile["username"] = customer.username
    number = {} if customer.hide_number else {"wa_id": customer.wa_id}
    return {"profile": profile, **number, "user_id": customer.user_id}


def inbound(customer: Customer, message_id: str, timestamp: int, content: dict[str, Any]) -> dict[str, Any]:
    """Return a `messages[]` entry; the timestamp is a string of seconds."""
    number = {} if customer.hide_number else {"from": customer.wa_id}
    return {
        **number,
        "from_user_id": customer.user_id,
        "id": message_id,
        "timestamp": str(timestamp),
        **content,
    }


def message_value(settings: Settings, customer: Customer, message: dict[str, Any]) -> dict[str, Any]:
    """Return the value for one inbound message; a system message has no contacts."""
    contacts = {} if message.get("type") == "system" else {"contacts": [contact(customer)]}
    return {**value(settings), **contacts, "messages": [message]}


def status_value(
    settings: Settings, customer: Customer, message: ChatMessage, timestamp: int, *, with_pricing: bool
) -> dict[str, Any]:
    """Return the value for the status that a message has now (fact sheet 3)."""
    status: dict[str, Any] = {"id": message.id, "status": message.status, "timestamp": str(timestamp)}
    failed = message.status == "failed"
    # A number that the business itself wrote to is visible to it; one that it never saw is left out.
    if not (customer.hide_number and message.to_user_id):
        status["recipient_id"] = customer.wa_id
    if message.to_user_id or not failed:
        status["recipient_user_id"] = customer.user_id
    if message.callback_data is not None:
        status["biz_opaque_callback_data"] = message.callback_data
    if message.pricing is not None and with_pricing:
        status["pricing"] = message.pricing
    if failed:
        return {**value(settings), "statuses": [{**status, "errors": message.errors}]}
    shown = contact(customer, with_username=message.status in ("delivered", "read"))
    return {**value(settings), "contacts": [shown], "statuses": [status]}


def preference_value(settings: Settings, customer: Customer, timestamp: int) -> dict[str, Any]:
    """Return the value that tells of a customer's marketing choice; its timestamp is a number (fact sheet 4.2)."""
    word = "stop" if customer.marketing == "stop" else "resume"
    number = {} if customer.hide_number else {"wa_id": customer.wa_id}
    preference = {
        **number,
        "user_id": customer.user_id,
        "detail": f"User requested to {word} marketing messages",
        "category": "marketing_messages",
        "value": word,
        "timestamp": timestamp,
    }
    return {**value(settings), "contacts": [contact(customer)], "user_preferences": [preference]}


def template_status_value(template: dict[str, Any]) -> dict[str, Any]:
    """Return the value that tells of a template's new status; its id is a number here, its language has a hyphen."""
    return {
        "event": template["status"],
        "message_template_id": int(template["id"]),
        "message_template_name": template["name"],
        "message_template_language": str(template["language"]).replace("_", "-"),
        "message_template_category": template["category"],
        "reason": "NONE",
    }
