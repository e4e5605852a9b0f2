"""`rasa-whatsapp templates sync`: what Meta says of the declared templates, into the store, where running servers go by it."""

from __future__ import annotations

from pathlib import Path

import click

from rasa_whatsapp.cli import credentials, shown, store
from rasa_whatsapp.cli.templates import sources
from rasa_whatsapp.cloud.templates.states import Word, pulled
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
        if not dry_run:
            database.run_now(template_states.note, words)
    known_before = [(word, known.words.get((word.key, word.news.aspect))) for word in words]
    told = [(word, before) for word, before in known_before if _differ(word, before)]
    kept = [(word, before) for word, before in told if before and before.at > word.at]
    changes = [pair for pair in told if pair not in kept]
    for word, before in changes:
        click.echo(_line(word, f"was {_said(before)}, is {word.news.value}"))
    for word, before in kept:
        click.echo(_line(word, f"stays {_said(before)}, as the store's word is newer than this machine's clock"))
    done = "to write" if dry_run else "written"
    left = f", {len(kept)} kept as they were" if kept else ""
    click.echo(
        f"{shown.counted(len(declared), 'declared template')}, {shown.counted(len(changes), 'change')} {done}{left}"
    )


def _differ(word: Word, before: Word | None) -> bool:
    return before is None or before.news.value != word.news.value


def _said(before: Word | None) -> str:
    return f"{before.news.value} ({before.source.value})" if before else "not known"


def _line(word: Word, text: str) -> str:
    return shown.line(f"{sources.title(word.key)}: {word.news.aspect.value} {text}")
