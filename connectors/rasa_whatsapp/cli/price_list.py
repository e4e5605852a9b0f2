"""A price list as a CSV file: what one message of a category costs in a country, since Meta's webhooks name no amount.

    market,category,currency,price
    DE,marketing,EUR,0.1131
    *,marketing,EUR,0.0500

`market` is a country's two letters, or * for all that are not listed; `category` is Meta's word; `price` is per message, with a point.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

COLUMNS = ("market", "category", "currency", "price")
EVERYWHERE_ELSE = "*"

_EXPECTED = {
    "market": (re.compile(r"[A-Z]{2}|\*"), "a country's two letters, such as DE, or * for all others"),
    "category": (
        re.compile(r"[a-z][a-z_-]*"),
        "Meta's word for it, such as marketing, utility, authentication or service",
    ),
    "currency": (re.compile(r"[A-Z]{3}"), "its three letters, such as EUR"),
    "price": (re.compile(r"[0-9]{1,9}(\.[0-9]{1,9})?"), "the price of one message with a point, such as 0.0456"),
}


class PricesUnusable(Exception):
    """The file is no price list; the text names line, column, value and what is expected."""


@dataclass(frozen=True, slots=True)
class PriceList:
    """Prices of one message by market and category, all in one currency."""

    currency: str
    prices: Mapping[tuple[str, str], Decimal]

    def price(self, country: str, category: str) -> Decimal | None:
        """Return what one message of the category costs there; None if the list does not say it."""
        named = self.prices.get((country, category))
        return self.prices.get((EVERYWHERE_ELSE, category)) if named is None else named


def read(path: Path) -> PriceList:
    """Return the price list in a file; raises PricesUnusable."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as lines:
            return parse(lines)
    except (OSError, UnicodeError, csv.Error) as problem:
        raise PricesUnusable(f"{path} cannot be read as CSV in UTF-8: {type(problem).__name__}") from problem


def parse(lines: Iterable[str]) -> PriceList:
    """Return the price list in these lines; raises PricesUnusable."""
    reader = csv.DictReader(lines)
    if tuple(reader.fieldnames or ()) != COLUMNS:
        raise PricesUnusable(f"line 1: the columns must be {','.join(COLUMNS)}")
    currency = ""
    prices: dict[tuple[str, str], Decimal] = {}
    for row in reader:
        where = f"line {reader.line_num}"
        _check(row, where)
        if currency not in ("", row["currency"]):
            raise PricesUnusable(
                f"{where}: currency is {row['currency']}, before it was {currency}; use one list for each"
            )
        currency = row["currency"]
        named = (row["market"], row["category"])
        if named in prices:
            raise PricesUnusable(f"{where}: market {named[0]}, category {named[1]} is there already; keep one of them")
        prices[named] = Decimal(row["price"])
    if not prices:
        raise PricesUnusable("there is no price in it: write one line for each market and category")
    return PriceList(currency, prices)


def _check(row: Mapping[str, str | None], where: str) -> None:
    if set(row) != set(COLUMNS):
        raise PricesUnusable(f"{where}: there are more than {len(COLUMNS)} values; write a price with a point")
    for column, (shape, expected) in _EXPECTED.items():
        value = row[column]
        if value is None or not shape.fullmatch(value):
            raise PricesUnusable(f"{where}: {column} is {repr(value) if value else 'missing'}; expected {expected}")
