"""`rasa-whatsapp follow-ups`, as an operator types it."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone

import click
import pytest
from click.testing import CliRunner
from sqlalchemy import insert, select, update

from rasa_whatsapp.cli import main, store
from rasa_whatsapp.storage import schema
from rasa_whatsapp.storage.database import Database

TEN = datetime(2026, 11, 22, 10, 0, tzinfo=timezone.utc)
REAL_NOW = store.now
# The first characters after "wamid." are the customer's number in base64.
LONG_ID = "wamid.HBgNNDkxNTExMjM0NTY3OBUCABIYFjNFQjBDMTIzNDU2Nzg5QUJDREVG"
CONTACTS = {"wa-lea": None, "wa-ben": None, "wa-old-ben": "wa-ben"}
# id, contact, name, state, due after ten o'clock, reason
STORED = [
    ("e5", "wa-ben", "later", "pending", 7200, None),
    ("a1", "wa-lea", "rate", "pending", 3600, None),
    ("b2", "wa-lea", "parcel", "fired", -60, None),
    ("c3", "wa-ben", "rate", "done", -7200, None),
    ("d4", "wa-ben", "rate", "cancelled", -3600, "cancelled by the dialogue"),
]
A1 = "a1\twa-lea\trate\tEXTERNAL_rate\t2026-11-22 11:00:00 UTC\tpending"
B2 = "b2\twa-lea\tparcel\tEXTERNAL_parcel\t2026-11-22 09:59:00 UTC\tfired"
C3 = "c3\twa-ben\trate\tEXTERNAL_rate\t2026-11-22 08:00:00 UTC\tdone"
D4 = "d4\twa-ben\trate\tEXTERNAL_rate\t2026-11-22 09:00:00 UTC\tcancelled"
E5 = "e5\twa-ben\tlater\tEXTERNAL_later\t2026-11-22 12:00:00 UTC\tpending"


def empty_store(folder):
    """Write the credentials of a bot whose store has no follow-ups, and return the store."""
    (folder / "credentials.yml").write_text(
        "rasa_whatsapp.WhatsAppInput:\n  phone_number_id: 100000000000001\n  access_token: hunter2\n"
        "  app_secret: hunter2\n  verify_token: word\n  database_url: sqlite:///store.sqlite\n"
    )
    database = Database(f"sqlite:///{folder / 'store.sqlite'}")
    database.upgrade()
    return database


def fill(connection):
    """Store the contacts and follow-ups of the tables above."""
    for contact_id, merged_into in CONTACTS.items():
        values = {"id": contact_id, "number_id": "100000000000001", "created_at": TEN, "merged_into": merged_into}
        connection.execute(insert(schema.contacts).values(values))
    for follow_up_id, contact_id, name, state, seconds, reason in STORED:
        values = {
            "id": follow_up_id,
            "contact_id": contact_id,
            "name": name,
            "intent": f"EXTERNAL_{name}",
            "entities": [{"entity": "order_id", "value": "1002"}],
            "due_at": TEN + timedelta(seconds=seconds),
            "kill_on_user_message": True,
            "state": state,
            "reason": reason,
            "cause": LONG_ID,
            "created_at": TEN - timedelta(days=1),
        }
        connection.execute(insert(schema.follow_ups).values(values))


@pytest.fixture
def kept(tmp_path, monkeypatch):
    """Return a store with five follow-ups, in the current folder; it is ten o'clock."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(store, "now", lambda: TEN)
    database = empty_store(tmp_path)
    database.run_now(fill)
    yield database
    database.close()


def run(*arguments, **more):
    """Run a subcommand; return its exit status and what it wrote."""
    result = CliRunner().invoke(main, ["follow-ups", *arguments], **more)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    assert "NDkxNTExMjM0NTY3OB" not in result.output
    return result.exit_code, result.output


def rows(database):
    """Return what can be changed of each follow-up, by id."""
    table = schema.follow_ups.c
    query = select(table.id, table.state, table.due_at, table.reason, table.finished_at)
    return database.run_now(lambda connection: {row[0]: tuple(row[1:]) for row in connection.execute(query)})


