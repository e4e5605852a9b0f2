"""`rasa-whatsapp check` and `rasa-whatsapp inbox`, as an operator types them."""

from __future__ import annotations

import asyncio
import json
import re
from datetime import datetime, timedelta, timezone
from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from sqlalchemy import select

from rasa_whatsapp.cli import check, main, store
from rasa_whatsapp.cloud.inbound import parse
from rasa_whatsapp.intake import IntakeRules, take_in
from rasa_whatsapp.responses.utterances import Wording
from rasa_whatsapp.storage import arrivals, follow_ups, inbox, schema
from rasa_whatsapp.storage.database import Database
from rasa_whatsapp.storage.follow_ups import NewFollowUp

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


@pytest.mark.parametrize("block", ["", " hunter2", "\n  verify_token: word"], ids=["empty", "a text", "incomplete"])
def test_the_file_that_was_named_is_blamed(bot, block):
    """Not another one of the usual name, which may be fine."""
    (bot / "g.yml").write_text(f"rasa_whatsapp.WhatsAppInput:{block}\n")
    status, output = run("check", "--credentials", "g.yml")
    assert status == 1
    assert "g.yml cannot be used:" in output
    assert "credentials.yml" not in output


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
        (
            "rasa_whatsapp.WhatsAppInput:\n  provider: ${NO_SUCH_VARIABLE_1}\n  access_token: ${NO_SUCH_VARIABLE_2}\n"
            "  media_hosts: ['${NO_SUCH_VARIABLE_3}']\n  numbers:\n  - phone_number_id: ${NO_SUCH_VARIABLE_4}\n"
            "    app_secret: hunter2\n  - {phone_number_id: x, app_secret: '${WHATSAPP_APP_SECRET}'}\n",
            [
                "provider: the environment variable NO_SUCH_VARIABLE_1 is not set",
                "access_token: the environment variable NO_SUCH_VARIABLE_2 is not set",
                "media_hosts[0]: the environment variable NO_SUCH_VARIABLE_3 is not set",
                "numbers[0].phone_number_id: the environment variable NO_SUCH_VARIABLE_4 is not set",
                "numbers[1].phone_number_id: found 'x'",
            ],
        ),
        ("rasa_whatsapp.WhatsAppInput:\n  access_token: hunter2: x\n", ["it cannot be read"]),
        ("rasa_whatsapp.WhatsAppInput:\n  access_token: 'hunter2\n  x: y\n", ["it cannot be read"]),
        ("rasa_whatsapp.WhatsAppInput:\n  access_token: hunter2\n  access_token: hunter2\n", ["it cannot be read"]),
    ],
    ids=["no file", "no YAML", "empty", "no block", "a list", "an empty block", "a text", "several mistakes", "variables",
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


GOOD_DOMAIN = """\
version: "3.1"
responses:
  utter_greet:
  - text: Hello {name}
    custom:
      template: {name: t}
  utter_menu:
  - channel: whatsapp
    text: Choose
    buttons: [{title: One, payload: /one}, {title: Two, payload: /two}]
"""
BAD_DOMAIN = """\
responses:
  utter_greet:
  - text: Hello
    custom:
      template: {name: q}
  utter_menu:
  - text: Choose
    buttons:
    - {title: One, payload: /one}
    - {title: "", payload: /two}
"""


@pytest.fixture
def approved(bot):
    """Return the bot's folder with its template approved."""
    templates = bot / "templates.yml"
    templates.write_text(templates.read_text("utf-8").replace("PAUSED", "APPROVED"), "utf-8")
    with (bot / "credentials.yml").open("a", encoding="utf-8") as file:
        file.write("  fallback_languages: [en]\n")
    return bot


def test_check_without_a_domain(bot):
    """A bot whose domain is elsewhere hears how to name it."""
    status, output = run("check")
    assert status == 0
    assert "domain.yml is not here: no responses checked. --domain names another file or folder." in output


@pytest.mark.parametrize(
    ("where", "arguments"),
    [("domain.yml", ()), ("parts/one.yml", ("--domain", "parts")), ("mine.yml", ("--domain", "mine.yml"))],
    ids=["where Rasa looks", "a folder", "another file"],
)
def test_check_of_a_good_domain(approved, where, arguments):
    """The last line says how many responses were checked."""
    (approved / where).parent.mkdir(exist_ok=True)
    (approved / where).write_text(GOOD_DOMAIN, "utf-8")
    status, output = run("check", *arguments)
    assert status == 0
    assert output.splitlines()[-1] == "2 responses checked"


def test_check_of_a_bad_domain(approved):
    """Every response that would be refused, with file and line, and exit status 1."""
    (approved / "domain.yml").write_text(BAD_DOMAIN, "utf-8")
    status, output = run("check")
    assert status == 1
    assert output.splitlines()[-3:] == [
        "domain.yml:5: utter_greet: custom.template: template 'q' is not in the catalogue",
        "domain.yml:10: utter_menu: buttons[1].title is missing or empty; give the button a title",
        "2 responses checked, 2 problems",
    ]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("--domain", "nowhere.yml"), "nowhere.yml:1: it cannot be read: No such file or directory"),
        (("--domain", "domain.yml"), "domain.yml:1: it cannot be read: line 1, column 5"),
    ],
    ids=["not there", "no YAML"],
)
def test_check_of_no_domain(approved, arguments, expected):
    """A domain that was named must be one."""
    (approved / "domain.yml").write_text("a: [", "utf-8")
    status, output = run("check", *arguments)
    assert status == 1
    assert expected in output


