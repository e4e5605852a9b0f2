"""`rasa-whatsapp check`: the effective configuration with secrets masked, or everything that is wrong with it."""

from __future__ import annotations

from pathlib import Path

import click

from rasa_whatsapp.cli import credentials
from rasa_whatsapp.errors import ConfigInvalid


@click.command("check")
@click.option(
    "--credentials",
    "path",
    type=click.Path(path_type=Path, dir_okay=False),
    default=Path("credentials.yml"),
    show_default=True,
    help="The file with the channel's block.",
)
def command(path: Path) -> None:
    """Show the effective configuration, or everything that is wrong with it (exit status 1)."""
    try:
        settings = credentials.load(path)
    except ConfigInvalid as problem:
        raise click.ClickException(str(problem)) from problem
    width = max(len(name) for name, _ in settings.shown())
    for name, value in settings.shown():
        click.echo(f"{name:<{width}}  {value}")
    for translation in settings.templates.translations:
        click.echo(
            f"template {translation.name} ({translation.language}): {translation.category}, {translation.status}"
        )
