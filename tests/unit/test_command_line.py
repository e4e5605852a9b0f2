"""`rasa-whatsapp check` and `rasa-whatsapp inbox`, as an operator types them."""

from __future__ import annotations

import asyncio
from datetime import datetime, timezone

import pytest
from click.testing import CliRunner
from sqlalchemy import select

from rasa_whatsapp.cli import main
from rasa_whatsapp.cloud.inbound import parse
from rasa_whatsapp.intake import IntakeRules, take_in
from rasa_whatsapp.storage import inbox, schema
from rasa_whatsapp.storage.database import Database

TEN = datetime(2026, 11, 22, 10, 0, tzinfo=timezone.utc)
RULES = IntakeRules(number_ids=("100000000000001",))


@pytest.fixture
def bot(tmp_path, monkeypatch):
    """Return a bot's folder with its credentials, secrets from the environment as Rasa expands them."""
    monkeypatch.setenv("WHATSAPP_ACCESS_TOKEN", "hunter2-token")
    monkeypatch.setenv("WHATSAPP_APP_SECRET", "hunter2-secret")
    monkeypatch.delenv("RASA_WHATSAPP_CLOCK_URL", raising=False)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "credentials.yml").write_text(
        "rest:\n"
        "rasa_whatsapp.WhatsAppInput:\n"
        "  phone_number_id: 100000000000001\n"
        "  access_token: ${WHATSAPP_ACCESS_TOKEN}\n"
        "  app_secret: ${WHATSAPP_APP_SECRET}\n"
        "  verify_token: word\n"
        "  database_url: sqlite:///store.sqlite\n"
        "  templates: templates.yml\n"
    )
    (tmp_path / "templates.yml").write_text(
        "whatsapp_templates:\n"
        "- {name: t, language: en, category: UTILITY, status: PAUSED, components: [{type: BODY, text: Hello}]}\n"
    )
    return tmp_path


def run(*arguments, **more):
    """Run the command; return its exit status and what it wrote."""
    result = CliRunner().invoke(main, list(arguments), **more)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    assert "hunter2" not in result.output
    return result.exit_code, result.output


def test_check_shows_the_effective_configuration(bot):
    """Every setting, secrets masked, and the templates."""
    status, output = run("check")
    assert status == 0
    assert "phone_number_id" in output
    assert "•••• (13 characters)" in output
    assert "template t (en): UTILITY, PAUSED" in output


def test_check_of_another_file(bot):
    """Files that the block names are looked for in the current folder, as by the server that Rasa starts there."""
    (bot / "elsewhere").mkdir()
    (bot / "credentials.yml").rename(bot / "elsewhere" / "credentials.yml")
    assert run("check", "--credentials", "elsewhere/credentials.yml")[0] == 0


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (None, ["it cannot be read"]),
        ("a: [", ["it cannot be read"]),
        ("", ["it has no block rasa_whatsapp.WhatsAppInput"]),
        ("rest:\n", ["it has no block rasa_whatsapp.WhatsAppInput"]),
        ("- rest\n", ["it has no block rasa_whatsapp.WhatsAppInput"]),
        ("rasa_whatsapp.WhatsAppInput:\n", ["phone_number_id: missing", "access_token: missing", "verify_token: missing"]),
        ("rasa_whatsapp.WhatsAppInput: hunter2\n", ["the block is not a mapping"]),
        (
            "rasa_whatsapp.WhatsAppInput:\n  acces_token: hunter2\n  app_secret: ${NO_SUCH_VARIABLE_1}\n"
            "  verify_token: a-${NO_SUCH_VARIABLE_2}\n",
            [
                "acces_token: not a setting; did you mean access_token?",
                "app_secret: the environment variable NO_SUCH_VARIABLE_1 is not set",
                "verify_token: the environment variable NO_SUCH_VARIABLE_2 is not set",
                "phone_number_id: missing",
                "access_token: missing",
            ],
        ),
        ("rasa_whatsapp.WhatsAppInput:\n  access_token: hunter2: x\n", ["it cannot be read"]),
        ("rasa_whatsapp.WhatsAppInput:\n  access_token: 'hunter2\n  x: y\n", ["it cannot be read"]),
        ("rasa_whatsapp.WhatsAppInput:\n  access_token: hunter2\n  access_token: hunter2\n", ["it cannot be read"]),
    ],
    ids=["no file", "no YAML", "empty", "no block", "a list", "an empty block", "a text", "several mistakes",
         "a colon too many", "a quote too few", "a key twice"],
)  # fmt: skip
def test_check_tells_everything_that_is_wrong(bot, content, expected):
    """Exit status 1, one line for each problem, and no secret."""
    (bot / "credentials.yml").unlink()
    if content is not None:
        (bot / "credentials.yml").write_text(content)
    status, output = run("check")
    assert status == 1
    for part in expected:
        assert part in output
    if len(expected) > 3:
        assert output.count("\n  - ") == len(expected)


