"""The credentials block: everything wrong with it is told at once, with what was expected, and never a secret."""

from __future__ import annotations

from datetime import time, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest

from rasa_whatsapp.config import SETTINGS, read_settings
from rasa_whatsapp.errors import ConfigInvalid
from rasa_whatsapp.firing import FiringRules
from rasa_whatsapp.policy.quiet_hours import QuietHours
from rasa_whatsapp.responses.utterances import Wording

GOOD = {
    "phone_number_id": "100000000000001",
    "access_token": "hunter2-token",
    "app_secret": "hunter2-secret",
    "verify_token": "hunter2-verify",
}
DIALOG_360 = {
    "provider": "360dialog",
    "phone_number_id": "100000000000001",
    "access_token": "hunter2-key",
    "webhook_secret": "hunter2-webhook",
}
SEVERAL = {
    "access_token": "hunter2-token",
    "app_secret": "hunter2-secret",
    "verify_token": "hunter2-verify",
    "numbers": [
        {"phone_number_id": "100000000000001"},
        {"phone_number_id": 100000000000002, "access_token": "hunter2-other"},
        {"phone_number_id": "100000000000003", "access_token": " hunter2-third ", "app_secret": "hunter2-own"},
    ],
}
TEMPLATE = """
whatsapp_templates:
- name: t
  language: en
  category: UTILITY
  components: [{type: BODY, text: Hello}]
"""


def problems_of(block, **more):
    """Return what is wrong with a block, and make sure that no secret is told."""
    with pytest.raises(ConfigInvalid) as refused:
        read_settings(block, **more)
    assert "hunter2" not in str(refused.value)
    return list(refused.value.problems)


def test_defaults():
    """The four required ones are enough."""
    settings = read_settings(GOOD)
    assert settings["provider"] == "cloud_api"
    assert settings["phone_number_id"] == "100000000000001"
    assert settings["numbers"] is None
    assert settings["media_hosts"] == ("lookaside.fbsbx.com",)
    assert settings["graph_url"] == "https://graph.facebook.com"
    assert settings["api_version"] == "v26.0"
    assert settings["database_url"] == "sqlite:///rasa_whatsapp.sqlite"
    assert settings["turn_attempts"] == 3
    assert settings["send_age_limit_seconds"] == timedelta(hours=23)
    rules = settings.rules()
    assert rules.intake.number_ids == ("100000000000001",)
    assert (rules.intake.turns_for, rules.intake.pause_after_human) == (frozenset(), timedelta(hours=1))
    assert rules.delivery.upload_hosts == frozenset()
    assert rules.language_slot == "language"
    assert rules.delivery.written_languages == ()
    assert rules.wording == Wording(list_button="Options", more_button="More", markdown=True)
    assert (rules.join, rules.turns_at_once, rules.retention) == (timedelta(0), 32, timedelta(days=90))
    assert rules.merge_texts is False
    assert rules.delivery.order_wait == timedelta(seconds=2)
    assert rules.firing == FiringRules(late_limit=timedelta(days=1), quiet_hours=None, time_zone=timezone.utc)


