"""Carousels, flows, products and single buttons: what Meta accepts and refuses, and what the phone shows."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from rasa_whatsapp.simulator.kinds import SendContext, read_content
from rasa_whatsapp.simulator.refusals import Refused

GERMANY = SendContext(
    sender="4930901820000",
    recipient="4915112345678",
    to_user_id=False,
    find_template=lambda name, language: None,
    find_media=lambda media_id: None,
)
INDIA = replace(GERMANY, sender="911123456789", recipient="919812345678")
BODY = {"text": "Well?"}
PICTURE = {"type": "image", "image": {"link": "https://shop.example/a.png"}}
FILM = {"type": "video", "video": {"link": "https://shop.example/a.mp4"}}
LINK = {"name": "cta_url", "parameters": {"display_text": "Shop now", "url": "https://shop.example/1"}}
ITEM = {"product_retailer_id": "sku-1"}
PRODUCT = {"catalog_id": "c1", "product_retailer_id": "sku-1"}
FLOW = {"flow_message_version": "3", "flow_id": "f1", "flow_cta": "Book"}


def read(interactive: dict[str, Any], context: SendContext = GERMANY) -> dict[str, Any]:
    """Read an interactive content and return what the phone shows."""
    return read_content("interactive", {"interactive": interactive}, context).to_json()


def quick(*replies: tuple[str, str]) -> dict[str, Any]:
    """Return a card's action with quick replies of (id, title)."""
    return {"buttons": [{"type": "quick_reply", "quick_reply": {"id": key, "title": title}} for key, title in replies]}


def card(index: Any = 0, **parts: Any) -> dict[str, Any]:
    """Return a media card."""
    return {"card_index": index, "type": "cta_url", "header": PICTURE, "action": LINK, **parts}


def carousel(*cards: Any, **parts: Any) -> dict[str, Any]:
    """Return a carousel of these cards."""
    return {"type": "carousel", "body": BODY, "action": {"cards": list(cards)}, **parts}


def pair(**parts: Any) -> dict[str, Any]:
    """Return a carousel of two cards with these parts."""
    return carousel(card(0, **parts), card(1, **parts))


def product_card(index: int, **action: Any) -> dict[str, Any]:
    """Return a product card."""
    return {"card_index": index, "type": "product", "action": PRODUCT | action}


def products(*sections: Any, **parts: Any) -> dict[str, Any]:
    """Return a list of products."""
    action = {"catalog_id": "c1", "sections": list(sections)}
    return {"type": "product_list", "header": {"type": "text", "text": "Ours"}, "body": BODY, "action": action, **parts}


def section(count: int, title: str | None = "All") -> dict[str, Any]:
    """Return a section with a number of products."""
    return {**({"title": title} if title else {}), "product_items": [ITEM] * count}


def flow(**parameters: Any) -> dict[str, Any]:
    """Return a flow with these parameters; None takes one away."""
    given = {name: value for name, value in (FLOW | parameters).items() if value is not None}
    return {"type": "flow", "body": BODY, "action": {"name": "flow", "parameters": given}}


def named(kind: str, name: str, parameters: Any = None, **parts: Any) -> dict[str, Any]:
    """Return a type whose action has a name, and parameters if there are some."""
    action = {"name": name} | ({} if parameters is None else {"parameters": parameters})
    return {"type": kind, "body": BODY, "action": action, **parts}


def address(**parameters: Any) -> dict[str, Any]:
    """Return a request for an address."""
    return named("address_message", "address_message", {"country": "IN", **parameters})