def test_check_tells_the_credentials_and_the_domain(bot):
    """Broken credentials hide no broken response."""
    (bot / "credentials.yml").write_text("rasa_whatsapp.WhatsAppInput:\n", "utf-8")
    (bot / "domain.yml").write_text(BAD_DOMAIN, "utf-8")
    status, output = run("check")
    assert status == 1
    assert "  - phone_number_id: missing" in output
    assert "domain.yml:10: utter_menu: buttons[1].title" in output
    assert "2 responses checked, 1 problem\n" in output


def test_check_goes_by_the_fallback_languages(approved):
    """A template is looked for in the settings' fallback languages too."""
    (approved / "domain.yml").write_text(GOOD_DOMAIN.replace("name: t}", "name: t, language: de}"), "utf-8")
    assert run("check")[0] == 0
    credentials = (approved / "credentials.yml").read_text("utf-8")
    (approved / "credentials.yml").write_text(credentials.replace("[en]", "[fr]"), "utf-8")
    assert "template 't' has no approved translation for ['de', 'fr']; it has en" in run("check")[1]


def test_check_says_responses_as_the_settings_do(approved, monkeypatch):
    """Labels and markup are those of the credentials."""
    asked = []
    monkeypatch.setattr(check, "refused", lambda domain, **more: asked.append(more) or [])
    with (approved / "credentials.yml").open("a", encoding="utf-8") as file:
        file.write("  list_button: Auswahl\n  more_button: Mehr\n  markup: whatsapp\n")
    (approved / "domain.yml").write_text(GOOD_DOMAIN, "utf-8")
    assert run("check")[0] == 0
    assert asked[0]["wording"] == Wording(list_button="Auswahl", more_button="Mehr", markdown=False)


def test_check_as_json(approved):
    """For machines: the same, one object on the standard output."""
    (approved / "domain.yml").write_text(GOOD_DOMAIN, "utf-8")
    status, output = run("check", "--format", "json")
    found = json.loads(output)
    assert status == 0
    assert found["settings"]["access_token"] == "•••• (13 characters)"
    del found["settings"]
    assert found == {
        "ok": True,
        "templates": [{"name": "t", "language": "en", "category": "UTILITY", "status": "APPROVED"}],
        "responses_checked": 2,
        "problems": [],
    }


