"""A catalogue as a whole: what is there twice, in one language only, with other variables, or unused; and `templates lint`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from rasa_whatsapp.cli import main
from rasa_whatsapp.templates import lint as catalogue_lint

ENTRY = """
- name: {name}
  language: {language}
  category: UTILITY
  components:
  - {{type: BODY, text: "{text}"{example}}}
"""
ONE = ', example: {body_text: [["1002"]]}'


def entry(name="news", language="en", text="Your order {{1}} is here.", example=ONE):
    """Return an entry of a catalogue."""
    return ENTRY.format(name=name, language=language, text=text, example=example)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Work in an empty folder."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data").mkdir()
    return tmp_path


def declare(folder, *entries, name="data/whatsapp_templates.yml"):
    """Write a catalogue."""
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).write_text("whatsapp_templates:" + "".join(entries), "utf-8")


def findings_of(folder):
    """Return what is told of the folder's catalogue, as values."""
    return catalogue_lint.lint(folder / "data/whatsapp_templates.yml")[1]


def lint(*arguments):
    """Return the exit status and the lines that are told."""
    result = CliRunner().invoke(main, ["templates", "lint", *arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.output.splitlines()


@pytest.mark.parametrize(
    ("entries", "told"),
    [
        ([entry()], []),
        ([entry(), entry(language="de", text="Bestellung {{1}} ist da.")], []),
        ([entry(), entry(text="Order {{1}} is here.")], ["8: news (en): it is there twice: see data/whatsapp_templates.yml:2"]),
        (
            [entry(), entry("other")],
            ["11: other (en): body and footer are those of news (en), data/whatsapp_templates.yml:2: Meta refuses that"],
        ),
        (
            [entry(), entry(language="de", text="Bestellung {{1}} ist da."), entry("other", text="See {{1}} over here.")],
            ["14: other (en): it has no translation into de, which other templates have"],
        ),
        (
            [entry(), entry(language="de", text="Sie ist da.", example="")],
            ["11: news (de): its variables are none; in en they are {{1}}"],
        ),
        ([entry(text="Your order is {{1}}")], ["6: news (en): the body begins or ends with a variable"]),
        (["\n- just a text\n"], ["2: the entry is not a mapping"]),
        (["\n- {language: en}\n"], [
            "2: a template (en): category None",
            "2: a template (en): components is missing",
            "2: a template (en): name ''",
        ]),
    ],
)  # fmt: skip
def test_a_catalogue(folder, entries, told):
    """Each finding names file, line, template and remedy; the exit status is for CI."""
    declare(folder, *entries)
    status, lines = lint()
    assert status == (1 if told else 0)
    assert len(lines) == len(told) + 1, lines
    for line, expected in zip(lines, told, strict=False):
        assert line.startswith(f"data/whatsapp_templates.yml:{expected}"), line


MISSPELT = """
- name: news
  language: en
  {top}
  category: UTILITY
  components:
  - type: BODY
    text: "Your order {{{{1}}}} is here."
    example: {{body_text: [["1002"]]}}
    {body}
  - type: BUTTONS
    buttons:
    - type: QUICK_REPLY
      text: "Yes"
      {button}
"""


@pytest.mark.parametrize(
    ("place", "line", "told"),
    [
        ({"top": "respons: utter_news"}, 4, "'respons' is no key of a template; did you mean response?"),
        ({"top": "paramters: {}"}, 4, "'paramters' is no key of a template; did you mean parameters?"),
        (
            {"top": "parameter_fromat: NAMED"},
            4,
            "'parameter_fromat' is no key of a template; did you mean parameter_format?",
        ),
        ({"body": "exampel: {}"}, 10, "'exampel' is no key of a component; did you mean example?"),
        ({"button": "txt: Yes"}, 15, "'txt' is no key of a button; did you mean text?"),
        ({"top": "sub_category: CUSTOM"}, None, None),
        ({"top": "owner: Lea"}, None, None),
        ({"top": "7: seven"}, None, None),
        ({"body": "note: ours"}, None, None),
    ],
)
def test_keys_that_are_nearly_known(folder, place, line, told):
    """What they say would be passed over; a key that is like none may be Meta's."""
    declare(folder, MISSPELT.format(**({"top": "", "body": "", "button": ""} | place)))
    status, lines = lint()
    expected = [f"data/whatsapp_templates.yml:{line}: news (en): {told}"] if told else []
    assert (status, lines[:-1]) == (int(bool(told)), expected)
    assert [finding.advice for finding in findings_of(folder)] == [True] * len(expected)  # no push is hindered


def test_a_folder_of_catalogues(folder):
    """Templates are compared over all files of it."""
    declare(folder, entry(), name="templates/a.yml")
    declare(folder, entry(text="Order {{1}} is here."), name="templates/b.yaml")
    assert lint("templates") == (
        1,
        [
            "templates/b.yaml:2: news (en): it is there twice: see templates/a.yml:2",
            "2 templates checked, each language apart; 1 finding",
        ],
    )


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (None, "1: it cannot be read: No such file or directory"),
        ("a: [", "1: it cannot be read: line 1, column 5"),
        ("", "1: it has no list under the key whatsapp_templates"),
        ("whatsapp_templates: {}", "1: it has no list under the key whatsapp_templates"),
    ],
)
def test_no_catalogue(folder, content, told):
    """The file and what it lacks are named."""
    if content is not None:
        (folder / "data/whatsapp_templates.yml").write_text(content, "utf-8")
    status, lines = lint()
    assert (status, lines[0].startswith(f"data/whatsapp_templates.yml:{told}")) == (1, True), lines