def test_values_reach_the_rules(tmp_path):
    """What is set is what the gateway goes by."""
    (tmp_path / "templates.yml").write_text(TEMPLATE)
    block = GOOD | {
        "phone_number_id": 100000000000002,
        "templates": "templates.yml",
        "fallback_languages": ["de", "en"],
        "language_slot": "locale",
        "utility_needs_opt_in": True,
        "direct_send": "utility",
        "opt_out_keywords": [" schluss "],
        "opt_in_keywords": ["los"],
        "turns_for": ["reaction", "call", "reaction"],
        "pause_after_human_seconds": 0,
        "upload_hosts": ["Media.Example.com", "127.0.0.1:8000"],
        "list_button": "Auswahl",
        "more_button": "Mehr",
        "merge_texts": True,
        "markup": "whatsapp",
        "read_receipts": False,
        "typing_indicator": False,
        "turn_attempts": 5,
        "settle_seconds": 1.5,
        "send_age_limit_seconds": 60,
        "join_seconds": 1.5,
        "turns_at_once": 7,
        "order_wait_seconds": 0,
        "follow_up_late_limit_seconds": 3600,
        "quiet_hours": " 21:30 - 07:05 ",
        "time_zone": "Europe/Berlin",
        "retention_days": 30,
        "database_url": "postgresql://bot:hunter2@db.example.com:5432/bot",
        "graph_url": "http://127.0.0.1:8090/",
    }
    settings = read_settings(block, folder=tmp_path)
    rules = settings.rules()
    assert settings["graph_url"] == "http://127.0.0.1:8090"
    assert rules.intake.number_ids == ("100000000000002",)
    assert (rules.intake.opt_out_keywords, rules.intake.opt_in_keywords) == (("schluss",), ("los",))
    assert (rules.intake.turns_for, rules.intake.pause_after_human) == ({"reaction", "call"}, timedelta(0))
    assert rules.delivery.upload_hosts == {"media.example.com", "127.0.0.1:8000"}
    assert rules.wording == Wording(list_button="Auswahl", more_button="Mehr", markdown=False)
    assert (rules.read_receipts, rules.typing_indicator, rules.turn_attempts) == (False, False, 5)
    assert (rules.delivery.settle, rules.delivery.age_limit) == (timedelta(seconds=1.5), timedelta(minutes=1))
    assert (rules.delivery.fallback_languages, rules.delivery.utility_needs_opt_in) == (("de", "en"), True)
    assert (rules.delivery.direct_send, rules.intake.direct_send) == (True, True)
    assert rules.language_slot == "locale"
    assert [translation.name for translation in rules.delivery.templates.translations] == ["t"]
    assert (rules.join, rules.turns_at_once, rules.retention) == (timedelta(seconds=1.5), 7, timedelta(days=30))
    assert rules.delivery.order_wait == timedelta(0)
    assert rules.merge_texts is True
    assert rules.firing.late_limit == timedelta(hours=1)
    assert rules.firing.quiet_hours == QuietHours(time(21, 30), time(7, 5))
    assert rules.firing.time_zone == ZoneInfo("Europe/Berlin")
    shown = dict(settings.shown())
    assert (shown["quiet_hours"], shown["time_zone"], shown["retention_days"]) == ("21:30-07:05", "Europe/Berlin", "30")
    assert "hunter2" not in shown["database_url"]


@pytest.mark.parametrize(
    ("block", "missing"),
    [
        (None, ["phone_number_id", "access_token", "app_secret", "verify_token"]),
        ({}, ["phone_number_id", "access_token", "app_secret", "verify_token"]),
        ({"provider": None}, ["phone_number_id", "access_token", "app_secret", "verify_token"]),
        ({"provider": "360dialog"}, ["phone_number_id", "access_token", "webhook_secret"]),
        ({"provider": "twilio"}, ["provider", "phone_number_id", "access_token"]),
        ({"numbers": [{}, {"access_token": "hunter2"}]}, [
            "verify_token",
            "numbers[0].phone_number_id",
            "numbers[0].access_token",
            "numbers[0].app_secret",
            "numbers[1].phone_number_id",
            "numbers[1].app_secret",
        ]),
        ({"provider": "360dialog", "numbers": [{}]}, [
            "webhook_secret",
            "numbers[0].phone_number_id",
            "numbers[0].access_token",
        ]),
        ({"phone_number_id": 7, "verify_token": "x", "numbers": [
            {"phone_number_id": 8, "access_token": "hunter2", "app_secret": "hunter2"}
        ]}, ["access_token", "app_secret"]),
    ],
    ids=["an empty block", "an empty mapping", "an empty provider", "360dialog", "another provider", "empty numbers",
         "empty numbers at 360dialog", "a number of the block's own"],
)  # fmt: skip
def test_nothing_given(block, missing):
    """Every setting that the provider asks for is named; with `numbers`, for each number what the block does not give."""
    assert [problem.split(":")[0] for problem in problems_of(block)] == missing


