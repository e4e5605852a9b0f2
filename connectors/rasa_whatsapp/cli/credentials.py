"""The option `--credentials` of the commands that read the channel's block."""

from __future__ import annotations

from pathlib import Path

import click

from rasa_whatsapp.config import Settings
from rasa_whatsapp.credentials import load
from rasa_whatsapp.errors import ConfigInvalid

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
