"""`templates lint` reads domain, rules and actions: what the bot says of its own accord, its slots, its languages. Nothing is run."""

from __future__ import annotations

import json
import textwrap

import pytest
from click.testing import CliRunner

from rasa_whatsapp.cli import main

CATALOGUE = """whatsapp_templates:
- {name: news, language: en, category: UTILITY, components: [{type: BODY, text: "It is here."}]}
"""
DOMAIN = """
slots:
  order_id: {type: text}
  language: {type: text}
forms:
  news_form: {required_slots: [order_id]}
responses:
  utter_news:
  - text: "It is here."
    custom: {template: {name: news}}
  utter_bare:
  - text: "It is there."
  utter_ask_order_id:
  - text: "Which one?"
  utter_other_channel:
  - {channel: whatsapp, text: "It is here.", custom: {template: {name: news}}}
  - text: "It is there."
  utter_both:
  - condition: [{type: slot, name: care_window_open, value: true}]
    text: "It is there."
  - {text: "It is here.", custom: {template: {name: news}}}
  utter_languages:
  - condition: [{type: slot, name: language, value: de}]
    text: "Da."
  - {text: "It is here.", custom: {template: {name: news}}}
"""
BARE = (
    "domain.yml:12: utter_bare: it is said after EXTERNAL_x (data/rules.yml:{}) and has no template (custom.template)"
)


