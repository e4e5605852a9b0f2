"""A domain's responses are found with their places, and everything that WhatsApp would refuse of them is told at once."""

from __future__ import annotations

import textwrap

import pytest

from rasa_whatsapp.cloud.templates import TemplateBook, read_translation
from rasa_whatsapp.errors import DraftImpossible
from rasa_whatsapp.responses import check
from rasa_whatsapp.responses.check import refused
from rasa_whatsapp.responses.domain import path_in, read_domain
from rasa_whatsapp.responses.utterances import Utterance, Wording


@pytest.fixture
def domain(tmp_path, monkeypatch):
    """Return the function that writes domain.yml into the current folder and reads it."""
    monkeypatch.chdir(tmp_path)

    def read(text):
        path = tmp_path.relative_to(tmp_path) / "domain.yml"
        path.write_text(textwrap.dedent(text), "utf-8")
        return read_domain(path)

    return read


def utter_x(variations):
    """Return a domain with one response, whose variations begin in line 3."""
    return "responses:\n  utter_x:\n" + textwrap.indent(textwrap.dedent(variations), "  ")


VARIATIONS = {
    "any channel": ("- text: a\n- text: b", [3, 4]),
    "WhatsApp's own": ("- text: a\n  channel: whatsapp", [3]),
    "another channel's": ("- text: a\n  channel: slack\n- text: b", [5]),
    "WhatsApp's own without a condition hides those of any channel": (
        "- text: a\n- text: b\n  channel: whatsapp\n- text: c\n  condition: [{type: slot, name: s, value: 1}]",
        [4],
    ),
    "WhatsApp's own with a condition hides nothing": (
        "- text: a\n- channel: whatsapp\n  condition: [{type: slot, name: s, value: 1}]\n  text: b",
        [3, 4],
    ),
    "only another channel's": ("- {text: a, channel: slack}", []),
}


@pytest.mark.parametrize(("written", "lines"), VARIATIONS.values(), ids=VARIATIONS)
def test_variations_for_whatsapp(domain, written, lines):
    """Those that Rasa may hand to WhatsApp, and where they begin."""
    found = domain(utter_x(written))
    assert found.problems == ()
    assert [variation.problem("").line for variation in found.variations] == lines
    assert found.names == ({"utter_x"} if lines else set())


UNREADABLE = {
    "no YAML": ("responses: [", ["domain.yml:1: it cannot be read: line 1, column 13: expected the node content"]),
    "an indentation": ("a: 1\nresponses:\n  utter_x: 1\n - 2\n", ["domain.yml:4: it cannot be read: line 4, column"]),
    "a name twice": (
        "responses:\n  utter_x: [{text: a}]\n  utter_x: [{text: b}]\n",
        ["domain.yml:3: it cannot be read: line 3, column 3: a key is there twice"],
    ),
    "a date that is none": ("a: 2026-13-45\n", ["domain.yml:1: it cannot be read: it has a date or number that does"]),
    "a list of responses": (
        "version: 1\nresponses:\n- utter_x\n",
        ["domain.yml:2: responses is not a mapping of names to lists of variations"],
    ),
    "a text": (
        "responses:\n  utter_x: hello\n",
        ["domain.yml:2: utter_x: it has no list of variations; begin each with a dash, such as `- text: Hello`"],
    ),
    "a mapping": ("responses:\n  utter_x: {text: a}\n", ["domain.yml:2: utter_x: it has no list of variations"]),
    "nothing": ("responses:\n  utter_x:\n", ["domain.yml:2: utter_x: it has no list of variations"]),
    "an empty list": ("responses:\n  utter_x: []\n", ["domain.yml:2: utter_x: it has no list of variations"]),
    "variations that are texts": (
        "responses:\n  utter_x:\n  - text: a\n  - hello\n  -\n",
        [
            "domain.yml:4: utter_x: the variation is not a mapping; write `- text: Hello`",
            "domain.yml:5: utter_x: the variation is not a mapping",
        ],
    ),
    "several": (
        "responses:\n  utter_x: a\n  utter_y: b\n",
        ["domain.yml:2: utter_x: it has no list", "domain.yml:3: utter_y: it has no list"],
    ),
}