@pytest.mark.parametrize("block", ["hunter2", ["phone_number_id"], 7, True])
def test_no_mapping(block):
    """A block that is no mapping is a listed problem, and is not repeated."""
    assert problems_of(block) == ["the block is not a mapping of settings to values"]


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("provider", "twilio", "found 'twilio'; expected one of cloud_api, 360dialog"),
        ("provider", ["360dialog"], "found a list of 1; expected one of"),
        ("phone_number_id", "+4930901820000", "found '+4930901820000'; expected the digits of an id"),
        ("phone_number_id", "", "found ''; expected the digits of an id"),
        ("phone_number_id", True, "found True; expected the digits of an id"),
        ("phone_number_id", 1.5, "found 1.5; expected the digits of an id"),
        ("phone_number_id", None, "missing; Id of the business number"),
        ("phone_number_id", "٣", "found '٣'; expected the digits of an id"),
        ("numbers", "hunter2", "found •••• (7 characters); expected a list of mappings, each with a phone_number_id"),
        ("numbers", {"access_token": "hunter2"}, "found a mapping; expected a list of mappings"),
        ("numbers", [], "found a list of 0; expected a list of mappings"),
        ("numbers", ["hunter2"], "found a list of 1; expected a list of mappings"),
        ("access_token", None, "missing; Token of a system user"),
        ("access_token", "", "found an empty text; expected a text that is not empty"),
        ("access_token", "   ", "found •••• (3 characters); expected a text that is not empty"),
        ("app_secret", 1234567, "found •••• (7 characters); expected a text, so put it in quotes"),
        ("verify_token", ["hunter2"], "found a list of 1; expected a text, so put it in quotes"),
        ("webhook_secret", 7, "found •••• (1 characters); expected a text, so put it in quotes"),
        ("webhook_secret_header", "X Secret", "found 'X Secret'; expected the name of an HTTP header"),
        ("webhook_secret_header", "X-Secret:", "expected the name of an HTTP header"),
        ("business_account_id", "abc", "found 'abc'; expected the digits of an id"),
        ("app_id", "my app", "found 'my app'; expected the digits of an id"),
        (
            "graph_url",
            "graph.facebook.com",
            "found 'graph.facebook.com'; expected an address that starts with https://",
        ),
        ("graph_url", "ftp://graph", "expected an address that starts with https://"),
        ("graph_url", "https://", "expected an address that starts with https://"),
        ("graph_url", "https:///x", "expected an address that starts with https://"),
        ("graph_url", "https://me@graph", "expected an address that starts with https://"),
        ("graph_url", "https://graph?x=1", "expected an address that starts with https://"),
        ("api_version", "26", "found '26'; expected a Graph version such as v26.0"),
        ("api_version", "v26", "expected a Graph version such as v26.0"),
        ("api_version", 26.0, "expected a text, so put it in quotes"),
        ("media_hosts", "lookaside.fbsbx.com", "found 'lookaside.fbsbx.com'; expected a list of hosts"),
        (
            "media_hosts",
            ["https://lookaside.fbsbx.com"],
            "found 'https://lookaside.fbsbx.com' in the list; expected a list of hosts such as",
        ),
        ("media_hosts", ["fbsbx.com/x"], "expected a list of hosts such as media.example.com"),
        ("upload_hosts", ["*.example.com"], "expected a list of hosts such as media.example.com"),
        ("upload_hosts", [""], "expected a list of hosts"),
        ("upload_hosts", [7], "expected a list of hosts"),
        ("database_url", 5, "expected"),
        ("database_url", "nonsense", "expected"),
        ("database_url", "", "expected"),
        ("database_url", "nosuchdialect://bot:hunter2@db/x", "expected"),
        ("database_url", "postgresql://bot:hunter2@db/", "such as postgresql://user:password@host:5432/name"),
        ("database_url", "postgresql+asyncpg://bot:hunter2@db/x", "or of a PostgreSQL database"),
        ("database_url", "sqlite:///:memory:", "expected the address of an SQLite file"),
        ("templates", 7, "found 7; expected a text, so put it in quotes"),
        ("written_languages", "en", "found 'en'; expected a list of texts"),
        ("written_languages", ["en", "german"], "expected a list of language codes such as en or pt_BR"),
        (
            "written_languages",
            ["en", "id"],
            "found 'id' in the list; expected a list of languages that can be told from a text: am, ar,",
        ),
        ("fallback_languages", "en", "found 'en'; expected a list of texts"),
        ("fallback_languages", ["en", ""], "expected a list of texts"),
        ("fallback_languages", [True], "expected a list of texts"),
        ("fallback_languages", ["en", "german"], "expected a list of language codes such as en or pt_BR"),
        ("language_slot", ["language"], "expected a text"),
        ("utility_needs_opt_in", "yes", "found 'yes'; expected true or false"),
        ("utility_needs_opt_in", 1, "found 1; expected true or false"),
        ("opt_out_keywords", {"stop": 1}, "expected a list of texts"),
        ("opt_in_keywords", [None], "expected a list of texts"),
        ("turns_for", "reaction", "found 'reaction'; expected a list of some of reaction, edit, revoke, system, call"),
        (
            "turns_for",
            ["reaction", "reactions", "calls"],
            "found 'reactions' in the list; expected a list of some of reaction, edit",
        ),
        ("turns_for", ["reaction", {"call": True}], "found a mapping in the list; expected a list of some of"),
        (
            "turns_for",
            ["reaction", "group"],
            "found 'group' in the list; expected a list of some of reaction, edit, revoke",
        ),
        ("pause_after_human_seconds", -1, "found -1; expected seconds, from 0 to 2592000"),
        ("pause_after_human_seconds", "1h", "found '1h'; expected seconds"),
        ("markup", "html", "found 'html'; expected one of markdown, whatsapp"),
        ("markup", True, "found True; expected one of markdown, whatsapp"),
        ("more_button", "x" * 25, "expected a text of at most 24 characters"),
        ("merge_texts", "yes", "expected true or false"),
        ("list_button", "x" * 21, "expected a text of at most 20 characters"),
        ("list_button", "🙂" * 11, "expected a text of at most 20 characters"),
        ("list_button", "", "found ''; expected a text that is not empty"),
        ("read_receipts", "false", "found 'false'; expected true or false"),
        ("typing_indicator", 0, "found 0; expected true or false"),
        ("turn_attempts", 0, "found 0; expected a whole number from 1 to 10"),
        ("turn_attempts", 1001, "expected a whole number from 1 to 10"),
        ("turn_attempts", "3", "found '3'; expected a whole number from 1 to 10"),
        ("turn_attempts", 2.5, "expected a whole number from 1 to 10"),
        ("turn_attempts", True, "expected a whole number from 1 to 10"),
        ("join_seconds", -1, "found -1; expected seconds, from 0 to 2592000"),
        ("join_seconds", True, "found True; expected seconds"),
        ("turns_at_once", 0, "found 0; expected a whole number from 1 to 1000"),
        ("backlog_limit", 0, "found 0; expected a whole number from 1 to 10000000"),
        ("care_window_margin_seconds", -1, "found -1; expected seconds, from 0 to 2592000 (30 days)"),
        ("direct_send", "marketing", "found 'marketing'; expected one of utility"),
        ("direct_send", False, "found False; expected one of utility"),
        ("re_engagement_template", 7, "found 7; expected a text"),
        ("re_engagement_payload", 7, "found 7; expected a text"),
        ("parked_seconds", "a week", "found 'a week'; expected seconds, from 0 to 2592000 (30 days)"),
        ("messages_per_second", 1001, "found 1001; expected a whole number from 1 to 1000"),
        ("order_wait_seconds", "2", "found '2'; expected seconds"),
        ("settle_seconds", -1, "found -1; expected seconds, from 0 to 2592000"),
        ("settle_seconds", float("nan"), "expected seconds"),
        ("send_age_limit_seconds", 2592001, "expected seconds"),
        ("send_age_limit_seconds", "1h", "found '1h'; expected seconds"),
        ("follow_up_late_limit_seconds", 2592001, "expected seconds"),
        ("quiet_hours", "21-8", "found '21-8'; expected hours of the day such as 21:00-08:00, in quotes"),
        ("quiet_hours", "21:00", "expected hours of the day"),
        ("quiet_hours", "24:00-08:00", "expected hours of the day"),
        ("quiet_hours", "21:60-08:00", "expected hours of the day"),
        ("quiet_hours", "08:00-08:00", "expected hours of the day"),
        ("quiet_hours", "21:00-08:00-09:00", "expected hours of the day"),
        ("quiet_hours", 75600, "found 75600; expected hours of the day"),
        ("quiet_hours", ["21:00-08:00"], "found a list of 1; expected hours of the day"),
        ("time_zone", "Berlin", "found 'Berlin'; expected the name of a time zone such as Europe/Berlin"),
        ("time_zone", "../etc/passwd", "expected the name of a time zone"),
        ("time_zone", "", "found ''; expected a text that is not empty"),
        ("time_zone", 1, "found 1; expected a text, so put it in quotes"),
        ("retention_days", 6, "found 6; expected a whole number from 7 to 3650"),
        ("retention_days", 7.5, "found 7.5; expected a whole number from 7 to 3650"),
    ],
)
def test_one_wrong_value(name, value, expected):
    """The key, what was found and what is expected."""
    (problem,) = problems_of(GOOD | {name: value})
    assert problem.startswith(f"{name}: ")
    assert expected in problem


