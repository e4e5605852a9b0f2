"""What a message holds beside words, as the plain values that the dialogue gets as entities: one reader per kind.

Each takes the whole `messages[]` object and raises MalformedField if the body of its kind is missing or broken. Fields that Meta may leave out are left out.
https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/messages
"""

from __future__ import annotations

from typing import Any, TypeVar

from rasa_whatsapp.cloud.wire import (
    JSONDict,
    MalformedField,
    as_object,
    as_objects,
    is_deep,
    optional_text,
    read_json,
    required_id,
    required_moment,
    required_number,
    required_text,
)

_Value = TypeVar("_Value")

_CODES_END = 2**31
_LONGEST_RESPONSE = 100_000  # characters of a flow's answer; it becomes an event of the conversation, whoever wrote it
_DEEPEST = 16
_MOST_PIECES = 1_000_000
_HIGHEST_PRICE = 10**12


def media(message: JSONDict) -> JSONDict:
    """Return what identifies a file and says what it is; its address lives five minutes only and is left out."""
    kind = required_text(message, "type")
    body = as_object(message.get(kind), kind)
    file: JSONDict = {"id": required_id(body, "id"), "kind": kind}
    file.update(_texts(body, "mime_type", "sha256", "filename", "caption"))
    file.update({key: body[key] for key in ("voice", "animated") if isinstance(body.get(key), bool)})
    return file


def location(message: JSONDict) -> JSONDict:
    """Return a place: degrees, and name and address if the customer chose one from the list."""
    body = as_object(message.get("location"), "location")
    return {
        "latitude": required_number(body, "latitude", least=-90, most=90),
        "longitude": required_number(body, "longitude", least=-180, most=180),
        **_texts(body, "name", "address", "url"),
    }


def contacts(message: JSONDict) -> list[JSONDict]:
    """Return the contact cards as they came."""
    return _shallow(as_objects(message.get("contacts"), "contacts"), "contacts")


def order(message: JSONDict) -> JSONDict:
    """Return what the customer put into the cart; numbers are numbers however they came."""
    body = as_object(message.get("order"), "order")
    items = as_objects(body.get("product_items"), "order.product_items")
    return {
        "catalog_id": required_id(body, "catalog_id"),
        **_texts(body, "text"),
        "product_items": [_product(item) for item in items],
    }


def flow_reply(message: JSONDict) -> JSONDict:
    """Return what a form was filled in with: an object that the customer's device made, so of any shape."""
    reply = as_object(as_object(message.get("interactive"), "interactive").get("nfm_reply"), "interactive.nfm_reply")
    text = required_text(reply, "response_json")
    if len(text) > _LONGEST_RESPONSE:
        raise MalformedField(f"response_json has {len(text)} characters, at most {_LONGEST_RESPONSE} are read")
    try:
        answer = read_json(text)
    except ValueError:
        raise MalformedField("response_json is not JSON") from None
    return as_object(_shallow(answer, "response_json"), "response_json")


def call_permission(message: JSONDict) -> JSONDict:
    """Return whether the business may call, and until when."""
    interactive = as_object(message.get("interactive"), "interactive")
    body = as_object(interactive.get("call_permission_reply"), "interactive.call_permission_reply")
    permission: JSONDict = {"response": required_text(body, "response")}
    if isinstance(body.get("is_permanent"), bool):
        permission["is_permanent"] = body["is_permanent"]
    if body.get("expiration_timestamp") is not None:
        permission["expires_at"] = required_moment(body, "expiration_timestamp").isoformat()
    return permission


def reaction(message: JSONDict) -> JSONDict:
    """Return a reaction; an emoji that was taken back is None, whether Meta says "" or nothing."""
    body = as_object(message.get("reaction"), "reaction")
    return {"message_id": required_id(body, "message_id"), "emoji": optional_text(body, "emoji")}


def edit(message: JSONDict) -> JSONDict:
    """Return which message was changed, and its words now: a text's or a caption's."""
    body = as_object(message.get("edit"), "edit")
    now = as_object(body.get("message"), "edit.message")
    held = now.get(optional_text(now, "type") or "")
    text = optional_text(held, "body") or optional_text(held, "caption") if isinstance(held, dict) else None
    return {"message_id": required_id(body, "original_message_id"), **({"text": text} if text else {})}


def revoke(message: JSONDict) -> JSONDict:
    """Return which message was deleted."""
    return {"message_id": required_id(as_object(message.get("revoke"), "revoke"), "original_message_id")}


def system(message: JSONDict) -> JSONDict:
    """Return what WhatsApp says about the customer."""
    body = as_object(message.get("system"), "system")
    return {"type": required_text(body, "type")[:64], **_texts(body, "body")}


def nothing(message: JSONDict) -> None:
    """Return what a kind without a body holds."""


def unsupported(message: JSONDict, kind: str) -> JSONDict:
    """Return what WhatsApp could not hand over, or this package not read: its type, and Meta's reason if there is one."""
    held = message.get("unsupported")
    named = optional_text(held, "type") if isinstance(held, dict) else None
    value: JSONDict = {"type": (named or kind)[:64]}
    errors = message.get("errors")
    error = errors[0] if isinstance(errors, list) and errors and isinstance(errors[0], dict) else {}
    if (code := error_code(error)) is not None:
        value["code"] = code
    if reason := optional_text(error, "title") or optional_text(error, "message"):
        value["reason"] = reason
    return value


def error_code(error: JSONDict) -> int | None:
    """Return Meta's error code, or None when it is missing or no code at all."""
    code = error.get("code")
    return code if isinstance(code, int) and not isinstance(code, bool) and 0 <= code < _CODES_END else None


def _product(item: JSONDict) -> JSONDict:
    quantity = required_number(item, "quantity", least=1, most=_MOST_PIECES)
    if quantity != int(quantity):
        raise MalformedField("quantity is not a whole number")
    product: JSONDict = {"product_retailer_id": required_id(item, "product_retailer_id"), "quantity": int(quantity)}
    if item.get("item_price") is not None:
        product["item_price"] = required_number(item, "item_price", least=0, most=_HIGHEST_PRICE)
    return {**product, **_texts(item, "currency")}


def _shallow(value: _Value, name: str) -> _Value:
    if is_deep(value, _DEEPEST):
        raise MalformedField(f"{name} is nested deeper than {_DEEPEST} levels")
    return value


def _texts(holder: JSONDict, *keys: str) -> dict[str, Any]:
    return {key: text for key in keys if (text := optional_text(holder, key)) is not None}