@pytest.mark.parametrize(("text", "expected"), UNREADABLE.values(), ids=UNREADABLE)
def test_what_is_no_domain(domain, text, expected):
    """It is told with its line, whatever else is wrong too."""
    found = [str(problem) for problem in domain(text).problems]
    assert len(found) == len(expected)
    for problem, beginning in zip(found, expected, strict=True):
        assert problem.startswith(beginning)


@pytest.mark.parametrize("text", ["", "intents: [a]", "responses:", "responses: {}", "- a list", "a text"])
def test_no_responses(domain, text):
    """A file without responses has nothing wrong with them."""
    assert (domain(text).variations, domain(text).problems) == ((), ())


def test_a_file_that_is_not_there(tmp_path):
    """It is told as one that cannot be read."""
    (problem,) = read_domain(tmp_path / "nowhere.yml").problems
    assert problem.text == "it cannot be read: No such file or directory"


def test_a_folder(tmp_path):
    """All its YAML files are read, those of folders below too; what is no domain is passed over, what is no YAML is told."""
    (tmp_path / "deep").mkdir()
    (tmp_path / "b.yml").write_text("responses:\n  utter_b: [{text: b}]\n")
    (tmp_path / "deep" / "a.yaml").write_text("responses:\n  utter_a: [{text: a}]\n")
    (tmp_path / "deep" / "broken.yml").write_text("a: [")
    (tmp_path / "nlu.yml").write_text("nlu: []\n")
    (tmp_path / "list.yml").write_text("- a\n")
    (tmp_path / "notes.txt").write_text("a: [")
    found = read_domain(tmp_path)
    assert [(variation.response, variation.file.name) for variation in found.variations] == [
        ("utter_b", "b.yml"),
        ("utter_a", "a.yaml"),
    ]
    assert [problem.file.name for problem in found.problems] == ["broken.yml"]


def test_lines_of_shared_parts(domain):
    """What comes by an anchor or a merge is found where it is written."""
    found = domain(
        """\
        shared: &shared
          text: a
        responses:
          utter_x:
          - <<: *shared
            image: b
          utter_y:
          - *shared
        """
    )
    assert [dict(variation.content) for variation in found.variations] == [{"text": "a", "image": "b"}, {"text": "a"}]
    lines = [[variation.problem(text).line for text in ("text", "image")] for variation in found.variations]
    assert lines == [[2, 6], [2, 1]]  # a part that is not there: where its whole is written


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("", []),
        ("buttons without text: WhatsApp needs one", ["buttons"]),
        ("text is not a text", ["text"]),
        ("custom.list_button must have 1 to 20 characters", ["custom", "list_button"]),
        ("elements[10].buttons[1].title: empty", ["elements", 10, "buttons", 1, "title"]),
        ("custom.template.parameters.1: none", ["custom", "template", "parameters", "1"]),
        ("custom. and so on", ["custom"]),
        ("[0] is", []),
    ],
)
def test_path_in(text, path):
    """A problem begins with the path of what it is about."""
    assert path_in(text) == path


def test_lines_of_paths(domain):
    """A problem's line is that of its path, or of the last part of it that is there."""
    (variation,) = domain(
        """\
        responses:
          utter_x:
          - text: a
            buttons:
            - title: b
              payload: /c
            -
              payload: /d
        """
    ).variations
    lines = {
        "the response has": 3,
        "text is": 3,
        "buttons without": 4,
        "buttons[0].payload is": 6,
        "buttons[1].title is missing": 8,
        "buttons[7].title": 4,
        "image": 3,
    }
    assert {text: variation.problem(text).line for text in lines} == lines


def test_variables_stay_as_they_are(domain, monkeypatch):
    """Nothing of the environment is needed to read a domain."""
    monkeypatch.delenv("NO_SUCH_VARIABLE", raising=False)
    written = "responses:\n  utter_x:\n  - text: '${NO_SUCH_VARIABLE}'\n    image: ${NO_SUCH_VARIABLE}\n"
    (variation,) = domain(written).variations
    assert variation.content == {"text": "${NO_SUCH_VARIABLE}", "image": "${NO_SUCH_VARIABLE}"}