def test_check_as_json_tells_what_is_wrong(bot):
    """Each problem with its file, and its line and response if it has them."""
    (bot / "credentials.yml").write_text("rasa_whatsapp.WhatsAppInput:\n  turn_attempts: 0\n", "utf-8")
    (bot / "domain.yml").write_text(BAD_DOMAIN, "utf-8")
    status, output = run("check", "--format", "json")
    found = json.loads(output)
    assert status == 1
    assert (found["ok"], found["settings"], found["templates"], found["responses_checked"]) == (False, None, [], 2)
    first, *_, last = found["problems"]
    assert first == {
        "file": "credentials.yml",
        "line": None,
        "response": None,
        "text": "phone_number_id: missing; Id of the business number (not the number).",
    }
    assert last == {
        "file": "domain.yml",
        "line": 10,
        "response": "utter_menu",
        "text": "buttons[1].title is missing or empty; give the button a title",
    }


def test_the_example_bot_passes(bot, monkeypatch):
    """None of its responses would be refused."""
    for name in ("PHONE_NUMBER_ID", "BUSINESS_ACCOUNT_ID"):
        monkeypatch.setenv(f"WHATSAPP_{name}", "100000000000001")
    monkeypatch.setenv("WHATSAPP_VERIFY_TOKEN", "word")
    monkeypatch.setenv("WHATSAPP_GRAPH_URL", "http://127.0.0.1:8090")
    monkeypatch.setenv("WHATSAPP_DATABASE_URL", "sqlite:///store.sqlite")
    monkeypatch.chdir(Path(__file__).parents[2])
    status, output = run("check")
    assert (status, re.fullmatch(r"\d\d responses checked", output.splitlines()[-1]) is not None) == (0, True), output


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
    Database(f"sqlite:///{bot / 'store.sqlite'}").upgrade()
    assert run("inbox", "list") == (0, "Nothing is parked.\n")
    assert run("inbox", "replay", "--all", "--yes") == (0, "Nothing is parked.\n")


def test_what_is_only_written_down(bot):
    """No server has taken it in: the operator is told, since it is not in the list."""
    database = Database(f"sqlite:///{bot / 'store.sqlite'}")
    database.upgrade()
    database.run_now(arrivals.write_down, [b"{}", b"{}"], TEN)
    database.close()
    told = "2 webhook(s) are only written down yet: a running server takes them in.\nNothing is parked.\n"
    assert run("inbox", "list") == (0, told)


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


@pytest.fixture
def ignored(bot):
    """Return the numbers of three messages: two that were ignored, and one whose turn was taken between them."""
    reasons = {"A": "a reaction is no turn; turns_for could name it", "B": None, "C": "a human\nanswered"}
    database = Database(f"sqlite:///{bot / 'store.sqlite'}")
    database.upgrade()
    for name, reason in reasons.items():
        row = inbox.NewRow(
            number_id="100000000000001",
            message_id=f"wamid.{name}",
            kind=inbox.Kind.OTHER,
            body={},
            sent_at=TEN,
            received_at=TEN,
            state=inbox.State.IGNORED if reason else inbox.State.DONE,
            reason=reason,
        )
        database.run_now(inbox.add, row)
    numbers = database.run_now(lambda connection: connection.execute(select(schema.inbox.c.id)).scalars().all())
    database.close()
    return sorted(numbers)


def test_what_was_ignored(ignored):
    """The latest first, each with its reason on one line; of them only as many as are asked for."""
    first, _, last = ignored
    received = "2026-11-22 10:00:00 UTC"
    rows = [
        f"{last}\t{received}\t-\tother\tignored\ta human\\u000aanswered\n",
        f"{first}\t{received}\t-\tother\tignored\ta reaction is no turn; turns_for could name it\n",
    ]
    assert run("inbox", "list", "--state", "ignored") == (0, "".join(rows))
    more = "There are more than these 1; --limit shows them.\n"
    assert run("inbox", "list", "--state", "ignored", "--limit", "1") == (0, rows[0] + more)
    assert run("inbox", "list") == (0, "Nothing is parked.\n")