def test_every_setting_has_a_wrong_value_in_the_table_above():
    """A new setting gets its row."""
    rows = {row[0] for row in test_one_wrong_value.pytestmark[0].args[1]}
    assert rows == {setting.name for setting in SETTINGS}


@pytest.mark.parametrize(
    ("given", "languages"),
    [({}, ("en",)), ({"written_languages": ["de", "pt_BR"]}, ("de", "pt_BR")), ({"written_languages": []}, ())],
)
def test_which_languages_are_learned(tmp_path, given, languages):
    """Those of the templates; others, or none, if they are set."""
    (tmp_path / "templates.yml").write_text(TEMPLATE)
    settings = read_settings(GOOD | {"templates": "templates.yml"} | given, folder=tmp_path)
    assert settings.rules().delivery.written_languages == languages
    assert settings.rules().turns.languages == languages


@pytest.mark.parametrize(
    ("key", "hint"),
    [
        ("acces_token", "did you mean access_token?"),
        ("phone_number", "did you mean phone_number_id?"),
        ("AppSecret", "did you mean app_secret?"),
        ("opt_out_keyword", "did you mean opt_out_keywords?"),
        ("zzz", "known are: provider, phone_number_id, numbers, access_token"),
        (7, "known are:"),
    ],
)
def test_unknown_keys(key, hint):
    """The nearest known key is offered; a secret under a misspelt key is not told."""
    (problem,) = problems_of(GOOD | {key: "hunter2"})
    assert problem.startswith(f"{key}: not a setting; ")
    assert hint in problem


