"""`rasa-whatsapp check`: the effective configuration with secrets masked, or all that is wrong with it and with the bot's responses."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from rasa_whatsapp.cli import credentials, shown
from rasa_whatsapp.config import Settings
from rasa_whatsapp.credentials import load
from rasa_whatsapp.errors import ConfigInvalid
from rasa_whatsapp.responses.check import refused
from rasa_whatsapp.responses.domain import Domain, Problem, read_domain

DOMAIN = Path("domain.yml")


@dataclass(frozen=True, slots=True)
class Findings:
    """What the check found: settings or what is wrong with them; the domain, if there is one, and what is wrong with it."""

    credentials: Path
    settings: Settings | None
    unusable: ConfigInvalid | None
    domain: Domain | None
    problems: Sequence[Problem]

    @property
    def fine(self) -> bool:
        """Tell whether there is nothing to do."""
        return self.unusable is None and not self.problems


@click.command("check")
@credentials.option
@click.option(
    "--domain",
    "domain",
    type=click.Path(path_type=Path),
    show_default=f"{DOMAIN}, if it is there",
    help="The bot's domain, a file or a folder, as for Rasa.",
)
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
def command(path: Path, domain: Path | None, form: str) -> None:
    """Show the effective configuration, or everything that is wrong with it and with the bot's responses (exit status 1).

    A response is wrong if WhatsApp would refuse it, or if it names a template that the catalogue has not, or not so.
    """
    found = _find(path, domain or (DOMAIN if DOMAIN.exists() else None))
    if form == "json":
        click.echo(json.dumps(_plain(found), ensure_ascii=False, indent=2))
    else:
        _tell(found)
    sys.exit(0 if found.fine else 1)


def _find(path: Path, domain_path: Path | None) -> Findings:
    settings, unusable = None, None
    try:
        settings = load(path)
    except ConfigInvalid as problem:
        unusable = problem
    domain = read_domain(domain_path) if domain_path else None
    problems: list[Problem] = []
    if domain and settings:
        problems = refused(
            domain,
            wording=settings.wording(),
            templates=settings.templates,
            fallback_languages=settings["fallback_languages"],
            declared=settings.declared,
        )
    elif domain:
        problems = refused(domain)
    return Findings(path, settings, unusable, domain, problems)


def _tell(found: Findings) -> None:
    if found.settings:
        settings = found.settings.shown()
        width = max(len(name) for name, _ in settings)
        for name, value in settings:
            click.echo(f"{name:<{width}}  {value}")
        for template in found.settings.templates.translations:
            click.echo(f"template {template.name} ({template.language}): {template.category}, {template.status}")
        click.echo("The database was not tried: `rasa-whatsapp db status` does.")
    if found.unusable:
        click.echo(f"Error: {found.unusable}", err=True)
    for problem in found.problems:
        click.echo(str(problem), err=True)
    if found.domain is None:
        click.echo(f"{DOMAIN} is not here: no responses checked. --domain names another file or folder.")
    else:
        counts = [f"{shown.counted(len(found.domain.names), 'response')} checked"]
        counts += [shown.counted(len(found.problems), "problem")] if found.problems else []
        click.echo(", ".join(counts))


def _plain(found: Findings) -> dict[str, Any]:
    settings = found.settings
    texts = found.unusable.problems if found.unusable else ()
    return {
        "ok": found.fine,
        "settings": dict(settings.shown()) if settings else None,
        "templates": [
            {"name": each.name, "language": each.language, "category": each.category, "status": each.status}
            for each in (settings.templates.translations if settings else ())
        ],
        "responses_checked": None if found.domain is None else len(found.domain.names),
        "problems": [
            *({"file": str(found.credentials), "line": None, "response": None, "text": text} for text in texts),
            *(
                {"file": str(each.file), "line": each.line, "response": each.response, "text": each.text}
                for each in found.problems
            ),
        ],
    }
