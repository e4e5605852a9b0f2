"""`rasa-whatsapp templates lint`: the templates that are declared beside the bot, looked at before Meta does."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from rasa_whatsapp.cli import shown
from rasa_whatsapp.cli.check import DOMAIN
from rasa_whatsapp.cli.templates import sources
from rasa_whatsapp.responses.domain import read_domain
from rasa_whatsapp.templates.lint import Finding, lint


@click.command("lint")
@sources.catalogue
@click.option(
    "--domain",
    type=click.Path(exists=True, path_type=Path),
    show_default=f"{DOMAIN}, if it is there",
    help="The bot's domain, a file or a folder: tells which templates its responses use.",
)
@sources.form
def command(catalogue: Path, domain: Path | None, form: str) -> None:
    """Show everything in the templates that Meta would refuse or the bot would miss, with file and line (exit status 1).

    PATH is a file or a folder of them, data/whatsapp_templates.yml if none is given. Nothing is asked of Meta. What responses
    ask of a template is `rasa-whatsapp check`'s affair.
    """
    where = domain or (DOMAIN if DOMAIN.exists() else None)
    count, findings = lint(catalogue, read_domain(where) if where else None)
    if form == "json":
        click.echo(json.dumps(_plain(count, findings), ensure_ascii=False, indent=2))
    else:
        for finding in findings:
            click.echo(str(finding), err=True)
        click.echo(
            f"{shown.counted(count, 'template')} checked, each language apart; {shown.counted(len(findings), 'finding')}"
        )
    sys.exit(1 if findings else 0)


def _plain(count: int, findings: Sequence[Finding]) -> dict[str, object]:
    return {
        "ok": not findings,
        "templates_checked": count,
        "findings": [
            {"file": str(each.file), "line": each.line, "template": each.template or None, "text": each.text}
            for each in findings
        ],
    }
