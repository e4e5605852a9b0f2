"""`rasa-whatsapp templates sync`: what Meta says of the declared templates, into the store, where running servers go by it."""

from __future__ import annotations

from pathlib import Path

import click

from rasa_whatsapp.cli import credentials, shown, store
from rasa_whatsapp.cli.templates import sources
from rasa_whatsapp.cloud.templates.states import TemplateStates, Word, pulled
from rasa_whatsapp.storage import template_states


@click.command("sync")
@sources.catalogue
@click.option("--dry-run", is_flag=True, help="Only tell what would be written.")
@credentials.option
def command(catalogue: Path, *, dry_run: bool, path: Path) -> None:
    """Write into the store which status, category and quality Meta has for each declared template.

    Webhooks tell running servers of changes; this tells them what was so before, or came while no webhook did. They go by it within a
    second. PATH is a file or a folder of declared templates, data/whatsapp_templates.yml if none is given.
    """
    declared = [(entry.name, entry.language) for entry in sources.declared(catalogue)]
    settings = credentials.load_or_exit(path)
    at = store.now()  # before Meta is asked: what a webhook tells meanwhile is newer
    words = list(pulled(declared, sources.listed(path), at))
    with store.opened(settings, to_write=not dry_run) as database:
        known = database.run_now(template_states.read)
        changes = [line for word in words for line in _change(word, known)]
        if not dry_run:
            database.run_now(template_states.note, words)
    for line in changes:
        click.echo(line)
    done = "to write" if dry_run else "written"
    click.echo(f"{shown.counted(len(declared), 'declared template')}, {shown.counted(len(changes), 'change')} {done}")


def _change(word: Word, known: TemplateStates) -> list[str]:
    """Return how a word differs from what is known, if it does."""
    before = known.words.get((word.key, word.news.aspect))
    if before is not None and before.news.value == word.news.value:
        return []
    said = f"{before.news.value} ({before.source.value})" if before else "not known"
    return [shown.line(f"{sources.title(word.key)}: {word.news.aspect.value} was {said}, is {word.news.value}")]
