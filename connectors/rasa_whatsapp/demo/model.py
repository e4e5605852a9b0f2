"""Decides whether a bot's model must be trained, and trains it with `rasa train`.

Law: a model counts only when it is complete (it is moved into `models/` when done) and not older than its data.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from rasa_whatsapp.demo.failures import NotABot, TrainingFailed
from rasa_whatsapp.demo.processes import Process, nothing

MODELS = "models"
SUFFIXES = {".yml", ".yaml", ".json", ".txt", ".md", ".py"}  # .py: components that the bot keeps beside its data
# Under data/, but nothing that a model is made of: a file or a folder of templates.
NO_TRAINING_DATA = {"whatsapp_templates.yml", "whatsapp_templates"}


def newest_model(folder: Path) -> Path | None:
    """Return the bot's newest model file."""
    return max((folder / MODELS).glob("*.tar.gz"), key=_changed_at, default=None)


def reason_to_train(folder: Path) -> str | None:
    """Return in a few words why the model must be trained, or None when it is up to date."""
    model = newest_model(folder)
    if model is None:
        return "there is no model yet"
    newer = [path for path in training_files(folder) if _changed_at(path) > _changed_at(model)]
    if not newer:
        return None
    newest = max(newer, key=_changed_at).relative_to(folder)
    return f"{newest} is newer than the model"


def training_files(folder: Path) -> Iterator[Path]:
    """Yield the files that a model is made of: domain, configuration, data."""
    for name in ("config.yml", "domain.yml"):
        if (folder / name).is_file():
            yield folder / name
    for name in ("domain", "data"):
        for path in sorted((folder / name).rglob("*")):
            is_training_data = NO_TRAINING_DATA.isdisjoint(path.relative_to(folder).parts)
            if path.is_file() and path.suffix in SUFFIXES and is_training_data:
                yield path


def ensure_model(
    folder: Path,
    *,
    environment: Mapping[str, str] | None = None,
    force: bool = False,
    log: Path | None = None,
    tick: Callable[[], None] = nothing,
) -> Path:
    """Return an up-to-date model of the bot, trained first if need be; its output goes to `log`, else to the terminal."""
    model = newest_model(folder)
    if model is None or force or reason_to_train(folder):
        model = train(folder, environment=environment or os.environ, log=log, tick=tick)
    return model


def train(folder: Path, *, environment: Mapping[str, str], log: Path | None, tick: Callable[[], None]) -> Path:
    """Train the bot and return the model file; stopped, with all it started, when `tick` raises."""
    require_bot(folder)
    # Beside the models and renamed when complete: a training that was interrupted leaves no half model behind.
    unfinished = folder / MODELS / f".training-{os.getpid()}"
    unfinished.mkdir(parents=True, exist_ok=True)
    if log:
        log.parent.mkdir(parents=True, exist_ok=True)
        log.write_bytes(b"")
    started_at = time.time()
    command = [sys.executable, "-m", "rasa", "train", "--out", str(unfinished)]
    process = Process("train", command, folder=folder, environment=environment, log=log)
    try:
        while not process.wait(0.2):
            tick()
        return _finished(process, unfinished, folder / MODELS, started_at)
    finally:
        process.stop()
        _remove(unfinished)


def require_bot(folder: Path) -> None:
    """Raise NotABot unless the folder holds what `rasa train` needs."""
    missing = [name for name in ("config.yml", "data") if not (folder / name).exists()]
    if not (folder / "domain.yml").exists() and not (folder / "domain").exists():
        missing.append("domain.yml")
    if missing:
        raise NotABot(f"{folder} holds no Rasa bot: {', '.join(missing)} missing. Run this in the bot's folder.")


def _finished(process: Process, unfinished: Path, models: Path, started_at: float) -> Path:
    trained = list(unfinished.glob("*.tar.gz"))
    if process.exit_code != 0 or not trained:
        tail = "\n".join(process.output().splitlines()[-25:])
        raise TrainingFailed(f"Training the model failed (rasa train, exit code {process.exit_code}).\n{tail}".rstrip())
    model = models / trained[0].name
    trained[0].replace(model)
    # As old as the data it was made of: what is edited during the training is newer.
    os.utime(model, (started_at, started_at))
    return model


def _remove(unfinished: Path) -> None:
    for path in unfinished.iterdir():
        path.unlink()
    unfinished.rmdir()


def _changed_at(path: Path) -> float:
    return path.stat().st_mtime