@pytest.mark.parametrize(
    ("numbers", "expected"),
    [
        ([{"phone_number_id": "+49"}], ["numbers[0].phone_number_id: found '+49'; expected the digits of an id"]),
        ([{"phone_number_id": 1}, {"phone_number_id": 2, "access_token": 7}],
         ["numbers[1].access_token: found •••• (1 characters); expected a text, so put it in quotes"]),
        ([{"phone_number_id": 1, "app_secret": ""}], ["numbers[0].app_secret: found an empty text; expected a text"]),
        ([{"phone_number_id": 1, "acces_token": "hunter2"}],
         ["numbers[0].acces_token: not a setting; did you mean access_token?"]),
        ([{"phone_number_id": 1, "verify_token": "hunter2"}],
         ["numbers[0].verify_token: not a setting; known are: phone_number_id, access_token, app_secret"]),
        ([{"phone_number_id": 1}, {"phone_number_id": 2}, {"phone_number_id": "1"}],
         ["numbers[2].phone_number_id: the same as numbers[0].phone_number_id; each number stands in the list once"]),
        ([{"phone_number_id": "x"}, {}], ["numbers[0].phone_number_id: found 'x'", "numbers[1].phone_number_id: missing"]),
    ],
    ids=["an id", "a token", "an empty secret", "a misspelt key", "a key of the block", "a number twice", "two mistakes"],
)  # fmt: skip
def test_wrong_numbers(numbers, expected):
    """A mistake in an entry is named by its place; an entry may lack what the block gives."""
    found = problems_of(SEVERAL | {"numbers": numbers})
    assert len(found) == len(expected)
    for problem, part in zip(found, expected, strict=True):
        assert problem.startswith(part)


