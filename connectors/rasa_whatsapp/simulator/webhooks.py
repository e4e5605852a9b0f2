r"""What the bot is told: webhook values, their envelope, and the bytes that are signed and sent.

Pure. The bytes are ASCII with `\u00e9` and `\/` escapes, as Meta writes them: a connector that parses and writes the
body again before checking the signature fails (M:webhooks/create-webhook-endpoint).
"""

from __future__ import annotations

import hmac
import json
from typing import Any

from rasa_whatsapp.simulator.catalogue import Template
from rasa_whatsapp.simulator.chat import ChatMessage
from rasa_whatsapp.simulator.customers import Customer
from rasa_whatsapp.simulator.settings import Number

_WRITE = json.JSONEncoder(ensure_ascii=True, separators=(",", ":")).encode


def value(number: Number) -> dict[str, Any]:
    """Return the part that every value about a business number has."""
    return {
        "messaging_product": "whatsapp",
        "metadata": {"display_phone_number": number.display, "phone_number_id": number.id},
    }


def merged(values: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return status values with those of one business number in one, each list in the order in which they came."""
    numbers: dict[str, dict[str, Any]] = {}
    for single in values:
        whole = numbers.setdefault(single["metadata"]["phone_number_id"], {**single, "statuses": []})
        whole["statuses"] += single["statuses"]
        told = whole.get("contacts", [])
        contacts = [*told, *(contact for contact in single.get("contacts", []) if contact not in told)]
        whole |= {"contacts": contacts} if contacts else {}
    return list(numbers.values())


def envelope(business_account_id: str, field: str, *contents: Any, at: float | None = None) -> dict[str, Any]:
    """Return a webhook body with a change for each content; `at` is when it happened, which messages say themselves."""
    changes = [{"value": content, "field": field} for content in contents]
    time = {} if at is None else {"time": int(at)}
    return {
        "object": "whatsapp_business_account",
        "entry": [{"id": business_account_id, **time, "changes": changes}],
    }


def encode(body: Any) -> bytes:
    """Return a body as Meta writes it: ASCII, every `/` escaped."""
    return _WRITE(body).replace("/", "\\/").encode("ascii")


def signature(body: bytes, app_secret: str) -> str:
    """Return the value of `X-Hub-Signature-256` for a body."""
    return "sha256=" + hmac.digest(app_secret.encode(), body, "sha256").hex()


def contact(customer: Customer, *, with_username: bool = True) -> dict[str, Any]:
    """Return a `contacts[]` entry; a hidden number is left out, not empty (fact sheet 2.6)."""
    profile = {"name": customer.name}
    if customer.username is not None and with_username:
        profile["username"] = customer.username
    return {"profile": profile, **_number(customer, "wa_id"), **_user_ids(customer, "")}


def inbound(customer: Customer, message_id: str, timestamp: int, content: dict[str, Any]) -> dict[str, Any]:
    """Return a `messages[]` entry; the timestamp is a string of seconds."""
    return {
        **_number(customer, "from"),
        **_user_ids(customer, "from_"),
        "id": message_id,
        "timestamp": str(timestamp),
        **content,
    }


def message_value(number: Number, customer: Customer, message: dict[str, Any]) -> dict[str, Any]:
    """Return the value for one inbound message; a system message has no contacts."""
    contacts = {} if message.get("type") == "system" else {"contacts": [contact(customer)]}
    return {**value(number), **contacts, "messages": [message]}


def status_value(
    number: Number, customer: Customer, message: ChatMessage, timestamp: int, *, with_pricing: bool
) -> dict[str, Any]:
    """Return the value for the status that a message has now (fact sheet 3)."""
    status: dict[str, Any] = {"id": message.id, "status": message.status, "timestamp": str(timestamp)}
    failed = message.status == "failed"
    # A number that the business itself wrote to is visible to it; one that it never saw is left out.
    if not (customer.hide_number and message.to_user_id):
        status["recipient_id"] = customer.wa_id
    if message.to_user_id or not failed:
        status |= {f"recipient_{name}": told for name, told in _user_ids(customer, "").items()}
    if message.callback_data is not None:
        status["biz_opaque_callback_data"] = message.callback_data
    if message.template_id is not None and not failed:
        status["template_id"] = message.template_id
    if message.pricing is not None and with_pricing:
        status["pricing"] = message.pricing
    if failed:
        return {**value(number), "statuses": [{**status, "errors": message.errors}]}
    shown = contact(customer, with_username=message.status in ("delivered", "read"))
    return {**value(number), "contacts": [shown], "statuses": [status]}


def preference_value(number: Number, customer: Customer, timestamp: int) -> dict[str, Any]:
    """Return the value that tells of a customer's marketing choice; its timestamp is a number (fact sheet 4.2)."""
    word = "stop" if customer.marketing == "stop" else "resume"
    preference = {
        **_number(customer, "wa_id"),
        "user_id": customer.user_id,
        "detail": f"User requested to {word} marketing messages",
        "category": "marketing_messages",
        "value": word,
        "timestamp": timestamp,
    }
    return {**value(number), "contacts": [contact(customer)], "user_preferences": [preference]}


def call_value(number: Number, customer: Customer, call: dict[str, Any]) -> dict[str, Any]:
    """Return the value for one event of a call that the customer made (fact sheet 4.4)."""
    caller = {**_number(customer, "from"), **_user_ids(customer, "from_")}
    told = {"id": call["id"], **caller, "to": number.display, "direction": "USER_INITIATED", **call}
    return {**value(number), "contacts": [contact(customer)], "calls": [told]}


def echo_value(number: Number, customer: Customer, message: dict[str, Any]) -> dict[str, Any]:
    """Return the value for a message that a human sent from the business's app; a hidden number is left out."""
    recipient = {**_number(customer, "to"), **_user_ids(customer, "to_")}
    echo = {"from": number.display, **recipient, **message}
    return {**value(number), "contacts": [contact(customer)], "message_echoes": [echo]}


def user_id_update_value(number: Number, customer: Customer, previous: str, timestamp: int) -> dict[str, Any]:
    """Return the value that links a new user id with the previous one; its timestamp is a text here (observed)."""
    update = {
        **_number(customer, "wa_id"),
        "detail": f"User id for {customer.name} has been updated.",
        "user_id": {"previous": previous, "current": customer.user_id},
        "timestamp": str(timestamp),
    }
    profile = {"profile": {"name": customer.name}, **_number(customer, "wa_id")}
    return {**value(number), "contacts": [profile], "user_id_update": [update]}


def _number(customer: Customer, name: str) -> dict[str, str]:
    """A hidden number is left out, not empty (fact sheet 2.6)."""
    return {} if customer.hide_number else {name: customer.wa_id}


def _user_ids(customer: Customer, prefix: str) -> dict[str, str]:
    parent = {} if customer.parent_user_id is None else {f"{prefix}parent_user_id": customer.parent_user_id}
    return {f"{prefix}user_id": customer.user_id, **parent}


def template_value(template: Template) -> dict[str, Any]:
    """Return what every value about a template has: its id is a number here, its language has a hyphen."""
    return {
        "message_template_id": int(template.id),
        "message_template_name": template.name,
        "message_template_language": template.language.replace("_", "-"),
    }


def template_status_value(template: Template, event: str, **more: Any) -> dict[str, Any]:
    """Return the value that tells of a template's new status; `more` goes with some of them (fact sheet 4.1)."""
    category = {"message_template_category": template.category}
    return {"event": event, **template_value(template), **category, "reason": template.rejected_reason, **more}


def template_quality_value(template: Template, previous: str) -> dict[str, Any]:
    """Return the value that tells of a template's new quality."""
    return {"previous_quality_score": previous, "new_quality_score": template.quality, **template_value(template)}


def template_category_value(template: Template) -> dict[str, Any]:
    """Return the value that tells of a template's new category, or of the coming one if that is announced.

    In an announcement `new_category` is the present one.
    """
    if template.correct_category is not None and template.category_at is not None:
        told = {
            "correct_category": template.correct_category,
            "new_category": template.category,
            "category_update_timestamp": int(template.category_at),
        }
    else:
        told = {"previous_category": template.previous_category, "new_category": template.category}
    return {**template_value(template), **told}


def template_components_value(template: Template) -> dict[str, Any]:
    """Return the value that tells of a template's new texts and buttons."""
    header, footer = template.component("HEADER") or {}, template.component("FOOTER") or {}
    buttons = [_template_button(button) for button in template.buttons()]
    return {
        **template_value(template),
        **({"message_template_title": header["text"]} if "text" in header else {}),
        "message_template_element": (template.component("BODY") or {}).get("text"),
        **({"message_template_footer": footer["text"]} if "text" in footer else {}),
        **({"message_template_buttons": buttons} if buttons else {}),
    }


def _template_button(button: dict[str, Any]) -> dict[str, Any]:
    told = {name: button[name] for name in ("type", "text", "url", "phone_number") if name in button}
    return {f"message_template_button_{name}": value for name, value in told.items()}