def changed(before, after):
    """Return the rows that are not as they were."""
    return {key: row for key, row in after.items() if row != before[key]}


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ((), [B2, A1, E5]),
        (("--all",), [C3, D4, B2, A1, E5]),
        (("--contact", "wa-ben"), [E5]),
        (("--contact", "wa-old-ben"), [E5]),
        (("--contact", "wa-ben", "--all"), [C3, D4, E5]),
        (("--limit", "3"), [B2, A1, E5]),
        (("--limit", "2"), [B2, A1, "There are more than these 2; --limit shows them."]),
        (("--credentials", "credentials.yml"), [B2, A1, E5]),
    ],
    ids=["open", "all", "of a contact", "of one who was merged", "all of a contact", "just enough", "a few", "of another file"],
)  # fmt: skip
def test_list(kept, arguments, expected):
    """A line for each, what is due first first."""
    assert run("list", *arguments) == (0, "".join(f"{line}\n" for line in expected))


def test_a_list_without_bounds(kept):
    """More than a database can count is a mistake of the one who asks, and no failure."""
    status, output = run("list", "--limit", "99999999999999999999")
    assert (status, "is not in the range 1<=x<=100000" in output) == (2, True)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ((), "No follow-up is open.\n"),
        (("--all",), "There are no follow-ups.\n"),
        (("--format", "json"), "[]\n"),
    ],
    ids=["open", "all", "json"],
)
def test_list_nothing(tmp_path, monkeypatch, arguments, expected):
    """An empty store says so."""
    monkeypatch.chdir(tmp_path)
    empty_store(tmp_path).close()
    assert run("list", *arguments) == (0, expected)


def test_list_as_json(kept):
    """For machines: the same, one list."""
    status, output = run("list", "--contact", "wa-ben", "--format", "json")
    assert status == 0
    assert json.loads(output) == [
        {
            "id": "e5",
            "contact_id": "wa-ben",
            "name": "later",
            "intent": "EXTERNAL_later",
            "due_at": "2026-11-22T12:00:00+00:00",
            "state": "pending",
        }
    ]


def test_list_on_one_line(kept):
    """A name that an action made of anything stays one column, and steers no terminal."""
    kept.run_now(lambda connection: connection.execute(update(schema.follow_ups).values(name="a\tb\n\x1b[2Jü")))
    first = run("list")[1].splitlines()[0]
    assert first == "b2\twa-lea\ta\\u0009b\\u000a\\u001b[2Jü\tEXTERNAL_parcel\t2026-11-22 09:59:00 UTC\tfired"


def test_list_of_an_unknown_contact(kept):
    """The error does not repeat what was typed: it may be a number."""
    assert run("list", "--contact", "4915112345678") == (
        1,
        "Error: --contact: no contact has this id of 13 characters; see `rasa-whatsapp follow-ups list --all`\n",
    )


@pytest.mark.parametrize(
    "line",
    [
        "id                    d4",
        "contact_id            wa-ben",
        "name                  rate",
        "intent                EXTERNAL_rate",
        'entities              [{"entity": "order_id", "value": "1002"}]',
        "due_at                2026-11-22 09:00:00 UTC",
        "kill_on_user_message  yes",
        "state                 cancelled",
        "reason                cancelled by the dialogue",
        "cause                 …QjBDMTIzNDU2Nzg5QUJDREVG",
        "created_at            2026-11-21 10:00:00 UTC",
        "finished_at           -",
    ],
    ids=lambda line: line.split()[0],
)
def test_show(kept, line):
    """Every field on its line; of the cause the end only."""
    status, output = run("show", "d4")
    assert status == 0
    assert line in output.splitlines()


def test_cancel(kept):
    """Pending and fired ones are cancelled, with the operator's reason; the others are as they were."""
    before = rows(kept)
    assert run("cancel", "a1", "b2", "a1", "--yes") == (0, "2 cancelled.\n")
    assert changed(before, rows(kept)) == {
        "a1": ("cancelled", TEN + timedelta(hours=1), "cancelled by the operator", TEN),
        "b2": ("cancelled", TEN - timedelta(minutes=1), "cancelled by the operator", TEN),
    }


