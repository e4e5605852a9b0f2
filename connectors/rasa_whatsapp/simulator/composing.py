"""What a customer sends: from a control body to the content of a `messages[]` object, exactly as Meta writes it.

Pure but for looking into the chat and storing media. A new kind is one composer and one row.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from rasa_whatsapp.simulator import control_bodies as bodies
from rasa_whatsapp.simulator.chat import ChatMessage, Direction
from rasa_whatsapp.simulator.control_bodies import ControlRefused
from rasa_whatsapp.simulator.customers import Customer
from rasa_whatsapp.simulator.kinds.flow import UNUSED
from rasa_whatsapp.simulator.media import webhook_hash
from rasa_whatsapp.simulator.media_table import StoredMedia
from rasa_whatsapp.simulator.taps import own_card

Content = dict[str, Any]

EDIT_SECONDS = 15 * 60
REVOKE_SECONDS = 2 * 24 * 3600
# code -> what Meta says in the errors of an unsupported message (fact sheet 2.2.3)
UNSUPPORTED = {
    131051: ("Message type unknown", "Message type is currently not supported."),
    131052: ("Media download error", "The media that the user sent could not be downloaded: it is too big."),
    131060: ("This message is unavailable", "This message is currently unavailable. Ask the user to send it again."),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """What a composer may use: the customer, the chat's messages, the media store, the time in unix seconds."""

    customer: Customer
    display_number: str
    now: float
    find: Callable[[str], ChatMessage | None]
    keep_media: Callable[[bytes, str, str | None], StoredMedia]
    address_of: Callable[[StoredMedia], str]

    def message(self, body: dict[str, Any], name: str = "message_id") -> ChatMessage:
        """Return the message of this chat that a body names."""
        found = self.find(bodies.text(body, name))
        if found is None:
            raise ControlRefused(f"{name} names no message of this chat")
        return found


def compose(body: dict[str, Any], desk: Desk) -> Content:
    """Return the content of what a control body says, with its context and referral."""
    kind = body.get("type")
    if kind == "raw":
        return bodies.raw_message(body)
    composer = COMPOSERS.get(kind) if isinstance(kind, str) else None
    if composer is None:
        raise ControlRefused(f"type must be one of {', '.join(sorted({*COMPOSERS, 'raw', 'tap'}))}")
    context = _context(body, desk)
    content = composer(body, desk)
    referral = {"referral": bodies.an_object(body, "referral")} if "referral" in body else {}
    return {**({"context": context} if context else {}), **referral, **content}


def quote(message: ChatMessage, customer: Customer, display_number: str) -> dict[str, str]:
    """Return the context of an answer; its author is left out for a customer who hides the number."""
    if customer.hide_number:
        return {"id": message.id}
    return {"from": display_number if message.direction is Direction.OUT else customer.wa_id, "id": message.id}


def _context(body: dict[str, Any], desk: Desk) -> dict[str, Any]:
    context: dict[str, Any] = {}
    if "quoting" in body:
        context |= quote(desk.message(body, "quoting"), desk.customer, desk.display_number)
    elif body.get("type") == "flow_reply":
        context |= quote(desk.message(body), desk.customer, desk.display_number)
    if "referred_product" in body:
        if "id" not in context:
            raise ControlRefused("referred_product needs quoting: the message that showed the product")
        context["referred_product"] = bodies.an_object(body, "referred_product")
    forwarded = body.get("forwarded", False)
    if forwarded not in (True, False, "frequently"):
        raise ControlRefused('forwarded must be true, false or "frequently"')
    if forwarded and context:
        raise ControlRefused("a forwarded message quotes nothing")
    if forwarded:
        context["frequently_forwarded" if forwarded == "frequently" else "forwarded"] = True
    return context


def _text(body: dict[str, Any], desk: Desk) -> Content:
    return {"type": "text", "text": {"body": bodies.text(body, "text", 65_536)}}


def _media(body: dict[str, Any], desk: Desk) -> Content:
    kind = body["type"]
    captions = ("caption",) if kind in ("image", "video", "document") else ()
    names = ("filename",) if kind == "document" else ()
    words = {name: bodies.text(body, name, 1024) for name in (*captions, *names) if name in body}
    stored = desk.keep_media(_bytes(body), bodies.mime_type(body), words.get("filename"))
    address = {"url": desk.address_of(stored)} if bodies.flag(body, "with_url") else {}
    flags = {"audio": "voice", "sticker": "animated"}
    flag = {flags[kind]: bodies.flag(body, flags[kind])} if kind in flags else {}
    described = {"id": stored.id, "mime_type": stored.mime_type, "sha256": webhook_hash(stored)}
    return {"type": kind, kind: {**words, **described, **flag, **address}}


