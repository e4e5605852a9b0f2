"""`rasa-whatsapp outbox`, as an operator types it: what did not go and why, never its words."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone

import pytest
from click.testing import CliRunner
from sqlalchemy import insert

from rasa_whatsapp.cli import main
from rasa_whatsapp.storage import schema
from rasa_whatsapp.storage.database import Database

TEN = datetime(2026, 11, 22, 10, 0, tzinfo=timezone.utc)
# The first characters after "wamid." are the customer's number in base64.
LONG_KEY = "wamid.HBgNNDkxNTExMjM0NTY3OBUCABIYFjNFQjBDMTIzNDU2Nzg5QUJDREVG#1"
WORDS = "the customer's own words"
DECISION = {"rung": "park", "reason": "the care window is closed"}
# key, contact, state, reason, seconds after ten
STORED = [
    (LONG_KEY, "wa-lea", "delivered", None, 0),
    ("api:1#1", "wa-lea", "parked", "the care window is closed", 60),
    ("api:2#1", "wa-ben", "refused", "the customer\x1b[2J opted out", 120),
    ("api:3#1", "wa-ben", "failed", None, 180),
]
PARKED = "2\twa-lea\t2026-11-22 10:01:00 UTC\tparked\tthe care window is closed"
REFUSED = "3\twa-ben\t2026-11-22 10:02:00 UTC\trefused\tthe customer\\u001b[2J opted out"
FAILED = "4\twa-ben\t2026-11-22 10:03:00 UTC\tfailed\t-"
DELIVERED = "1\twa-lea\t2026-11-22 10:00:00 UTC\tdelivered\t-"


@pytest.fixture
def bot(tmp_path, monkeypatch):
    """Stand in the folder of a bot that has said something."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "credentials.yml").write_text(
        "rasa_whatsapp.WhatsAppInput:\n  phone_number_id: 100000000000001\n  access_token: hunter2\n"
        "  app_secret: hunter2\n  verify_token: word\n  database_url: sqlite:///store.sqlite\n"
    )
    database = Database("sqlite:///store.sqlite")
    database.upgrade()
    rows = [
        {
            "key": key, "utterance": key, "contact_id": contact_id, "proactive": True, "choices": {}, "state": state,
            "reason": reason, "created_at": TEN + timedelta(seconds=seconds), "kind": None, "decision": DECISION,
            "free_form": {"type": "text", "text": {"body": WORDS}},
        }
        for key, contact_id, state, reason, seconds in STORED
    ]  # fmt: skip
    people = [{"id": contact_id, "number_id": "1", "created_at": TEN} for contact_id in ("wa-lea", "wa-ben")]
    database.run_now(lambda connection: connection.execute(insert(schema.contacts), people))
    database.run_now(lambda connection: connection.execute(insert(schema.outbox), rows))
    database.close()


def run(*arguments):
    """Return the exit status and what was printed."""
    done = CliRunner().invoke(main, ["outbox", *arguments])
    return done.exit_code, done.output


@pytest.mark.parametrize(
    ("arguments", "lines"),
    [
        ([], [FAILED, REFUSED, PARKED]),
        (["--state", "parked"], [PARKED]),
        (["--state", "parked", "--state", "delivered"], [PARKED, DELIVERED]),
        (["--contact", "wa-ben"], [FAILED, REFUSED]),
        (["--contact", "nobody"], ["There are none."]),
        (["--limit", "1"], [FAILED, "There are more than these 1; --limit shows them."]),
    ],
    ids=["what did not go", "one state", "two states", "one contact", "none", "more"],
)
def test_list(bot, arguments, lines):
    """The latest first, each on its line."""
    assert run("list", *arguments) == (0, "\n".join(lines) + "\n")


def test_list_as_json(bot):
    """For scripts."""
    status, output = run("list", "--state", "parked", "--format", "json")
    assert status == 0
    assert json.loads(output) == [
        {
            "id": 2, "contact_id": "wa-lea", "created_at": "2026-11-22T10:01:00+00:00", "state": "parked", "form": None,
            "reason": "the care window is closed",
        }
    ]  # fmt: skip


def test_show(bot):
    """All that led to its fate, but neither its words nor the number in its key."""
    status, output = run("show", "1")
    assert status == 0
    assert '{"rung": "park", "reason": "the care window is closed"}' in output
    assert WORDS not in output
    assert LONG_KEY not in output
    assert LONG_KEY[-24:] in output


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["show", "99"], "unknown: 99; see `rasa-whatsapp outbox list`"),
        (["show", "0"], "0 is not in the range"),
        (["show", "99999999999999999999"], "is not in the range"),
        (["show", "x"], "'x' is not a valid integer"),
        (["list", "--state", "lost"], "'lost' is not one of 'pending'"),
        (["list", "--limit", "0"], "0 is not in the range"),
    ],
)
def test_what_cannot_be(bot, arguments, told):
    """Named, without a traceback."""
    status, output = run(*arguments)
    assert status != 0
    assert told in output
    assert "Traceback" not in output
