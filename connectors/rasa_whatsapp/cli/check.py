"""`rasa-whatsapp check`: the effective configuration with secrets masked, or everything that is wrong with it."""

from __future__ import annotations

from pathlib import Path

import click

from rasa_whatsapp.cli import credentials


@click.command("check")
@credentials.option
def command(path: Path) -> None:
    """Show the effective configuration, or everything that is wrong with it (exit status 1)."""
    settings = credentials.load_or_exit(path)
    width = max(len(name) for name, _ in settings.shown())
    for name, value in settings.shown():
        click.echo(f"{name:<{width}}  {value}")
    for translation in settings.templates.translations:
        click.echo(
            f"template {translation.name} ({translation.language}): {translation.category}, {translation.status}"
        )