@pytest.fixture
def bot(tmp_path, monkeypatch):
    """Work in the folder of a bot whose only template is used."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data").mkdir()
    (tmp_path / "actions").mkdir()
    (tmp_path / "data/whatsapp_templates.yml").write_text(CATALOGUE, "utf-8")
    (tmp_path / "domain.yml").write_text(DOMAIN.replace(", name: language,", ", name: reader,"), "utf-8")
    return tmp_path


def lint(*arguments):
    """Return what is told, without the last line, which counts."""
    result = CliRunner().invoke(main, ["templates", "lint", *arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    *told, count = result.output.splitlines()
    assert result.exit_code == (1 if told else 0)
    assert "1 template checked" in count
    return told


def says(bot, *steps, before="", kind="rule"):
    """Write a rule (or a story) with these steps."""
    plural = {"rule": "rules", "story": "stories"}[kind]
    lines = [f"{plural}:", f"- {kind}: One", *before.splitlines(), "  steps:", *(f"  - {step}" for step in steps)]
    (bot / "data/rules.yml").write_text("\n".join(lines), "utf-8")


def acts(bot, text, name="actions.py"):
    """Write a file of actions."""
    (bot / "actions" / name).write_text(textwrap.dedent(text), "utf-8")


INSIDE = "  condition:\n  - slot_was_set:\n    - care_window_open: true"
OUTSIDE = "  condition:\n  - slot_was_set:\n    - care_window_open: false"


@pytest.mark.parametrize(
    ("steps", "more", "told"),
    [
        (["intent: EXTERNAL_x", "action: utter_news"], {}, None),
        (["intent: EXTERNAL_x", "action: utter_both"], {}, None),
        (["intent: EXTERNAL_x", "action: utter_other_channel"], {}, None),
        (["intent: EXTERNAL_x", "action: utter_unknown"], {}, None),
        (["intent: greet", "action: utter_bare"], {}, None),
        (["intent: EXTERNAL_x", "action: utter_bare"], {}, 5),
        (["intent: EXTERNAL_x", "action: utter_news", "action: utter_bare"], {}, 6),
        (["intent: EXTERNAL_x", "action: utter_bare"], {"kind": "story"}, 5),
        (["intent: EXTERNAL_x", "action: utter_news", "intent: greet", "action: utter_bare"], {"kind": "story"}, None),
        (["intent: EXTERNAL_x", "action: utter_news", "user: hi", "action: utter_bare"], {"kind": "story"}, None),
        (["or: [{intent: greet}, {intent: EXTERNAL_x}]", "action: utter_bare"], {}, 5),
        (["intent: EXTERNAL_x", "action: utter_bare"], {"before": INSIDE}, None),
        (["intent: EXTERNAL_x", "action: utter_bare"], {"before": OUTSIDE}, 8),
        (["intent: EXTERNAL_x", "slot_was_set: [{care_window_open: true}]", "action: utter_bare"], {"kind": "story"}, None),
        (["intent: EXTERNAL_x", "slot_was_set: [care_window_open]", "action: utter_bare"], {"kind": "story"}, 6),
        (["intent: EXTERNAL_x", "5", "action: 5", "intent: [x]", "action: utter_bare"], {}, 8),
    ],
)  # fmt: skip
def test_what_rules_and_stories_say_after_an_external_intent(bot, steps, more, told):
    """A response without a template is told at its line, with the place where it is said, unless the window is open there."""
    says(bot, *steps, **more)
    lines = lint()
    assert len(lines) == (0 if told is None else 1), lines
    for line in lines:
        assert line.startswith(BARE.format(told)), line


def tells(bot, **stories):
    """Write these stories, each a file of its own with a step in each line from the third on; return what lint tells of them."""
    for name, steps in stories.items():
        lines = [f"stories: [{{story: {name}, steps: [", *(f"  {{{step}}}," for step in steps), "]}]"]
        (bot / f"data/{name}.yml").write_text("\n".join(lines), "utf-8")
    return [line.split("(data/")[1].split(")")[0] for line in lint()]


IN, BARE_ONE, ON, GREET = "intent: EXTERNAL_x", "action: utter_bare", "checkpoint: on", "intent: greet"
WHEN_OPEN = "checkpoint: on, slot_was_set: [{care_window_open: true}]"


@pytest.mark.parametrize(
    ("stories", "told"),
    [
        ({"a": [IN, ON], "b": [ON, BARE_ONE]}, ["b.yml:3"]),
        ({"b": [IN, ON], "a": [ON, BARE_ONE]}, ["a.yml:3"]),  # in whatever order they are read
        ({"a": [GREET, ON], "b": [ON, BARE_ONE]}, []),
        ({"a": [IN, ON], "b": [ON, GREET, BARE_ONE]}, []),
        ({"a": [IN, GREET, ON], "b": [ON, BARE_ONE]}, []),
        ({"a": [IN, "slot_was_set: [{care_window_open: true}]", ON], "b": [ON, BARE_ONE]}, []),
        ({"a": [IN, ON], "b": [WHEN_OPEN, BARE_ONE]}, []),
        ({"a": [IN, ON], "b": [WHEN_OPEN, BARE_ONE], "c": [ON, BARE_ONE]}, ["c.yml:3"]),
        ({"a": [IN, ON], "b": [ON, "checkpoint: further"], "c": ["checkpoint: further", BARE_ONE]}, ["c.yml:3"]),
        ({"c": [IN, ON], "b": [ON, "checkpoint: further"], "a": ["checkpoint: further", BARE_ONE]}, ["a.yml:3"]),
        ({"a": [IN, ON], "b": [ON, "action: utter_news", ON], "c": [ON, BARE_ONE]}, ["c.yml:3"]),  # a circle
        ({"a": [ON, "checkpoint: further"], "b": ["checkpoint: further", ON]}, []),
        ({"a": [IN, ON, BARE_ONE]}, ["a.yml:4"]),  # in the middle of one
        ({"a": [IN], "b": [ON, BARE_ONE]}, []),  # nothing leads there
        ({"a": [IN, "checkpoint: [on]"], "b": [ON, BARE_ONE]}, []),
    ],
)
def test_checkpoints(bot, stories, told):
    """What leads to one goes on in the stories that begin with it, in whatever file; a customer's message ends it there as elsewhere."""
    assert tells(bot, **stories) == told


@pytest.mark.parametrize(
    ("margin", "minutes", "hours", "is_late"),
    [
        (None, 24 * 60 - 2, "23.9667", False),
        (None, 24 * 60 - 1, "23.9833", True),  # a minute, if nothing is set
        (900, 23 * 60 + 44, "23.7333", False),
        (900, 23 * 60 + 45, "23.75", True),
        (900, 23 * 60 + 50, "23.8333", True),
        (0, 24 * 60 - 1, "23.9833", False),
        ("soon", 24 * 60 - 2, "23.9667", False),  # which `check` tells
    ],
)
def test_the_margin_before_the_windows_end(bot, margin, minutes, hours, is_late):
    """A reminder that is due in it comes when a template is to go first, as the gate does it."""
    says(bot, "intent: EXTERNAL_x", "action: utter_bare")
    acts(bot, f'ReminderScheduled("EXTERNAL_x", datetime.now() + timedelta(minutes={minutes}))')
    if margin is not None:
        (bot / "credentials.yml").write_text(CREDENTIALS + f"care_window_margin_seconds: {margin}", "utf-8")
    expected = (
        f"actions/actions.py:1: the reminder EXTERNAL_x is due after {hours} h, when the care window is about to close "
        "(care_window_margin_seconds), and utter_bare has no template"
    )
    assert lint()[:1] == ([expected] if is_late else [])