def test_several_states(ignored):
    """What has no reason has none."""
    status, output = run("inbox", "list", "--state", "done", "--state", "ignored")
    assert (status, [line.split("\t")[4:] for line in output.splitlines()][1]) == (0, ["done", "-"])
    assert run("inbox", "list", "--state", "joined") == (0, "There are none.\n")
    assert run("inbox", "list", "--state", "lost")[0] == 2


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
        (("1", "--all", "--yes"), 2, "either name numbers or give --all"),
        (("999", "--yes"), 1, "not parked: 999"),
        (("x",), 2, "not a valid integer"),
    ],
    ids=["none named", "named and all", "unknown", "no number"],
)
@pytest.mark.parametrize("what", ["replay", "discard"])
def test_replay_and_discard_of_nothing(bot, webhook, what, arguments, status, expected):
    """What is not there is named."""
    park(bot, webhook)
    code, output = run("inbox", what, *arguments)
    assert code == status
    assert expected in output


def row_of(bot, message_id="wamid.A"):
    """Return a row of the inbox, all that is stored."""
    database = Database(f"sqlite:///{bot / 'store.sqlite'}")
    query = select(schema.inbox).where(schema.inbox.c.message_id == message_id)
    row = database.run_now(lambda connection: dict(connection.execute(query).mappings().one()))
    database.close()
    return row


def change(bot, row_id, **values):
    """Change a row of the inbox."""
    database = Database(f"sqlite:///{bot / 'store.sqlite'}")
    query = schema.inbox.update().where(schema.inbox.c.id == row_id).values(**values)
    database.run_now(lambda connection: connection.execute(query))
    database.close()


def test_show_one(bot, webhook):
    """State, reason, kind, contact, times and tries of a parked message, a line each; nothing of what was written."""
    row_id = park(bot, webhook)
    contact_id = row_of(bot)["contact_id"]
    status, output = run("inbox", "show", str(row_id))
    assert status == 0
    assert output.splitlines() == [
        f"id           {row_id}",
        "kind         message",
        "number_id    100000000000001",
        f"contact_id   {contact_id}",
        "message_id   wamid.A",
        "state        parked",
        "reason       RuntimeError",
        "attempts     0",
        "crashes      0",
        "replays      0",
        "sent_at      2026-11-22 10:00:00 UTC",
        "received_at  2026-11-22 10:00:00 UTC",
        "not_before   -",
        "finished_at  2026-11-22 10:00:00 UTC",
    ]


def test_show_one_that_is_not_parked(bot, webhook):
    """Any message of the inbox can be looked at."""
    row_id = park(bot, webhook)
    assert run("inbox", "replay", str(row_id), "--yes")[0] == 0
    status, output = run("inbox", "show", str(row_id))
    assert status == 0
    assert "state        received\nreason       -\n" in output


def test_show_hides_the_head_of_a_message_id(bot, webhook):
    """It holds the customer's number, in another writing."""
    row_id = park(bot, webhook)
    change(bot, row_id, message_id="wamid.HBgNNDkxNTExMjM0NTY3OBUCABIYFjNFQjBDMTIzNDU2Nzg5QUJDREVG")
    assert "message_id   …QjBDMTIzNDU2Nzg5QUJDREVG\n" in run("inbox", "show", str(row_id))[1]


@pytest.mark.parametrize("asked", [False, True], ids=["plain", "--body"])
def test_show_the_body_if_asked(bot, webhook, asked):
    """The customer's words come only with --body, after a line that says so; what steers terminals is escaped."""
    row_id = park(bot, webhook)
    change(bot, row_id, body={"text": {"body": "Grüße \x9b2J\u202eolleH"}})
    status, output = run("inbox", "show", str(row_id), *(["--body"] if asked else []))
    assert status == 0
    warning = "Warning: the body holds the customer's words and number; don't pass it on.\n"
    shown = '{\n  "text": {\n    "body": "Grüße \\u009b2J\\u202eolleH"\n  }\n}\n'
    assert output.endswith(warning + shown) is asked
    assert ("Grüße" in output) is asked