def test_a_number_has_its_own_id():
    """Other than the token, the id of the block is not shared."""
    (problem,) = problems_of(GOOD | {"numbers": [{"access_token": "hunter2"}]})
    assert problem.startswith("numbers[0].phone_number_id: missing")


@pytest.mark.parametrize(
    ("block", "expected"),
    [
        (GOOD, [("100000000000001", "hunter2-token", "hunter2-secret")]),
        (DIALOG_360, [("100000000000001", "hunter2-key", None)]),
        (
            SEVERAL,
            [
                ("100000000000001", "hunter2-token", "hunter2-secret"),
                ("100000000000002", "hunter2-other", "hunter2-secret"),
                ("100000000000003", "hunter2-third", "hunter2-own"),
            ],
        ),
        (
            GOOD | {"numbers": [{"phone_number_id": 2, "app_secret": "hunter2-own"}]},
            [("100000000000001", "hunter2-token", "hunter2-secret"), ("2", "hunter2-token", "hunter2-own")],
        ),
        (
            GOOD | {"numbers": [{"phone_number_id": 2}, {"phone_number_id": 100000000000001, "access_token": "own"}]},
            [("2", "hunter2-token", "hunter2-secret"), ("100000000000001", "own", "hunter2-secret")],
        ),
        (
            {
                "verify_token": "x",
                "numbers": [{"phone_number_id": 1, "access_token": "hunter2-a", "app_secret": "hunter2-b"}],
            },
            [("1", "hunter2-a", "hunter2-b")],
        ),
    ],
    ids=[
        "one",
        "one at 360dialog",
        "a list",
        "the block's own and a list",
        "the block's own in the list",
        "all their own",
    ],
)
def test_business_numbers(block, expected):
    """Each number has its own credentials or the block's; the block's own number comes first unless it is in the list."""
    settings = read_settings(block)
    found = [(number.phone_number_id, number.access_token, number.app_secret) for number in settings.account_values]
    assert found == expected
    assert settings.number_ids == settings.rules().intake.number_ids == tuple(values[0] for values in expected)
    assert "hunter2" not in repr(settings.account_values) + str(settings.shown())


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("t", None),
        ("u", "re_engagement_template: 'u' is not among the templates; add it to those that `templates` names"),
        (
            "v",
            "re_engagement_template: 'v' cannot go without values: parameter 'order' has no value: give it a text, or a slot that is filled",
        ),
    ],
)
def test_the_template_that_asks_customers_to_write(tmp_path, name, problem):
    """It is known, and goes as it is: nobody is there to fill it."""
    more = "- name: v\n  language: en\n  category: UTILITY\n  parameter_format: NAMED\n"
    more += "  components: [{type: BODY, text: 'About {{order}}.'}]\n"
    (tmp_path / "t.yml").write_text(TEMPLATE + more)
    block = GOOD | {"templates": "t.yml", "re_engagement_template": name, "parked_seconds": 60}
    if problem:
        assert problems_of(block, folder=tmp_path) == [problem]
        return
    rules = read_settings(block, folder=tmp_path).rules()
    assert (rules.delivery.re_engagement.name, rules.intake.parked) == ("t", timedelta(seconds=60))
    assert read_settings(GOOD).rules().intake.parked is None


@pytest.mark.parametrize(
    ("name", "payload", "problem"),
    [
        ("b", "/show_news", None),
        ("t", "/show_news", "re_engagement_payload: 't' has no button for it: "),
        (None, "/show_news", "re_engagement_payload: it is for the button of re_engagement_template; give that, too"),
    ],
)
def test_what_a_tap_on_its_button_means(tmp_path, name, payload, problem):
    """It needs a template with a quick reply."""
    more = "- name: b\n  language: en\n  category: UTILITY\n"
    more += "  components: [{type: BODY, text: News.}, {type: BUTTONS, buttons: [{type: QUICK_REPLY, text: Show}]}]\n"
    (tmp_path / "t.yml").write_text(TEMPLATE + more)
    block = (
        GOOD
        | {"templates": "t.yml", "re_engagement_payload": payload}
        | ({"re_engagement_template": name} if name else {})
    )
    if problem:
        (told,) = problems_of(block, folder=tmp_path)
        assert told.startswith(problem)
        return
    assert read_settings(block, folder=tmp_path).rules().delivery.re_engagement.payloads == ("/show_news",)