def test_a_forms_question(bot):
    """What a form asks is said, too."""
    says(bot, "intent: EXTERNAL_x", "action: news_form")
    (line,) = lint()
    assert line.startswith("domain.yml:14: utter_ask_order_id: it is said after EXTERNAL_x (data/rules.yml:5)"), line


ACTION = """
class ActionNews(Action):
    def name(self):
        return "action_news"

    def run(self, dispatcher, tracker, domain):
        {}
        return []
"""
TOOLS = """
def tell(dispatcher):
    again(dispatcher)

def again(dispatcher):
    tell(dispatcher)
    dispatcher.utter_message(response=BARE)

BARE: str = "utter_bare"
"""


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("pass", False),
        ("dispatcher.utter_message(json_message=x)", False),
        ('if window.is_open: dispatcher.utter_message(response="utter_bare")', False),
        (
            'if not care_window(tracker).is_open: pass\n        else: dispatcher.utter_message(response="utter_bare")',
            False,
        ),
        ('if tracker.get_slot("care_window_open"): dispatcher.utter_message("x")', False),
        ('if not window.is_open: dispatcher.utter_message(response="utter_bare")', True),
        ('if x: dispatcher.utter_message(response="utter_bare")', True),
        ('if window.is_open: pass\n        dispatcher.utter_message(response="utter_bare")', True),
        ('dispatcher.utter_message(response="utter_news")', False),
        ('dispatcher.utter_message(response="utter_bare")', True),
        ('dispatcher.utter_message(response="utter_news" if x else "utter_bare")', True),
        ("dispatcher.utter_message(response=BARE)", True),
        ("dispatcher.utter_message(response=tools.BARE)", True),
        ('name = "utter_bare"; dispatcher.utter_message(response=name)', True),
        ('name = "utter_bare"; name = x; dispatcher.utter_message(response=name)', False),
        ("tell(dispatcher)", True),
        ("tools.tell(dispatcher)", True),
        ('return [FollowupAction("utter_bare")]', True),
        ('return [FollowupAction("action_other")]', True),
    ],
)
def test_what_an_action_says(bot, code, told):
    """Found by the syntax of the folder's files: names, helper functions, actions that follow."""
    says(bot, "intent: EXTERNAL_x", "action: action_news")
    acts(bot, ACTION.format(code))
    acts(bot, TOOLS, "tools.py")
    acts(bot, """
        class Other(Teller):
            NAME = "action_other"
            async def name(self): ...
            def name(self): return self.NAME
        class Teller(Other):
            def speak(self, dispatcher): dispatcher.utter_message(response="utter_bare")
    """, "other.py")  # fmt: skip
    assert [line.startswith(BARE.format(5)) for line in lint()] == [True] * told


@pytest.mark.parametrize("words", ['"It is there."', 'text="It is there."', "image=photo", "buttons=[]"])
def test_words_that_are_no_response(bot, words):
    """They cannot carry a template; the place is in the action."""
    says(bot, "intent: EXTERNAL_x", "action: action_news")
    acts(bot, ACTION.format(f"dispatcher.utter_message({words})"))
    (line,) = lint()
    assert line.startswith(
        "actions/actions.py:7: these words are said after EXTERNAL_x (data/rules.yml:5), and no response"
    ), line
    says(bot, "intent: EXTERNAL_x", "action: action_news", before=INSIDE)
    assert lint() == []


