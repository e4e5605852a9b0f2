"""A cart from the catalogue becomes lines and a total."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import Any

import pytest
from actions.cart import ActionReadCart, items_of, to_amount, to_lines, to_total
from rasa_sdk import Tracker
from rasa_sdk.executor import CollectingDispatcher


def item(product: str, quantity: int, price: float, currency: str = "EUR") -> dict[str, Any]:
    """Return an item as the channel hands it over."""
    return {"product_retailer_id": product, "quantity": quantity, "item_price": price, "currency": currency}


@pytest.mark.parametrize(
    ("amount", "currency", "german", "english"),
    [
        pytest.param("19.5", "EUR", "19,50 €", "€19.50", id="always two digits"),
        pytest.param("1234567.8", "EUR", "1.234.567,80 €", "€1,234,567.80", id="thousands are grouped"),
        pytest.param("0", "EUR", "0,00 €", "€0.00", id="nothing to pay"),
        pytest.param("5", "USD", "5,00 USD", "5.00 USD", id="another currency"),
    ],
)
def test_an_amount_is_written_as_the_language_does(amount: str, currency: str, german: str, english: str) -> None:
    """Decimal sign, grouping and the place of the currency."""
    assert to_amount(Decimal(amount), currency, "de") == german
    assert to_amount(Decimal(amount), currency, "en") == english


@pytest.mark.parametrize(
    ("items", "total"),
    [
        pytest.param([item("teapot", 2, 19.5), item("bread-box", 1, 44.9)], "€83.90", id="the sum of all pieces"),
        pytest.param([item("x", 3, 0.1)], "€0.30", id="a tenth stays a tenth"),
        pytest.param(
            [item("x", 1, 5.0), item("y", 2, 4.0, "USD"), item("z", 1, 1.0)], "€6.00 + 8.00 USD", id="currencies"
        ),
    ],
)
def test_a_total_is_exact(items: list[dict[str, Any]], total: str) -> None:
    """Nothing is rounded before the end, and no currency is added to another."""
    assert to_total(items_of({"product_items": items}), "en") == total


def test_a_line_names_the_product_or_its_id() -> None:
    """In the customer's language, where the shop knows the product."""
    items = items_of({"product_items": [item("teapot", 2, 19.5), item("sku-77", 1, 3)]})
    assert to_lines(items, "de") == "- 2 × Teekanne aus Steingut: 39,00 €\n- 1 × sku-77: 3,00 €"
    assert to_lines(items, "en") == "- 2 × stoneware teapot: €39.00\n- 1 × sku-77: €3.00"


def read(cart: Any) -> dict[str, Any]:
    """Return the slots that the action sets for a cart."""
    tracker = Tracker("c", {"whatsapp_order": cart, "language": "en"}, {}, [], False, None, {}, "action_listen")
    events = asyncio.run(ActionReadCart().run(CollectingDispatcher(), tracker, {}))
    return {event["name"]: event["value"] for event in events}


def test_a_cart_becomes_facts() -> None:
    """The response reads them out."""
    assert read({"catalog_id": "1", "product_items": [item("blanket", 1, 79)]}) == {
        "cart_state": "read",
        "cart_lines": "- 1 × wool blanket, forest green: €79.00",
        "cart_total": "€79.00",
    }


@pytest.mark.parametrize("cart", [None, {}, {"product_items": []}])
def test_an_empty_cart_is_not_read_out(cart: Any) -> None:
    """The slot stays as the customer's message set it, so the answer says that it did not work."""
    assert read(cart) == {}
