"""The domain against the contract with the channel, against the template catalogue, and against WhatsApp's limits."""

from __future__ import annotations

import itertools
import re
from functools import cache
from typing import Any

import pytest
from actions.stores import STORES
from ruamel.yaml import YAML

from rasa_whatsapp import yaml_files
from rasa_whatsapp.cloud import content
from rasa_whatsapp.cloud.drafts import Buttons, Carousel, Link, ListMenu, MediaMessage, Raw, Text
from rasa_whatsapp.responses.utterances import to_utterance

from .conftest import ROOT

PLACEHOLDER = re.compile(r"{([a-z_]+)}")
LANGUAGES = ("de", "en")


@cache
def read(path: str) -> Any:
    """Return a YAML file of the project as plain values."""
    return YAML(typ="safe").load((ROOT / path).read_text(encoding="utf-8"))


RESPONSES: dict[str, list[dict[str, Any]]] = read("domain.yml")["responses"]
VARIANTS = [
    pytest.param(variant, id=f"{name}-{index}")
    for name, variants in RESPONSES.items()
    for index, variant in enumerate(variants)
]
TEMPLATES = {
    (template["name"], template["language"]): template
    for template in read("data/whatsapp_templates.yml")["whatsapp_templates"]
}
WITH_TEMPLATE = [
    pytest.param(name, variant, id=f"{name}-{index}")
    for name, variants in RESPONSES.items()
    for index, variant in enumerate(variants)
    if "template" in variant.get("custom", {})
]