REFUSED = {
    "neither text nor anything": ("- metadata: {a: 1}", ["3: the response has neither text"]),
    "a text that is none": ("- text: 7", ["3: text is not a text"]),
    "a button without a title": (
        """\
        - text: a
          buttons:
          - {title: Yes please, payload: /a}
          - {title: " ", payload: /b}
        """,
        ["6: buttons[1].title is missing or empty"],
    ),
    "buttons without a text": ("- buttons: [{title: A, payload: /a}]", ["3: buttons stand without text"]),
    "a link without a host": ("- {text: a, image: 'https:///x.jpg'}", ["3: image has no host"]),
    "an unknown key": ("- {text: a, custom: {templates: {name: t}}}", ["3: custom.templates is not known; expected template"]),
    "a label that is too long": ("- {text: a, custom: {list_button: aaaaaaaaaabbbbbbbbbbc}}", ["3: custom.list_button"]),
    "several limits of one message object": (
        """\
        - custom:
            whatsapp:
              type: interactive
              interactive:
                type: list
                body: {text: a}
                action:
                  button: A button that is too long
                  sections:
                  - title: one
                    rows: [{id: a, title: ""}]
        """,
        [
            "10: custom.whatsapp.interactive.action.button has 25 characters, at most 20 are allowed",
            "13: custom.whatsapp.interactive.action.sections[0].rows[0].title is empty",
        ],
    ),
    "ids that are there twice": (
        """\
        - custom:
            whatsapp:
              interactive:
                type: button
                body: {text: a}
                action:
                  buttons:
                  - {type: reply, reply: {id: a, title: A}}
                  - {type: reply, reply: {id: a, title: B}}
        """,
        ["11: custom.whatsapp.interactive.action.buttons[1].reply.id"],
    ),
    "too many sections": (
        f"""\
        - custom:
            whatsapp:
              interactive:
                type: list
                body: {{text: a}}
                action: {{button: b, sections: [{", ".join(f"{{title: s{n}, rows: [{{id: r{n}, title: t}}]}}" for n in range(11))}]}}
        """,
        ["8: custom.whatsapp.interactive.action.sections[10] is one too many: there are 11, at most 10 are allowed"],
    ),
    "a consent of no one": ("- {text: a, custom: {consent: {opt_in: all of it}}}", ["3: custom.consent.opt_in is"]),
    "a key with a capital": ("- {text: a, Buttons: [{title: a}]}", ["3: Buttons is not known; did you mean buttons?"]),
    "one button too few": ("- {text: a, button: [{title: a}]}", ["3: button is not known; did you mean buttons?"]),
    "keys of a button": (
        "- text: a\n  buttons:\n  - title: b\n    payloads: /x\n    Url: https://shop.example",
        ["6: buttons[0].payloads is not known; did you mean payload?", "7: buttons[0].Url is not known; did you mean url?"],
    ),
    "keys of an element": (
        "- elements: [{title: a, subtitel: b, buttons: [{title: c}]}]",
        ["3: elements[0].subtitel is not known; did you mean subtitle?"],
    ),
    "what contains itself": ("- {text: &a [*a]}", ["3: the variation contains itself"]),
    "every variation is looked at": ("- text: 7\n- hello\n- text: a\n- custom: {x: 1}",
                                     ["3: text is", "4: the variation is not", "6: custom.x is not known"]),
}  # fmt: skip


@pytest.mark.parametrize(("written", "expected"), REFUSED.values(), ids=REFUSED)
def test_what_whatsapp_refuses(domain, written, expected):
    """Each is told with its line, its key, the limit and the remedy."""
    problems = refused(domain(utter_x(written)))
    assert len(problems) == len(expected)
    for problem, beginning in zip(problems, expected, strict=True):
        assert f"{problem.line}: {problem.text}".startswith(beginning)
        assert str(problem) == f"domain.yml:{problem.line}: utter_x: {problem.text}"


