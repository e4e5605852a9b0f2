"""Every kind of interactive message as a shape: what can be tapped, and Meta's rules on it.

https://developers.facebook.com/documentation/business-messaging/whatsapp/messages/interactive-list-messages and its neighbours
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from rasa_whatsapp.cloud import limits
from rasa_whatsapp.cloud.scalars import Problem, Shape, link, number, one_of, text
from rasa_whatsapp.cloud.shapes import Rule, array, exactly_one, mapping, reach, record, twice, variant

_ID = text(edges=True)
_FILE = record({}, {"id": _ID, "link": link, "filename": text()}, rules=[exactly_one("id", "link")])
_HEADERS: Mapping[str, Shape] = {
    "text": record({"type": text(), "text": text(limits.INTERACTIVE_HEADER)}),
    "image": record({"type": text(), "image": _FILE}),
    "video": record({"type": text(), "video": _FILE}),
    "document": record({"type": text(), "document": _FILE}),
}
_ANY_HEADER = variant("type", _HEADERS)
_TEXT_HEADER = variant("type", {"text": _HEADERS["text"]})
_CARD_HEADER = variant("type", {kind: _HEADERS[kind] for kind in ("image", "video")})


def _reply(kind: str, id_limit: int) -> Shape:
    chosen = record({"id": text(id_limit, edges=True), "title": text(limits.REPLY_BUTTON_TITLE)})
    return record({"type": one_of(kind), kind: chosen})


def _named(name: str, parameters: Shape | None = None, *, needed: bool = True) -> Shape:
    """Return the shape of an action that says its name; its parameters are `needed` or not."""
    fields = {"parameters": parameters} if parameters else {}
    return record({"name": one_of(name), **(fields if needed else {})}, {} if needed else fields)


def _rows(action: Mapping[str, Any]) -> list[tuple[str, Any]]:
    return [
        (f"sections[{section}].rows[{row}]", entry)
        for section, holder in enumerate(action["sections"])
        for row, entry in enumerate(holder["rows"])
    ]


def _ten_rows(action: Mapping[str, Any], path: str) -> Iterator[Problem]:
    rows = _rows(action)
    if len(rows) > limits.LIST_ROWS:
        where = rows[limits.LIST_ROWS][0]
        found = f"there are {len(rows)} in all sections together, at most {limits.LIST_ROWS} are allowed"
        yield Problem(f"{path}.{where}", f"is one too many: {found}")
    yield from twice((f"{path}.{where}.id", entry["id"]) for where, entry in rows)


def _titled(least: int) -> Rule:
    """Return the rule that sections have titles once there are more than `least`."""

    def rule(action: Mapping[str, Any], path: str) -> Iterator[Problem]:
        for index, section in enumerate(action["sections"]):
            if len(action["sections"]) > least and "title" not in section:
                yield Problem(f"{path}.sections[{index}].title", "is missing; several sections need titles")

    return rule


def _thirty_products(action: Mapping[str, Any], path: str) -> Iterator[Problem]:
    count = sum(len(section["product_items"]) for section in action["sections"])
    if count > limits.PRODUCTS:
        yield Problem(f"{path}.sections", f"have {count} products together, at most {limits.PRODUCTS} are allowed")


_ROW = record(
    {"id": text(limits.LIST_ROW_ID, edges=True), "title": text(limits.LIST_ROW_TITLE)},
    {"description": text(limits.LIST_DESCRIPTION)},
)
_LIST = record(
    {
        "button": text(limits.LIST_BUTTON),
        "sections": array(
            record({"rows": array(_ROW)}, {"title": text(limits.LIST_SECTION_TITLE)}), most=limits.LIST_SECTIONS
        ),
    },
    rules=[_ten_rows, _titled(1)],
)
_OPEN_URL = _named("cta_url", record({"display_text": text(limits.LINK_BUTTON), "url": link}))
_FLOW = record(
    {"flow_message_version": one_of("3"), "flow_cta": text(limits.FLOW_BUTTON, emoji=False)},
    {
        "flow_id": _ID,
        "flow_name": text(),
        "flow_token": text(),
        "flow_action": one_of("navigate", "data_exchange"),
        "flow_action_payload": record({"screen": text()}, {"data": mapping}),
        "mode": one_of("draft", "published"),
    },
    rules=[exactly_one("flow_id", "flow_name")],
)
_PRODUCTS = record(
    {
        "catalog_id": _ID,
        "sections": array(
            record(
                {"product_items": array(record({"product_retailer_id": _ID}))},
                {"title": text(limits.LIST_SECTION_TITLE)},
            ),
            most=limits.PRODUCT_SECTIONS,
        ),
    },
    rules=[_thirty_products, _titled(1)],
)
_CALL = record(
    {},
    {
        "display_text": text(limits.CALL_BUTTON),
        "ttl_minutes": number(1, limits.CALL_MINUTES, whole=True),
        "payload": text(limits.CALLBACK_DATA),
    },
)

_PRODUCT = record({"catalog_id": _ID, "product_retailer_id": _ID})
_QUICK_REPLIES = record(
    {
        "buttons": array(
            _reply("quick_reply", limits.REPLY_BUTTON_ID),
            most=limits.CARD_BUTTONS,
            distinct=["quick_reply.id", "quick_reply.title"],
        )
    }
)


# Businesses and users in India only: messages/address-messages
_ADDRESS = record(
    {"country": one_of("IN")},
    {"values": mapping, "saved_addresses": array(mapping, least=0), "validation_errors": mapping},
)


def _card_action(value: Any, path: str) -> Iterator[Problem]:
    replies = isinstance(value, Mapping) and "buttons" in value
    yield from (_QUICK_REPLIES if replies else _OPEN_URL)(value, path)


_INDEX = number(0, limits.CARDS - 1, whole=True)
_CARD = variant(
    "type",
    {
        "cta_url": record(
            {"card_index": _INDEX, "type": text(), "header": _CARD_HEADER, "action": _card_action},
            {"body": record({"text": text(limits.CARD_BODY, line_breaks=limits.CARD_LINE_BREAKS)})},
        ),
        "product": record({"card_index": _INDEX, "type": text(), "action": _PRODUCT}),
    },
)


def _alike(action: Mapping[str, Any], path: str) -> Iterator[Problem]:
    """Hold the cards against each other: indices in order, one kind of header, one kind and number of buttons."""
    cards = action["cards"]
    for index, card in enumerate(cards):
        where = f"{path}.cards[{index}]"
        if card["card_index"] != index:
            yield Problem(f"{where}.card_index", f"is not {index}, the card's place")
        for inner, what in (("type", "type"), ("header.type", "type of header"), ("action.catalog_id", "catalogue")):
            if reach(card, inner) != reach(cards[0], inner):
                yield Problem(f"{where}.{inner}", f"differs from the first card's: all have the same {what}")
        if _buttons(card) != _buttons(cards[0]):
            yield Problem(
                f"{where}.action", "differs from the first card's: all have the same kind and number of buttons"
            )


def _buttons(card: Mapping[str, Any]) -> int:
    return len(card["action"].get("buttons", ()))


_CAROUSEL = record({"cards": array(_CARD, least=limits.FEWEST_CARDS, most=limits.CARDS)}, rules=[_alike])
_REPLIES = record(
    {
        "buttons": array(
            _reply("reply", limits.REPLY_BUTTON_ID), most=limits.REPLY_BUTTONS, distinct=["reply.id", "reply.title"]
        )
    }
)


def _kind(
    action: Shape,
    *,
    header: Shape | None = None,
    body: int = limits.INTERACTIVE_BODY,
    needs: tuple[str, ...] = ("body",),
    bare: tuple[str, ...] = (),
) -> Shape:
    """Return the shape of one kind: what its header may be, what it `needs` beside its action, and what it must do without."""
    parts: dict[str, Shape] = {
        "body": record({"text": text(body)}),
        "footer": record({"text": text(limits.INTERACTIVE_FOOTER)}),
        "header": header or _ANY_HEADER,
    }
    required = {"type": text(), "action": action, **{part: parts[part] for part in needs}}
    optional = {part: shape for part, shape in parts.items() if part not in (*needs, *bare)}
    return record(required, optional, forbidden=dict.fromkeys(bare, "is not allowed in this kind of message"))


_REQUEST_CONTACT = _kind(_named("request_contact_info"), bare=("header",))

INTERACTIVE = variant(
    "type",
    {
        "button": _kind(_REPLIES),
        "list": _kind(_LIST, header=_TEXT_HEADER, body=limits.LIST_BODY),
        "cta_url": _kind(_OPEN_URL),
        "carousel": _kind(_CAROUSEL, bare=("header", "footer")),
        "location_request_message": _kind(_named("send_location"), bare=("header", "footer")),
        "address_message": _kind(_named("address_message", _ADDRESS)),
        "flow": _kind(_named("flow", _FLOW)),
        "product": _kind(_PRODUCT, needs=(), bare=("header",)),
        "product_list": _kind(_PRODUCTS, header=_TEXT_HEADER, needs=("header", "body")),
        "catalog_message": _kind(
            _named("catalog_message", record({}, {"thumbnail_product_retailer_id": _ID}), needed=False),
            bare=("header",),
        ),
        "voice_call": _kind(_named("voice_call", _CALL, needed=False), bare=("header",)),
        "call_permission_request": _kind(_named("call_permission_request"), needs=(), bare=("header", "footer")),
        # Meta's page and its clients disagree on the type's name: business-scoped-user-ids
        "contact_request": _REQUEST_CONTACT,
        "request_contact_info": _REQUEST_CONTACT,
        "order_details": _kind(_named("review_and_pay", mapping)),
        "order_status": _kind(_named("review_order", mapping)),
    },
)
