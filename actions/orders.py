"""The shop's orders and feedback: a small SQLite file, made and filled on first use.

Every statement is parametrised; every call opens and closes its own connection, so nothing is shared between threads.
"""

from __future__ import annotations

import os
import re
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from pathlib import Path

DATABASE_VARIABLE = "SHOP_DATABASE"
DEFAULT_DATABASE = ".demo/shop.sqlite"
ORDER_NUMBER = re.compile(r"#?([0-9]{4})")

SCHEMA = """
CREATE TABLE IF NOT EXISTS orders (
    number TEXT PRIMARY KEY,
    item_de TEXT NOT NULL,
    item_en TEXT NOT NULL,
    state TEXT NOT NULL,
    tracking TEXT
);
CREATE TABLE IF NOT EXISTS feedback (
    id INTEGER PRIMARY KEY,
    rating TEXT NOT NULL CHECK (rating IN ('good', 'bad')),
    order_number TEXT,
    given_at TEXT NOT NULL
);
"""

SEED = (
    ("1001", "Teekanne aus Steingut", "stoneware teapot", "processing", None),
    ("1002", "Wolldecke, waldgrün", "wool blanket, forest green", "shipped", "KB203040506DE"),
    ("1003", "Gießkanne, 2 Liter", "watering can, 2 litres", "delivered", "KB203040507DE"),
    ("1004", "Leselampe aus Messing", "brass reading lamp", "returned", "KB203040508DE"),
    ("1005", "Kräuterset für die Fensterbank", "window-sill herb set", "cancelled", None),
    ("1006", "Brotkasten aus Buche", "beech bread box", "shipped", "KB203040509DE"),
)


class OrderState(Enum):
    """Where an order is."""

    PROCESSING = "processing"
    SHIPPED = "shipped"
    DELIVERED = "delivered"
    RETURNED = "returned"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """One order as the shop knows it; `tracking` is None until the parcel has left."""

    number: str
    item_de: str
    item_en: str
    state: OrderState
    tracking: str | None

    def item(self, language: str) -> str:
        """Return the item's name in German for `de`, else in English."""
        return self.item_de if language == "de" else self.item_en


def to_order_number(text: str) -> str | None:
    """Return the four digits of an order number such as `1002` or `#1002`; None if the text is none."""
    match = ORDER_NUMBER.fullmatch(text.strip())
    return match.group(1) if match else None


class Shop:
    """Looks up orders and keeps feedback in one SQLite file. Raises sqlite3.Error or OSError if the file cannot be used."""

    def __init__(self, path: str) -> None:
        self._path = path

    def find(self, number: str) -> Order | None:
        """Return the order with this number, None if there is none."""
        with self._connect() as connection:
            row = connection.execute(
                "SELECT number, item_de, item_en, state, tracking FROM orders WHERE number = ?", (number,)
            ).fetchone()
        if row is None:
            return None
        return Order(number=row[0], item_de=row[1], item_en=row[2], state=OrderState(row[3]), tracking=row[4])

    def keep_feedback(self, rating: str, *, order_number: str | None, given_at: datetime) -> None:
        """Store one rating, `good` or `bad`, with the order it is about and no name or number of the customer."""
        with self._connect() as connection:
            connection.execute(
                "INSERT INTO feedback (rating, order_number, given_at) VALUES (?, ?, ?)",
                (rating, order_number, given_at.isoformat()),
            )

    @contextmanager
    def _connect(self) -> Iterator[sqlite3.Connection]:
        Path(self._path).parent.mkdir(parents=True, exist_ok=True)
        connection = sqlite3.connect(self._path, timeout=2.0)
        try:
            with connection:  # commits, or rolls back when the block raises; it does not close
                connection.executescript(SCHEMA)
                connection.executemany("INSERT OR IGNORE INTO orders VALUES (?, ?, ?, ?, ?)", SEED)
                yield connection
        finally:
            connection.close()


def shop_from_environment() -> Shop:
    """Return the shop whose file SHOP_DATABASE names, else the demo's."""
    return Shop(os.environ.get(DATABASE_VARIABLE, "").strip() or DEFAULT_DATABASE)
