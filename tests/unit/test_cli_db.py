"""`rasa-whatsapp db`, as an operator types it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import inspect, text
from sqlalchemy.engine import make_url

from rasa_whatsapp.cli import main
from rasa_whatsapp.storage.database import Database
from rasa_whatsapp.storage.engines import SCHEMA

STEPS = "0001, 0002, 0003, 0004, 0005, 0006, 0007, 0008, 0009, 0010"
MISSING = f"The tables are of version none; missing: {STEPS}. `rasa-whatsapp db upgrade` adds them.\n"
RIGHT = "The tables are up to date: version 0010.\n"


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request, tmp_path, monkeypatch):
    """Return the address of a store without tables, which credentials.yml in the current folder names."""
    monkeypatch.chdir(tmp_path)
    if request.param == "sqlite":
        write_credentials(tmp_path, "sqlite:///store.sqlite")
        yield "sqlite:///store.sqlite"
        return
    shared = request.getfixturevalue("postgresql")
    address = shared.rpartition("/")[0] + "/db_command"
    administer(shared, "CREATE DATABASE db_command")
    write_credentials(tmp_path, address)
    yield address
    administer(shared, "DROP DATABASE db_command WITH (FORCE)")


def administer(address, statement):
    """Run a statement that needs to be alone."""
    store = Database(address)
    with store._engine.connect() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT").execute(text(statement))
    store.close()


def write_credentials(folder, address):
    """Name a store."""
    (folder / "credentials.yml").write_text(
        "rasa_whatsapp.WhatsAppInput:\n"
        "  phone_number_id: 100000000000001\n"
        "  access_token: hunter2\n"
        "  app_secret: hunter2\n"
        "  verify_token: word\n"
        f"  database_url: {address}\n"
    )


def run(*arguments):
    """Run the command; return its exit status and what it wrote."""
    result = CliRunner().invoke(main, ["db", *arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    assert "hunter2" not in result.output
    return result.exit_code, result.output


def tables(address):
    """Return the tables that are there."""
    store = Database(address)
    names = inspect(store._engine).get_table_names(schema=None if store.is_sqlite else SCHEMA)
    store.close()
    return set(names)


def set_version(address, version):
    """Let the tables be of another version."""
    store = Database(address)
    store.run_now(
        lambda connection: connection.exec_driver_sql(f"UPDATE alembic_version SET version_num = '{version}'")
    )
    store.close()


def test_from_nothing_to_the_right_version(url):
    """It tells before and after; a dry run changes nothing; a second upgrade changes nothing either."""
    if url.startswith("sqlite"):
        for command in (["status"], ["upgrade", "--dry-run"]):
            status, output = run(*command)
            assert (status, "there is no file" in output) == (1, True)
        assert not Path("store.sqlite").exists()
    else:
        assert run("status") == (1, MISSING)
        assert run("upgrade", "--dry-run") == (0, MISSING)
        assert tables(url) == set()
    assert run("upgrade") == (0, "The tables are of version 0010 now (before: none).\n")
    assert {"inbox", "outbox", "lanes", "arrivals", "servers"} <= tables(url)
    assert run("status") == (0, RIGHT)
    assert run("upgrade") == (0, RIGHT)
    assert run("upgrade", "--dry-run") == (0, RIGHT)


@pytest.mark.parametrize("command", [["inbox", "list"], ["db", "status"], ["db", "upgrade", "--dry-run"]], ids="-".join)
def test_looking_changes_no_file(tmp_path, monkeypatch, command):
    """Not even somebody else's, which is named by mistake."""
    monkeypatch.chdir(tmp_path)
    write_credentials(tmp_path, "sqlite:///trackers.sqlite")
    with closing(sqlite3.connect("trackers.sqlite")) as other:
        other.execute("CREATE TABLE events (id INTEGER)")
    before = Path("trackers.sqlite").read_bytes()
    told = "has no tables yet" if command[0] == "inbox" else "of version none"
    assert told in CliRunner().invoke(main, command).output
    assert Path("trackers.sqlite").read_bytes() == before
    assert {path.name for path in tmp_path.iterdir()} == {"credentials.yml", "trackers.sqlite"}


def test_a_folder_that_is_not_there(tmp_path, monkeypatch):
    """Only an upgrade makes it."""
    monkeypatch.chdir(tmp_path)
    write_credentials(tmp_path, "sqlite:///new/store.sqlite")
    assert run("status")[0] == run("upgrade", "--dry-run")[0] == 1
    assert not Path("new").exists()
    assert run("upgrade")[0] == 0
    assert run("status") == (0, RIGHT)


def test_a_newer_store(url):
    """An older package touches nothing."""
    run("upgrade")
    set_version(url, "9999")
    told = "The tables are of version 9999, which this package does not know: install a newer one.\n"
    assert run("status") == (1, told)
    assert run("upgrade", "--dry-run") == (0, told)
    status, output = run("upgrade")
    assert status == 1
    assert "9999" in output
    assert "Traceback" not in output


def test_a_step_in_between(url):
    """Only what is missing is told."""
    run("upgrade")
    set_version(url, "0009")
    assert run("status") == (
        1,
        "The tables are of version 0009; missing: 0010. `rasa-whatsapp db upgrade` adds them.\n",
    )


