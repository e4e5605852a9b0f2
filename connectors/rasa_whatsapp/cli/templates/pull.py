"""`rasa-whatsapp templates pull`: what Meta has, into the catalogue beside the bot."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from rasa_whatsapp.cli import credentials, shown
from rasa_whatsapp.cli.templates import sources
from rasa_whatsapp.cli.templates.diff import tell_part
from rasa_whatsapp.cloud.templates.plan import by_key, key_of
from rasa_whatsapp.templates.catalogue import Entry, files_of, read_catalogue
from rasa_whatsapp.templates.pull import Rewrite, pulled
from rasa_whatsapp.yaml_files import Unreadable


@click.command("pull")
@sources.catalogue
@click.option(
    "--into",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write into this file, and leave the catalogue as it is.",
)
@sources.yes
@credentials.option
def command(catalogue: Path, into: Path | None, *, yes: bool, path: Path) -> None:
    """Write Meta's templates, with their statuses, into the declared ones.

    An entry that is there is changed where Meta has something else; comments and order stay. What Meta has and nobody declared is
    added at the end (in a folder: of its file whatsapp_templates.yml). What Meta does not have stays. Asks before a file is changed.
    """
    target = into or catalogue
    new_in = target / sources.CATALOGUE.name if target.is_dir() else target
    entries = sources.declared(target) if any(file.exists() for file in files_of(target)) else []
    templates = by_key(sources.listed(path))
    try:
        rewrites = pulled(target, templates, new_in=new_in)
    except Unreadable as problem:
        raise click.ClickException(shown.line(str(problem))) from problem
    _tell(rewrites, entries)
    left = [sources.title(key_of(entry.content)) for entry in entries if key_of(entry.content) not in templates]
    if left:
        click.echo(f"Meta does not have, so they stay as they are: {', '.join(left)}")
    if not rewrites:
        click.echo("Nothing to change.")
        return
    overwritten = [rewrite.file for rewrite in rewrites if rewrite.file.exists()]
    if overwritten and not yes:
        click.confirm(f"Change {shown.listed(overwritten)}?", abort=True)
    _write(rewrites)


def _tell(rewrites: Sequence[Rewrite], entries: Sequence[Entry]) -> None:
    places = {key_of(entry.content): entry.place for entry in entries}
    for rewrite in rewrites:
        for change in rewrite.changes:
            if not change.parts:
                click.echo(f"+ {rewrite.file}: {sources.title(change.key)} is added")
                continue
            click.echo(f"~ {places[change.key]}: {sources.title(change.key)}")
            for part in change.parts:
                tell_part(part)


def _write(rewrites: Sequence[Rewrite]) -> None:
    for rewrite in rewrites:
        try:
            rewrite.file.parent.mkdir(parents=True, exist_ok=True)
            rewrite.write()
        except OSError as problem:
            raise click.ClickException(f"{rewrite.file} cannot be written: {problem.strerror}") from problem
        count = len(read_catalogue(rewrite.file).entries)
        click.echo(f"{rewrite.file} is written: {shown.counted(count, 'template')}, each language apart.")