ALLOWED = {
    "titles of any length": "- {text: a, buttons: [{title: A title of far more than twenty-four characters, payload: /a}]}",
    "eleven buttons": f"- {{text: a, buttons: [{', '.join(f'{{title: t{n}, payload: /a}}' for n in range(11))}]}}",
    "a text of any length": f"- text: {'a' * 5000}",
    "slots as links": "- {text: a, image: '{photo}', attachment: {url: '{base}/a.pdf', type: file}}",
    "a slot as a host": "- {text: a, image: 'https://{host}/a.jpg'}",
    "slots as numbers": "- custom: {whatsapp: {location: {latitude: '{lat}', longitude: '{lng}'}}}",
    "a slot as an emoji": "- custom: {whatsapp: {reaction: {message_id: last, emoji: '{emoji}'}}}",
    "a slot as a date": (
        "- custom: {whatsapp: {contacts: [{birthday: '{born}', name: {formatted_name: a, first_name: b}}]}}"
    ),
}  # fmt: skip


@pytest.mark.parametrize("written", ALLOWED.values(), ids=ALLOWED)
def test_what_whatsapp_takes(domain, written):
    """What can be offered otherwise is; a form that a slot's value decides is not judged."""
    found = domain(utter_x(written))
    assert found.names == {"utter_x"}
    assert refused(found) == []


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("- image: 'ftp://{host}/a.jpg'", ["image is no link"]),
        ("- custom: {whatsapp: {location: {latitude: '{lat}', longitude: '{lng}', name: ''}}}",
         ["custom.whatsapp.location.name is empty"]),
        ("- custom: {whatsapp: {location: {latitude: 91, longitude: '{lng}'}}}", ["custom.whatsapp.location.latitude is"]),
        ("- {image: '{photo}', custom: {x: 1}}", ["custom.x is not known"]),
        ("- {image: '{photo}', buttons: [{title: ''}]}", ["buttons[0].title is missing"]),
        ("- elements: [{title: a, image_url: '{photo}'}]", ["elements[0].image_url is no link"]),
    ],
    ids=["no value would do", "what is beside", "a mistake beside", "a mistake before", "a mistake after",
         "where Rasa fills no slots"],
)  # fmt: skip
def test_a_slot_excuses_itself_alone(domain, written, expected):
    """What no value of a slot could make right is told, and nothing that one could."""
    texts = [problem.text for problem in refused(domain(utter_x(written)))]
    assert len(texts) == len(expected)
    for text, beginning in zip(texts, expected, strict=True):
        assert text.startswith(beginning)


def test_a_slot_in_a_refusal_that_names_no_key(domain, monkeypatch):
    """All slots of the variation may then be the reason."""

    def to_utterance(response, wording, declared):
        if "{" in response["image"]:
            raise DraftImpossible("a message of it is not lawful")
        return Utterance(())

    monkeypatch.setattr(check, "to_utterance", to_utterance)
    assert refused(domain(utter_x("- {text: a, image: '{photo}'}"))) == []


def template(name, body, *, language="en", labels=(), **more):
    """Return an entry of the catalogue as Meta has it."""
    buttons = [{"type": "BUTTONS", "buttons": [{"type": "QUICK_REPLY", "text": label} for label in labels]}]
    components = [{"type": "BODY", "text": body}, *(buttons if labels else [])]
    return read_translation(
        {"name": name, "language": language, "category": "UTILITY", "components": components, **more}
    )