def _bytes(body: dict[str, Any]) -> bytes:
    data = body.get("data")
    try:
        return base64.b64decode(data if isinstance(data, str) else "-", validate=True)
    except (binascii.Error, ValueError):
        raise ControlRefused("data must be the file's bytes in base64") from None


def _location(body: dict[str, Any], desk: Desk) -> Content:
    place: dict[str, Any] = {name: bodies.number(body, name) for name in ("latitude", "longitude")}
    place |= {name: bodies.text(body, name, 1000) for name in ("name", "address") if name in body}
    return {"type": "location", "location": place}


def _contacts(body: dict[str, Any], desk: Desk) -> Content:
    asked = "quoting" in body and _interactive_type(desk.message(body, "quoting")) == "contact_request"
    cards = bodies.objects(body, "contacts") if "contacts" in body or not asked else [own_card(desk.customer)]
    origin = "contact_request" if asked else "other"
    return {"type": "contacts", "contacts": [{"origin": origin, **card} for card in cards]}


def _order(body: dict[str, Any], desk: Desk) -> Content:
    words = {"text": bodies.text(body, "text")} if "text" in body else {}
    items = bodies.objects(body, "product_items")
    return {
        "type": "order",
        "order": {"catalog_id": bodies.text(body, "catalog_id"), **words, "product_items": items},
    }


def _reaction(body: dict[str, Any], desk: Desk) -> Content:
    # A reaction that is taken back comes without the key (fact sheet 2.2).
    emoji = {} if body.get("emoji") is None else {"emoji": bodies.text(body, "emoji", 50)}
    return {"type": "reaction", "reaction": {"message_id": desk.message(body).id, **emoji}}


def _flow_reply(body: dict[str, Any], desk: Desk) -> Content:
    message, data = desk.message(body), bodies.an_object(body, "data")
    kind = _interactive_type(message)
    if kind == "flow":
        parameters = message.payload["interactive"]["action"]["parameters"]
        data = {"flow_token": parameters.get("flow_token", UNUSED), **data}
    elif kind != "address_message":
        raise ControlRefused("message_id names neither a flow nor an address message")
    reply = {"name": kind, "body": "Sent", "response_json": json.dumps(data)}
    return {"type": "interactive", "interactive": {"type": "nfm_reply", "nfm_reply": reply}}


def _unsupported(body: dict[str, Any], desk: Desk) -> Content:
    code = body.get("code", 131051)
    if not isinstance(code, int) or code not in UNSUPPORTED:
        raise ControlRefused(f"code must be one of {', '.join(map(str, UNSUPPORTED))}")
    title, details = UNSUPPORTED[code]
    error = {"code": code, "title": title, "message": title, "error_data": {"details": details}}
    what = {"unsupported": {"type": bodies.text(body, "of", 100)}} if "of" in body else {}
    return {"type": "unsupported", "errors": [error], **what}


def _edit(body: dict[str, Any], desk: Desk) -> Content:
    message = _own(body, desk, EDIT_SECONDS)
    if message.type != "text":
        raise ControlRefused("only a text can be edited here")
    edited = {"type": "text", "text": {"body": bodies.text(body, "text", 65_536)}}
    return {"type": "edit", "edit": {"original_message_id": message.id, "message": edited}}


def _revoke(body: dict[str, Any], desk: Desk) -> Content:
    return {"type": "revoke", "revoke": {"original_message_id": _own(body, desk, REVOKE_SECONDS).id}}


def _own(body: dict[str, Any], desk: Desk, seconds: int) -> ChatMessage:
    message = desk.message(body)
    if message.direction is not Direction.IN:
        raise ControlRefused("message_id names no message of the customer's own")
    if desk.now - message.at > seconds:
        raise ControlRefused(f"the message is older than {seconds // 60} minutes, the app no longer allows it")
    return message


def _welcome(body: dict[str, Any], desk: Desk) -> Content:
    return {"type": "request_welcome"}


def _interactive_type(message: ChatMessage) -> str | None:
    interactive = message.payload.get("interactive") if message.direction is Direction.OUT else None
    return str(interactive.get("type")) if isinstance(interactive, dict) else None


COMPOSERS: dict[str, Callable[[dict[str, Any], Desk], Content]] = {
    "text": _text,
    **dict.fromkeys(("image", "video", "audio", "document", "sticker"), _media),
    "location": _location,
    "contacts": _contacts,
    "order": _order,
    "reaction": _reaction,
    "flow_reply": _flow_reply,
    "unsupported": _unsupported,
    "edit": _edit,
    "revoke": _revoke,
    "request_welcome": _welcome,
}
