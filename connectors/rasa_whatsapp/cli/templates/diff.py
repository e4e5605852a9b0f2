"""`rasa-whatsapp templates diff`: what is declared beside the bot against what Meta has."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from rasa_whatsapp.cli import credentials, shown
from rasa_whatsapp.cli.templates import sources
from rasa_whatsapp.cloud.templates.calls import GONE, AccountTemplate
from rasa_whatsapp.cloud.templates.differences import Difference, differences
from rasa_whatsapp.cloud.templates.plan import by_key, key_of
from rasa_whatsapp.templates.catalogue import Entry

CREATED, CHANGED, REMOVED = "created", "changed", "gone"
_SIGNS = {CREATED: "+", CHANGED: "~", REMOVED: "-"}


@dataclass(frozen=True, slots=True)
class Change:
    """What is different about one template: it is declared only, at Meta only, or not the same at both."""

    kind: str
    key: tuple[str, str]
    entry: Entry | None
    parts: Sequence[Difference] = ()
    remark: str = ""


@click.command("diff")
@sources.catalogue
@click.option("--declared-only", is_flag=True, help="Leave out what Meta has and nobody has declared here.")
@sources.form
@credentials.option
def command(catalogue: Path, declared_only: bool, form: str, path: Path) -> None:
    """Show what is different between the declared templates and Meta's (exit status 1 if anything is).

    + stands for a template that is declared and would be created, ~ for a changed one with the parts that differ, - for one that
    only Meta has. What Meta adds by itself or writes in another way is no difference.
    """
    entries = sources.declared(catalogue)
    found = list(_changes(entries, by_key(sources.listed(path)), declared_only=declared_only))
    if form == "json":
        click.echo(shown.plain_json(_plain(found), indent=2))
    else:
        for change in found:
            _tell(change)
        click.echo(f"{shown.counted(len(entries), 'declared template')}, {shown.counted(len(found), 'difference')}")
    sys.exit(1 if found else 0)


def tell_part(part: Difference) -> None:
    """Print a part with both its values, each on a line."""
    click.echo(f"    {part.part}")
    for whose, value in (("declared", part.declared), ("at Meta", part.at_meta)):
        click.echo(f"      {whose + ':':<9} {'-' if value is None else _one_line(value)}")


def _changes(
    entries: Sequence[Entry], known: Mapping[tuple[str, str], AccountTemplate], *, declared_only: bool
) -> Iterator[Change]:
    for entry in entries:
        key = key_of(entry.content)
        template = known.get(key)
        if template is None:
            yield Change(CREATED, key, entry, remark="Meta does not have it")
        elif template.status in GONE:
            yield Change(CREATED, key, entry, remark="Meta is deleting the one that it has")
        elif parts := differences(entry.content, template.content):
            yield Change(CHANGED, key, entry, parts)
    declared = {key_of(entry.content) for entry in entries}
    for key, template in () if declared_only else known.items():
        if key not in declared and template.status not in GONE:
            yield Change(REMOVED, key, None, remark=f"only Meta has it ({template.status})")


def _tell(change: Change) -> None:
    place = f"{change.entry.place}: " if change.entry else ""
    click.echo(
        f"{_SIGNS[change.kind]} {place}{sources.title(change.key)}" + (f": {change.remark}" if change.remark else "")
    )
    for part in change.parts:
        tell_part(part)


def _one_line(value: Any) -> str:
    return shown.line(value) if isinstance(value, str) else shown.plain_json(value)


def _plain(found: Sequence[Change]) -> dict[str, Any]:
    return {
        "ok": not found,
        "differences": [
            {
                "kind": change.kind,
                "name": change.key[0],
                "language": change.key[1],
                "file": str(change.entry.file) if change.entry else None,
                "line": change.entry.line() if change.entry else None,
                "parts": [
                    {"part": part.part, "declared": part.declared, "at_meta": part.at_meta} for part in change.parts
                ],
            }
            for change in found
        ],
    }