def test_the_throughput_of_each_number():
    """The block's, unless a number has its own."""
    first, second, third = SEVERAL["numbers"]
    block = SEVERAL | {"messages_per_second": 1000, "numbers": [first, second | {"messages_per_second": 20}, third]}
    rules = read_settings(block).rules()
    assert rules.rates == {"100000000000001": 1000, "100000000000002": 20, "100000000000003": 1000}
    assert rules.sends_at_once == 1010
    wrong = SEVERAL | {"numbers": [first | {"messages_per_second": 0}]}
    assert problems_of(wrong) == ["numbers[0].messages_per_second: found 0; expected a whole number from 1 to 1000"]


def test_360dialog():
    """It has its own address and needs no signature; the header's name has a default."""
    settings = read_settings(DIALOG_360)
    assert settings["graph_url"] == "https://waba-v2.360dialog.io"
    assert settings["webhook_secret_header"] == "X-Webhook-Secret"
    assert read_settings(DIALOG_360 | {"graph_url": "http://127.0.0.1:8090"})["graph_url"] == "http://127.0.0.1:8090"


def test_360dialog_has_a_key_for_each_number():
    """Two numbers with one key cannot be right there; at Meta they are."""
    numbers = [{"phone_number_id": 2, "access_token": "hunter2-other"}, {"phone_number_id": 3}]
    assert problems_of(DIALOG_360 | {"numbers": numbers}) == [
        "numbers[1].access_token: the same as access_token; 360dialog has a key for each number"
    ]


def test_everything_at_once():
    """Five mistakes, five lines."""
    block = {"acces_token": "hunter2", "app_secret": "", "graph_url": "x", "turn_attempts": 0, "verify_token": "x"}
    assert [problem.split(":")[0] for problem in problems_of(block)] == [
        "acces_token",
        "phone_number_id",
        "access_token",
        "app_secret",
        "graph_url",
        "turn_attempts",
    ]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (None, ["cannot be read: No such file or directory"]),
        (b"\xff\xfe\x00", ["cannot be read"]),
        (b"a: [", ["cannot be read"]),
        (b"", ["has no list under the key whatsapp_templates"]),
        (b"whatsapp_templates:", ["has no list under the key whatsapp_templates"]),
        (b"whatsapp_templates: {}", ["has no list under the key whatsapp_templates"]),
        (b"[]", ["has no list under the key whatsapp_templates"]),
        (
            b"whatsapp_templates:\n- {name: a}\n- 7\n- {name: b, language: en, category: X}",
            [
                "templates.yml:2: a (no language): language is missing or not a text",
                "templates.yml:3: the entry is not a mapping",
                "templates.yml:4: b (en): category is 'X'; expected UTILITY, MARKETING or AUTHENTICATION",
            ],
        ),
    ],
    ids=["no file", "no text", "no YAML", "empty", "no entries", "a mapping", "a list", "broken entries"],
)
def test_template_files(tmp_path, content, expected):
    """A catalogue that cannot be used is told entry by entry."""
    if content is not None:
        (tmp_path / "templates.yml").write_bytes(content)
    found = problems_of(GOOD | {"templates": "templates.yml"}, folder=tmp_path)
    assert len(found) == len(expected)
    for problem, part in zip(found, expected, strict=True):
        assert problem.startswith("templates: ")
        assert part in problem


def template_file(name, language, more=""):
    """Return the text of a file with one template."""
    return TEMPLATE.replace("name: t", f"name: {name}").replace("language: en", f"language: {language}") + more


def test_a_folder_of_templates(tmp_path):
    """All YAML files below it, in their order; other files are nobody's affair."""
    for name, text in {
        "b.yml": template_file("b", "en"),
        "a.yaml": template_file("a", "de") + "  response: utter_a\n",
        "deep/c.yml": template_file("a", "en"),
        "README.md": "a: [",
    }.items():
        (tmp_path / "templates" / name).parent.mkdir(exist_ok=True, parents=True)
        (tmp_path / "templates" / name).write_text(text, "utf-8")
    settings = read_settings(GOOD | {"templates": "templates"}, folder=tmp_path)
    assert [(each.name, each.language) for each in settings.templates.translations] == [
        ("a", "de"),
        ("b", "en"),
        ("a", "en"),
    ]
    assert settings.declared["utter_a"].name == "a"


