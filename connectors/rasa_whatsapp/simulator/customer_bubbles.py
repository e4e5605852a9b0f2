"""What the phone shows of a message that the customer sent: from a webhook's `messages[]` object to a bubble.

Pure but for looking up media. The object may be anything that a test made up, so nothing in it is taken for granted:
what has not the shape of its kind is shown as `[kind]`. A new kind is one reader and one row.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from rasa_whatsapp.simulator.bubbles import Bubble, Media
from rasa_whatsapp.simulator.media_table import StoredMedia

FindMedia = Callable[[str], StoredMedia | None]
JSONObject = dict[str, Any]


def from_customer(message: JSONObject, find_media: FindMedia) -> JSONObject:
    """Return what the control API shows of an inbound message's appearance."""
    kind = str(message.get("type"))
    content = message.get(kind)
    if kind in MEDIA and isinstance(content, dict):
        bubble = _media(kind, content, find_media)
    else:
        reader = READERS.get(kind)
        bubble = (reader(content) if reader is not None else None) or _anything(content, kind)
    return bubble.to_json() | _around(message)


def _around(message: JSONObject) -> JSONObject:
    """What any kind may have: what it answers, where it comes from."""
    context = _object(message.get("context"))
    around: JSONObject = {}
    if isinstance(context.get("id"), str):
        around["quoting"] = context["id"]
    if context.get("forwarded") or context.get("frequently_forwarded"):
        around["forwarded"] = True
    product = _product(context.get("referred_product"))
    if product is not None:
        around["referred_product"] = product
    if isinstance(message.get("referral"), dict):
        around["referral"] = message["referral"]
    return around


def _anything(content: Any, kind: str) -> Bubble:
    return Bubble(text=_text(_object(content), "caption") or f"[{kind}]")


def _media(kind: str, content: JSONObject, find_media: FindMedia) -> Bubble:
    stored = find_media(content["id"]) if isinstance(content.get("id"), str) else None
    media = Media(
        kind=kind,
        stored=stored,
        filename=_text(content, "filename") or None,
        voice=content.get("voice") is True,
        animated=content.get("animated") is True,
    )
    return Bubble(text=_text(content, "caption"), media=media)


def _words(content: Any) -> Bubble | None:
    return Bubble(text=_text(content, "body")) if isinstance(content, dict) else None


def _template_button(content: Any) -> Bubble | None:
    return Bubble(text=_text(content, "text")) if isinstance(content, dict) else None


def _location(content: Any) -> Bubble | None:
    place = _object(content)
    if not all(_is_number(place.get(name)) for name in ("latitude", "longitude")):
        return None
    names = {name: place[name] for name in ("name", "address") if isinstance(place.get(name), str)}
    shown = {"latitude": place["latitude"], "longitude": place["longitude"], **names}
    lines = [*names.values(), f"{place['latitude']}, {place['longitude']}"]
    return Bubble(text="\n".join(lines), parts={"location": shown})


def _contacts(content: Any) -> Bubble | None:
    if not isinstance(content, list):
        return None
    cards = [card for card in content if isinstance(card, dict)]
    names = [_text(_object(card.get("name")), "formatted_name") or "[contact]" for card in cards]
    return Bubble(text="\n".join(names), parts={"contacts": cards})


def _order(content: Any) -> Bubble | None:
    order = _object(content)
    if "catalog_id" not in order or not isinstance(order.get("product_items"), list):
        return None
    return Bubble(text=_text(order, "text") or f"[order: {len(order['product_items'])}]", parts={"order": order})


def _reaction(content: Any) -> Bubble | None:
    reaction = _object(content)
    if not isinstance(reaction.get("message_id"), str):
        return None
    emoji = _text(reaction, "emoji") or None
    parts = {"reaction": {"message_id": reaction["message_id"], "emoji": emoji}}
    return Bubble(text=emoji or "[reaction removed]", parts=parts)


def _edit(content: Any) -> Bubble | None:
    edit = _object(content)
    message = _object(edit.get("message"))
    inner = _object(message.get(str(message.get("type"))))
    text = _text(inner, "body") or _text(inner, "caption")
    if not isinstance(edit.get("original_message_id"), str):
        return None
    return Bubble(text=text, parts={"edit": {"message_id": edit["original_message_id"], "text": text}})


def _revoke(content: Any) -> Bubble | None:
    target = _object(content).get("original_message_id")
    if not isinstance(target, str):
        return None
    return Bubble(text="[deleted a message]", parts={"revoke": {"message_id": target}})


def _system(content: Any) -> Bubble | None:
    system = _object(content)
    if "type" not in system:
        return None
    return Bubble(text=_text(system, "body") or f"[{system['type']}]", parts={"system": system})


def _unsupported(content: Any) -> Bubble | None:
    kind = _text(_object(content), "type")
    return Bubble(text=f"[unsupported: {kind}]" if kind else "[unsupported]")


def _welcome(content: Any) -> Bubble | None:
    return Bubble(text="[opened the chat]")


def _interactive(content: Any) -> Bubble | None:
    answer = _object(content)
    kind = _text(answer, "type")
    inner = _object(answer.get(kind))
    if kind == "nfm_reply":
        return _form(inner)
    if kind == "call_permission_reply":
        return Bubble(text=f"[call permission: {inner.get('response')}]")
    title = _text(inner, "title")
    return Bubble(text=title, footer=_text(inner, "description") or None) if title else None


def _form(answer: JSONObject) -> Bubble:
    try:
        data = json.loads(_text(answer, "response_json"))
    except ValueError:
        data = None
    name = "address_message" if answer.get("name") == "address_message" else "flow"
    parts = {"flow_reply": {"name": name, "data": _object(data)}}
    return Bubble(text=_text(answer, "body") or "[form]", parts=parts)


def _product(value: Any) -> JSONObject | None:
    product = _object(value)
    names = ("catalog_id", "product_retailer_id")
    if not all(isinstance(product.get(name), str) for name in names):
        return None
    return {name: product[name] for name in names}


def _object(value: Any) -> JSONObject:
    return value if isinstance(value, dict) else {}


def _text(value: JSONObject, name: str) -> str:
    return value[name] if isinstance(value.get(name), str) else ""


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


MEDIA = frozenset({"image", "video", "audio", "document", "sticker"})
READERS: dict[str, Callable[[Any], Bubble | None]] = {
    "text": _words,
    "button": _template_button,
    "location": _location,
    "contacts": _contacts,
    "order": _order,
    "reaction": _reaction,
    "edit": _edit,
    "revoke": _revoke,
    "system": _system,
    "unsupported": _unsupported,
    "interactive": _interactive,
    "request_welcome": _welcome,
}
