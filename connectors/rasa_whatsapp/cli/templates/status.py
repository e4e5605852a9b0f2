"""`rasa-whatsapp templates status`: what Meta says of each declared template."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import click

from rasa_whatsapp.cli import credentials, shown
from rasa_whatsapp.cli.templates import sources
from rasa_whatsapp.cloud.templates.calls import GONE, AccountTemplate
from rasa_whatsapp.cloud.templates.differences import category_of
from rasa_whatsapp.cloud.templates.plan import APPROVED, by_key, key_of
from rasa_whatsapp.templates.catalogue import Entry

Row = tuple[Entry, "AccountTemplate | None"]
_HEAD = ("TEMPLATE", "LANGUAGE", "STATUS", "CATEGORY", "QUALITY", "REMARKS")


@click.command("status")
@sources.catalogue
@sources.form
@credentials.option
def command(catalogue: Path, form: str, path: Path) -> None:
    """Show status, category, quality and reason of rejection that Meta has for each declared template.

    Exit status 1 if one of them is not approved, and so cannot be sent. PATH is a file or a folder of declared templates,
    data/whatsapp_templates.yml if none is given.
    """
    entries = sources.declared(catalogue)
    known = by_key(sources.listed(path))
    rows = [(entry, known.get(key_of(entry.content))) for entry in entries]
    declared = {key_of(entry.content) for entry in entries}
    others = [template for key, template in known.items() if key not in declared and template.status not in GONE]
    waiting = [entry for entry, template in rows if template is None or template.status != APPROVED]
    if form == "json":
        click.echo(shown.plain_json(_plain(rows, others), indent=2))
    else:
        for line in shown.table([_HEAD, *map(_columns, rows)]):
            click.echo(line)
        click.echo(f"{shown.counted(len(rows), 'declared template')}, {len(waiting)} not approved")
        if others:
            click.echo(f"Not declared here: {', '.join(sources.title(template.key) for template in others)}")
    sys.exit(1 if waiting else 0)


def _columns(row: Row) -> tuple[str, ...]:
    entry, template = row
    status, category, quality = (
        (template.status, template.category, template.quality or "-") if template else ("-", "-", "-")
    )
    return entry.name, entry.language, status, category, quality, "; ".join(_remarks(entry, template))


def _remarks(entry: Entry, template: AccountTemplate | None) -> Iterator[str]:
    if template is None:
        yield "Meta does not have it: push"
        return
    if template.rejected_reason:
        yield f"reason: {template.rejected_reason}"
    if template.category != category_of(entry.content):
        yield f"declared as {category_of(entry.content)}"
    said = str(entry.content.get("status", APPROVED)).upper()
    if said != template.status:
        yield f"the catalogue says {said}: pull"


def _plain(rows: Sequence[Row], others: Sequence[AccountTemplate]) -> dict[str, Any]:
    return {
        "ok": all(template is not None and template.status == APPROVED for _, template in rows),
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
            }
            for entry, template in rows
        ],
        "not_declared": [
            {"name": template.name, "language": template.language, "status": template.status} for template in others
        ],
    }