DOMAIN = """
slots:
  order_id: {type: text}
  which: {type: text}
responses:
  utter_news:
  - channel: whatsapp
    text: "Your order is here."
    custom: {template: %s}
"""


@pytest.mark.parametrize(
    ("used", "told"),
    [
        ("{name: news, parameters: ['{order_id}']}", []),
        ("[{name: other}, {name: news}]", []),
        (
            "{name: other}",
            ["data/whatsapp_templates.yml:2: news (en): no response of the domain uses it (custom.template.name)"],
        ),
        ('{name: "{which}"}', []),  # only a slot tells
    ],
)
def test_a_template_that_nothing_uses(folder, used, told):
    """Told once, not for each language."""
    declare(folder, entry(), entry(language="de", text="Bestellung {{1}} ist da."))
    (folder / "domain.yml").write_text(DOMAIN % used, "utf-8")
    status, lines = lint()
    assert (status, lines[:-1]) == (len(told), told)


def test_a_domain_that_cannot_be_read(folder):
    """It is told, and no template is blamed for it."""
    declare(folder, entry())
    (folder / "domain.yml").write_text("responses: [", "utf-8")
    status, lines = lint()
    assert (status, len(lines), lines[0].startswith("domain.yml:1: it cannot be read")) == (1, 2, True), lines


def test_codes_and_carousels(folder):
    """A code, whose text is Meta's, can be sent; what a carousel lacks is told at its place."""
    (folder / "data/whatsapp_templates.yml").write_text(
        "whatsapp_templates:\n"
        "- name: code\n  language: en\n  category: AUTHENTICATION\n"
        "  components: [{type: BODY}, {type: BUTTONS, buttons: [{type: OTP, otp_type: COPY_CODE}]}]\n"
        "- name: shelf\n  language: en\n  category: MARKETING\n"
        "  components: [{type: BODY, text: Look}, {type: CAROUSEL, cards: []}]\n",
        "utf-8",
    )
    told = "data/whatsapp_templates.yml:9: shelf (en): the carousel has 0 cards; Meta wants 2 to 10"
    assert lint()[1] == [told, "2 templates checked, each language apart; 1 finding"]


def test_as_json(folder):
    """For CI: the same, in fields."""
    declare(folder, entry(language="en-US"))
    status, lines = lint("--format", "json")
    assert status == 1
    assert json.loads("\n".join(lines)) == {
        "ok": False,
        "templates_checked": 1,
        "findings": [
            {
                "file": "data/whatsapp_templates.yml",
                "line": 3,
                "template": "news (en-US)",
                "response": None,
                "text": "language 'en-US' is no code of Meta's: Meta writes 'en_US'",
            }
        ],
    }


def test_the_example_bots_templates_are_lawful(monkeypatch):
    """And each is used."""
    monkeypatch.chdir(Path(__file__).parents[2])
    assert lint() == (0, ["6 templates checked, each language apart; 0 findings"])
