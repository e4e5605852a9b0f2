"""A cart that the customer sent from the catalogue: its items become lines and a total that can be read out.

Amounts are decimals from the wire to the sentence; nothing is rounded before it is shown.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.events import EventType, SlotSet
from rasa_sdk.executor import CollectingDispatcher

# The catalogue's ids of what the shop sells: German, English. An id that is not here is read out as it is.
PRODUCTS = {
    "teapot": ("Teekanne aus Steingut", "stoneware teapot"),
    "blanket": ("Wolldecke, waldgrün", "wool blanket, forest green"),
    "bread-box": ("Brotkasten aus Buche", "beech bread box"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One line of the cart; `price` is that of a single piece."""

    product_id: str
    quantity: int
    price: Decimal
    currency: str

    def name(self, language: str) -> str:
        """Return the product's name in German for `de`, else in English; its id if the shop does not know it."""
        german, english = PRODUCTS.get(self.product_id, (self.product_id, self.product_id))
        return german if language == "de" else english

    @property
    def amount(self) -> Decimal:
        """Return the price of all pieces."""
        return self.quantity * self.price


class ActionReadCart(Action):
    """Reads the cart that the customer just sent."""

    def name(self) -> str:
        """Return the name in the domain."""
        return "action_read_cart"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> list[EventType]:
        """Return the lines and the total as slots; nothing for an empty cart."""
        items = items_of(tracker.get_slot("whatsapp_order") or {})
        if not items:
            return []
        language = tracker.get_slot("language") or "en"
        facts = {
            "cart_state": "read",
            "cart_lines": to_lines(items, language),
            "cart_total": to_total(items, language),
        }
        return [SlotSet(name, value) for name, value in facts.items()]


def items_of(order: Mapping[str, Any]) -> list[Item]:
    """Return the items of an order as the channel hands it over, in its order."""
    return [
        Item(
            product_id=str(item["product_retailer_id"]),
            quantity=int(item["quantity"]),
            price=Decimal(str(item["item_price"])),  # by way of its text: 0.1 stays 0.1
            currency=str(item["currency"]),
        )
        for item in order.get("product_items") or []
    ]


def to_lines(items: Sequence[Item], language: str) -> str:
    """Return one line for each item, as a list in Markdown."""
    return "\n".join(_line(item, language) for item in items)


def to_total(items: Sequence[Item], language: str) -> str:
    """Return the sum; of several currencies one sum each, joined by a plus."""
    sums: dict[str, Decimal] = {}
    for item in items:
        sums[item.currency] = sums.get(item.currency, Decimal()) + item.amount
    return " + ".join(to_amount(amount, currency, language) for currency, amount in sums.items())


def to_amount(amount: Decimal, currency: str, language: str) -> str:
    """Return e.g. `1.234,50 €` in German and `€1,234.50` in English; other currencies keep their code, as in `5.00 USD`."""
    text = f"{amount:,.2f}"
    if language == "de":
        swapped = text.translate(str.maketrans(",.", ".,"))
        return f"{swapped} {'€' if currency == 'EUR' else currency}"
    return f"€{text}" if currency == "EUR" else f"{text} {currency}"


def _line(item: Item, language: str) -> str:
    amount = to_amount(item.amount, item.currency, language)
    return f"- {item.quantity} × {item.name(language)}: {amount}"  # noqa: RUF001  # the multiplication sign is meant