def park(bot, webhook):
    """Park nine messages of a body, as the running server does it, and two turns that failed."""
    database = Database(f"sqlite:///{bot / 'store.sqlite'}")
    database.upgrade()
    database.run_now(take_in, parse(webhook("batch_with_broken_ones")), RULES, TEN)
    database.run_now(take_in, parse(webhook("text")), RULES, TEN)
    (row_id,) = database.run_now(
        lambda connection: (
            connection.execute(select(schema.inbox.c.id).where(schema.inbox.c.message_id == "wamid.A")).scalars().all()
        )
    )
    database.run_now(inbox.finish, row_id, inbox.State.PARKED, TEN, "RuntimeError")
    database.close()
    return row_id


def states(bot):
    """Return the states of the inbox by message id."""
    database = Database(f"sqlite:///{bot / 'store.sqlite'}")
    rows = database.run_now(
        lambda connection: connection.execute(select(schema.inbox.c.message_id, schema.inbox.c.state)).all()
    )
    database.close()
    return {row.message_id: row.state for row in rows}


def test_nothing_is_parked(bot):
    """An empty store says so."""
    assert run("inbox", "list") == (0, "Nothing is parked.\n")
    assert run("inbox", "replay", "--all", "--yes") == (0, "Nothing is parked.\n")


def test_list(bot, webhook):
    """Number, time, tries and reason of each; nothing of what was written."""
    row_id = park(bot, webhook)
    status, output = run("inbox", "list")
    assert status == 0
    assert f"{row_id}\t2026-11-22 10:00:00 UTC\twa-" in output
    assert "RuntimeError" in output
    assert "text is not an object" in output
    assert "4915112345678" not in output
    assert "order" not in output


def test_replay_one(bot, webhook):
    """It waits in its conversation again."""
    row_id = park(bot, webhook)
    status, output = run("inbox", "replay", str(row_id), "--yes")
    assert (status, output) == (0, "1 put back into their conversations.\n")
    assert states(bot)["wamid.A"] == "received"


def test_replay_asks_first(bot, webhook):
    """Customers will be answered: a no changes nothing."""
    row_id = park(bot, webhook)
    status, output = run("inbox", "replay", str(row_id), input="n\n")
    assert status == 1
    assert "Answer 1 parked message(s) now?" in output
    assert states(bot)["wamid.A"] == "parked"


def test_replay_all_says_what_is_still_not_readable(bot, webhook):
    """What can be taken up is; the rest stays parked and is named."""
    park(bot, webhook)
    status, output = run("inbox", "replay", "--all", "--yes")
    assert status == 1
    assert "1 put back into their conversations." in output
    assert "not readable still, or no message, so parked still" in output
    assert states(bot)["wamid.A"] == "received"
    assert states(bot)["wamid.no-body"] == "parked"


@pytest.mark.parametrize(
    ("arguments", "status", "expected"),
    [
        ((), 2, "name the numbers that `inbox list` shows, or give --all"),
        (("999", "--yes"), 1, "not parked: 999"),
        (("x",), 2, "not a valid integer"),
    ],
)
def test_replay_of_nothing(bot, webhook, arguments, status, expected):
    """What is not there is named."""
    park(bot, webhook)
    code, output = run("inbox", "replay", *arguments)
    assert code == status
    assert expected in output


def test_a_newer_store(bot, webhook):
    """An older command says what to do."""
    park(bot, webhook)
    database = Database(f"sqlite:///{bot / 'store.sqlite'}")
    database.run_now(lambda connection: connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'"))
    database.close()
    status, output = run("inbox", "list")
    assert status == 1
    assert "install a newer one" in output


def test_broken_credentials(bot):
    """The inbox command needs them to find the store."""
    (bot / "credentials.yml").write_text("rasa_whatsapp.WhatsAppInput:\n")
    status, output = run("inbox", "list")
    assert status == 1
    assert "phone_number_id: missing" in output


@pytest.mark.parametrize("command", ["check", "demo", "inbox", "simulator"])
def test_help(command):
    """Each command is listed and has its help."""
    assert command in run("--help")[1]
    assert run(command, "--help")[0] == 0


def test_an_unknown_command():
    """It is named."""
    status, output = run("nonsense")
    assert status == 2
    assert "nonsense" in output


def test_the_event_loop_is_not_needed(bot, webhook):
    """The command line works without one."""
    with pytest.raises(RuntimeError):
        asyncio.get_running_loop()
    assert run("inbox", "list")[0] == 0
