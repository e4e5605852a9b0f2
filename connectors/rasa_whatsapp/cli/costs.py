"""`rasa-whatsapp costs`: how many messages arrived, which of them Meta charges, and by a price list of one's own for how much."""

from __future__ import annotations

import csv
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from itertools import groupby
from pathlib import Path
from typing import Any

import click

from rasa_whatsapp.cli import credentials, price_list, shown, store
from rasa_whatsapp.cli.price_list import PriceList
from rasa_whatsapp.storage import costs
from rasa_whatsapp.storage.costs import BY, Sum

_COUNTS = ("messages", "billable", "free_customer_service", "free_entry_point", "free_otherwise")
_PRICED = ("country", "category")  # what a price depends on
_DAY = click.DateTime(["%Y-%m-%d"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of the answer: what its messages have in common, how many they are, and what they cost if that is known."""

    values: tuple[Any, ...]
    counts: tuple[int, ...]
    amount: Decimal | None


@click.command("costs")
@click.option("--from", "since", type=_DAY, metavar="DAY", help="The first day, such as 2026-10-01 (days are UTC's).")
@click.option("--until", type=_DAY, metavar="DAY", help="The last day; it counts too.")
@click.option(
    "--by", multiple=True, type=click.Choice(list(BY)), default=("category",), show_default=True,
    help="What to tell apart; give it several times for several.",
)  # fmt: skip
@click.option(
    "--prices", "price_file", metavar="FILE", type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Your price list: CSV with market,category,currency,price. Meta's webhooks name no amounts.",
)  # fmt: skip
@click.option("--format", "form", type=click.Choice(["table", "csv", "json"]), default="table", show_default=True)
@credentials.option
def command(
    since: datetime | None, until: datetime | None, by: tuple[str, ...], price_file: Path | None, form: str, path: Path
) -> None:
    """Count the messages that arrived, by what Meta said of their price: charged, or free and why.

    A message counts once, on the day (UTC) on which it arrived, also one of another tool's from the same business number. The
    daily sums are kept for ever, also when `retention_days` has forgotten the messages; they begin when this version first
    ran. Amounts are counts times the prices of your list, without discounts or taxes: Meta's bill is what counts.
    """
    first, last = since.date() if since else None, until.date() if until else None
    if first and last and first > last:
        raise click.UsageError(f"--from {first} is after --until {last}")
    by = tuple(dict.fromkeys(by))
    prices = _prices(price_file)
    asked = (*by, *(name for name in _PRICED if prices and name not in by))
    with store.opened(credentials.load_or_exit(path)) as database:
        found = database.run_now(costs.sums, asked, first, last)
    lines = [_line(values, same, asked, prices) for values, same in _grouped(found, len(by))]
    if prices:
        _tell_unpriced(found, asked, prices)
    _FORMS[form](lines, by, prices)


def _prices(path: Path | None) -> PriceList | None:
    try:
        return price_list.read(path) if path else None
    except price_list.PricesUnusable as problem:
        raise click.ClickException(f"--prices: {problem}") from problem


def _grouped(found: Sequence[Sum], columns: int) -> Iterable[tuple[tuple[Any, ...], list[Sum]]]:
    """Yield what has the first values in common; the sums are in their order."""
    for values, same in groupby(found, key=lambda each: each.values[:columns]):
        yield values, list(same)


def _line(values: tuple[Any, ...], same: Sequence[Sum], asked: Sequence[str], prices: PriceList | None) -> Line:
    counts = [
        (each.messages, each.billable, each.free_in_window, each.free_entry_point, each.free_otherwise) for each in same
    ]
    amounts = [_amount(each, asked, prices) for each in same] if prices else [None]
    return Line(values=values, counts=tuple(map(sum, zip(*counts, strict=True))), amount=_added(amounts))


def _amount(those: Sum, asked: Sequence[str], prices: PriceList) -> Decimal | None:
    """Return what messages of one country and category cost; None if they are charged and the list has no price for them."""
    if not those.billable:
        return Decimal()
    price = prices.price(*_country_and_category(those, asked))
    return None if price is None else price * those.billable


def _added(amounts: Sequence[Decimal | None]) -> Decimal | None:
    """Return the sum; None rather than too little, if one of them is not known."""
    known = [amount for amount in amounts if amount is not None]
    return sum(known, Decimal()) if len(known) == len(amounts) else None


def _country_and_category(those: Sum, asked: Sequence[str]) -> tuple[str, str]:
    country, category = (those.values[asked.index(name)] for name in _PRICED)
    return country, category


def _tell_unpriced(found: Sequence[Sum], asked: Sequence[str], prices: PriceList) -> None:
    unpriced: Counter[tuple[str, str]] = Counter()
    for each in found:
        if _amount(each, asked, prices) is None:
            unpriced[_country_and_category(each, asked)] += each.billable
    for (country, category), messages in sorted(unpriced.items()):
        which = shown.line(f"{category} in {country or 'an unknown country'}")
        click.echo(f"The list has no price for {which}: {shown.counted(messages, 'message')}.", err=True)


def _table(lines: Sequence[Line], by: Sequence[str], prices: PriceList | None) -> None:
    if not lines:
        click.echo("No message is counted for these days.")
        return
    sums = tuple(map(sum, zip(*(line.counts for line in lines), strict=True)))
    total = Line(values=(), counts=sums, amount=_added([line.amount for line in lines]))
    head = (*by, *_head(prices))
    rows = [head, *((*map(_name, line.values), *_figures(line, prices, "-")) for line in lines)]
    rows.append(("total", *[""] * (len(by) - 1), *_figures(total, prices, "-")))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        names = [text.ljust(width) for text, width in zip(row[: len(by)], widths, strict=False)]
        figures = [text.rjust(width) for text, width in zip(row[len(by) :], widths[len(by) :], strict=True)]
        click.echo("  ".join([*names, *figures]).rstrip())


def _csv(lines: Sequence[Line], by: Sequence[str], prices: PriceList | None) -> None:
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow((*by, *_head(prices)))
    writer.writerows((*line.values, *_figures(line, prices, "")) for line in lines)


def _json(lines: Sequence[Line], by: Sequence[str], prices: PriceList | None) -> None:
    for_all = {"currency": prices.currency} if prices else {}
    listed = [
        {name: _plain(value) for name, value in zip(by, line.values, strict=True)}
        | dict(zip(_COUNTS, line.counts, strict=True))
        | ({"amount": None if line.amount is None else f"{line.amount:f}"} if prices else {})
        for line in lines
    ]
    click.echo(shown.plain_json(for_all | {"costs": listed}, indent=2))


def _head(prices: PriceList | None) -> tuple[str, ...]:
    return (*_COUNTS, *([f"amount_{prices.currency}"] if prices else []))


def _figures(line: Line, prices: PriceList | None, unknown: str) -> tuple[str, ...]:
    amount = unknown if line.amount is None else f"{line.amount:f}"
    return (*map(str, line.counts), *([amount] if prices else []))


def _name(value: Any) -> str:
    return shown.line(str(value)) if value else "-"


def _plain(value: Any) -> Any:
    """Return a value for JSON: null for an unknown country, and where there is no template."""
    return value.isoformat() if isinstance(value, date) else value or None


_FORMS: dict[str, Callable[[Sequence[Line], Sequence[str], PriceList | None], None]] = {
    "table": _table,
    "csv": _csv,
    "json": _json,
}
