"""What a customer sees of a template: its bubble, drawn on a terminal, and `templates preview`."""

from __future__ import annotations

import click
import pytest
from click.testing import CliRunner
from wcwidth import wcswidth

from rasa_whatsapp.cli import main
from rasa_whatsapp.cli.bubble import drawn
from rasa_whatsapp.cloud.templates.bubble import Bubble, Button, read_bubble, variables_of

BODY = {"type": "BODY", "text": "Hi {{1}}, it is {{2}}.", "example": {"body_text": [["Lea", "here"]]}}
NAMED = {
    "type": "body",
    "text": "Hi {{name}}.",
    "example": {"body_text_named_params": [{"param_name": "name", "example": "Lea"}]},
}
QUICK = [{"type": "QUICK_REPLY", "text": f"Option {number}"} for number in range(1, 6)]


def template(*components, category="UTILITY"):
    """Return a template with these components."""
    return {"name": "news", "language": "en", "category": category, "components": list(components)}


@pytest.mark.parametrize(
    ("given", "values", "expected"),
    [
        (template(BODY), {}, Bubble(body="Hi Lea, it is here.")),
        (template(BODY), {"2": "gone"}, Bubble(body="Hi Lea, it is gone.")),
        (template(NAMED), {}, Bubble(body="Hi Lea.")),
        (template(NAMED), {"name": "Ben"}, Bubble(body="Hi Ben.")),
        (template({"type": "BODY", "text": "Hi {{ name }}."}), {}, Bubble(body="Hi {{ name }}.")),
        (template({"type": "HEADER", "text": "For {{1}}", "example": {"header_text": ["Lea"]}}, BODY,
                  {"type": "FOOTER", "text": "Bye"}), {}, Bubble(header="For Lea", body="Hi Lea, it is here.", footer="Bye")),
        (template({"type": "HEADER", "format": "image", "example": {"header_handle": ["4::x"]}}, NAMED), {},
         Bubble(medium="IMAGE", body="Hi Lea.")),
        (template(NAMED, {"type": "BUTTONS", "buttons": [{"type": "URL", "text": "Go", "url": "https://x.example"},
                                                         {"type": "COPY_CODE", "example": "S"}, {"type": "OF_TOMORROW"}]}), {},
         Bubble(body="Hi Lea.", buttons=(Button("URL", "Go"), Button("COPY_CODE", "Copy offer code"),
                                         Button("OF_TOMORROW", "OF_TOMORROW")))),
        (template({"type": "BODY", "add_security_recommendation": True}, {"type": "FOOTER", "code_expiration_minutes": 5},
                  {"type": "BUTTONS", "buttons": [{"type": "OTP", "otp_type": "COPY_CODE"}]}, category="AUTHENTICATION"), {},
         Bubble(body="*123456* is your verification code. For your security, do not share this code.",
                footer="This code expires in 5 minutes.", buttons=(Button("OTP", "Copy code"),))),
        (template(NAMED, {"type": "LIMITED_TIME_OFFER", "limited_time_offer": {"text": "Ends soon"}}), {},
         Bubble(body="Hi Lea.", offer="Ends soon")),
        (template(NAMED, {"type": "CAROUSEL", "cards": [{"components": [NAMED]}]}), {"name": "Ben"},
         Bubble(body="Hi Ben.", cards=(Bubble(body="Hi Ben."),))),
        (template(), {}, Bubble()),
        ({"components": "none"}, {}, Bubble()),
    ],
    ids=["examples", "a value", "named", "a named value", "neither", "header and footer", "a medium", "labels of Meta's",
         "a code", "an offer", "cards", "nothing", "no components"],
)  # fmt: skip
def test_what_is_in_the_bubble(given, values, expected):
    """Values come before examples; what has neither stays as it is written."""
    assert read_bubble(given, values) == expected


def test_variables():
    """Those that the customer sees, each once; those of a code too."""
    assert variables_of(template(BODY, {"type": "CAROUSEL", "cards": [{"components": [NAMED]}]})) == ["1", "2", "name"]
    assert variables_of(template({"type": "BODY"}, category="AUTHENTICATION")) == ["1"]


@pytest.mark.parametrize(
    ("bubble", "lines"),
    [
        (Bubble(header="News", body="One two three four five.", footer="Bye"),
         ["╭──────────────────╮", "│ News             │", "│ One two three    │", "│ four five.       │",
          "│                  │", "│ Bye              │", "╰──────────────────╯"]),
        (Bubble(body="A\n\nB"), ["╭──────────────────╮", "│ A                │", "│                  │",
                                 "│ B                │", "╰──────────────────╯"]),
        (Bubble(body="Abcdefghijklmnopqrstuvw"), ["╭──────────────────╮", "│ Abcdefghijklmnop │", "│ qrstuvw          │",
                                                  "╰──────────────────╯"]),
        (Bubble(body="您好您好您好您好您好 👍🏽e\u0301"), ["╭──────────────────╮", "│ 您好您好您好您好 │", "│ 您好 👍🏽e\u0301         │",
                                                      "╰──────────────────╯"]),
        (Bubble(body="Bad\x1b[31m", medium="IMAGE"),
         ["╭──────────────────╮", "│                  │", "│    [ IMAGE ]     │", "│                  │",
          "│ Bad\\u001b[31m    │", "╰──────────────────╯"]),
        (Bubble(body="Hi", buttons=(Button("URL", "Track it"), Button("OF_TOMORROW", "A label that is long"))),
         ["╭──────────────────╮", "│ Hi               │", "├──────────────────┤", "│    ↗ Track it    │",
          "├──────────────────┤", "│ • A label that … │", "╰──────────────────╯"]),
        (Bubble(body="Hi", buttons=tuple(Button("QUICK_REPLY", f"No {number}") for number in range(1, 5))),
         ["╭──────────────────╮", "│ Hi               │", "├──────────────────┤", "│      ↩ No 1      │",
          "├──────────────────┤", "│      ↩ No 2      │", "├──────────────────┤", "│ ≡ See all optio… │", "╰──────────────────╯"]),
        (Bubble(body="Hi", cards=(Bubble(body="Card"),)),
         ["╭──────────────────╮", "│ Hi               │", "╰──────────────────╯", "  ╭────────────────╮",
          "  │ Card           │", "  ╰────────────────╯"]),
    ],
    ids=["words", "line breaks", "a long word", "wide characters", "what steers a terminal", "buttons", "over three buttons", "cards"],
)  # fmt: skip
def test_a_drawn_bubble(bubble, lines):
    """Framed; every line takes the same number of cells."""
    found = [click.unstyle(line) for line in drawn(bubble, 20)]
    assert found == lines
    assert {wcswidth(line) for line in found} == {20}


