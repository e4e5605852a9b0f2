"""When a model is trained."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from rasa_whatsapp.demo import ensure_model
from rasa_whatsapp.demo.failures import NotABot, TrainingFailed
from rasa_whatsapp.demo.model import newest_model, reason_to_train

OLD, TRAINED, NEW = 1_000, 2_000, 3_000


def put(path: Path, changed_at: int) -> Path:
    """Write a file that was changed at some time."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("version: '3.1'\n")
    os.utime(path, (changed_at, changed_at))
    return path


@pytest.mark.parametrize(
    ("newer", "reason"),
    [
        ([], None),
        (["config.yml"], "config.yml is newer than the model"),
        (["domain.yml"], "domain.yml is newer than the model"),
        (["domain/orders.yml"], "domain/orders.yml is newer than the model"),
        (["data/nlu.yml"], "data/nlu.yml is newer than the model"),
        (["data/de/deep/stories.yaml"], "data/de/deep/stories.yaml is newer than the model"),
        (["data/component.py"], "data/component.py is newer than the model"),
        (["data/whatsapp_templates.yml"], None),
        (["data/whatsapp_templates/orders.yml"], None),
        (["data/orders.db"], None),
        (["credentials.yml"], None),
        (["actions/actions.py"], None),
    ],
)
def test_model_older_than_its_data(newer: list[str], reason: str | None, tmp_path: Path) -> None:
    """Only what a model is made of makes it old."""
    for name in ("config.yml", "domain.yml", "data/nlu.yml"):
        put(tmp_path / name, OLD)
    put(tmp_path / "models" / "model.tar.gz", TRAINED)
    for name in newer:
        put(tmp_path / name, NEW)
    assert reason_to_train(tmp_path) == reason


def test_no_model_is_a_reason(tmp_path: Path) -> None:
    """A missing models folder and an unfinished training are no model."""
    assert reason_to_train(tmp_path) == "there is no model yet"
    put(tmp_path / "models" / ".training-1" / "half.tar.gz", NEW)
    assert reason_to_train(tmp_path) == "there is no model yet"


def test_newest_of_several_models_counts(tmp_path: Path) -> None:
    """An older model beside it does not matter."""
    put(tmp_path / "data/nlu.yml", TRAINED - 1)
    put(tmp_path / "models" / "z.tar.gz", OLD)
    newest = put(tmp_path / "models" / "a.tar.gz", TRAINED)
    assert newest_model(tmp_path) == newest
    assert reason_to_train(tmp_path) is None


def test_training_makes_the_model_up_to_date(bot: Path, tmp_path: Path) -> None:
    """After a training there is a model, nothing to train, and no leftover."""
    assert ensure_model(bot, log=tmp_path / "log") == bot / "models" / "fake.tar.gz"
    assert reason_to_train(bot) is None
    assert [path.name for path in (bot / "models").iterdir()] == ["fake.tar.gz"]


def test_up_to_date_model_is_not_trained_again(bot: Path) -> None:
    """Nothing is run when there is nothing to do."""
    model = put(bot / "models" / "mine.tar.gz", 4_000_000_000)
    assert ensure_model(bot, environment={}) == model


def test_edit_during_the_training_is_newer(bot: Path, tmp_path: Path) -> None:
    """A file that was changed while the training ran is trained the next time."""
    ensure_model(bot, environment={**os.environ, "EDITED": "domain.yml"}, log=tmp_path / "log")
    assert reason_to_train(bot) == "domain.yml is newer than the model"


def test_failed_training_tells_its_last_lines(bot: Path, tmp_path: Path) -> None:
    """The reason is not left in a file."""
    environment = {**os.environ, "TRAIN_FAULT": "yes"}
    with pytest.raises(TrainingFailed, match=r"exit code 1(.|\n)*no training data"):
        ensure_model(bot, environment=environment, log=tmp_path / "log")
    assert list((bot / "models").iterdir()) == []


def test_folder_without_a_bot(tmp_path: Path) -> None:
    """All that is missing is named."""
    with pytest.raises(NotABot, match=r"config\.yml, data, domain\.yml missing"):
        ensure_model(tmp_path)
