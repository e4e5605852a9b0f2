"""Daily sums of what Meta said about prices: each message counts once, on the day on which it arrived.

Sums, since messages and their statuses are forgotten after a while, and since a year of them is added up in no time. They are
made in the transaction that takes the status in, so that none is counted twice.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Date, bindparam, case, func, select, text
from sqlalchemy.engine import Connection
from sqlalchemy.sql.elements import ColumnElement

from rasa_whatsapp.cloud.pricing import FREE_ENTRY_POINT, FREE_IN_WINDOW, Charge
from rasa_whatsapp.storage.schema import costs

NO_TEMPLATE = ""

# what can be told apart -> its column
BY = {
    "day": costs.c.day,
    "number": costs.c.number_id,
    "country": costs.c.country,
    "category": costs.c.category,
    "type": costs.c.type,
    "template": costs.c.template,
}

_KEY = ("day", "number_id", "country", "category", "type", "billable", "template")
_ADD = text(
    f"""
    INSERT INTO costs ({", ".join(_KEY)}, messages)
    VALUES ({", ".join(f":{name}" for name in _KEY)}, :messages)
    ON CONFLICT ({", ".join(_KEY)}) DO UPDATE SET messages = costs.messages + excluded.messages
    """
).bindparams(bindparam("day", type_=Date))


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """A message to be counted: from which business number, to which country, as which template if it was one."""

    charge: Charge
    number_id: str
    country: str
    template: str = NO_TEMPLATE


@dataclass(frozen=True, slots=True, kw_only=True)
class Sum:
    """How many messages arrived that have these `values` in common, by what they were told apart."""

    values: tuple[Any, ...]
    messages: int
    billable: int
    free_in_window: int
    free_entry_point: int

    @property
    def free_otherwise(self) -> int:
        """Return how many were free for another reason, or one that Meta does not tell."""
        return self.messages - self.billable - self.free_in_window - self.free_entry_point


def count(connection: Connection, counted: Iterable[Counted]) -> None:
    """Add messages to the sums of their days."""
    more = Counter(_key(each) for each in counted)
    if more:  # in one order everywhere, so that no two transactions wait for each other
        rows = [dict(zip(_KEY, key, strict=True)) | {"messages": more[key]} for key in sorted(more)]
        connection.execute(_ADD, rows)


def sums(connection: Connection, by: Sequence[str], since: date | None, until: date | None) -> list[Sum]:
    """Return the sums of these days, both included, told apart by these names of BY and in their order."""
    columns = [BY[name] for name in by]
    days = [costs.c.day >= since] if since else []
    days += [costs.c.day <= until] if until else []
    free = ~costs.c.billable
    query = select(
        *columns,
        _messages().label("all_messages"),
        _messages(costs.c.billable).label("billable_messages"),
        _messages(free & (costs.c.type == FREE_IN_WINDOW)).label("in_window"),
        _messages(free & (costs.c.type == FREE_ENTRY_POINT)).label("entry_point"),
    )
    rows = connection.execute(query.where(*days).group_by(*columns).order_by(*columns))
    return [
        Sum(
            values=tuple(row[: len(columns)]),
            messages=int(row.all_messages),
            billable=int(row.billable_messages),
            free_in_window=int(row.in_window),
            free_entry_point=int(row.entry_point),
        )
        for row in rows
        if row.all_messages is not None
    ]


def _messages(those: ColumnElement[bool] | None = None) -> Any:
    return func.sum(costs.c.messages if those is None else case((those, costs.c.messages), else_=0))


def _key(counted: Counted) -> tuple[Any, ...]:
    pricing = counted.charge.pricing
    return (
        counted.charge.day,
        counted.number_id,
        counted.country,
        pricing.category,
        pricing.type,
        pricing.is_billable,
        counted.template,
    )