def test_three_buttons_are_all_shown():
    """More than three are not."""
    three, four = (Bubble(buttons=tuple(Button("QUICK_REPLY", "Yes") for _ in range(count))) for count in (3, 4))
    assert (len(three.shown), three.hides_some) == (3, False)
    assert (len(four.shown), four.hides_some) == (2, True)


@pytest.mark.parametrize(
    ("text", "styled"),
    [
        ("a *b* c", f"a {click.style('b', bold=True)} c"),
        ("_a ~b~_", f"{click.style('a ', italic=True)}{click.style('b', italic=True, strikethrough=True)}"),
        ("```a *b*```", "a *b*"),
        ("2 * 3 * 4", "2 * 3 * 4"),
        ("a*b*c snake_case_name", "a*b*c snake_case_name"),
    ],
)
def test_markup_is_shown(text, styled):
    """As the terminal's own styles."""
    assert drawn(Bubble(body=text), 40)[1].removeprefix("│ ").removesuffix("│").rstrip() == styled


CATALOGUE = """
whatsapp_templates:
- {name: news, language: en, category: UTILITY, components: [{type: BODY, text: "Hi {{1}}!", example: {body_text: [[Lea]]}}]}
- {name: news, language: de, category: UTILITY, components: [{type: BODY, text: "Hallo {{1}}!", example: {body_text: [[Lea]]}}]}
- name: choice
  language: en
  category: MARKETING
  components:
  - {type: BODY, text: "Choose."}
  - type: BUTTONS
    buttons: [{type: QUICK_REPLY, text: A}, {type: QUICK_REPLY, text: B}, {type: QUICK_REPLY, text: C}, {type: URL, text: D}]
"""


@pytest.fixture
def catalogue(tmp_path, monkeypatch):
    """Work in a folder with a catalogue."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data").mkdir()
    path = tmp_path / "data" / "whatsapp_templates.yml"
    path.write_text(CATALOGUE, "utf-8")
    return path


def preview(*arguments):
    """Return the exit status and what is shown."""
    result = CliRunner().invoke(main, ["templates", "preview", *arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.output


def test_all_of_a_catalogue(catalogue):
    """Each language apart; of many buttons all are listed below the bubble."""
    status, output = preview()
    assert status == 0
    assert [line for line in output.splitlines() if line and line[0] not in "╭│├╰ "] == [
        "news (en), UTILITY",
        "news (de), UTILITY",
        "choice (en), MARKETING",
        "All options:",
    ]
    assert output.endswith("All options:\n  ↩ A\n  ↩ B\n  ↩ C\n  ↗ D\n")


def test_one_translation_with_a_value(catalogue):
    """As on the phone of who gets it."""
    status, output = preview("news", "--language", "de", "--parameter", "1=Ben")
    assert (status, output.count("╭"), "│ Hallo Ben!" in output) == (0, 1, True)


@pytest.mark.parametrize(
    ("arguments", "status", "told"),
    [
        (["nwes"], 1, "Error: not in the catalogue: nwes; it has choice, news"),
        (["news", "--language", "fr"], 1, "Error: --language fr: there is de, en"),
        (["news", "--parameter", "2=x"], 1, "Error: --parameter: no template that is shown has a variable '2'; they have 1"),
        (["choice", "--parameter", "2=x"], 1, "Error: --parameter: no template that is shown has a variable '2'; they have none"),
        (["news", "--parameter", "x"], 2, "is written NAME=VALUE"),
        (["--catalogue", "none.yml"], 1, "Error: the catalogue cannot be used:\n  - none.yml:1: it cannot be read"),
    ],
)  # fmt: skip
def test_what_cannot_be_shown(catalogue, arguments, status, told):
    """The error names what there is."""
    assert preview(*arguments)[0] == status
    assert told in preview(*arguments)[1]


def test_a_catalogue_that_is_none(catalogue):
    """Everything that is wrong with it is told, with its place."""
    catalogue.write_text(CATALOGUE + "- {name: news, language: en}\n- {name: x}\n- text\n", "utf-8")
    status, output = preview()
    assert (status, output.splitlines()) == (
        1,
        [
            "Error: the catalogue cannot be used:",
            "  - data/whatsapp_templates.yml:14: the entry is not a mapping",
            "  - data/whatsapp_templates.yml:12: news (en) is there twice: see data/whatsapp_templates.yml:3",
            "  - data/whatsapp_templates.yml:13: a template needs a name and a language",
        ],
    )
