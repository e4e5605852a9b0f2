"""The training data as Rasa's own tools judge it: validation, test stories, and intents of sentences that were not learned."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from .conftest import ROOT

Rasa = Callable[..., "subprocess.CompletedProcess[str]"]
MARKUP = re.compile(r"\[([^\]]*)\](?:\([^)]*\)|{[^}]*})")


def sentences(path: Path) -> list[tuple[str, str]]:
    """Return the intent and the plain text of every example in an NLU file."""
    entries = YAML(typ="safe").load(path.read_text(encoding="utf-8"))["nlu"]
    return [
        (entry["intent"], MARKUP.sub(r"\1", line.removeprefix("- ")))
        for entry in entries
        if "intent" in entry
        for line in entry["examples"].splitlines()
    ]


def test_the_data_is_valid_without_a_warning(rasa_command: Rasa, tmp_path: Path) -> None:
    """`rasa data validate` finds nothing to say."""
    finished = rasa_command(
        "data", "validate", "--domain", "domain.yml", "--data", "data", "--fail-on-warnings", folder=tmp_path
    )
    output = finished.stdout + finished.stderr
    assert finished.returncode == 0, output
    assert "UserWarning" not in output
    assert "rasa.validator  - No story structure conflicts found." in output


def test_no_test_story_fails(rasa_command: Rasa, trained_model: Path, tmp_path: Path) -> None:
    """Every flow in tests/test_stories.yml goes as it is written, from the typed text to the bot's actions."""
    finished = rasa_command(
        "test", "core", "--stories", "tests/test_stories.yml", "--model", str(trained_model), "--out", str(tmp_path),
        "--no-plot", "--fail-on-prediction-errors", folder=tmp_path,
    )  # fmt: skip
    output = finished.stdout + finished.stderr
    assert finished.returncode == 0, output[-3000:]
    played = re.search(r"Evaluation Results on CONVERSATION level:.*?Correct:\s+(\d+) / (\d+)", output, re.DOTALL)
    assert played is not None, output[-3000:]
    stories = (ROOT / "tests/test_stories.yml").read_text(encoding="utf-8").count("\n- story: ")
    assert played.groups() == (str(stories), str(stories))


def test_the_test_sentences_are_not_learned() -> None:
    """No test sentence stands in the training data, not even with other capitals or another mark at its end."""

    def bare(path: str) -> set[str]:
        return {text.casefold().strip(" !?.,") for _, text in sentences(ROOT / path)}

    assert not bare("tests/bot/nlu_test.yml") & bare("data/nlu.yml")


def test_intents_of_unknown_sentences_are_found(bot: Any) -> None:
    """At least 95 of 100 sentences get their intent."""
    examples = sentences(ROOT / "tests/bot/nlu_test.yml")
    wrong = [
        f"{text!r}: {intent}, not {found}"
        for intent, text in examples
        if (found := bot.parse(text)["intent"]["name"]) != intent
    ]
    assert len(wrong) <= len(examples) * 0.05, "\n".join(wrong)
