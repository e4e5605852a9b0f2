"""What a catalogue says of a template beside Meta's words: the responses that use it and what fills it, from the file to the message."""

from __future__ import annotations

import jsonschema
import pytest
from click.testing import CliRunner

from rasa_whatsapp.cli import main
from rasa_whatsapp.cloud.templates import TemplateBook, read_translation
from rasa_whatsapp.cloud.templates.declared import Declared, Known, Source, faults_of_keys, read_declared
from rasa_whatsapp.cloud.templates.schema import schema
from rasa_whatsapp.delivery import DeliveryRules

YES = {"type": "BUTTONS", "buttons": [{"type": "QUICK_REPLY", "text": "Yes"}]}
TEXT = "Your order {{order}} left {{shop}} on {{day}} at last, hooray!"
PARAMETERS = {"order": {"slot": "order_id"}, "shop": {"literal": "Kleeblatt"}, "day": {"entity": "time"}}


def entry(text=TEXT, **more):
    """Return an entry of a catalogue, its parameters by name."""
    components = [{"type": "BODY", "text": text}, YES]
    plain = {
        "name": "sent",
        "language": "en",
        "category": "UTILITY",
        "parameter_format": "NAMED",
        "components": components,
    }
    return plain | more


WHOLE = entry(response="utter_sent", parameters=PARAMETERS, payloads=["/affirm"])
DECLARED = Declared(
    "sent",
    ("utter_sent",),
    {"order": Source("slot", "order_id"), "shop": Source("literal", "Kleeblatt"), "day": Source("entity", "time")},
    ("/affirm",),
)


@pytest.mark.parametrize(
    ("content", "where", "told"),
    [
        (entry(), (), None),
        (WHOLE, (), None),
        (entry("Hello", response=["utter_a", "utter_b"]), (), None),
        (entry("You have {{1}} new ones.", parameter_format="POSITIONAL", response="utter_a", parameters={1: {"literal": 5}}), (), None),
        (entry(parameters=PARAMETERS), ("parameters",), "parameters belongs to response"),
        (entry(payloads=[]), ("payloads",), "payloads belongs to response"),
        (entry("Hello", response=""), ("response",), "the name of a response"),
        (entry("Hello", response=[]), ("response",), "the name of a response"),
        (entry("Hello", response=["utter_a", 5]), ("response",), "the name of a response"),
        (entry("Hello", response="utter_a", payloads="/affirm"), ("payloads",), "a list of texts"),
        (entry("Hello", response="utter_a", payloads=[5]), ("payloads",), "a list of texts"),
        (entry("Hello", response="utter_a", parameters=[]), ("parameters",), "not a mapping"),
        (entry(response="utter_a", parameters=PARAMETERS | {"order": "1002"}), ("parameters", "order"), "one of {slot: name}"),
        (entry(response="utter_a", parameters=PARAMETERS | {"order": {"slot": "a", "entity": "b"}}), ("parameters", "order"), "one of {slot: name}"),
        (entry(response="utter_a", parameters=PARAMETERS | {"order": {"sloth": "a"}}), ("parameters", "order"), "one of {slot: name}"),
        (entry(response="utter_a", parameters=PARAMETERS | {"order": {"slot": 5}}), ("parameters", "order"), "one of {slot: name}"),
        (entry(response="utter_a", parameters=PARAMETERS | {"order": {"literal": True}}), ("parameters", "order"), "one of {slot: name}"),
        (entry(response="utter_a", parameters=PARAMETERS | {"ordr": {"slot": "a"}}), ("parameters", "ordr"), "the template has no variable {{ordr}}"),
        (entry(response="utter_a", parameters={key: PARAMETERS[key] for key in ("order", "shop")}), ("parameters",), "does not say what fills {{day}}"),
    ],
)  # fmt: skip
def test_the_keys(content, where, told):
    """Each mistake is told at its place."""
    found = list(faults_of_keys(content))
    assert [fault.where for fault in found] == ([where] if told else [])
    assert all(told in fault.text for fault in found), found


@pytest.mark.parametrize("value", [None, 5, "x", [], [5], [None], {}, {"x": 1}, {5: None}, {"x": {"slot": []}}, True])
@pytest.mark.parametrize("key", ["name", "components", "parameter_format", "response", "parameters", "payloads"])
def test_nothing_raises(key, value):
    """Whatever stands in a file; what has no fault can be read."""
    content = WHOLE | {key: value}
    if not list(faults_of_keys(content)):
        read_declared(content)


