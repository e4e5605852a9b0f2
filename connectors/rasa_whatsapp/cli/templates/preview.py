"""`rasa-whatsapp templates preview`: declared templates as the phone shows them."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

import click

from rasa_whatsapp.cli import bubble, shown
from rasa_whatsapp.cli.templates import sources
from rasa_whatsapp.cloud.templates.bubble import read_bubble, variables_of
from rasa_whatsapp.cloud.templates.differences import category_of
from rasa_whatsapp.cloud.templates.plan import key_of
from rasa_whatsapp.templates.catalogue import Entry


def _parameters(ctx: click.Context, param: click.Parameter, given: tuple[str, ...]) -> dict[str, str]:
    pairs = [text.partition("=") for text in given]
    if any(not name or not sign for name, sign, _ in pairs):
        raise click.BadParameter("is written NAME=VALUE, for instance order_id=1002 or 1=Lea")
    return {name: value for name, _, value in pairs}


@click.command("preview")
@click.argument("names", metavar="[NAME]...", nargs=-1)
@click.option("--language", help="Only this translation.")
@click.option(
    "--parameter",
    "parameters",
    multiple=True,
    callback=_parameters,
    metavar="NAME=VALUE",
    help="What stands for a variable, in place of its example; can be given several times.",
)
@sources.catalogue_option
def command(names: tuple[str, ...], language: str | None, parameters: Mapping[str, str], catalogue: Path) -> None:
    """Draw declared templates as the phone shows them, each language apart; all of them if no NAME is given.

    Variables are filled with their examples. Nothing is asked of Meta.
    """
    entries = _chosen(sources.declared(catalogue), names, language)
    known = {name for entry in entries for name in variables_of(entry.content)}
    unknown = sorted(set(parameters) - known)
    if unknown:
        raise click.ClickException(
            f"--parameter: no template that is shown has a variable {shown.line(unknown[0])!r}; "
            f"they have {shown.listed(sorted(known)) or 'none'}"
        )
    for number, entry in enumerate(entries):
        if number:
            click.echo()
        _draw(entry, parameters)


def _chosen(entries: Sequence[Entry], names: Sequence[str], language: str | None) -> list[Entry]:
    missing = [name for name in names if name not in {entry.name for entry in entries}]
    if missing:
        have = sorted({entry.name for entry in entries})
        raise click.ClickException(
            f"not in the catalogue: {shown.listed(missing)}; it has {shown.listed(have) or 'none'}"
        )
    wanted = [entry for entry in entries if not names or entry.name in names]
    found = [entry for entry in wanted if language in (None, entry.language)]
    if language is not None and not found:
        have = sorted({entry.language for entry in wanted})
        raise click.ClickException(f"--language {shown.line(language)}: there is {shown.listed(have) or 'nothing'}")
    return found


def _draw(entry: Entry, parameters: Mapping[str, str]) -> None:
    seen = read_bubble(entry.content, parameters)
    click.echo(f"{sources.title(key_of(entry.content))}, {category_of(entry.content) or 'no category'}")
    for line in bubble.drawn(seen, min(bubble.WIDTH, shutil.get_terminal_size().columns)):
        click.echo(line)
    if seen.hides_some:
        click.echo("All options:")
        for button in seen.buttons:
            click.echo(f"  {bubble.label(button)}")