@pytest.mark.parametrize(
    ("second", "expected"),
    [
        (template_file("a", "en"), ["b.yml:3: a (en): it is there twice: see {}/a.yml:3"]),
        (template_file("b", "en", "  response: utter_a\n"), ["b.yml:7: b (en): utter_a has the template a, {}/a.yml:3, already"]),
        (template_file("a", "de", "  response: utter_b\n"),
         ["b.yml:7: a (de): response, parameters and payloads are others than at {}/a.yml:3: say them once, or the same"]),
        ("nlu: []\n", ["b.yml:1: it has no list under the key whatsapp_templates"]),
        ("a: [\n", ["b.yml:2: it cannot be read: line 2, column 1: "]),
    ],
    ids=["the same template", "the same response", "two uses", "no catalogue", "no YAML"],
)  # fmt: skip
def test_a_folder_that_contradicts_itself(tmp_path, second, expected):
    """Both places are told."""
    folder = tmp_path / "templates"
    folder.mkdir()
    (folder / "a.yml").write_text(template_file("a", "en", "  response: utter_a\n"), "utf-8")
    (folder / "b.yml").write_text(second, "utf-8")
    found = problems_of(GOOD | {"templates": "templates"}, folder=tmp_path)
    assert len(found) == len(expected)
    for problem, part in zip(found, expected, strict=True):
        assert problem.startswith(f"templates: {folder}/" + part.format(folder))


def test_a_folder_without_templates(tmp_path):
    """It is told."""
    (tmp_path / "templates").mkdir()
    assert problems_of(GOOD | {"templates": "templates"}, folder=tmp_path) == [
        f"templates: {tmp_path}/templates:1: the folder has no YAML file"
    ]


def test_shown_masks_secrets():
    """Every setting is shown, secrets by their length only, and a database's password not at all."""
    settings = read_settings(GOOD | {"database_url": "sqlite:///x.sqlite"})
    shown = dict(settings.shown())
    assert list(shown) == [setting.name for setting in SETTINGS]
    assert shown["access_token"] == "•••• (13 characters)"
    assert "hunter2" not in str(shown)
    assert shown["settle_seconds"] == "30"
    assert shown["turns_for"] == "none"
    assert shown["templates"] == "-"


def test_shown_tells_each_number():
    """Id and what it has of its own or of the block, masked."""
    assert dict(read_settings(SEVERAL).shown())["numbers"] == (
        "100000000000001 (access_token •••• (13 characters), app_secret •••• (14 characters), 80 messages/s), "
        "100000000000002 (access_token •••• (13 characters), app_secret •••• (14 characters), 80 messages/s), "
        "100000000000003 (access_token •••• (13 characters), app_secret •••• (11 characters), 80 messages/s)"
    )


@pytest.mark.parametrize("password", ["p@hunter2", "p@ss/w:hunter2", "p@ss:hunter2/w", "p@1:hunter2", "p@ss?hunter2"])
def test_a_password_that_takes_the_address_apart(password):
    """It has to be percent-encoded; nothing of it is told."""
    (problem,) = problems_of(GOOD | {"database_url": f"postgresql://bot:{password}@db/whatsapp"})
    assert problem == (
        "database_url: found postgresql://•••; expected an address whose user and password are percent-encoded: "
        "%40 for @, %2F for /, %3A for :"
    )


@pytest.mark.parametrize(
    "address",
    [
        "postgresql://bot:hunter2@db/whatsapp",
        "postgresql://db/whatsapp?user=bot&password=hunter2",
        "postgresql://bot:hunter2@db:54x/whatsapp",
        "bot:hunter2@db@whatsapp",
        "hunter2@db@whatsapp",
    ],
    ids=["in its place", "as a parameter", "before a port that is none", "without a scheme", "without a user"],
)
def test_a_database_password_is_not_told(address):
    """Neither where it is shown nor where the driver is missing."""
    block = GOOD | {"database_url": address}
    try:
        told = str(read_settings(block).shown())
    except ConfigInvalid as problem:
        told = str(problem)
    assert "hunter2" not in told