def test_an_editor_knows_them():
    """The schema for editors lets the keys pass, and marks a source that is none."""
    validator = jsonschema.Draft7Validator(schema())
    for content, is_right in [
        (WHOLE, True),
        (entry("Hello", response=["utter_a"]), True),
        (entry("Hello", response="utter_a", parameters={"1": {"literal": 5}}), True),
        (entry(parameters=PARAMETERS), False),
        (entry(payloads=["/affirm"]), False),
        (entry(response=[]), False),
        (WHOLE | {"parameters": {"order": {"sloth": "a"}}}, False),
        (WHOLE | {"parameters": {"order": {"slot": "a", "entity": "b"}}}, False),
    ]:
        assert validator.is_valid({"whatsapp_templates": [content]}) is is_right, content


def test_what_is_read():
    """The sources by the names of the variables; nothing of an entry that declares nothing."""
    assert read_declared(WHOLE) == DECLARED
    assert read_declared(entry()) is None


@pytest.mark.parametrize(
    ("known", "order", "day"),
    [
        (Known({"order_id": "1002"}, {"time": "Monday"}), "1002", "Monday"),
        (Known({"order_id": 1002}, {"time": 9.5}), "1002", "9.5"),
        (Known({"order_id": None}, {}), "{order_id}", ""),
        (Known({"time": "Monday"}, {"order_id": "1002"}), "{order_id}", ""),
    ],
)
def test_what_fills_it(known, order, day):
    """Slots, entities and literals; what has no value is left for the check of the filled template to tell."""
    use = DECLARED.use(known, "de")
    assert use.parameters == {"order": order, "shop": "Kleeblatt", "day": day}
    assert (use.name, use.payloads, use.customer_language) == ("sent", ("/affirm",), "de")


class TestOnTheStore:
    """A gateway with a store: what goes to Meta."""

    pytestmark = pytest.mark.asyncio
    KNOWN = Known({"order_id": "1002"}, {"time": "Monday"})

    async def _said_after_a_day(self, stage, response, known=KNOWN):
        texts = [WHOLE, entry("Hello there", name="other")]
        book = TemplateBook(tuple(map(read_translation, texts)))
        rules = DeliveryRules(templates=book, fallback_languages=["en"])
        await stage.start(delivery=rules, declared={"utter_sent": DECLARED})
        await stage.receive(stage.message("Hi"))
        stage.clock.advance(hours=24)
        await stage.gateway.say(stage.contact_id, "api:1", 1, response, known=known)
        await stage.idle()
        return [body["template"] for body in stage.graph.sent]

    async def test_a_response_without_a_template(self, stage):
        """The catalogue's goes, filled; its button means its payload, over a restart, too."""
        (sent,) = await self._said_after_a_day(stage, {"text": "free", "utter_action": "utter_sent"})
        named = [("order", "1002"), ("shop", "Kleeblatt"), ("day", "Monday")]
        assert sent["name"] == "sent"
        assert sent["components"] == [
            {"type": "body", "parameters": [{"type": "text", "parameter_name": name, "text": text} for name, text in named]},
            {"type": "button", "sub_type": "quick_reply", "index": "0", "parameters": [{"type": "payload", "payload": "/affirm"}]},
        ]  # fmt: skip

    async def test_a_response_with_one_of_its_own(self, stage):
        """It goes first: the catalogue's is not asked."""
        response = {"text": "free", "utter_action": "utter_sent", "custom": {"template": {"name": "other"}}}
        (sent,) = await self._said_after_a_day(stage, response)
        assert sent["name"] == "other"

    @pytest.mark.parametrize("response", [{"text": "free"}, {"text": "free", "utter_action": "utter_other"}])
    async def test_another_response(self, stage, response):
        """Nothing stands for it."""
        assert await self._said_after_a_day(stage, response) == []
        assert "the response carries no template" in stage.rows("outbox")[-1]["reason"]

    async def test_a_slot_without_a_value(self, stage):
        """Refused before Meta does, with the slot's name."""
        response = {"text": "free", "utter_action": "utter_sent"}
        assert await self._said_after_a_day(stage, response, Known({}, {"time": "Monday"})) == []
        assert "parameter 'order' has no value: slot 'order_id' is not filled" in stage.rows("outbox")[-1]["reason"]

    async def test_inside_the_window(self, stage):
        """The text goes."""
        await stage.start(declared={"utter_sent": DECLARED})
        await stage.receive(stage.message("Hi"))
        stage.clock.advance(hours=23)
        await stage.gateway.say(stage.contact_id, "wamid.1", 1, {"text": "free", "utter_action": "utter_sent"})
        await stage.idle()
        assert stage.graph.texts == ["free"]


