"""Which language a text is written in: right or not told, never wrong, on sentences that were written by hand."""

from __future__ import annotations

from pathlib import Path

import pytest
from eld.languageData import languageData
from ruamel.yaml import YAML

from rasa_whatsapp.cloud import text_language

HELD_OUT = Path(__file__).parents[1] / "bot" / "nlu_test.yml"
BOTH = ("de", "en_US")

# The first English example of each intent of nlu_test.yml; those before it are German.
FIRST_ENGLISH = {
    "greet": "hello shop",
    "goodbye": "bye, have a nice evening",
    "thanks": "thank you for the information",
    "affirm": "yes, of course",
    "deny": "no, unfortunately not",
    "decline": "no thanks, not needed",
    "cancel": "please cancel",
    "ask_topics": "what topics do you know?",
    "ask_order_state": "Hi, where is my order please?",
    "inform_order_number": "my number is 1004",
    "ask_where_number": "where do I see the order number?",
    "remind_me": "Please remind me about my order tomorrow",
    "forget_reminder": "Please forget the reminder",
    "feedback_good": "that was really good",
    "feedback_bad": "that was not so good",
    "ask_human": "Can I please talk to a human?",
    "ask_bestsellers": "show me the most popular products",
    "ask_store": "is there a store in Berlin?",
    "ask_delivery": "How long does shipping to Austria take?",
    "ask_returns": "Can I return the teapot?",
    "ask_payment": "Which ways to pay are there?",
    "ask_privacy": "What do you actually store about me?",
    "ask_window": "How long may you write to me?",
    "ask_bot": "Are you actually a human or a bot?",
    "switch_language": "can we please speak English?",
    "out_of_scope": "What will the weather be like in Berlin?",
    "whatsapp_opt_out": "please send no more messages",
    "whatsapp_opt_in": "you may send me messages again",
}


def held_out():
    """Return the sentences that the example bot was not trained with, by their language."""
    found = {"de": [], "en": []}
    for entry in YAML(typ="safe").load(HELD_OUT.read_text(encoding="utf-8"))["nlu"]:
        lines = [line.removeprefix("- ") for line in entry["examples"].splitlines()]
        at = lines.index(FIRST_ENGLISH[entry["intent"]])
        found["de"] += lines[:at]
        found["en"] += lines[at:]
    return found


@pytest.mark.parametrize("language", ["de", "en"])
def test_the_example_bots_sentences(language):
    """None is taken for the other language; of those with three words or more, nineteen of twenty are told."""
    told = {line: text_language.language_of(line, BOTH) for line in held_out()[language]}
    assert {line: found for line, found in told.items() if found not in (language, None)} == {}
    longer = [found for line, found in told.items() if len([w for w in line.split() if w.strip("?,.!").isalpha()]) >= 3]
    assert longer.count(language) / len(longer) >= 0.95


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("Wo ist meine Bestellung?", "de"),
        ("where's my order please", "en"),
        ("Können wir bitte English sprechen?", "de"),
        ("Meine Nummer ist 1002, siehe https://example.com/the/order/is/here", "de"),
        ("my order is ABC-1002-DE and my mail is hans@beispiel.de, thanks", "en"),
        ("hello\nwhere is\nmy order", "en"),
        ("\U0001f600 where is my order \U0001f600\U0001f600", "en"),
        # too little
        ("", None), ("ok", None), ("Pizza", None), ("super", None), ("Hallo", None), ("Hello there", None),
        ("ok super", None), ("ja ja ja", None), ("hahaha hahaha hahaha", None), ("lol wtf omg", None),
        ("2", None), ("1004", None), ("12 34 56 78", None), ("\U0001f600\U0001f44d\U0001f44d", None), ("\u2764\ufe0f", None),
        ("https://example.com/where/is/my/order", None), ("www.example.com/wo-ist-meine-bestellung", None),
        ("where.is.my.order@example.com", None), ("..., !!! ???", None), ("\ud800\udfff", None), ("\x00\x00\x00", None),
        # names, addresses, products: nobody's language
        ("Anna Schmidt, Hauptstraße 5, 20095 Hamburg", None),
        ("John Smith, 12 Baker Street, London", None),
        ("Samsung Galaxy S24 Ultra", None),
        ("Harry Potter, Best Western Plus Hotel", None),
        # two at once
        ("Wo ist mein Order Update? Please help", None),
        ("No problem, alles gut!", None),
        # one that is not asked for
        ("Merhaba, siparişim nerede acaba?", None),
        ("Où est ma commande s'il vous plaît ?", None),
        ("Hola, ¿dónde está mi pedido?", None),
        ("Waar blijft mijn bestelling?", None),
        ("Hvor er min pakke, tak?", None),
        ("Где мой заказ, скажите пожалуйста?", None),
        ("我的订单在哪里", None),
    ],
)  # fmt: skip
def test_german_or_english(text, told):
    """A text is in one of them only if it tells so."""
    assert text_language.language_of(text, BOTH) == told