@pytest.mark.parametrize(
    ("due", "hours"),
    [
        ("datetime.now() + timedelta(hours=24)", "24"),
        ("datetime.datetime.now() + datetime.timedelta(days=2)", "48"),
        ("trigger_date_time=timedelta(2) + clock.now(tz=timezone.utc)", "48"),
        ("now + DELAY", "36"),
        ("now + self.DELAY - timedelta(hours=1)", "35"),
        ("(now + DELAY).astimezone(zone)", "36"),
        ("now + timedelta(seconds=60 * 60 * 25)", "25"),
        ("now + 3 * timedelta(days=1) / 2", "36"),
        ("due", "30"),
        ("datetime.now() + timedelta(hours=23, minutes=58)", "timely"),
        ("datetime.now() + timedelta(seconds=5)", "timely"),
        ("appointment - timedelta(days=2)", "unknown"),
        ("now + timedelta(days=count)", "unknown"),
        ("now + timedelta(days='2')", "unknown"),
        ("now + timedelta(fortnights=1)", "unknown"),
        ("now + timedelta(days=10 ** 9)", "unknown"),
        ("now + timedelta(days=1000000000)", "unknown"),
        ("now + timedelta(days=1) / 0", "unknown"),
        ("now.replace(hour=9)", "unknown"),
        ("twice", "unknown"),
        ("loop", "unknown"),
    ],
)
@pytest.mark.parametrize("intent", ["EXTERNAL_x", "remind"])
def test_when_a_reminder_is_due(bot, intent, due, hours):
    """From 24 h on it comes too late for a free text; before (and before the margin), it does not; what only running it tells is taken for late, with no place."""
    says(bot, f"intent: {intent}", "action: utter_bare", "action: utter_news")
    acts(bot, f"""
        DELAY = timedelta(hours=36)

        def remind(now):
            due = datetime.now()  + timedelta(hours=30)
            twice = now + timedelta(1)
            twice = now
            loop = loop
            return [ReminderScheduled("{intent}", {due})]
    """)  # fmt: skip
    at_the_response = BARE.format(5).replace("EXTERNAL_x", intent)
    at_the_reminder = f"actions/actions.py:9: the reminder {intent} is due after {hours} h, when the care window is closed, and utter_bare has no template"
    expected = {"timely": [], "unknown": [at_the_response]}.get(hours, [at_the_reminder, at_the_response])
    told = lint()
    assert len(told) == len(expected), told
    for line, begin in zip(told, expected, strict=True):
        assert line.startswith(begin), line


def test_one_late_reminder_of_two(bot):
    """The intent may come too late, whatever the other one is."""
    says(bot, "intent: EXTERNAL_x", "action: utter_bare")
    acts(bot, """
        ReminderScheduled(intent_name="EXTERNAL_x", trigger_date_time=now() + timedelta(hours=1))
        ReminderScheduled(intent_name="EXTERNAL_x", trigger_date_time=now() + timedelta(hours=25))
    """)  # fmt: skip
    late, bare = lint()
    assert late.startswith("actions/actions.py:3: the reminder EXTERNAL_x is due after 25 h"), late
    assert bare.startswith(BARE.format(5)), bare


WITH_SLOT = """
slots:
  order_id: {type: text}
responses:
  utter_news:
  - text: "It is here, {nobody}."
    custom:
      template:
        name: news
        parameters: {order: "{order_id}"}
        header: {document: {link: "{nowhere}"}}
        buttons: [{suffix: "a"}, {suffix: "{oder_id} {order_id}"}]
"""


@pytest.mark.parametrize(
    ("code", "told"),
    [
        (
            "",
            [
                "domain.yml:11: utter_news: custom.template.header.document.link: the domain has no slot 'nowhere', "
                "and no action gives it to utter_message",
                "domain.yml:12: utter_news: custom.template.buttons[1].suffix: the domain has no slot 'oder_id', "
                "and no action gives it to utter_message; did you mean order_id?",
            ],
        ),
        ('d.utter_message(response="utter_news", nowhere=1, oder_id=2)', []),
        ('d.utter_message(response="utter_news", **values)', []),
        ("d.utter_message(response=which, nowhere=1, oder_id=2)", []),
        ("d.utter_message(**values)", []),
        ('d.utter_message(response="utter_other", nowhere=1, oder_id=2)', None),
        ('d.utter_message(text="{nowhere}", nowhere=1, oder_id=2)', None),
    ],
)
def test_a_parameter_that_nothing_fills(bot, code, told):
    """A slot of the domain fills it, or an action that says the response; the text is Rasa's own affair."""
    (bot / "domain.yml").write_text(WITH_SLOT, "utf-8")
    acts(bot, code)
    lines = lint()
    assert lines == told if told is not None else len(lines) == 2, lines


