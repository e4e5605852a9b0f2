"""`rasa-whatsapp templates lint`: the templates that are declared beside the bot, looked at before Meta does."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path

import click

from rasa_whatsapp.cli import credentials, shown
from rasa_whatsapp.cli.check import DOMAIN
from rasa_whatsapp.cli.templates import sources
from rasa_whatsapp.cloud.languages import is_code
from rasa_whatsapp.credentials import load_unchecked
from rasa_whatsapp.responses.domain import read_domain
from rasa_whatsapp.settings import readers
from rasa_whatsapp.settings.keys import DEFAULT_MARGIN
from rasa_whatsapp.settings.readers import Unacceptable
from rasa_whatsapp.slots import DEFAULT_LANGUAGE_SLOT
from rasa_whatsapp.templates.actions import Actions, read_actions
from rasa_whatsapp.templates.dialogues import read_dialogues
from rasa_whatsapp.templates.lint import Finding, lint
from rasa_whatsapp.templates.proactive import Bot

DATA = Path("data")
ACTIONS = (Path("actions"), Path("actions.py"))


@click.command("lint")
@sources.catalogue
@click.option(
    "--domain",
    type=click.Path(exists=True, path_type=Path),
    show_default=f"{DOMAIN}, if it is there",
    help="The bot's domain, a file or a folder.",
)
@click.option(
    "--data",
    type=click.Path(exists=True, path_type=Path),
    show_default=f"{DATA}, if it is there",
    help="The bot's rules and stories, a file or a folder.",
)
@click.option(
    "--actions",
    type=click.Path(exists=True, path_type=Path),
    show_default="actions or actions.py, if it is there",
    help="The bot's custom actions, a file or a folder; they are read, not run.",
)
@click.option(
    "--languages",
    show_default="what the domain tells of the slot",
    help="The languages that the bot speaks: de,en.",
)
@click.option(
    "--language-slot",
    show_default=f"language_slot of the credentials, else {DEFAULT_LANGUAGE_SLOT}",
    help="The slot that holds the customer's language.",
)
@credentials.option
@sources.form
def command(
    catalogue: Path,
    domain: Path | None,
    data: Path | None,
    actions: Path | None,
    languages: str | None,
    language_slot: str | None,
    path: Path,
    form: str,
) -> None:
    """Show everything in the templates that Meta would refuse or the bot would miss, with file and line (exit status 1).

    PATH is a file or a folder of them, data/whatsapp_templates.yml if none is given. With a domain also what the bot lacks: templates
    for what it says of its own accord, slots for their parameters. Nothing is asked of Meta. Whether what responses give a template
    fits it is `rasa-whatsapp check`'s affair.
    """
    settings = load_unchecked(path)
    bot = _read_bot(domain or _there(DOMAIN), data or _there(DATA), actions or _there(*ACTIONS), settings)
    slot = language_slot or str(settings.get("language_slot") or DEFAULT_LANGUAGE_SLOT)
    count, findings = lint(catalogue, bot, _spoken(languages, bot, slot))
    if form == "json":
        click.echo(json.dumps(_plain(count, findings), ensure_ascii=False, indent=2))
    else:
        for finding in findings:
            click.echo(str(finding), err=True)
        click.echo(
            f"{shown.counted(count, 'template')} checked, each language apart; {shown.counted(len(findings), 'finding')}"
        )
    sys.exit(1 if findings else 0)


def _there(*paths: Path) -> Path | None:
    return next((path for path in paths if path.exists()), None)


def _read_bot(
    domain: Path | None, data: Path | None, actions: Path | None, settings: Mapping[str, object]
) -> Bot | None:
    if domain is None:
        return None
    steps, misread = read_dialogues(data) if data else ([], [])
    asks = settings.get("re_engagement_template")
    return Bot(
        read_domain(domain),
        steps,
        read_actions(actions) if actions else Actions(),
        misread,
        [str(asks)] if asks else [],
        _margin(settings.get("care_window_margin_seconds")),
    )


def _margin(given: object) -> timedelta:
    """Return how long before the window's end a template goes first; a value that is none is `rasa-whatsapp check`'s affair."""
    try:
        return DEFAULT_MARGIN if given is None else readers.seconds(given)
    except Unacceptable:
        return DEFAULT_MARGIN


def _spoken(given: str | None, bot: Bot | None, slot: str) -> list[str]:
    """Return the languages that are given, else those that the domain knows the slot to hold."""
    if given is None:
        return sorted(filter(is_code, bot.domain.values_of(slot))) if bot else []
    spoken = [each.strip() for each in given.split(",") if each.strip()]
    for each in spoken:
        if not is_code(each):
            raise click.BadParameter(
                f"{each!r} is no code of a language, such as de or pt_BR", param_hint="--languages"
            )
    return spoken


def _plain(count: int, findings: Sequence[Finding]) -> dict[str, object]:
    return {
        "ok": not findings,
        "templates_checked": count,
        "findings": [
            {
                "file": str(each.file),
                "line": each.line,
                "template": each.template or None,
                "response": each.response or None,
                "text": each.text,
            }
            for each in findings
        ],
    }