def test_fire(kept):
    """Pending ones are due now; the others are as they were."""
    before = rows(kept)
    assert run("fire", "e5", "a1", "e5", "--yes") == (0, "2 due now.\n")
    assert changed(before, rows(kept)) == {"a1": ("pending", TEN, None, None), "e5": ("pending", TEN, None, None)}


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("show", "x9"), "unknown: x9; see"),
        (("cancel", "a1", "x9", "x8", "--yes"), "unknown: x9, x8; nothing was done, see"),
        (("cancel", "a1", "c3", "d4", "--yes"), "not open: c3 (done), d4 (cancelled); nothing was done, see"),
        (("cancel", "c3", "x9", "--yes"), "unknown: x9; not open: c3 (done); nothing was done, see"),
        (("fire", "a1", "x9", "--yes"), "unknown: x9; nothing was done, see"),
        (("fire", "a1", "b2", "c3", "d4", "--yes"), "not pending: b2 (fired), c3 (done), d4 (cancelled); nothing was done, see"),
    ],
    ids=["show", "cancel unknown", "cancel settled", "cancel both", "fire unknown", "fire not pending"],
)  # fmt: skip
def test_what_cannot_be_done(kept, arguments, expected):
    """What is unknown or in the wrong state is named, and the others are not touched either."""
    before = rows(kept)
    assert run(*arguments) == (1, f"Error: {expected} `rasa-whatsapp follow-ups list --all`\n")
    assert rows(kept) == before


@pytest.mark.parametrize(
    ("what", "question"),
    [
        ("cancel", "Cancel 1 follow-up(s)? [y/N]: "),
        ("fire", "Fire 1 follow-up(s) now? Customers will be written to. [y/N]: "),
    ],
    ids=["cancel", "fire"],
)
@pytest.mark.parametrize("answer", ["y", "n"])
def test_it_asks_first(kept, what, question, answer):
    """A no changes nothing."""
    before = rows(kept)
    status, output = run(what, "a1", input=f"{answer}\n")
    assert output.startswith(question)
    assert (status, list(changed(before, rows(kept)))) == ((0, ["a1"]) if answer == "y" else (1, []))


@pytest.mark.parametrize(
    ("what", "expected"),
    [
        ("cancel", "1 cancelled.\nError: no longer open when it came to it: a1\n"),
        ("fire", "1 due now.\nError: no longer pending when it came to it: a1\n"),
    ],
    ids=["cancel", "fire"],
)
def test_done_while_the_operator_was_asked(kept, monkeypatch, what, expected):
    """What the server did meanwhile stands, and is named."""
    done = update(schema.follow_ups).where(schema.follow_ups.c.id == "a1").values(state="done")
    monkeypatch.setattr(click, "confirm", lambda *_, **__: kept.run_now(lambda connection: connection.execute(done)))
    assert run(what, "a1", "e5") == (1, expected)
    assert rows(kept)["a1"] == ("done", TEN + timedelta(hours=1), None, None)


@pytest.mark.parametrize("what", ["show", "cancel", "fire"])
def test_ids_are_needed(kept, what):
    """Nothing is done for want of a name."""
    assert run(what)[0] == 2


@pytest.mark.parametrize("what", ["list", "show", "cancel", "fire"])
def test_help(what):
    """Each says what it does."""
    status, output = run(what, "--help")
    assert (status, "--credentials" in output) == (0, True)


def test_a_clock_that_is_none(kept, monkeypatch):
    """The error names the variable; nothing is done."""
    monkeypatch.setattr(store, "now", REAL_NOW)
    monkeypatch.setenv("RASA_WHATSAPP_CLOCK_URL", "noon")
    before = rows(kept)
    status, output = run("fire", "a1", "--yes")
    assert (status, "RASA_WHATSAPP_CLOCK_URL is 'noon'" in output) == (1, True)
    assert rows(kept) == before
