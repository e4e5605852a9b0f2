"""A store of the previous version, with work in it, is brought up to date: nothing is lost, and what waited is taken up."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config

from rasa_whatsapp import storage
from rasa_whatsapp.errors import StoreOutdated
from rasa_whatsapp.storage import engines, upgrading
from rasa_whatsapp.storage.database import Database
from rasa_whatsapp.storage.engines import SCHEMA

TEN = datetime(2026, 11, 22, 10, 0, tzinfo=timezone.utc)
BEFORE = [("ARRIVED", "sent"), ("ARRIVED", "delivered"), ("SENT", "sent")]
PRICING = '{"billable":true,"pricing_model":"PMP","type":"regular","category":"service"}'
EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


def micros(moment):
    """Return a moment as the tables hold it."""
    return (moment - EPOCH) // timedelta(microseconds=1)


def go_back(connection, revision):
    """Make the tables of an older version, and only these."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f"DROP SCHEMA {SCHEMA} CASCADE")
        connection.exec_driver_sql(f"CREATE SCHEMA {SCHEMA}")
    else:
        names = connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'table'").scalars().all()
        for name in names:
            if not name.startswith("sqlite_"):
                connection.exec_driver_sql(f"DROP TABLE {name}")
    config = Config()
    config.set_main_option("script_location", str(Path(storage.__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    command.upgrade(config, revision)


def fill(connection):
    """Put into the tables of 0002 what a server that was stopped leaves: each kind of work, waiting and under way."""
    at, no = micros(TEN), 0 if connection.dialect.name == "sqlite" else False

    def add(table, **row):
        values = ", ".join("NULL" if value is None else repr(value) for value in row.values())
        connection.exec_driver_sql(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({values})".replace("%", "%%"))

    for contact_id, number in (("wa-lea", "4915112345678"), ("wa-ben", "4915100000002")):
        add("contacts", id=contact_id, number_id="100000000000001", window_opened_at=at, created_at=at)
        add(
            "aliases", number_id="100000000000001", kind="wa_id", value=number, contact_id=contact_id, first_at=at,
            seen_at=at,
        )  # fmt: skip
    for ident, contact_id, state in (("A", "wa-lea", "done"), ("B", "wa-lea", "running"), ("C", "wa-lea", "received")):
        text = {"from": "4915112345678", "id": f"wamid.{ident}", "timestamp": "1795341600", "type": "text"}
        body = json.dumps({"message": text | {"text": {"body": ident}}, "contact": {}})
        add(
            "inbox", number_id="100000000000001", message_id=f"wamid.{ident}", contact_id=contact_id, kind="message",
            body=body, sent_at=at, received_at=at, state=state, attempts=int(state != "received"), crashes=0, replays=0,
        )  # fmt: skip
    for key, contact_id, state in (("old#1", "wa-lea", "accepted"), ("ben#1", "wa-ben", "pending")):
        free_form = json.dumps({"type": "text", "text": {"body": key}})
        request = None if state == "pending" else free_form
        add(
            "outbox", key=key, utterance=key, contact_id=contact_id, proactive=no,
            free_form=free_form, choices="{}", state=state, request=request, message_id="wamid.OLD" if request else None,
            attempts=0, copies=0, created_at=at,
        )  # fmt: skip
    add(
        "follow_ups", id="f1", contact_id="wa-ben", name="reminder", intent="EXTERNAL_reminder", entities="[]",
        due_at=at + 3_600_000_000, kill_on_user_message=no, state="pending",
        cause="wamid.A", created_at=at,
    )  # fmt: skip


@pytest.fixture
def old_store(database):
    """Return a store of version 0002 with rows in it; the database that tests share is put right afterwards."""
    database.run_now(go_back, "0002")
    database.run_now(fill)
    database._engine.dispose()
    yield database
    if not database.is_sqlite:
        database.run_now(go_back, "head")


def test_its_version_is_told(old_store):
    """And which steps are missing."""
    version = old_store.version()
    assert (version.current, version.wanted, version.is_right) == ("0002", "0010", False)
    assert version.missing == ("0003", "0004", "0005", "0006", "0007", "0008", "0009", "0010")
    old_store.upgrade()
    version = old_store.version()
    assert (version.current, version.missing, version.is_right) == ("0010", (), True)


def test_who_may_upgrade_at_a_start(old_store):
    """A file is upgraded by its server; a database that servers share by an operator, once these are stopped."""
    if old_store.is_sqlite:
        old_store.prepare()
    else:
        with pytest.raises(StoreOutdated, match=r"version 0002.*needs 0010: run `rasa-whatsapp db upgrade`"):
            old_store.prepare()
        old_store.upgrade()
        old_store.prepare()
    assert old_store.version().is_right


@pytest.mark.asyncio
async def test_costs_are_counted_from_then_on(stage, old_store):
    """A message that arrived before is not counted, also when it is read afterwards; one that arrives afterwards is."""
    old_store.run_now(
        lambda connection: connection.exec_driver_sql(
            "INSERT INTO statuses (message_id, status, at, pricing) VALUES "
            + ", ".join(f"('wamid.{name}', '{told}', {micros(TEN)}, '{PRICING}')" for name, told in BEFORE)
        )
    )
    old_store.upgrade()
    await stage.start()
    await stage.receive(stage.status("wamid.ARRIVED", "read"), stage.status("wamid.SENT", "delivered"))
    (row,) = stage.rows("costs")
    assert (row["country"], row["category"], row["type"], row["billable"], row["messages"]) == (
        "DE", "service", "regular", True, 1,
    )  # fmt: skip


@pytest.mark.asyncio
async def test_what_waited_goes_on(stage, old_store):
    """The turn that was under way is taken again, then the next; the message is sent; the follow-up fires in time."""
    old_store.upgrade()
    await stage.start()
    await stage.nudge()
    assert stage.dialogue.heard == ["B", "C"]
    assert stage.dialogue.asked == ["B"]
    assert stage.graph.texts == ["ben#1"]
    assert stage.states("inbox") == ["done", "done", "done"]
    (row,) = stage.rows("follow_ups")
    assert row["fire_at"] == row["due_at"]
    await stage.advance(minutes=59)
    assert len(stage.dialogue.turns) == 2
    await stage.advance(minutes=1)
    assert stage.dialogue.turns[-1].intents == ("EXTERNAL_reminder",)
    assert stage.rows("lanes") == []


@pytest.mark.asyncio
async def test_what_was_said_before_is_known_still(stage, old_store):
    """Keys, Meta's ids and what came once stay: nothing is said or taken twice."""
    old_store.upgrade()
    await stage.start()
    await stage.receive(stage.message("again", id="wamid.A"), stage.status("wamid.OLD", "read"))
    assert "again" not in stage.dialogue.heard
    (old,) = [row for row in stage.rows("outbox") if row["key"] == "old#1"]
    assert (old["state"], old["accepted_at"]) == ("read", None)


@pytest.mark.on("postgresql")
def test_a_step_may_take_its_time(old_store, monkeypatch):
    """A large table: what ends a statement that hangs does not end the upgrade, which could never come to its end."""
    monkeypatch.setattr(engines, "_POSTGRESQL_OPTIONS", f"-c search_path={SCHEMA} -c statement_timeout=50ms")
    real = upgrading._migrate

    def migrate(connection):
        connection.exec_driver_sql("SELECT pg_sleep(0.2)")
        real(connection)

    monkeypatch.setattr(upgrading, "_migrate", migrate)
    patient = Database(old_store._engine.url.render_as_string(hide_password=False))
    patient.upgrade()
    assert patient.version().is_right
    patient.close()
