"""Where the commands get templates from: the catalogue beside the bot, and Meta's account that the credentials name.

What is in the way ends the command, with the remedy.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import click

from rasa_whatsapp.cli import shown
from rasa_whatsapp.cloud.templates.calls import AccountTemplate
from rasa_whatsapp.cloud.templates.plan import key_of
from rasa_whatsapp.credentials import load_business_account
from rasa_whatsapp.errors import ConfigInvalid
from rasa_whatsapp.templates.account import CallFailed, TemplateAccount
from rasa_whatsapp.templates.catalogue import Entry, read_catalogue

CATALOGUE = Path("data/whatsapp_templates.yml")
FOLDER = Path("data/whatsapp_templates")


def _usual() -> Path:
    """Return where templates are declared if nobody says where: the usual file, or the usual folder where only that is there."""
    return FOLDER if FOLDER.is_dir() and not CATALOGUE.exists() else CATALOGUE


catalogue = click.argument("catalogue", metavar="[PATH]", type=click.Path(path_type=Path), default=_usual)
catalogue_option = click.option(
    "--catalogue",
    type=click.Path(path_type=Path),
    default=_usual,
    show_default=f"{CATALOGUE}, or the folder {FOLDER}",
    help="The declared templates: a file or a folder of them.",
)
form = click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
yes = click.option("--yes", is_flag=True, help="Do it without asking.")


def declared(path: Path) -> list[Entry]:
    """Return the templates of the catalogue, each with a name and a language of its own."""
    found = read_catalogue(path)
    problems = [str(misread) for misread in found.misread]
    first: dict[tuple[str, str], Entry] = {}
    for entry in found.entries:
        key = key_of(entry.content)
        if not all(key):
            problems.append(f"{entry.place}: a template needs a name and a language")
        elif first.setdefault(key, entry) is not entry:
            problems.append(f"{entry.place}: {title(key)} is there twice: see {first[key].place}")
    if problems:
        raise click.ClickException("\n  - ".join(["the catalogue cannot be used:", *map(shown.line, problems)]))
    return list(found.entries)


@contextmanager
def account(credentials: Path, app_id: str | None = None) -> Iterator[TemplateAccount]:
    """Hand out the account that the credentials name, with this app for its; a call of its that fails ends the command."""
    try:
        known = load_business_account(credentials)
        known = replace(known, app_id=app_id or known.app_id)
    except ConfigInvalid as problem:
        raise click.ClickException(str(problem)) from problem
    with closing(TemplateAccount(known)) as opened:
        try:
            yield opened
        except CallFailed as problem:
            raise click.ClickException(shown.line(str(problem))) from problem


def listed(credentials: Path) -> list[AccountTemplate]:
    """Return all templates of the account."""
    with account(credentials) as opened:
        return opened.listed()


def title(key: tuple[str, str]) -> str:
    """Return a template in one language for people to read."""
    name, language = key
    return f"{shown.line(name)} ({shown.line(language)})"