ACCEPTED = [
    pytest.param(pair(), id="two media cards"),
    pytest.param(carousel(*[card(index) for index in range(10)]), id="ten cards"),
    pytest.param(pair(header=FILM), id="cards with videos"),
    pytest.param(pair(body={"text": "x" * 158 + "\n\n"}), id="card body of 160 with two line breaks"),
    pytest.param(pair(action=quick(("a", "A"), ("b", "B"))), id="quick replies on cards"),
    pytest.param(carousel(product_card(0), product_card(1)), id="two product cards"),
    pytest.param(flow(), id="flow by id"),
    pytest.param(flow(flow_id=None, flow_name="booking", mode="draft"), id="flow by name, draft"),
    pytest.param(
        {**flow(), "action": {"name": "flow", "parameters": {**FLOW, "flow_id": None, "flow_name": "booking"}}},
        id="flow by name, with a null beside it",
    ),
    pytest.param(flow(flow_cta="x" * 30), id="flow button of 30"),
    pytest.param(flow(flow_cta="Jetzt buchen: ü, 予約"), id="flow button in other scripts"),
    pytest.param(
        flow(flow_token="t", flow_action="navigate", flow_action_payload={"screen": "S", "data": {"a": 1}}),
        id="flow with its first screen",
    ),
    pytest.param({"type": "product", "action": PRODUCT}, id="product without words"),
    pytest.param(
        {"type": "product", "body": BODY, "footer": {"text": "x"}, "action": PRODUCT}, id="product with words"
    ),
    pytest.param(products(section(30, None)), id="thirty products in one section without title"),
    pytest.param(products(*[section(3, f"S{number}") for number in range(10)]), id="thirty products in ten sections"),
    pytest.param(named("catalog_message", "catalog_message"), id="catalogue"),
    pytest.param(
        named("catalog_message", "catalog_message", {"thumbnail_product_retailer_id": "sku-1"}), id="its thumbnail"
    ),
    pytest.param(named("contact_request", "request_contact_info"), id="contact request"),
    pytest.param(named("location_request_message", "send_location"), id="location request"),
    pytest.param(
        named("voice_call", "voice_call", {"display_text": "x" * 20, "ttl_minutes": 43_200}), id="call button"
    ),
    pytest.param(named("voice_call", "voice_call"), id="call button without parameters"),
    pytest.param(named("call_permission_request", "call_permission_request"), id="call permission"),
    pytest.param(
        {"type": "call_permission_request", "action": {"name": "call_permission_request"}}, id="permission, no words"
    ),
]

REFUSED = [
    pytest.param(carousel(card(0)), 131009, id="one card"),
    pytest.param(carousel(*[card(index) for index in range(11)]), 131009, id="eleven cards"),
    pytest.param(carousel(card(0), card(2)), 131009, id="card left out"),
    pytest.param(carousel(card(1), card(0)), 131009, id="cards out of order"),
    pytest.param(carousel(card(False), card(True)), 131009, id="boolean as index"),
    pytest.param(carousel(card(0), card(1, header=FILM)), 131009, id="picture beside video"),
    pytest.param(carousel(card(0), card(1, action=quick(("a", "A")))), 131009, id="link beside quick reply"),
    pytest.param(carousel(card(0), product_card(1)), 131009, id="product beside picture"),
    pytest.param(pair(header=None), 100, id="card without header"),
    pytest.param(pair(header={"type": "text", "text": "x"}), 100, id="card with a text header"),
    pytest.param(pair(body={"text": "x" * 161}), 131009, id="card body of 161"),
    pytest.param(pair(body={"text": "a\nb\nc\nd"}), 131009, id="card body with three line breaks"),
    pytest.param(
        pair(action={"name": "cta_url", "parameters": {"display_text": "x" * 21, "url": "https://a.example"}}),
        131009,
        id="card button of 21",
    ),
    pytest.param(pair(action=quick()), 131009, id="card without a button"),
    pytest.param(pair(type="poster"), 100, id="unknown type of card"),
    pytest.param(carousel(card(0), "card"), 100, id="card that is no object"),
    pytest.param(carousel(card(0), card(1), body=None), 100, id="carousel without body"),
    pytest.param(carousel(card(0), card(1), header=PICTURE), 131009, id="carousel with a header"),
    pytest.param(carousel(card(0), card(1), footer={"text": "x"}), 131009, id="carousel with a footer"),
    pytest.param(
        carousel(product_card(0), product_card(1, catalog_id=" ")), 131009, id="product card without catalogue"
    ),
    pytest.param(flow(flow_message_version=None), 100, id="flow without version"),
    pytest.param(flow(flow_message_version="2"), 100, id="flow of version 2"),
    pytest.param(flow(flow_id=None), 100, id="flow without id and name"),
    pytest.param(flow(flow_name="booking"), 100, id="flow with id and name"),
    pytest.param(flow(flow_cta="x" * 31), 131009, id="flow button of 31"),
    pytest.param(flow(flow_cta="Book \U0001f600"), 131009, id="flow button with an emoji"),
    pytest.param(flow(flow_action="dance"), 100, id="unknown flow action"),
    pytest.param(flow(mode="test"), 100, id="unknown flow mode"),
    pytest.param(flow(flow_token=7), 100, id="flow token that is a number"),
    pytest.param(flow(flow_action_payload={"data": {}}), 100, id="flow payload without screen"),
    pytest.param({**flow(), "action": {"name": "flows", "parameters": FLOW}}, 131009, id="action of another name"),
    pytest.param({"type": "product", "header": PICTURE, "action": PRODUCT}, 131009, id="product with a header"),
    pytest.param({"type": "product", "action": {"catalog_id": "c1"}}, 100, id="product without its id"),
    pytest.param(products(section(31)), 131009, id="thirty-one products"),
    pytest.param(products(*[section(1, f"S{number}") for number in range(11)]), 131009, id="eleven product sections"),
    pytest.param(products(section(1), section(1, None)), 100, id="second product section without title"),
    pytest.param(products(section(0)), 131009, id="empty product section"),
    pytest.param(products(section(1, "x" * 25)), 131009, id="product section title of 25"),
    pytest.param(products(section(1), header=None), 100, id="product list without header"),
    pytest.param(products(section(1), header=PICTURE), 131009, id="product list with a picture"),
    pytest.param(named("catalog_message", "catalog"), 131009, id="catalogue by another name"),
    pytest.param(named("contact_request", "send_contact"), 131009, id="contact request by another name"),
    pytest.param(address(), 131009, id="address outside India"),
    pytest.param(named("voice_call", "voice_call", {"display_text": "x" * 21}), 131009, id="call button of 21"),
    pytest.param(named("voice_call", "voice_call", {"ttl_minutes": 43_201}), 131009, id="call button for too long"),
    pytest.param(named("voice_call", "voice_call", {"ttl_minutes": True}), 131009, id="call button for true minutes"),
    pytest.param(named("call_permission_request", "call"), 131009, id="call permission by another name"),
]


