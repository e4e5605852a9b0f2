"""The store: its schema, its transactions, and what it keeps of values."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from sqlalchemy import insert, inspect, select

from rasa_whatsapp import storage
from rasa_whatsapp.errors import StoreOutdated
from rasa_whatsapp.storage import contacts, outbox, schema
from rasa_whatsapp.storage.database import Database

TEN = datetime(2026, 11, 22, 10, 0, tzinfo=timezone.utc)


def test_migrations_build_what_the_schema_says(database):
    """Tables, columns, constraints and indexes are equal both ways."""
    differences = database.run_now(
        lambda connection: compare_metadata(MigrationContext.configure(connection), schema.metadata)
    )
    assert differences == []


def test_columns_are_equal_one_by_one(database):
    """Names, nullability and keys, which the comparison above does not all see."""

    def described(connection):
        found = inspect(connection)
        return {
            table: (
                {column["name"]: column["nullable"] for column in found.get_columns(table)},
                found.get_pk_constraint(table)["constrained_columns"],
                sorted(sorted(unique["column_names"]) for unique in found.get_unique_constraints(table)),
            )
            for table in found.get_table_names()
            if table != "alembic_version"
        }

    migrated = database.run_now(described)
    assert set(migrated) == set(schema.metadata.tables)
    for name, table in schema.metadata.tables.items():
        columns, primary_key, _ = migrated[name]
        assert columns == {column.name: column.nullable for column in table.columns}
        assert primary_key == [column.name for column in table.primary_key.columns]


def test_upgrading_twice_changes_nothing(database):
    """Every start does it."""
    database.upgrade()


def test_a_newer_database_is_refused(database):
    """An older package must not write into it."""

    def say(version):
        update = f"UPDATE alembic_version SET version_num = '{version}'"
        database.run_now(lambda connection: connection.exec_driver_sql(update))

    wanted = database.version().wanted
    say("9999")
    try:
        for begin in (database.upgrade, database.prepare):
            with pytest.raises(StoreOutdated, match="9999"):
                begin()
    finally:
        say(wanted)  # tests share the database


@pytest.mark.asyncio
async def test_a_transaction_that_fails_leaves_nothing(database):
    """All or nothing."""

    def half(connection):
        connection.execute(insert(schema.contacts).values(id="a", number_id="1", created_at=TEN))
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await database.run(half)
    assert await database.run(lambda connection: connection.execute(select(schema.contacts)).all()) == []


@pytest.mark.parametrize(
    "moment",
    [
        TEN,
        TEN + timedelta(microseconds=1),
        datetime(1, 1, 2, tzinfo=timezone.utc),
        datetime(9999, 12, 30, tzinfo=timezone.utc),
    ],
)
def test_moments_come_back_as_they_went(database, moment):
    """To the microsecond, in UTC."""
    row = {"id": "a", "number_id": "1", "created_at": moment}

    def there_and_back(connection):
        connection.execute(insert(schema.contacts).values(**row))
        return connection.execute(select(schema.contacts.c.created_at)).scalar()

    assert database.run_now(there_and_back) == moment


def test_moments_of_other_zones_are_stored_in_utc(database):
    """An aware moment is an aware moment."""
    berlin = TEN.astimezone(timezone(timedelta(hours=1)))

    def there_and_back(connection):
        connection.execute(insert(schema.contacts).values(id="a", number_id="1", created_at=berlin))
        return connection.execute(select(schema.contacts.c.created_at)).scalar()

    assert database.run_now(there_and_back).isoformat() == "2026-11-22T10:00:00+00:00"


def test_naive_moments_are_refused(database):
    """Nobody knows what they mean; and the error holds no values."""
    with pytest.raises(Exception, match="without a time zone") as refused:
        database.run_now(
            lambda connection: connection.execute(
                insert(schema.contacts).values(
                    id="a", number_id="1", name="Lea Secret", created_at=TEN.replace(tzinfo=None)
                )
            )
        )
    assert "Lea Secret" not in str(refused.value)


def test_a_second_process_sees_what_is_committed(database):
    """The command line opens the same store while the server runs."""
    database.run_now(
        lambda connection: connection.execute(insert(schema.contacts).values(id="a", number_id="1", created_at=TEN))
    )
    other = Database(database._engine.url.render_as_string(hide_password=False))
    other.prepare()
    assert other.run_now(lambda connection: len(connection.execute(select(schema.contacts)).all())) == 1
    other.close()


def test_the_folder_is_made(tmp_path):
    """A path in a folder that is not there yet works."""
    database = Database(f"sqlite:///{tmp_path / 'var' / 'data' / 'store.sqlite'}")
    database.upgrade()
    database.close()
    assert (tmp_path / "var" / "data" / "store.sqlite").exists()


@pytest.mark.parametrize(("pragma", "value"), [("journal_mode", "wal"), ("synchronous", 2), ("foreign_keys", 1)])
def test_durability(tmp_path, pragma, value):
    """What is committed survives a power cut."""
    database = Database(f"sqlite:///{tmp_path / 'durable.sqlite'}")
    database.upgrade()
    assert database.run_now(lambda connection: connection.exec_driver_sql(f"PRAGMA {pragma}").scalar()) == value
    database.close()


def test_the_store_of_version_0_1_0_upgrades(tmp_path):
    """What it holds stays as it was; what is new is empty."""
    database = Database(f"sqlite:///{tmp_path / 'store.sqlite'}")

    def as_it_was(connection):
        config = Config()
        config.set_main_option("script_location", str(Path(storage.__file__).parent / "migrations"))
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        connection.exec_driver_sql("INSERT INTO contacts (id, number_id, created_at) VALUES ('wa-1', '1', 5)")
        connection.exec_driver_sql("INSERT INTO aliases VALUES ('1', 'wa_id', '49151', 'wa-1', 5)")
        connection.exec_driver_sql(
            "INSERT INTO outbox (key, utterance, contact_id, proactive, choices, state, attempts, copies, created_at) "
            "VALUES ('k#1', 'k#1', 'wa-1', 0, '{}', 'pending', 0, 0, 5)"
        )

    database.run_now(as_it_was)
    database.upgrade()
    message = database.run_now(outbox.heads, ["wa-1"])["wa-1"]
    assert (message.key, message.numbers, message.more, message.must_upload) == ("k#1", (), None, False)
    contact = database.run_now(contacts.read, "wa-1")
    assert (contact.recipient.wa_id, contact.paused_until) == ("49151", None)
    database.close()
