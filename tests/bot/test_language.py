"""Which language the customer writes: the words in data/language.yml, alone and in whole sentences."""

from __future__ import annotations

import re
from typing import Any

import pytest
from ruamel.yaml import YAML

from .conftest import ROOT

ENTRIES = YAML(typ="safe").load((ROOT / "data/language.yml").read_text(encoding="utf-8"))["nlu"]
BY_NAME = {"en": {"english", "englisch"}, "de": {"german", "deutsch"}}


def lines(kind: str, name: str) -> list[str]:
    """Return the examples of one entry."""
    found = next(entry for entry in ENTRIES if entry.get(kind) == name)
    return [line.removeprefix("- ") for line in found["examples"].splitlines()]


@pytest.mark.parametrize(("language", "pattern"), [("en", 0), ("de", 1)])
def test_a_word_stands_in_its_pattern_twice_and_in_the_synonyms(language: str, pattern: int) -> None:
    """The three lists that a word is added to are the same."""
    first, second = re.findall(r"\(\?:(.*?)\)\\b", lines("regex", "language")[pattern])
    assert first == second
    assert set(first.split("|")) | BY_NAME[language] == set(lines("synonym", language))


def test_no_word_is_in_both_languages() -> None:
    """A word that both languages know says nothing."""
    assert not set(lines("synonym", "de")) & set(lines("synonym", "en"))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Hallo", ["de"]),
        ("Moin", ["de"]),
        ("Wo ist meine Bestellung?", ["de"]),
        ("Abbrechen", []),
        ("ja", ["de"]),
        ("DANKE", ["de"]),
        ("Hello", ["en"]),
        ("Where is my order?", ["en"]),
        ("yes please", ["en"]),
        ("Hi", []),
        ("ok", []),
        ("1002", []),
        ("cancel", []),
        ("Hi, wo ist meine Order?", ["en", "de"]),
        ("Can you speak Deutsch?", ["en", "de"]),
        ("Kannst du Englisch?", ["de", "en"]),
        ("English please", ["en", "en"]),
    ],
)
def test_a_sentence_tells_its_language(bot: Any, text: str, found: list[str]) -> None:
    """At most one entity for each pattern; the slot takes the last one."""
    assert [entity["value"] for entity in bot.parse(text)["entities"] if entity["entity"] == "language"] == found