@pytest.mark.parametrize("interactive", ACCEPTED)
def test_accepts_what_keeps_the_limits(interactive: dict[str, Any]) -> None:
    """A content at its limits is accepted."""
    read(interactive)


@pytest.mark.parametrize(("interactive", "code"), REFUSED)
def test_refuses_with_metas_code(interactive: dict[str, Any], code: int) -> None:
    """A content beyond a limit gets Meta's code."""
    with pytest.raises(Refused) as refused:
        read(interactive)
    assert refused.value.code == code


@pytest.mark.parametrize(
    ("context", "request_", "accepted"),
    [
        pytest.param(INDIA, address(), True, id="both in India"),
        pytest.param(INDIA, address(values={"name": "Asha"}, saved_addresses=[]), True, id="with values"),
        pytest.param(INDIA, address(country="DE"), False, id="another country asked for"),
        pytest.param(INDIA, address(values=[]), False, id="values that are a list"),
        pytest.param(replace(INDIA, recipient="4915112345678"), address(), False, id="customer elsewhere"),
        pytest.param(replace(INDIA, sender="4930901820000"), address(), False, id="business elsewhere"),
    ],
)
def test_addresses_are_asked_for_in_india_only(context: SendContext, request_: dict[str, Any], accepted: bool) -> None:
    """Business and customer must both be there."""
    if accepted:
        assert read(request_, context)["buttons"] == [{"id": "0", "title": "Provide address", "kind": "address"}]
    else:
        with pytest.raises(Refused):
            read(request_, context)


@pytest.mark.parametrize(
    ("interactive", "shown"),
    [
        pytest.param(
            pair(body={"text": "Deal"}),
            {
                "text": "Well?",
                "buttons": [],
                "carousel": [
                    {
                        "card_index": index,
                        "media": {"kind": "image", "link": "https://shop.example/a.png"},
                        "text": "Deal",
                        "buttons": [
                            {"id": str(index), "title": "Shop now", "kind": "url", "url": "https://shop.example/1"}
                        ],
                    }
                    for index in (0, 1)
                ],
            },
            id="carousel",
        ),
        pytest.param(
            {"type": "product", "action": PRODUCT},
            {"text": "", "buttons": [{"id": "0", "title": "View", "kind": "product"}], "product": PRODUCT},
            id="product",
        ),
        pytest.param(
            products(section(1)),
            {
                "text": "Well?",
                "header": "Ours",
                "buttons": [{"id": "0", "title": "View items", "kind": "product"}],
                "products": {"catalog_id": "c1", "sections": [{"title": "All", "product_items": [ITEM]}]},
            },
            id="product list",
        ),
        pytest.param(
            flow(),
            {"text": "Well?", "buttons": [{"id": "0", "title": "Book", "kind": "flow"}]},
            id="flow",
        ),
        pytest.param(
            named("call_permission_request", "call_permission_request"),
            {
                "text": "Well?",
                "buttons": [
                    {"id": "accept", "title": "Allow calls", "kind": "call_permission"},
                    {"id": "reject", "title": "Don't allow", "kind": "call_permission"},
                ],
            },
            id="call permission",
        ),
        pytest.param(
            named("cta_url", "cta_url", LINK["parameters"], header=PICTURE),
            {
                "text": "Well?",
                "media": {"kind": "image", "link": "https://shop.example/a.png"},
                "buttons": [{"id": "0", "title": "Shop now", "kind": "url", "url": "https://shop.example/1"}],
            },
            id="link under a picture",
        ),
    ],
)
def test_phone_shows(interactive: dict[str, Any], shown: dict[str, Any]) -> None:
    """What can be seen and tapped is in the bubble."""
    assert read(interactive) == shown