@pytest.mark.parametrize(
    ("slot", "arguments", "told"),
    [
        ("{type: text}", [], "de"),  # a response asks for it
        ("{type: categorical, values: [en_GB, fr, 5, de]}", [], "de, fr"),
        ("{type: text, initial_value: pl}", [], "de, pl"),
        ("{type: text}", ["--languages", "en, pt-BR"], "pt-BR"),
        ("{type: text}", ["--languages", "en-US"], None),
        ("{type: text}", ["--languages", ""], None),
        ("{type: text}", ["--language-slot", "reader"], None),
    ],
)
def test_languages_of_the_bot(bot, slot, arguments, told):
    """Each template has a translation that serves their readers."""
    (bot / "domain.yml").write_text(DOMAIN.replace("language: {type: text}", f"language: {slot}"), "utf-8")
    text = f"data/whatsapp_templates.yml:2: news (en): it has no translation into {told}, which the bot speaks"
    assert lint(*arguments) == ([text] if told else [])


CREDENTIALS = "rasa_whatsapp.WhatsAppInput:\n  access_token: ${UNKNOWN}\n  "


@pytest.mark.parametrize(
    ("setting", "told"),
    [
        ("re_engagement_template: news", []),
        ("re_engagement_template: ${NEWS}", []),
        ("re_engagement_template: ${UNKNOWN}", []),
        ("re_engagement_template: other", ["data/whatsapp_templates.yml:2: news (en): no response of the domain uses it"]),
        ("language_slot: reader", ["data/whatsapp_templates.yml:2: news (en): it has no translation into de",
                                   "data/whatsapp_templates.yml:2: news (en): no response of the domain uses it"]),
    ],
)  # fmt: skip
def test_settings(bot, monkeypatch, setting, told):
    """The credentials may name a template that no response uses, and the slot; secrets need not be set, nor right."""
    monkeypatch.setenv("NEWS", "news")
    monkeypatch.delenv("UNKNOWN", raising=False)
    domain = DOMAIN.replace("name: news", "name: gone").replace(", name: language,", ", name: reader,")
    (bot / "domain.yml").write_text(domain, "utf-8")
    (bot / "credentials.yml").write_text(CREDENTIALS + setting, "utf-8")
    lines = lint()
    assert len(lines) == len(told), lines
    for line, begin in zip(lines, told, strict=True):
        assert line.startswith(begin), line


def test_no_language(bot):
    """A word that names none is refused."""
    result = CliRunner().invoke(main, ["templates", "lint", "--languages", "en,english"])
    assert (result.exit_code, "'english' is no code of a language" in result.output) == (2, True), result.output


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("data/rules.yml", "rules: [", "data/rules.yml:1: it cannot be read: line 1"),
        ("data/rules.yml", "rules: 5", None),
        ("data/nlu.yml", "nlu: [", None),  # nobody looks
        ("actions/x.py", "def (", "actions/x.py:1: it cannot be read: "),
        ("actions/x.py", "\0", "actions/x.py:1: it cannot be read: "),
    ],
)
def test_what_cannot_be_read(bot, name, content, told):
    """It is told, and nothing is said about the rest, which may be wrong then."""
    says(bot, "intent: EXTERNAL_x", "action: utter_news")
    (bot / name).write_text(content, "utf-8")
    lines = lint()
    assert [line.startswith(told) for line in lines] == [True] * len(lines)
    assert len(lines) == (1 if told else 0)


def test_other_places(bot):
    """Rules and actions may stand elsewhere, and a bot may have none."""
    says(bot, "intent: EXTERNAL_x", "action: action_news")
    (bot / "data/rules.yml").rename(bot / "elsewhere.yml")
    (bot / "actions").rmdir()
    assert lint() == []
    (bot / "code.py").write_text(ACTION.format('dispatcher.utter_message(response="utter_bare")'), "utf-8")
    (line,) = lint("--data", "elsewhere.yml", "--actions", "code.py")
    assert line.startswith("domain.yml:12: utter_bare: it is said after EXTERNAL_x (elsewhere.yml:5)"), line


def test_as_json(bot):
    """For CI: the response in a field of its own."""
    says(bot, "intent: EXTERNAL_x", "action: utter_bare")
    result = CliRunner().invoke(main, ["templates", "lint", "--format", "json"])
    (finding,) = json.loads(result.output)["findings"]
    assert (finding["file"], finding["line"], finding["template"], finding["response"]) == (
        "domain.yml",
        12,
        None,
        "utter_bare",
    )
