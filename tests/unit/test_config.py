"""The credentials block: everything wrong with it is told at once, with what was expected, and never a secret."""

from __future__ import annotations

from datetime import timedelta

import pytest

from rasa_whatsapp.config import SETTINGS, read_settings
from rasa_whatsapp.errors import ConfigInvalid

GOOD = {
    "phone_number_id": "100000000000001",
    "access_token": "hunter2-token",
    "app_secret": "hunter2-secret",
    "verify_token": "hunter2-verify",
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
    assert settings["phone_number_id"] == "100000000000001"
    assert settings["graph_url"] == "https://graph.facebook.com"
    assert settings["api_version"] == "v26.0"
    assert settings["database_url"] == "sqlite:///rasa_whatsapp.sqlite"
    assert settings["turn_attempts"] == 3
    assert settings["send_age_limit_seconds"] == timedelta(hours=23)
    assert settings.rules().intake.number_ids == ("100000000000001",)


def test_values_reach_the_rules(tmp_path):
    """What is set is what the gateway goes by."""
    (tmp_path / "templates.yml").write_text(TEMPLATE)
    block = GOOD | {
        "phone_number_id": 100000000000002,
        "templates": "templates.yml",
        "fallback_languages": ["de", "en"],
        "utility_needs_opt_in": True,
        "opt_out_keywords": [" schluss "],
        "opt_in_keywords": ["los"],
        "list_button": "Auswahl",
        "read_receipts": False,
        "typing_indicator": False,
        "turn_attempts": 5,
        "settle_seconds": 1.5,
        "send_age_limit_seconds": 60,
        "graph_url": "http://127.0.0.1:8090/",
    }
    settings = read_settings(block, folder=tmp_path)
    rules = settings.rules()
    assert settings["graph_url"] == "http://127.0.0.1:8090"
    assert rules.intake.number_ids == ("100000000000002",)
    assert (rules.intake.opt_out_keywords, rules.intake.opt_in_keywords) == (("schluss",), ("los",))
    assert (rules.list_button, rules.read_receipts, rules.typing_indicator, rules.turn_attempts) == (
        "Auswahl",
        False,
        False,
        5,
    )
    assert (rules.delivery.settle, rules.delivery.age_limit) == (timedelta(seconds=1.5), timedelta(minutes=1))
    assert (rules.delivery.fallback_languages, rules.delivery.utility_needs_opt_in) == (("de", "en"), True)
    assert [translation.name for translation in rules.delivery.templates.translations] == ["t"]


@pytest.mark.parametrize("block", [None, {}], ids=["an empty block", "an empty mapping"])
def test_nothing_given(block):
    """Every required setting is named."""
    assert [problem.split(":")[0] for problem in problems_of(block)] == [
        "phone_number_id",
        "access_token",
        "app_secret",
        "verify_token",
    ]


@pytest.mark.parametrize("block", ["hunter2", ["phone_number_id"], 7, True])
def test_no_mapping(block):
    """A block that is no mapping is a listed problem, and is not repeated."""
    assert problems_of(block) == ["the block is not a mapping of settings to values"]


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("phone_number_id", "+4930901820000", "found '+4930901820000'; expected the digits of an id"),
        ("phone_number_id", "", "found ''; expected the digits of an id"),
        ("phone_number_id", True, "found True; expected the digits of an id"),
        ("phone_number_id", 1.5, "found 1.5; expected the digits of an id"),
        ("phone_number_id", None, "missing; Id of the business number"),
        ("access_token", None, "missing; Token of a system user."),
        ("access_token", "", "found an empty text; expected a text that is not empty"),
        ("access_token", "   ", "found •••• (3 characters); expected a text that is not empty"),
        ("app_secret", 1234567, "found •••• (7 characters); expected a text, so put it in quotes"),
        ("verify_token", ["hunter2"], "expected a text, so put it in quotes"),
        ("business_account_id", "abc", "found 'abc'; expected the digits of an id"),
        (
            "graph_url",
            "graph.facebook.com",
            "found 'graph.facebook.com'; expected an address that starts with https://",
        ),
        ("graph_url", "ftp://graph", "expected an address that starts with https://"),
        ("graph_url", "https://", "expected an address that starts with https://"),
        ("graph_url", "https:///x", "expected an address that starts with https://"),
        ("api_version", "26", "found '26'; expected a Graph version such as v26.0"),
        ("api_version", "v26", "expected a Graph version such as v26.0"),
        ("api_version", 26.0, "expected a text, so put it in quotes"),
        ("database_url", 5, "expected"),
        ("database_url", "nonsense", "expected"),
        ("database_url", "", "expected"),
        ("database_url", "nosuchdialect://bot:hunter2@db/x", "expected"),
        ("templates", 7, "found 7; expected a text, so put it in quotes"),
        ("fallback_languages", "en", "found 'en'; expected a list of texts"),
        ("fallback_languages", ["en", ""], "expected a list of texts"),
        ("fallback_languages", [True], "expected a list of texts"),
        ("utility_needs_opt_in", "yes", "found 'yes'; expected true or false"),
        ("utility_needs_opt_in", 1, "found 1; expected true or false"),
        ("opt_out_keywords", {"stop": 1}, "expected a list of texts"),
        ("opt_in_keywords", [None], "expected a list of texts"),
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
        ("settle_seconds", -1, "found -1; expected seconds, from 0 to 2592000"),
        ("settle_seconds", float("nan"), "expected seconds"),
        ("send_age_limit_seconds", 2592001, "expected seconds"),
        ("send_age_limit_seconds", "1h", "found '1h'; expected seconds"),
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
    ("key", "hint"),
    [
        ("acces_token", "did you mean access_token?"),
        ("phone_number", "did you mean phone_number_id?"),
        ("AppSecret", "did you mean app_secret?"),
        ("opt_out_keyword", "did you mean opt_out_keywords?"),
        ("zzz", "known are: phone_number_id, access_token"),
        (7, "known are:"),
    ],
)
def test_unknown_keys(key, hint):
    """The nearest known key is offered; a secret under a misspelt key is not told."""
    (problem,) = problems_of(GOOD | {key: "hunter2"})
    assert problem.startswith(f"{key}: not a setting; ")
    assert hint in problem


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
        (b"", ["has no list whatsapp_templates"]),
        (b"whatsapp_templates:", ["has no list whatsapp_templates"]),
        (b"whatsapp_templates: {}", ["has no list whatsapp_templates"]),
        (b"[]", ["has no list whatsapp_templates"]),
        (
            b"whatsapp_templates: [{name: a}, 7, {name: b, language: en, category: X}]",
            [
                "number 1 (a): language is missing or not a text",
                "number 2 (without a name): it is not a mapping",
                "number 3 (b): category is 'X'; expected UTILITY, MARKETING or AUTHENTICATION",
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


def test_shown_masks_secrets():
    """Every setting is shown, secrets by their length only, and a database's password not at all."""
    settings = read_settings(GOOD | {"database_url": "sqlite:///x.sqlite"})
    shown = dict(settings.shown())
    assert list(shown) == [setting.name for setting in SETTINGS]
    assert shown["access_token"] == "•••• (13 characters)"
    assert "hunter2" not in str(shown)
    assert shown["settle_seconds"] in ("10", "30")
    assert shown["templates"] == "-"


def test_a_database_password_is_not_told():
    """Neither where it is shown nor where the driver is missing."""
    block = GOOD | {"database_url": "postgresql://bot:hunter2@db/whatsapp"}
    try:
        told = str(read_settings(block).shown())
    except ConfigInvalid as problem:
        told = str(problem)
    assert "hunter2" not in told