CATALOGUE = """whatsapp_templates:
- name: sent
  language: en
  category: UTILITY
  parameter_format: NAMED
  response: {response}
  parameters: {{order: {{slot: {slot}}}}}
  components:
  - type: BODY
    text: "Your order {{{{order}}}} is here."
    example: {{body_text_named_params: [{{param_name: order, example: "1002"}}]}}
"""
AGAIN = """- name: {name}
  language: {language}
  category: UTILITY
  response: utter_sent
  components: [{{type: BODY, text: "It is here."}}]
"""
DOMAIN = """
slots:
  order_id: {type: text}
responses:
  utter_sent:
  - text: "Your order {order_id} is here."
"""
RULES = "rules:\n- rule: One\n  steps:\n  - intent: EXTERNAL_x\n  - action: utter_sent\n"
PLACE = "data/whatsapp_templates.yml"


@pytest.fixture
def bot(tmp_path, monkeypatch):
    """Work in the folder of a bot whose response needs a template, which the catalogue declares."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data").mkdir()
    (tmp_path / "data/rules.yml").write_text(RULES, "utf-8")
    (tmp_path / "domain.yml").write_text(DOMAIN, "utf-8")
    return tmp_path


@pytest.mark.parametrize(
    ("catalogue", "told"),
    [
        (CATALOGUE.format(response="utter_sent", slot="order_id"), []),
        (CATALOGUE.format(response="utter_sent", slot="oder_id"),
         [f"{PLACE}:7: sent (en): parameters.order: the domain has no slot 'oder_id'; did you mean order_id?"]),
        (CATALOGUE.format(response="[utter_sent, utter_set]", slot="order_id"),
         [f"{PLACE}:6: sent (en): the domain has no response 'utter_set' for WhatsApp; did you mean utter_sent?"]),
        (CATALOGUE.format(response="''", slot="order_id"),
         [f"{PLACE}:2: sent (en): no response of the domain uses it", f"{PLACE}:6: sent (en): response is the name of a response",
          "domain.yml:6: utter_sent: it is said after EXTERNAL_x"]),
        (CATALOGUE.format(response="utter_sent", slot="order_id") + AGAIN.format(name="other", language="en"),
         [f"{PLACE}:15: other (en): utter_sent has the template sent, {PLACE}:2, already"]),
        (CATALOGUE.format(response="utter_sent", slot="order_id") + AGAIN.format(name="sent", language="de"),
         [f"{PLACE}:15: sent (de): response, parameters and payloads are others than at {PLACE}:2", f"{PLACE}:16: sent (de): its variables are none"]),
    ],
)  # fmt: skip
def test_lint(bot, catalogue, told):
    """A response that the catalogue gives a template needs none of its own; unknown names and contradictions are told."""
    (bot / PLACE).write_text(catalogue, "utf-8")
    result = CliRunner().invoke(main, ["templates", "lint"])
    lines = result.output.splitlines()[:-1]
    assert len(lines) == len(told), lines
    for line, begin in zip(lines, told, strict=True):
        assert line.startswith(begin), line


CREDENTIALS = """
rasa_whatsapp.WhatsAppInput:
  phone_number_id: 100000000000001
  access_token: token
  app_secret: secret
  verify_token: word
  templates: data/whatsapp_templates.yml
  fallback_languages: [en]
"""


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ((), None),
        (("category: UTILITY", "category: UTILITY\n  status: PAUSED"),
         "domain.yml:6: utter_sent: the catalogue's template for it: template 'sent' is not approved (it is PAUSED)"),
        (("  components:", "  components:\n  - {type: HEADER, format: LOCATION}"),
         "domain.yml:6: utter_sent: the catalogue's template for it: template 'sent' (en): its header is a location"),
        (("{order: {slot", "{ordr: {slot"), "parameters.ordr: the template has no variable {{ordr}}"),
    ],
)  # fmt: skip
def test_check(bot, changes, told):
    """`check` holds the response against it, as if it carried it."""
    catalogue = CATALOGUE.format(response="utter_sent", slot="order_id")
    (bot / PLACE).write_text(catalogue.replace(*changes) if changes else catalogue, "utf-8")
    (bot / "credentials.yml").write_text(CREDENTIALS, "utf-8")
    result = CliRunner().invoke(main, ["check"])
    assert (result.exit_code, told is None or told in result.output) == (int(told is not None), True), result.output
