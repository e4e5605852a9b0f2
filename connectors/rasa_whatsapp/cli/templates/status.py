"""`rasa-whatsapp templates status`: what Meta says of each declared template."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import click

from rasa_whatsapp.cli import credentials, shown, store
from rasa_whatsapp.cli.templates import sources
from rasa_whatsapp.cloud.templates import states
from rasa_whatsapp.cloud.templates.calls import GONE, AccountTemplate
from rasa_whatsapp.cloud.templates.differences import category_of
from rasa_whatsapp.cloud.templates.plan import APPROVED, by_key, key_of
from rasa_whatsapp.cloud.templates.translations import status_of
from rasa_whatsapp.storage import template_states
from rasa_whatsapp.templates.catalogue import Entry

# A declared template, Meta's, and by which status servers go, if that was asked for.
Row = tuple[Entry, "AccountTemplate | None", "str | None"]
_HEAD = ("TEMPLATE", "LANGUAGE", "STATUS", "CATEGORY", "QUALITY", "REMARKS")


@click.command("status")
@sources.catalogue
@sources.form
@click.option("--store", "asks_store", is_flag=True, help="Tell also where running servers go by another status.")
@credentials.option
def command(catalogue: Path, form: str, *, asks_store: bool, path: Path) -> None:
    """Show status, category, quality and reason of rejection that Meta has for each declared template.

    Exit status 1 if one of them is not approved, and so cannot be sent. PATH is a file or a folder of declared templates,
    data/whatsapp_templates.yml if none is given.
    """
    entries = sources.declared(catalogue)
    known = by_key(sources.listed(path))
    served = _served(path, entries) if asks_store else [None] * len(entries)
    rows = [(entry, known.get(key_of(entry.content)), status) for entry, status in zip(entries, served, strict=True)]
    declared = {key_of(entry.content) for entry in entries}
    others = [template for key, template in known.items() if key not in declared and template.status not in GONE]
    waiting = [entry for entry, template, _ in rows if template is None or template.status != APPROVED]
    if form == "json":
        click.echo(shown.plain_json(_plain(rows, others), indent=2))
    else:
        for line in shown.table([_HEAD, *map(_columns, rows)]):
            click.echo(line)
        click.echo(f"{shown.counted(len(rows), 'declared template')}, {len(waiting)} not approved")
        if others:
            click.echo(f"Not declared here: {', '.join(sources.title(template.key) for template in others)}")
    sys.exit(1 if waiting else 0)


def _served(path: Path, entries: Sequence[Entry]) -> list[str | None]:
    """Return by which status running servers go: the store's, or that of the catalogue."""
    with store.opened(credentials.load_or_exit(path)) as database:
        told: states.TemplateStates = database.run_now(template_states.read)
    words = [told.status(states.key_of(entry.name, entry.language), store.now()) for entry in entries]
    return [word.news.value if word else status_of(entry.content) for entry, word in zip(entries, words, strict=True)]


def _columns(row: Row) -> tuple[str, ...]:
    entry, template, served = row
    status, category, quality = (
        (template.status, template.category, template.quality or "-") if template else ("-", "-", "-")
    )
    return entry.name, entry.language, status, category, quality, "; ".join(_remarks(entry, template, served))


def _remarks(entry: Entry, template: AccountTemplate | None, served: str | None) -> Iterator[str]:
    if served is not None and served != (template.status if template else states.NOT_FOUND):
        yield f"running servers go by {served}: sync"
    if template is None:
        yield "Meta does not have it: push"
        return
    if template.rejected_reason:
        yield f"reason: {template.rejected_reason}"
    if template.category != category_of(entry.content):
        yield f"declared as {category_of(entry.content)}"
    if status_of(entry.content) != template.status:
        yield f"the catalogue says {status_of(entry.content)}: pull"


def _plain(rows: Sequence[Row], others: Sequence[AccountTemplate]) -> dict[str, Any]:
    return {
        "ok": all(template is not None and template.status == APPROVED for _, template, _ in rows),
        "templates": [
            {
                "name": entry.name,
                "language": entry.language,
                "file": str(entry.file),
                "line": entry.line(),
                "declared_category": category_of(entry.content),
                "status": template.status if template else None,
                "category": template.category if template else None,
                "quality": template.quality if template else None,
                "rejected_reason": template.rejected_reason if template else None,
                **({} if served is None else {"served_status": served}),
            }
            for entry, template, served in rows
        ],
        "not_declared": [
            {"name": template.name, "language": template.language, "status": template.status} for template in others
        ],
    }
