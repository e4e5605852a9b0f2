"""Read the channel's block from credentials.yml, as Rasa does it: `${NAME}` comes from the environment."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import click

from rasa_whatsapp import yaml_files
from rasa_whatsapp.config import CREDENTIALS_KEY, Settings, read_settings
from rasa_whatsapp.errors import ConfigInvalid

_VARIABLE = re.compile(r"\$\{(\w+)\}")


option = click.option(
    "--credentials",
    "path",
    type=click.Path(path_type=Path, dir_okay=False),
    default=Path("credentials.yml"),
    show_default=True,
    help="The file with the channel's block.",
)


def load_or_exit(path: Path) -> Settings:
    """Return the settings of the file's block; ends the command with everything that is wrong."""
    try:
        return load(path)
    except ConfigInvalid as problem:
        raise click.ClickException(str(problem)) from problem


def load(path: Path) -> Settings:
    """Return the settings of the file's block; raises ConfigInvalid with everything that is wrong.

    Files that it names are looked for in the current folder, where Rasa looks for them too.
    """
    try:
        content = yaml_files.load(path)
    except yaml_files.Unreadable as problem:
        raise ConfigInvalid(str(path), [f"it cannot be read: {problem}"]) from problem
    if not isinstance(content, dict) or CREDENTIALS_KEY not in content:
        raise ConfigInvalid(str(path), [f"it has no block {CREDENTIALS_KEY}"])
    block = content[CREDENTIALS_KEY]
    if not isinstance(block, dict):
        return read_settings(block)
    missing = {key: names for key, value in block.items() if (names := _missing(value))}
    given = {key: _expanded(value) for key, value in block.items() if key not in missing}
    problems = [f"{key}: the environment variable {name} is not set" for key in missing for name in missing[key]]
    try:
        settings = read_settings(given)
    except ConfigInvalid as found:
        problems += [problem for problem in found.problems if problem.split(":")[0] not in missing]
    if problems:
        raise ConfigInvalid(str(path), problems)
    return settings


def _missing(value: Any) -> list[str]:
    """Return the variables in a value that the environment lacks."""
    if isinstance(value, list):
        return [name for item in value for name in _missing(item)]
    return [name for name in _VARIABLE.findall(value) if name not in os.environ] if isinstance(value, str) else []


def _expanded(value: Any) -> Any:
    if isinstance(value, list):
        return [_expanded(item) for item in value]
    return _VARIABLE.sub(lambda found: os.environ[found[1]], value) if isinstance(value, str) else value
