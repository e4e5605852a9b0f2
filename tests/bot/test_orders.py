"""The shop's database: numbers, look-up, feedback."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from actions.orders import DEFAULT_DATABASE, Order, OrderState, Shop, shop_from_environment, to_order_number

from .conftest import NOW


@pytest.mark.parametrize(
    ("text", "number"),
    [
        pytest.param("1002", "1002", id="four digits"),
        pytest.param(" 1002 ", "1002", id="spaces around"),
        pytest.param("#1002", "1002", id="number sign"),
        pytest.param("4711", "4711", id="not in the shop, but a number"),
        pytest.param("100", None, id="three digits"),
        pytest.param("10002", None, id="five digits"),
        pytest.param("10 02", None, id="a space inside"),
        pytest.param("1002a", None, id="a letter"),
        pytest.param("١٠٠٢", None, id="digits of another script"),
        pytest.param("1002\n1003", None, id="two lines"),
        pytest.param("", None, id="nothing"),
        pytest.param("' OR 1=1 --", None, id="SQL"),
    ],
)
def test_an_order_number_is_four_digits(text: str, number: str | None) -> None:
    """Only four plain digits are a number."""
    assert to_order_number(text) == number


@pytest.mark.parametrize(
    ("number", "state", "tracking"),
    [
        ("1001", OrderState.PROCESSING, None),
        ("1002", OrderState.SHIPPED, "KB203040506DE"),
        ("1003", OrderState.DELIVERED, "KB203040507DE"),
        ("1004", OrderState.RETURNED, "KB203040508DE"),
        ("1005", OrderState.CANCELLED, None),
        ("1006", OrderState.SHIPPED, "KB203040509DE"),
    ],
)
def test_the_demo_has_an_order_in_every_state(
    shop_database: Path, number: str, state: OrderState, tracking: str | None
) -> None:
    """The file is made and filled on first use."""
    order = Shop(str(shop_database)).find(number)
    assert order is not None
    assert (order.number, order.state, order.tracking) == (number, state, tracking)


@pytest.mark.parametrize("number", ["9999", "", "1002' --", "' OR '1'='1"])
def test_an_unknown_number_finds_nothing(shop_database: Path, number: str) -> None:
    """What is not a number of the shop finds no order, quotes or not."""
    assert Shop(str(shop_database)).find(number) is None


@pytest.mark.parametrize(("language", "item"), [("de", "Teekanne"), ("en", "teapot"), ("fr", "teapot")])
def test_an_item_has_a_name_in_the_customers_language(language: str, item: str) -> None:
    """German has its own name, every other language gets the English one."""
    order = Order(number="1", item_de="Teekanne", item_en="teapot", state=OrderState.SHIPPED, tracking=None)
    assert order.item(language) == item


def test_feedback_outlives_the_process(shop_database: Path) -> None:
    """A rating stands in the file with its order and time."""
    Shop(str(shop_database)).keep_feedback("bad", order_number="1002", given_at=NOW)
    with sqlite3.connect(shop_database) as connection:
        rows = connection.execute("SELECT rating, order_number, given_at FROM feedback").fetchall()
    connection.close()
    assert rows == [("bad", "1002", "2026-11-22T10:00:00+00:00")]


def test_what_was_changed_stays_changed(shop_database: Path) -> None:
    """Opening the shop again does not write the first state over a later one."""
    Shop(str(shop_database)).find("1001")
    with sqlite3.connect(shop_database) as connection:
        connection.execute("UPDATE orders SET state = 'shipped', tracking = 'KB1' WHERE number = '1001'")
    connection.close()
    order = Shop(str(shop_database)).find("1001")
    assert order is not None
    assert order.state is OrderState.SHIPPED


def test_the_file_is_named_by_the_environment(shop_database: Path) -> None:
    """SHOP_DATABASE names the file."""
    shop_from_environment().find("1001")
    assert shop_database.exists()


def test_without_a_name_the_demo_file_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty SHOP_DATABASE means the default."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SHOP_DATABASE", "")
    shop_from_environment().find("1001")
    assert (tmp_path / DEFAULT_DATABASE).exists()