CATALOGUE = TemplateBook(
    (
        template("plain", "Hello"),
        template("named", "{{order_id}} of {{day}}", parameter_format="NAMED", labels=["Yes", "No"]),
        template("counted", "{{1}} and {{2}}", language="de"),
        template("paused", "Hello", status="PAUSED"),
        template("both", "About {{order_id}}", parameter_format="NAMED"),
        template("both", "Zu {{bestellung}}", parameter_format="NAMED", language="de"),
    )
)
PARAMETERS = "custom.template.parameters"
TEMPLATES = {
    "right": ("{name: plain}", []),
    "right, with slots": ('{name: named, parameters: {order_id: "{order}", day: today}, payloads: [/a, /b]}', []),
    "counted parameters": ("{name: counted, language: de, parameters: {1: a, 2: b}}", []),
    "a slot as its name": ('{name: "{t}", parameters: {x: 1}}', []),
    "a slot as its language": ('{name: plain, language: "{l}"}', []),
    "not in the catalogue": ("{name: plane}", ["custom.template: template 'plane' is not in the catalogue"]),
    "not approved": ("{name: paused}", ["custom.template: template 'paused' is not approved (it is PAUSED)"]),
    "another language": (
        "{name: counted, parameters: {1: a, 2: b}}",
        ["custom.template: template 'counted' has no approved translation for ['en']; it has de"],
    ),
    "parameters": (
        "{name: named, parameters: {orderid: a, day: }}",
        [
            f"{PARAMETERS}.orderid: template 'named' (en): it has no parameter 'orderid'; it has day, order_id",
            f"{PARAMETERS}.order_id: template 'named' (en): parameter 'order_id' has no value: give it a text, or a slot",
            f"{PARAMETERS}.day: template 'named' (en): parameter 'day' has no value: give it a text, or a slot",
        ],
    ),
    "a parameter too many": (
        "{name: plain, parameters: {day: a}}",
        [f"{PARAMETERS}.day: template 'plain' (en): it has no parameter 'day'; it has none"],
    ),
    "a payload too many": (
        "{name: named, parameters: {order_id: a, day: b}, payloads: [/a, /b, /c]}",
        ["custom.template.payloads: template 'named' (en): it has 2 quick-reply buttons; the response fills 3"],
    ),
    "an unknown key": ("{name: plane, params: {}}", ["custom.template.params is not known"]),
    "a text of the response": (
        "{name: both, language: en}",
        [
            f"{PARAMETERS}.order_id: template 'both' (en): parameter 'order_id' has no value: give it a text, or a slot that "
            "is filled (the text has {order_id})"
        ],
    ),
    "a language that is none": (
        "{name: plain, language: german}",
        ["custom.template.language: 'german' is no code of a language, such as de or pt_BR"],
    ),
    "the language is the customer's": (
        '{name: both, parameters: {order_id: "{order_id}"}}',
        [
            f"{PARAMETERS}.order_id: template 'both' (de): it has no parameter 'order_id'; it has bestellung",
            f"{PARAMETERS}.bestellung: template 'both' (de): parameter 'bestellung' has no value",
        ],
    ),
    "several, right": ('[{name: named, parameters: {order_id: "{order_id}", day: a}}, {name: plain}]', []),
    "several, each for itself": (
        "[{name: paused}, {name: plain, payloads: [/a]}]",
        [
            "custom.template[0]: template 'paused' is not approved (it is PAUSED)",
            "custom.template[1].payloads: template 'plain' (en): it has 0 quick-reply buttons; the response fills 1",
        ],
    ),
    "a header that it lacks": (
        '{name: plain, header: {image: {link: "{photo}"}}}',
        ["custom.template.header: template 'plain' (en): its header is none; the response gives an image"],
    ),
}


@pytest.mark.parametrize(("use", "expected"), TEMPLATES.values(), ids=TEMPLATES)
def test_templates(domain, use, expected):
    """A template must be in the catalogue, with what the response gives it."""
    found = domain(f"responses:\n  utter_x:\n  - text: 'a {{order_id}}'\n    custom:\n      template: {use}\n")
    problems = refused(found, templates=CATALOGUE, fallback_languages=["en"])
    assert len(problems) == len(expected)
    for problem, beginning in zip(problems, expected, strict=True):
        assert problem.text.startswith(beginning)
        assert problem.line == 5


def test_templates_are_not_asked_for_without_a_catalogue(domain):
    """When the credentials are broken, nothing is known of it."""
    assert refused(domain("responses: {utter_x: [{custom: {template: {name: plane}}}]}")) == []


def test_a_template_beside_another_mistake(domain):
    """Both are told."""
    written = "responses:\n  utter_x:\n  - text: 7\n    custom:\n      template: {name: plane}\n"
    problems = refused(domain(written), templates=CATALOGUE)
    assert [(problem.line, problem.text.split(" ")[0]) for problem in problems] == [
        (3, "text"),
        (5, "custom.template:"),
    ]


def test_wording(domain):
    """The settings' words are part of what is checked: a list of four needs a label."""
    menu = ", ".join(f"{{title: t{n}, payload: /a}}" for n in range(4))
    found = domain(utter_x(f"- {{text: a, buttons: [{menu}]}}"))
    assert refused(found) == []
    assert len(refused(found, wording=Wording(list_button="x" * 30))) == 1