def templates_of(variant: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the templates of a variant in the order in which they are tried."""
    wanted = variant["custom"]["template"]
    return wanted if isinstance(wanted, list) else [wanted]


INTENTS = {next(iter(intent)) if isinstance(intent, dict) else intent for intent in read("domain.yml")["intents"]}


def declared_for(response: str) -> dict[tuple[str, str], dict[str, Any]]:
    """Return the translations of the template that the catalogue declares for a response, none if it declares none."""
    names = {template["name"] for template in TEMPLATES.values() if template.get("response") == response}
    return {key: template for key, template in TEMPLATES.items() if key[0] in names}


def conditions(variant: dict[str, Any]) -> dict[str, Any]:
    """Return which slot must have which value."""
    return {condition["name"]: condition["value"] for condition in variant.get("condition", [])}


def component(template: dict[str, Any], kind: str) -> dict[str, Any]:
    """Return one part of a template, empty if it has none."""
    return next((part for part in template["components"] if part["type"] == kind), {})


def proactive_responses() -> set[str]:
    """Return what rules say first when a follow-up is due, and all they say outside the window."""
    return {
        action
        for rule in read("data/rules.yml")["rules"]
        if str(rule["steps"][0].get("intent")).startswith("EXTERNAL_")
        for action in _said(rule)
    }


def _said(rule: dict[str, Any]) -> list[str]:
    said = [str(step["action"]) for step in rule["steps"] if str(step.get("action")).startswith("utter_")]
    is_inside = {"slot_was_set": [{"care_window_open": True}]} in rule.get("condition", [])
    return said[:1] if is_inside else said


@pytest.mark.parametrize(
    ("slot", "kind", "influences"),
    [
        ("care_window_open", "bool", True),
        ("care_window_expires_at", "text", False),
        ("whatsapp_consent", "text", False),
    ],
)
def test_the_channel_fills_its_slots(slot: str, kind: str, influences: bool) -> None:
    """The slot is declared as the channel fills it: from the entity of the same name, which is no feature itself."""
    declared = read("domain.yml")["slots"][slot]
    assert declared["type"] == kind
    assert declared["influence_conversation"] is influences
    assert declared["mappings"] == [{"type": "from_entity", "entity": slot}]
    assert {slot: {"influence_conversation": False}} in read("domain.yml")["entities"]


def test_the_channels_intents_are_declared() -> None:
    """STOP and START reach the bot only if the domain knows their intents."""
    assert {"whatsapp_opt_out", "whatsapp_opt_in"} <= INTENTS


def test_a_message_without_words_has_an_intent_that_the_channel_knows() -> None:
    """An intent of the channel's that is misspelled would never come; one that is not declared is `whatsapp_unsupported`."""
    declared = {intent for intent in INTENTS if intent.startswith("whatsapp_")} - {
        "whatsapp_opt_out",
        "whatsapp_opt_in",
    }
    assert declared <= set(content.INTENTS)
    assert content.UNSUPPORTED in declared


@pytest.mark.parametrize("name", ["whatsapp_media", "whatsapp_location", "whatsapp_order"])
def test_what_a_message_brings_goes_into_a_slot(name: str) -> None:
    """The slot takes the entity of the same name, one that the channel knows, and is no feature."""
    assert read("domain.yml")["slots"][name] == {"type": "any", "mappings": [{"type": "from_entity", "entity": name}]}
    assert name in content.INTENTS.values()


@pytest.mark.parametrize("name", RESPONSES)
def test_a_response_finds_one_variant_in_each_language(bot: Any, name: str) -> None:
    """Whatever the slots and the channel are, Rasa's own choice leaves one variant, in the customer's language."""
    from rasa.core.nlg.generator import ResponseVariationFilter

    others: dict[str, set[Any]] = {}
    for variant in RESPONSES[name]:
        for slot, value in conditions(variant).items():
            if slot != "language":
                others.setdefault(slot, set()).add(value)
    for values in itertools.product(*others.values()):
        for language, channel in itertools.product(LANGUAGES, ("whatsapp", "rest")):
            slots = {"language": language, **dict(zip(others, values, strict=True))}
            found = ResponseVariationFilter(RESPONSES).responses_for_utter_action(name, channel, slots)
            assert len(found) == 1, (slots, channel)
            has_words = "text" in found[0] or "body" in found[0]["custom"]["whatsapp"].get("interactive", {})
            assert not has_words or (conditions(found[0]).get("language") == "de") == (language == "de"), (
                slots,
                channel,
            )


@pytest.mark.parametrize("variant", VARIANTS)
def test_texts_and_buttons_are_within_whatsapps_limits(variant: dict[str, Any]) -> None:
    """Nothing has to be split: a body of 1,024, titles of 20 (so they fit buttons and list rows), ten rows, unique titles."""
    titles = [button["title"] for button in variant.get("buttons", [])]
    assert len(variant.get("text", "")) <= 900
    assert len(titles) <= 10
    assert len(set(titles)) == len(titles)
    assert all(1 <= len(title) <= 20 for title in titles)
    assert all(len(button.get("payload", "")) <= 200 for button in variant.get("buttons", []))
    assert all(len(button.get("description", "")) <= 72 for button in variant.get("buttons", []))


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_response_can_be_sent(variant: dict[str, Any]) -> None:
    """The channel takes every response as it stands."""
    assert to_utterance(variant).drafts


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_text_names_only_slots(variant: dict[str, Any]) -> None:
    """What stands in braces is a slot of the domain."""
    assert set(PLACEHOLDER.findall(variant.get("text", ""))) <= set(read("domain.yml")["slots"])


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_button_says_an_intent_of_the_domain(variant: dict[str, Any]) -> None:
    """A payload is a command with an intent that the bot knows, and never one that only a timer says."""
    for button in variant.get("buttons", []):
        if "url" in button:
            continue
        intent = button["payload"].removeprefix("/").split("{")[0]
        assert intent in INTENTS
        assert not intent.startswith("EXTERNAL_")


def test_more_than_three_choices_are_shown_somewhere() -> None:
    """The topics are a list on WhatsApp, whose rows say more than their titles."""
    assert [len(variant["buttons"]) for variant in RESPONSES["utter_topics"]] == [8, 8, 8, 8]
    for variant in RESPONSES["utter_topics"]:
        assert all(("description" in button) == ("channel" in variant) for button in variant["buttons"])


def test_links_lead_to_no_real_place() -> None:
    """Addresses are of a host that can't exist (RFC 2606)."""
    found = re.findall(r"https?://([^/\"]+)", (ROOT / "domain.yml").read_text(encoding="utf-8"))
    assert set(found) == {"shop.example"}


@pytest.mark.parametrize(
    ("name", "drafts", "reply_to"),
    [
        pytest.param("utter_topics", [ListMenu], None, id="a list"),
        pytest.param("utter_greet", [Buttons], None, id="buttons"),
        pytest.param("utter_returns", [Link], None, id="a button that opens a page"),
        pytest.param("utter_where_order_number", [MediaMessage], None, id="a picture with its text"),
        pytest.param("utter_bestsellers", [Carousel], None, id="cards"),
        pytest.param("utter_ask_location", [Raw], None, id="a request for the location"),
        pytest.param("utter_store_location", [Raw], None, id="a place"),
        pytest.param("utter_attachment", [Buttons], "last", id="a quote of the customer's file"),
    ],
)
def test_each_kind_of_message_is_shown_somewhere(name: str, drafts: list[type], reply_to: str | None) -> None:
    """One bubble each, as designers see it on the phone."""
    utterance = to_utterance(RESPONSES[name][0])
    assert ([type(draft) for draft in utterance.drafts], utterance.reply_to) == (drafts, reply_to)


def test_markdown_becomes_whatsapps_own() -> None:
    """In a response for all channels two asterisks are one on WhatsApp; what a file is called is no markup."""
    (draft,) = to_utterance(RESPONSES["utter_delivery"][-1]).drafts
    assert isinstance(draft, Text)
    assert "within *two to three working days* in" in draft.body
    named = RESPONSES["utter_attachment_kept"][1]["text"].replace("{attachment_name}", "document-1f-my_own_file.pdf")
    assert "document-1f-my_own_file.pdf" in str(to_utterance({"text": named}).drafts)


def test_the_stores_are_where_the_actions_think() -> None:
    """The map shows the places that the distances were measured to, and the sentence above it says the same address."""
    shown = {
        conditions(variant)["nearest_store"]: variant["custom"]["whatsapp"]["location"]
        for variant in RESPONSES["utter_store_location"]
        if "custom" in variant
    }
    places = {key: (place["latitude"], place["longitude"]) for key, place in shown.items()}
    assert places == {store.key: (store.latitude, store.longitude) for store in STORES}
    told = [
        variant for variant in RESPONSES["utter_nearest_store"] if conditions(variant).get("nearest_store") in shown
    ]
    assert len(told) == 2 * len(shown)
    for variant in told:
        place = shown[conditions(variant)["nearest_store"]]
        assert f"**{place['name']}**, {place['address']}:" in variant["text"]


def test_follow_ups_are_said() -> None:
    """Both follow-ups have a response, the reminder one for each state of the window."""
    assert proactive_responses() == {"utter_order_reminder", "utter_order_reminder_now", "utter_open_question"}


@pytest.mark.parametrize("name", sorted(proactive_responses()))
def test_a_follow_up_has_a_template_in_each_language(name: str) -> None:
    """Outside the window nothing else may be sent. The response carries it, or the catalogue says that it stands for the response."""
    languages = [
        {template["language"] for template in templates_of(variant)}
        for variant in RESPONSES[name]
        if variant.get("channel") == "whatsapp"
    ]
    declared = {language for (_, language) in declared_for(name)}
    assert (languages, declared) in [([{"de"}, {"en"}], set()), ([], {"de", "en"})]


@pytest.mark.parametrize(("name", "variant"), WITH_TEMPLATE)
def test_a_template_is_approved_and_gets_what_it_needs(name: str, variant: dict[str, Any]) -> None:
    """It exists in the language it is wanted in, with these parameters and as many payloads as it has buttons."""
    for wanted in templates_of(variant):
        approved = TEMPLATES[wanted["name"], wanted["language"]]
        assert (wanted["language"] == "de") == (conditions(variant).get("language") == "de")
        assert approved["status"] == "APPROVED"
        named = re.findall(r"{{([a-z_]+)}}", component(approved, "BODY")["text"])
        assert wanted["parameters"] == {parameter: f"{{{parameter}}}" for parameter in named}
        assert len(wanted["payloads"]) == len(component(approved, "BUTTONS")["buttons"])


@pytest.mark.parametrize(
    "variant",
    [param.values[1] for param in WITH_TEMPLATE if param.values[0] != "utter_order_reminder_now"],
    ids=[str(param.id) for param in WITH_TEMPLATE if param.values[0] != "utter_order_reminder_now"],
)
def test_a_template_says_what_the_text_says(variant: dict[str, Any]) -> None:
    """The customer reads the same sentence and the same buttons inside and outside the window, if Meta takes the first template."""
    wanted = templates_of(variant)[0]
    approved = TEMPLATES[wanted["name"], wanted["language"]]
    assert component(approved, "BODY")["text"] == PLACEHOLDER.sub(r"{{\1}}", variant["text"])
    assert wanted["payloads"] == [button["payload"] for button in variant["buttons"]]
    assert [button["text"] for button in component(approved, "BUTTONS")["buttons"]] == [
        button["title"] for button in variant["buttons"]
    ]


def test_a_declared_template_says_what_the_text_says() -> None:
    """The same for the response whose template stands in the catalogue, with what fills it and what its buttons mean."""
    templates = declared_for("utter_open_question")
    declared = templates["open_question", "en"]
    assert declared["parameters"] == {"order_id": {"slot": "order_id"}}
    for variant in RESPONSES["utter_open_question"]:
        template = templates["open_question", conditions(variant).get("language", "en")]
        assert component(template, "BODY")["text"] == PLACEHOLDER.sub(r"{{\1}}", variant["text"])
        assert declared["payloads"] == [button["payload"] for button in variant["buttons"]]
        titles = [button["text"] for button in component(template, "BUTTONS")["buttons"]]
        assert titles == [button["title"] for button in variant["buttons"]]


def test_the_template_that_asks_to_be_written_to() -> None:
    """It stands in both languages, without a variable, with one button, and a rule answers the tap on that."""
    settings = yaml_files.load(ROOT / "credentials.yml")["rasa_whatsapp.WhatsAppInput"]
    asking = {key: each for key, each in TEMPLATES.items() if key[0] == settings["re_engagement_template"]}
    assert sorted(language for _, language in asking) == ["de", "en"]
    for template in asking.values():
        assert "{{" not in component(template, "BODY")["text"]
        assert [button["type"] for button in component(template, "BUTTONS")["buttons"]] == ["QUICK_REPLY"]
    intent = settings["re_engagement_payload"].removeprefix("/")
    assert intent in INTENTS
    assert [rule["steps"] for rule in read("data/rules.yml")["rules"] if rule["steps"][0].get("intent") == intent] == [
        [{"intent": "show_parked"}, {"action": "utter_all_shown"}]
    ]


@pytest.mark.parametrize("key", TEMPLATES, ids="-".join)
def test_a_template_follows_metas_creation_rules(key: tuple[str, str]) -> None:
    """An example per variable, no variable at either end, a footer of 60, labels of 25, a way to stop."""
    template = TEMPLATES[key]
    body = component(template, "BODY")
    names = re.findall(r"{{([a-z_]+)}}", body["text"])
    examples = body.get("example", {}).get("body_text_named_params", [])
    assert [example["param_name"] for example in examples] == names
    assert not body["text"].startswith("{{")
    assert not body["text"].endswith("}}")
    assert len(component(template, "FOOTER")["text"]) <= 60
    assert "STOP" in component(template, "FOOTER")["text"]
    assert all(len(button["text"]) <= 25 for button in component(template, "BUTTONS")["buttons"])


def test_asking_for_a_reminder_is_the_opt_in_in_words() -> None:
    """Each sentence that records the opt-in says so, and says how to take it back."""
    said = [variant for variant in RESPONSES["utter_reminder_set"] if "custom" in variant]
    assert [variant["custom"]["consent"] for variant in said] == [
        {"opt_in": "utility", "source": "reminder request"}
    ] * 2
    assert all("STOP" in variant["text"] for variant in said)


def test_the_care_window_is_used_in_a_condition_a_rule_and_a_story() -> None:
    """The example shows one of each to designers."""

    def asks(steps: list[dict[str, Any]], value: bool) -> bool:
        return any({"care_window_open": value} in step.get("slot_was_set", []) for step in steps)

    assert any("care_window_open" in conditions(variant) for variant in RESPONSES["utter_window"])
    assert any(asks(rule.get("condition", []), False) for rule in read("data/rules.yml")["rules"])
    assert any(asks(story["steps"], True) for story in read("data/stories.yml")["stories"])