def test_a_server_that_is_not_there(tmp_path, monkeypatch):
    """It says which, without its password."""
    monkeypatch.chdir(tmp_path)
    write_credentials(tmp_path, "postgresql://bot:hunter2@127.0.0.1:1/bot")
    status, output = run("status")
    assert status == 1
    assert output.startswith("Error: database_url postgresql://bot:***@127.0.0.1:1/bot cannot be used")


def test_commands_of_an_operator_on_a_store_without_tables(url):
    """They say what to do first, and make nothing: who looks in the wrong folder must not be told that all is well."""
    result = CliRunner().invoke(main, ["inbox", "list"])
    assert result.exit_code == 1
    told = "there is no file" if url.startswith("sqlite") else "run `rasa-whatsapp db upgrade`"
    assert told in result.output
    assert not list(Path().glob("*.sqlite"))


EACH = [["inbox", "list"], ["follow-ups", "list"], ["outbox", "list"], ["costs"], ["db", "status"], ["db", "upgrade"]]


@pytest.mark.parametrize("command", EACH, ids="-".join)
@pytest.mark.parametrize(
    ("address", "cause"),
    [
        (
            "postgresql://bot:hunter2@127.0.0.1:1/bot",
            "nobody listens there: start PostgreSQL, or correct host and port",
        ),
        ("postgresql://bot:hunter2@127.0.0.1:99999/bot", "a port is a number from 1 to 65535"),
        (
            "postgresql://bot:hunter2@/bot?host=%2Fnowhere",
            "nobody listens at this socket: start PostgreSQL, or name its host",
        ),
        ("postgresql://bot:hunter2@nowhere.invalid/bot", "there is no host of this name"),
        ("sqlite:///credentials.yml", "the file is no SQLite database"),
    ],
    ids=["nobody listens", "no port", "no socket", "no such host", "no database file"],
)
def test_why_a_store_cannot_be_used(tmp_path, monkeypatch, command, address, cause):
    """The setting, the cause and the remedy, on one line."""
    monkeypatch.chdir(tmp_path)
    write_credentials(tmp_path, address)
    result = CliRunner().invoke(main, command)
    hidden = address.replace("hunter2", "***")
    assert (result.exit_code, result.output) == (1, f"Error: database_url {hidden} cannot be used: {cause}\n")


@pytest.fixture
def stranger(url):
    """Return the address of the same database for a user who may do nothing in it, and what gives rights."""
    run("upgrade")
    store = Database(url)

    def grant(*statements):
        for statement in statements:
            store.run_now(lambda connection, said=statement: connection.exec_driver_sql(said))

    grant("CREATE ROLE stranger LOGIN PASSWORD 'hunter2'")
    yield make_url(url).set(username="stranger", password="hunter2").render_as_string(hide_password=False), grant
    grant("DROP OWNED BY stranger", "DROP ROLE stranger")
    store.close()


@pytest.mark.parametrize("url", ["postgresql"], indirect=True)  # a file knows no users
def test_a_user_who_may_not(tmp_path, stranger):
    """Which right is missing, on what: a role that may only read would store nothing, and say nothing."""
    address, grant = stranger
    write_credentials(tmp_path, address)

    def told(*command):
        output = CliRunner().invoke(main, command).output
        assert "hunter2" not in output
        return output

    listed, discarded = ("inbox", "list"), ("inbox", "discard", "--all", "--yes")
    for command in (listed, ("db", "status"), ("db", "upgrade")):
        assert "lacks the right to use the schema rasa_whatsapp: grant it USAGE" in told(*command)
    grant(f"GRANT USAGE ON SCHEMA {SCHEMA} TO stranger")
    assert "lacks a right on the table alembic_version: grant it SELECT, INSERT, UPDATE and DELETE" in told(*listed)
    grant(f"GRANT SELECT ON ALL TABLES IN SCHEMA {SCHEMA} TO stranger")
    assert told(*listed) == "Nothing is parked.\n"
    for command in (discarded, ("intake",)):
        assert "GRANT INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA rasa_whatsapp" in told(*command)
    grant(f"GRANT INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {SCHEMA} TO stranger")
    assert "GRANT USAGE ON ALL SEQUENCES IN SCHEMA rasa_whatsapp" in told(*discarded)
    grant(f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA {SCHEMA} TO stranger")
    assert told(*discarded) == "Nothing is parked.\n"
    grant("ALTER ROLE stranger SET default_transaction_read_only = on")
    assert told(*listed) == "Nothing is parked.\n"
    assert "the database can only be read: is it a standby" in told("intake")


@pytest.mark.parametrize("url", ["postgresql"], indirect=True)
@pytest.mark.parametrize(
    ("user", "name", "cause"),
    [
        ("nobody", None, "the user or the password is wrong"),
        (None, "nothing", "the server has no database of this name: create it, or correct the name"),
    ],
)
def test_who_is_not_let_in(tmp_path, url, user, name, cause):
    """A user or a database that is not there."""
    address = make_url(url)
    address = address.set(username=user or address.username, database=name or address.database)
    write_credentials(tmp_path, address.render_as_string(hide_password=False))
    assert cause in CliRunner().invoke(main, ["inbox", "list"]).output
