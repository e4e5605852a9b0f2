"""`rasa-whatsapp templates delete`: a template away from Meta, after a look at who relies on it."""

from __future__ import annotations

from pathlib import Path

import click

from rasa_whatsapp.cli import credentials, shown
from rasa_whatsapp.cli.check import DOMAIN
from rasa_whatsapp.cli.templates import sources
from rasa_whatsapp.cloud.templates.calls import GONE, AccountTemplate
from rasa_whatsapp.responses.domain import read_domain
from rasa_whatsapp.templates.account import TemplateAccount
from rasa_whatsapp.templates.catalogue import read_catalogue

_WAS_APPROVED = ("APPROVED", "PAUSED")


@click.command("delete")
@click.argument("name")
@click.option("--language", help="Only this translation; else all of them.")
@click.option(
    "--domain",
    type=click.Path(exists=True, path_type=Path),
    show_default=f"{DOMAIN}, if it is there",
    help="The bot's domain, a file or a folder: tells which responses use the template.",
)
@sources.catalogue_option
@sources.yes
@credentials.option
def command(name: str, language: str | None, domain: Path | None, catalogue: Path, *, yes: bool, path: Path) -> None:
    """Delete a template at Meta. Shows what goes and who uses it, and asks. The catalogue is left as it is."""
    with sources.account(path) as account:
        found = _found(account, name, language)
        for template in found:
            click.echo(f"- {sources.title(template.key)}: {template.status}, {template.category}")
        _tell_users(name, domain or (DOMAIN if DOMAIN.exists() else None), catalogue)
        _tell_declared(name, language, catalogue)
        if any(template.status in _WAS_APPROVED for template in found):
            click.echo(
                "Meta locks the name for 30 days: until then nothing can be created under it"
                + (" in this language." if language else ".")
            )
        if not yes:
            click.confirm(f"Delete {shown.counted(len(found), 'translation')} of {shown.line(name)}?", abort=True)
        account.delete(name, found[0].id if language else None)
    click.echo(f"{shown.counted(len(found), 'translation')} of {shown.line(name)} deleted.")


def _found(account: TemplateAccount, name: str, language: str | None) -> list[AccountTemplate]:
    """Return the translations that go; ends the command if there are none, or if Meta does not delete one of them."""
    named = [template for template in account.listed() if template.name == name and template.status not in GONE]
    found = [template for template in named if language in (None, template.language)]
    if not found:
        have = ", ".join(template.language for template in named)
        where = f" in {shown.line(language)}" if language else ""
        raise click.ClickException(
            f"Meta has no template {shown.line(name)}{where}" + (f"; it has it in {have}" if have else "")
        )
    disabled = [template for template in found if template.status == "DISABLED"]
    if disabled:
        titles = ", ".join(sources.title(template.key) for template in disabled)
        raise click.ClickException(
            f"Meta has disabled {titles}, and deletes no disabled one; name another with --language"
        )
    return found


def _tell_users(name: str, domain: Path | None, catalogue: Path) -> None:
    if domain is None:
        click.echo(f"{DOMAIN} is not here: not looked whether the bot uses it. --domain names another file or folder.")
        return
    entries = read_catalogue(catalogue).entries if catalogue.exists() else ()
    uses = [entry.use for entry in entries if entry.name == name]
    declared = {response for use in uses if use for response in use.responses}
    for variation in read_domain(domain).variations:
        if name in variation.templates or (variation.response in declared and not variation.templates):
            click.echo(f"In use: {variation.place}: {shown.line(variation.response)}")


def _tell_declared(name: str, language: str | None, catalogue: Path) -> None:
    for entry in read_catalogue(catalogue).entries if catalogue.exists() else ():
        if entry.name == name and language in (None, entry.language):
            click.echo(f"Declared: {entry.place}: remove it there, or the next push hands it in again")