@pytest.mark.parametrize(
    ("number", "status", "expected"),
    [
        ("999", 1, "unknown: 999; see `rasa-whatsapp inbox list`"),
        ("9223372036854775808", 2, "is not in the range"),
        ("x", 2, "not a valid integer"),
    ],
    ids=["unknown", "more than a database counts", "no number"],
)
def test_show_nothing(bot, webhook, number, status, expected):
    """What is not there is named."""
    park(bot, webhook)
    code, output = run("inbox", "show", number)
    assert (code, expected in output) == (status, True), output


def test_discard_one(bot, webhook, monkeypatch):
    """It is ignored from now on, for both reasons; the others stay parked."""
    monkeypatch.setattr(store, "now", lambda: TEN + timedelta(hours=1))
    row_id = park(bot, webhook)
    assert run("inbox", "discard", str(row_id), str(row_id), "--yes") == (0, "1 discarded.\n")
    row = row_of(bot)
    assert (row["state"], row["reason"]) == ("ignored", "discarded by the operator: RuntimeError")
    assert row["finished_at"] == TEN + timedelta(hours=1)
    assert states(bot)["wamid.no-body"] == "parked"
    assert run("inbox", "replay", str(row_id), "--yes")[0] == 1


def test_discard_all(bot, webhook):
    """Nothing is parked then, and what was not parked is as it was."""
    park(bot, webhook)
    before = states(bot)
    assert run("inbox", "discard", "--all", "--yes")[0] == 0
    assert states(bot) == {key: {"parked": "ignored"}.get(state, state) for key, state in before.items()}
    assert set(before.values()) >= {"parked", "received"}
    assert run("inbox", "discard", "--all", "--yes") == (0, "Nothing is parked.\n")


def test_discard_asks_first(bot, webhook):
    """A no changes nothing."""
    row_id = park(bot, webhook)
    status, output = run("inbox", "discard", str(row_id), str(row_id), input="n\n")
    assert status == 1
    assert "Discard 1 parked message(s)? They will never be answered." in output
    assert states(bot)["wamid.A"] == "parked"


def test_discard_of_what_had_no_reason(bot, webhook):
    """The operator's stands alone."""
    row_id = park(bot, webhook)
    change(bot, row_id, reason=None)
    assert run("inbox", "discard", str(row_id), "--yes")[0] == 0
    assert row_of(bot)["reason"] == "discarded by the operator"


def test_discard_of_a_follow_up(bot, webhook):
    """A follow-up whose turn was parked is cancelled with it, and stays no open one."""
    row_id = park(bot, webhook)
    database = Database(f"sqlite:///{bot / 'store.sqlite'}")
    wanted = NewFollowUp(
        contact_id=row_of(bot)["contact_id"],
        name="rate",
        intent="EXTERNAL_rate",
        entities=[],
        due_at=TEN,
        kill_on_user_message=False,
        cause="wamid.A",
    )
    follow_up_id = database.run_now(follow_ups.schedule, wanted, TEN)
    database.run_now(lambda connection: follow_ups.mark_fired(connection, [follow_ups.read(connection, follow_up_id)]))
    change(bot, row_id, kind="follow_up", body={"follow_up": follow_up_id})
    assert run("inbox", "discard", str(row_id), "--yes")[0] == 0
    found = database.run_now(follow_ups.details, follow_up_id)
    assert (found["state"], found["reason"]) == ("cancelled", "discarded by the operator")
    database.close()


def test_taken_up_while_the_operator_was_asked(bot, webhook, monkeypatch):
    """What is no longer parked after the question is left alone, and named."""
    row_id = park(bot, webhook)
    monkeypatch.setattr(click, "confirm", lambda *_, **__: change(bot, row_id, state="received"))
    status, output = run("inbox", "discard", str(row_id))
    assert (status, states(bot)["wamid.A"]) == (1, "received")
    assert output == f"0 discarded.\nError: no longer parked when it came to it: {row_id}\n"


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


@pytest.mark.parametrize("command", ["check", "demo", "follow-ups", "inbox", "simulator"])
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
    Database(f"sqlite:///{bot / 'store.sqlite'}").upgrade()
    with pytest.raises(RuntimeError):
        asyncio.get_running_loop()
    assert run("inbox", "list")[0] == 0
