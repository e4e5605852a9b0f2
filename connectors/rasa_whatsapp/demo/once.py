"""Runs a command to its end as a step of a start: what it says goes to a log, and a failure quotes the end of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from rasa_whatsapp.demo.failures import StepFailed
from rasa_whatsapp.demo.processes import Process, nothing

TAIL_LINES = 25


def run_once(
    step: str,
    command: Sequence[str],
    *,
    folder: Path,
    environment: Mapping[str, str],
    log: Path,
    tick: Callable[[], None] = nothing,
) -> None:
    """Return when the command has ended well; raise StepFailed when not. What `tick` raises stops it."""
    log.parent.mkdir(parents=True, exist_ok=True)
    process = Process(step, command, folder=folder, environment=environment, log=log)
    try:
        while not process.wait(0.1):
            tick()
    finally:
        process.stop()
    if process.exit_code != 0:
        tail = "\n".join(f"    {line}" for line in process.output().splitlines()[-TAIL_LINES:]) or "    (nothing)"
        raise StepFailed(f"{step} failed with exit code {process.exit_code}. The last lines of {log}:\n{tail}")
