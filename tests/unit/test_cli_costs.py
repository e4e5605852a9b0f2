"""`rasa-whatsapp costs`, as an operator types it."""

from __future__ import annotations

import json
from datetime import date

import pytest
from click.testing import CliRunner
from sqlalchemy import insert

from rasa_whatsapp.cli import main
from rasa_whatsapp.storage import schema
from rasa_whatsapp.storage.database import Database

# day of November, country, category, type, template, messages
STORED = [
    (1, "DE", "service", "regular", "", 1200),
    (1, "DE", "service", "free_customer_service", "", 1000),
    (1, "US", "marketing", "regular", "news", 10),
    (2, "DE", "utility", "free_entry_point", "order_follow_up", 5),
    (2, "", "service", "regular", "", 3),
    (3, "DE", "group_service", "free_group_customer_service", "", 7),
]
HEAD = "messages,billable,free_customer_service,free_entry_point,free_otherwise"
PRICES = "market,category,currency,price\nDE,service,EUR,0.0456\nUS,marketing,EUR,0.02\n*,service,EUR,0.05\n"


@pytest.fixture
def kept(tmp_path, monkeypatch):
    """Go to a folder with the credentials of a bot whose store has these sums."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "credentials.yml").write_text(
        "rasa_whatsapp.WhatsAppInput:\n  phone_number_id: 100000000000001\n  access_token: hunter2\n"
        "  app_secret: hunter2\n  verify_token: word\n  database_url: sqlite:///store.sqlite\n"
    )
    database = Database(f"sqlite:///{tmp_path / 'store.sqlite'}")
    database.upgrade()
    rows = [
        {
            "day": date(2026, 11, day), "number_id": "100000000000001", "country": country, "category": category,
            "type": told, "billable": told == "regular", "template": template, "messages": messages,
        }
        for day, country, category, told, template, messages in STORED
    ]  # fmt: skip
    database.run_now(lambda connection: connection.execute(insert(schema.costs), rows))
    yield tmp_path
    database.close()


def run(*arguments):
    """Run the command; return its exit status, what it wrote, and what it complained of."""
    result = CliRunner().invoke(main, ["costs", *arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.stdout, result.stderr


def test_as_a_table(kept):
    """By category if nothing else is asked for, with a total."""
    assert run() == (
        0,
        "category       messages  billable  free_customer_service  free_entry_point  free_otherwise\n"
        "group_service         7         0                      0                 0               7\n"
        "marketing            10        10                      0                 0               0\n"
        "service            2203      1203                   1000                 0               0\n"
        "utility               5         0                      0                 5               0\n"
        "total              2225      1213                   1000                 5               7\n",
        "",
    )


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--by", "country"], ["country", ",3,3,0,0,0", "DE,2212,1200,1000,5,7", "US,10,10,0,0,0"]),
        (
            ["--by", "day", "--by", "template", "--from", "2026-11-02"],
            ["day,template", "2026-11-02,,3,3,0,0,0", "2026-11-02,order_follow_up,5,0,0,5,0", "2026-11-03,,7,0,0,0,7"],
        ),
        (["--by", "type", "--by", "type", "--until", "2026-11-01"], ["type", "free_customer_service,1000,0,1000,0,0", "regular,1210,1210,0,0,0"]),
        (["--by", "number", "--from", "2026-11-03", "--until", "2026-11-03"], ["number", "100000000000001,7,0,0,0,7"]),
        (["--from", "2026-11-04"], ["category"]),
    ],
    ids=["by country", "by day and template, from a day", "by type, until a day", "one day", "nothing"],
)  # fmt: skip
def test_as_csv(kept, arguments, expected):
    """One line for each, without a total."""
    head, *lines = expected
    assert run("--format", "csv", *arguments) == (0, "".join(f"{line}\n" for line in (f"{head},{HEAD}", *lines)), "")


def test_nothing_to_show(kept):
    """It says so."""
    assert run("--from", "2026-11-04") == (0, "No message is counted for these days.\n", "")


def test_as_json(kept):
    """Names and numbers; null where there is no country."""
    status, output, _ = run("--format", "json", "--by", "country", "--from", "2026-11-02", "--until", "2026-11-02")
    assert status == 0
    free = {"free_customer_service": 0, "free_otherwise": 0}
    assert json.loads(output) == {
        "costs": [
            {"country": None, "messages": 3, "billable": 3, "free_entry_point": 0, **free},
            {"country": "DE", "messages": 5, "billable": 0, "free_entry_point": 5, **free},
        ]
    }


def test_amounts_by_a_price_list(kept):
    """What is charged, at the country's price or else at the price of all others; what is free costs nothing."""
    (kept / "prices.csv").write_text(PRICES)
    assert run("--prices", "prices.csv", "--format", "csv", "--by", "country") == (
        0,
        f"country,{HEAD},amount_EUR\n,3,3,0,0,0,0.15\nDE,2212,1200,1000,5,7,54.7200\nUS,10,10,0,0,0,0.20\n",
        "",
    )
    table = run("--prices", "prices.csv")[1].splitlines()
    assert [line.split()[-1] for line in table] == ["amount_EUR", "0", "0.20", "54.8700", "0", "55.0700"]
    shown = json.loads(run("--prices", "prices.csv", "--format", "json", "--by", "type", "--until", "2026-11-01")[1])
    assert shown["currency"] == "EUR"
    assert [(line["type"], line["amount"]) for line in shown["costs"]] == [
        ("free_customer_service", "0"),
        ("regular", "54.9200"),
    ]


