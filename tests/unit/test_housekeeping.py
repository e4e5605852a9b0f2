"""What is finished and old is forgotten; what is open, or waits for an operator, stays."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
from sqlalchemy import insert

from rasa_whatsapp import housekeeping
from rasa_whatsapp.storage import schema

pytestmark = pytest.mark.asyncio

NOW = datetime(2026, 11, 22, 10, 0, tzinfo=timezone.utc)
LIMIT = NOW - timedelta(days=90)
OLD, YOUNG = LIMIT - timedelta(microseconds=1), LIMIT


@pytest.fixture(autouse=True)
def no_breath(monkeypatch):
    """Let it not pause for others."""
    monkeypatch.setattr(housekeeping, "_BREATH_SECONDS", 0)


def add(stage, table, *rows):
    """Put rows into a table."""
    stage.database.run_now(lambda connection: connection.execute(insert(schema.metadata.tables[table]), list(rows)))


def inbox_row(number, state, at):
    """Return a message that came at a moment."""
    return {
        "number_id": "1", "message_id": f"m{number}", "contact_id": "lea", "kind": "message", "body": {}, "sent_at": at,
        "received_at": at, "state": state,
    }  # fmt: skip


def outbox_row(number, state, at):
    """Return a message that was said at a moment."""
    return {
        "key": f"k{number}", "utterance": f"k{number}", "contact_id": "lea", "proactive": False, "choices": {},
        "state": state, "created_at": at,
    }  # fmt: skip


def follow_up(number, state, at):
    """Return a follow-up that was due at a moment."""
    return {
        "id": f"f{number}", "contact_id": "lea", "name": "n", "intent": "i", "entities": [], "due_at": at, "fire_at": at,
        "kill_on_user_message": False, "state": state, "cause": "c", "created_at": at,
    }  # fmt: skip


@pytest.fixture
def lea(stage):
    """Let there be a contact."""
    add(stage, "contacts", {"id": "lea", "number_id": "1", "created_at": OLD})


@pytest.mark.parametrize(
    ("table", "row", "forgotten", "kept"),
    [
        ("inbox", inbox_row, {"done", "ignored"}, {"received", "running", "joined", "parked"}),
        (
            "outbox",
            outbox_row,
            {"accepted", "sent", "delivered", "read", "played", "failed", "refused", "replaced"},
            {"pending", "sending", "unsettled"},
        ),
        ("follow_ups", follow_up, {"done", "cancelled", "missed"}, {"pending", "fired"}),
    ],
    ids=["messages that came", "messages that were said", "follow-ups"],
)
async def test_by_state_and_age(stage, lea, table, row, forgotten, kept):
    """Old and finished goes; the same a moment younger stays; open and parked stays however old it is."""
    states = sorted(forgotten | kept)
    add(stage, table, *(row(place, state, OLD) for place, state in enumerate(states)))
    add(stage, table, *(row(100 + place, state, YOUNG) for place, state in enumerate(states)))
    await housekeeping.forget_old(stage.database, LIMIT)
    moment = {"inbox": "received_at", "outbox": "created_at", "follow_ups": "fire_at"}[table]
    assert {found["state"] for found in stage.rows(table) if found[moment] == OLD} == kept
    assert {found["state"] for found in stage.rows(table) if found[moment] == YOUNG} == forgotten | kept


async def test_statuses(stage):
    """What they told is in the messages; prices are kept as long as these."""
    add(
        stage,
        "statuses",
        {"message_id": "a", "status": "sent", "at": OLD},
        {"message_id": "a", "status": "read", "at": YOUNG},
    )
    await housekeeping.forget_old(stage.database, LIMIT)
    assert [(row["message_id"], row["status"]) for row in stage.rows("statuses")] == [("a", "read")]


async def test_links_of_media(stage):
    """A link that has not gone out for so long is counted, and uploaded, anew."""
    add(
        stage,
        "uploads",
        {"number_id": "1", "link": "a", "uses": 9, "media_id": "9001", "expires_at": YOUNG, "used_at": OLD},
        {"number_id": "1", "link": "b", "uses": 1, "media_id": None, "expires_at": None, "used_at": YOUNG},
    )
    await housekeeping.forget_old(stage.database, LIMIT)
    assert [row["link"] for row in stage.rows("uploads")] == ["b"]


@pytest.mark.parametrize("table", ["inbox", "outbox", "statuses", "follow_ups"])
async def test_more_than_goes_in_one_transaction(stage, lea, table):
    """Twelve hundred old ones go, some hundred at a time; parked ones between them do not stop it."""
    row = {"inbox": inbox_row, "outbox": outbox_row, "follow_ups": follow_up}.get(table)
    if row is None:
        add(stage, table, *({"message_id": str(number), "status": "sent", "at": OLD} for number in range(1200)))
        add(stage, table, {"message_id": "young", "status": "sent", "at": YOUNG})
        left = 1
    else:
        still_open = {"inbox": "parked", "outbox": "pending", "follow_ups": "pending"}[table]
        states = [still_open if number in (0, 499, 500, 700) else "done" for number in range(1200)]
        if table == "outbox":
            states = ["sent" if state == "done" else state for state in states]
        add(stage, table, *(row(number, state, OLD) for number, state in enumerate(states)))
        add(stage, table, row(5000, "pending" if table == "follow_ups" else states[1], YOUNG))
        left = 5
    await housekeeping.forget_old(stage.database, LIMIT)
    assert len(stage.rows(table)) == left


async def test_who_the_customer_is_stays(stage):
    """Contacts, their names and their consent are not forgotten with their messages."""
    await stage.start()
    await stage.receive(stage.message("STOP"))
    await housekeeping.forget_old(stage.database, stage.clock.now() + timedelta(days=1))
    assert stage.rows("inbox") == []
    assert (len(stage.rows("contacts")), len(stage.rows("aliases")), len(stage.rows("consent"))) == (1, 1, 1)
    await stage.receive(stage.message("Hi"))
    assert stage.dialogue.turns[-1].entities["whatsapp_consent"] == "opted_out"


async def test_a_server_does_it_by_itself(stage, lea):
    """At its start, and each hour."""
    add(stage, "inbox", inbox_row(1, "done", stage.clock.now() - timedelta(days=31)))
    add(stage, "inbox", inbox_row(2, "done", stage.clock.now() - timedelta(days=29)))
    await stage.start(retention=timedelta(days=30))
    await stage.until(lambda: [row["message_id"] for row in stage.rows("inbox")] == ["m2"])


async def test_a_store_that_is_away_is_tried_again(stage, lea, monkeypatch, caplog):
    """It is logged, and in an hour it is old, too."""
    monkeypatch.setattr(housekeeping, "_HOUR_SECONDS", 0.01)
    real, away = housekeeping.forget_old, [True]

    async def fail_once(database, before):
        if away:
            away.clear()
            raise OSError("the store is away")
        await real(database, before)

    monkeypatch.setattr(housekeeping, "forget_old", fail_once)
    add(stage, "inbox", inbox_row(1, "done", stage.clock.now() - timedelta(days=91)))
    await stage.start()
    await stage.until(lambda: stage.rows("inbox") == [])
    assert "kept for now" in caplog.text