@pytest.mark.parametrize(
    ("text", "among", "told"),
    [
        ("Merhaba, siparişim nerede acaba?", ["de", "tr"], "tr"),
        ("Où est ma commande s'il vous plaît ?", ["fr", "en"], "fr"),
        ("Hola, ¿dónde está mi pedido?", ["es_LA", "pt_BR"], "es"),
        ("Onde está a minha encomenda, por favor?", ["es_LA", "pt_BR"], "pt"),
        ("Waar blijft mijn bestelling?", ["de", "nl"], "nl"),
        ("Dzień dobry, gdzie jest moja paczka?", ["pl"], "pl"),
        ("Хочу вернуть посылку, как это сделать?", ["ru", "uk"], "ru"),
        ("Де моє замовлення, підкажіть будь ласка", ["ru", "uk"], "uk"),
        ("Де моє замовлення, підкажіть будь ласка", ["ru"], None),
        ("मेरा ऑर्डर कहाँ है", ["hi", "en"], "hi"),
        ("मेरा ऑर्डर कहाँ है", ["hi", "mr"], None),
        ("Quero devolver o pacote por favor", ["pt_BR", "en"], None),  # as well Spanish, by its letters
        ("我的订单在哪里", ["zh_CN", "en"], "zh"),
        ("ご注文はどこですか", ["ja"], "ja"),
        ("พัสดุของฉันอยู่ที่ไหน", ["th"], "th"),
        ("Kan jeg få pengene mine tilbake?", ["nb", "en"], "no"),  # Danish is near, but would mean the same template
        ("Kan jeg få pengene mine tilbake?", ["nb", "da"], None),
        ("订单", ["zh_CN"], None),
        ("Wo ist meine Bestellung?", [], None),
    ],
)
def test_other_languages(text, among, told):
    """Meta's codes with a region ask for the language; scripts without blanks are counted by characters."""
    assert text_language.language_of(text, among) == told


def test_what_is_known_is_what_the_library_knows():
    """The list that an operator is shown."""
    text_language.prepare()
    assert sorted(text_language.KNOWN) == sorted(languageData.lang_codes.values())


@pytest.mark.parametrize(
    ("code", "known"), [("de", True), ("pt_BR", True), ("nb", True), ("fil", True), ("zh_CN", True), ("id", False), ("af", False)]
)  # fmt: skip
def test_is_known(code, known):
    """By their readers, not by their letters: Bokmål is Norwegian."""
    assert text_language.is_known(code) == known


def test_long_texts_are_quick_to_tell():
    """Only the beginning is looked at: a text of Meta's greatest length tells the same, and one word of it nothing."""
    assert text_language.language_of("Wo ist meine Bestellung? " * 160, BOTH) == "de"
    assert text_language.language_of("WoistmeineBestellung" * 200, BOTH) is None