def test_a_price_that_is_missing(kept):
    """No amount is told that would be too small, and what is missing is named."""
    (kept / "prices.csv").write_text("market,category,currency,price\nDE,service,EUR,0.0456\n")
    told = (
        "The list has no price for service in an unknown country: 3 messages.\n"
        "The list has no price for marketing in US: 10 messages.\n"
    )
    status, output, complaint = run("--prices", "prices.csv")
    assert (status, complaint) == (0, told)
    assert [line.split()[-1] for line in output.splitlines()] == ["amount_EUR", "0", "-", "-", "0", "-"]
    output = run("--prices", "prices.csv", "--format", "csv", "--by", "country")[1]
    assert output.splitlines()[1:] == [",3,3,0,0,0,", "DE,2212,1200,1000,5,7,54.7200", "US,10,10,0,0,0,"]
    shown = json.loads(run("--prices", "prices.csv", "--format", "json")[1])
    assert [line["amount"] for line in shown["costs"]] == ["0", None, None, "0"]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "line 1: the columns must be market,category,currency,price"),
        ("country,category,currency,price\n", "line 1: the columns must be market,category,currency,price"),
        ("market;category;currency;price\n", "line 1: the columns must be market,category,currency,price"),
        ("market,category,currency,price\n", "there is no price in it"),
        (PRICES + "de,utility,EUR,1\n", "line 5: market is 'de'; expected a country's two letters, such as DE, or *"),
        (PRICES + "DE,Utility,EUR,1\n", "line 5: category is 'Utility'; expected Meta's word for it"),
        (PRICES + "DE,utility,€,1\n", "line 5: currency is '€'; expected its three letters"),
        (PRICES + "DE,utility,EUR,free\n", "line 5: price is 'free'; expected the price of one message"),
        (PRICES + "DE,utility,EUR,-1\n", "line 5: price is '-1'; expected"),
        (PRICES + "DE,utility,EUR\n", "line 5: price is missing; expected"),
        (PRICES + "DE,utility,EUR,0,04\n", "line 5: there are more than 4 values; write a price with a point"),
        (PRICES + "DE,utility,USD,1\n", "line 5: currency is USD, before it was EUR; use one list for each"),
        (PRICES + "DE,service,EUR,1\n", "line 5: market DE, category service is there already; keep one of them"),
        (PRICES.encode("utf-16"), "prices.csv cannot be read as CSV in UTF-8: UnicodeDecodeError"),
    ],
    ids=[
        "empty", "other columns", "semicolons", "no price", "market", "category", "currency", "no number", "less than nothing",
        "too short", "a comma in the price", "two currencies", "twice", "not UTF-8",
    ],
)  # fmt: skip
def test_a_price_list_that_is_none(kept, text, problem):
    """It says which line, column and value, and what is expected."""
    (kept / "prices.csv").write_bytes(text if isinstance(text, bytes) else text.encode())
    status, output, complaint = run("--prices", "prices.csv")
    assert (status, output) == (1, "")
    assert complaint.startswith(f"Error: --prices: {problem}")


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["--from", "2026-11-02", "--until", "2026-11-01"], "--from 2026-11-02 is after --until 2026-11-01"),
        (["--from", "yesterday"], "Invalid value for '--from'"),
        (["--by", "colour"], "Invalid value for '--by'"),
        (["--prices", "nowhere.csv"], "Invalid value for '--prices'"),
    ],
)
def test_what_is_refused(kept, arguments, problem):
    """It says which option is wrong."""
    status, output, complaint = run(*arguments)
    assert (status, output) == (2, "")
    assert problem in complaint
