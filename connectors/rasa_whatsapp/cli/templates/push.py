"""`rasa-whatsapp templates push`: the declared templates, handed in for review where Meta has none or another one."""

from __future__ import annotations

import sys
from collections.abc import Collection, Sequence
from pathlib import Path
from time import sleep

import click

from rasa_whatsapp.cli import credentials, shown
from rasa_whatsapp.cli.templates import sources
from rasa_whatsapp.cloud import limits
from rasa_whatsapp.cloud.templates.calls import IN_REVIEW, AccountTemplate
from rasa_whatsapp.cloud.templates.differences import category_of
from rasa_whatsapp.cloud.templates.management_errors import Scope
from rasa_whatsapp.cloud.templates.plan import APPROVED, Create, Edit, Skip, Step, by_key, key_of, plan, this_hour
from rasa_whatsapp.templates.account import TemplateAccount
from rasa_whatsapp.templates.lint import lint
from rasa_whatsapp.templates.push import Doing, Outcome, carry_out, reviewed
from rasa_whatsapp.templates.samples import Samples


def _digits(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
    if value is not None and not (value.isascii() and value.isdecimal()):
        raise click.BadParameter("is no id of an app: it has digits only")
    return value


@click.command("push")
@sources.catalogue
@click.option("--dry-run", is_flag=True, help="Show the plan and do nothing.")
@click.option("--wait", is_flag=True, help="Wait until Meta has reviewed what is declared, and tell how it ended.")
@click.option(
    "--wait-minutes",
    type=click.IntRange(1, 1440),
    default=30,
    show_default=True,
    help="How long to wait. A review takes minutes, up to a day.",
)
@click.option(
    "--app-id",
    envvar="WHATSAPP_APP_ID",
    show_envvar=True,
    callback=_digits,
    show_default="app_id of the credentials",
    help="Meta's app that samples of media are uploaded for; needed only for templates that name a file.",
)
@sources.yes
@credentials.option
def command(
    catalogue: Path, *, dry_run: bool, wait: bool, wait_minutes: int, app_id: str | None, yes: bool, path: Path
) -> None:
    """Create the declared templates that Meta does not have, and edit those that differ. Shows a plan and asks.

    What `templates lint` finds in the catalogue has to be mended first. It can be run again at any time: it looks at what Meta has,
    and does what is left. Exit status 1 if something that is declared is not at Meta as declared; with --wait, if it is not approved.
    """
    _refuse_findings(catalogue)
    entries = sources.declared(catalogue)
    declared = [entry.content for entry in entries]
    with sources.account(path, app_id) as account:
        samples = Samples(entries, account, _tell_upload)
        steps, later = this_hour(plan(declared, by_key(account.listed())))
        _tell_plan(steps, later, samples)
        doing = [step for step in steps if isinstance(step, (Create, Edit))]
        _refuse_uploads_without_app(doing, samples, account, path)
        if dry_run:
            return
        fine = not later and not any(_is_blocked(step) for step in steps)
        if not doing:
            click.echo("Nothing to push.")
        else:
            if not yes:
                click.confirm(f"Hand in {shown.counted(len(doing), 'template')}?", abort=True)
            fine = _push(doing, account, samples) and fine
        if wait:
            fine = _follow({key_of(each) for each in declared}, account, wait_minutes) and fine
    sys.exit(0 if fine else 1)


def _refuse_findings(catalogue: Path) -> None:
    _, findings = lint(catalogue)
    for finding in findings:
        click.echo(f"{finding}{' (no hindrance)' if finding.advice else ''}", err=True)
    hindering = sum(not finding.advice for finding in findings)
    if hindering:
        raise click.ClickException(f"nothing is pushed: mend {shown.counted(hindering, 'finding')} first")


def _refuse_uploads_without_app(
    doing: Sequence[Doing], samples: Samples, account: TemplateAccount, credentials_path: Path
) -> None:
    wanted = [(step, file) for step in doing for _, file in samples.named_by(step)]
    if wanted and account.app_id is None:
        step, file = wanted[0]
        raise click.ClickException(
            f"app_id: missing; {sources.title(key_of(step.declared))} has the sample {file}, which Meta takes for an app only: "
            f"set app_id in {credentials_path}, or give --app-id (Meta's App Dashboard shows it, digits)"
        )


def _is_blocked(step: Step) -> bool:
    """Tell whether something declared cannot be made so."""
    return bool(step.reason) if isinstance(step, Skip) else isinstance(step, Edit) and bool(step.remark)


def _tell_plan(steps: Sequence[Step], later: Sequence[Step], samples: Samples) -> None:
    uploaded: set[Path] = set()
    for step in steps:
        title = sources.title(key_of(step.declared))
        if isinstance(step, Create):
            click.echo(f"+ {title}: create as {category_of(step.declared)}")
        elif isinstance(step, Edit):
            parts = ", ".join(
                shown.line(each.part) for each in step.different if each.part != "category" or not step.remark
            )
            click.echo(f"~ {title}: edit {parts}; it is reviewed again, and cannot be sent until then")
            if step.remark:
                click.echo(f"! {title}: category: {step.remark}")
        elif step.reason:
            click.echo(f"! {title}: {step.reason}")
        else:
            click.echo(f"= {title}: as declared, {step.template.status}")
        for _, file in samples.named_by(step) if isinstance(step, (Create, Edit)) else ():
            if file not in uploaded:
                click.echo(f"    upload {file}, {file.stat().st_size:,} bytes")
                uploaded.add(file)
    if any(isinstance(step, Edit) and step.template.status == APPROVED for step in steps):
        click.echo("An approved template can be edited once in 24 hours, ten times in 30 days.")
    if later:
        click.echo(
            f"Meta allows {limits.TEMPLATES_PER_HOUR} creations an hour: {shown.counted(len(later), 'template')} more "
            "to create. Push again in an hour."
        )


def _tell_upload(file: Path) -> None:
    click.echo(f"{file}: uploaded")


def _push(doing: Sequence[Doing], account: TemplateAccount, samples: Samples) -> bool:
    """Carry the steps out and tell how each ended; return whether all went well."""
    outcomes: list[Outcome] = []
    try:
        for outcome in carry_out(doing, account, samples.handed_in):
            outcomes.append(outcome)
            _tell_outcome(outcome)
    except KeyboardInterrupt:
        click.echo(
            "\nInterrupted. Whether the step under way was done is not known: push again, it looks first.", err=True
        )
        _tell_rest(doing, outcomes)
        raise click.Abort from None
    _tell_rest(doing, outcomes)
    return len(outcomes) == len(doing) and not any(outcome.failure for outcome in outcomes)


def _tell_outcome(outcome: Outcome) -> None:
    title, failure, created = sources.title(key_of(outcome.step.declared)), outcome.failure, outcome.created
    if failure:
        unknown = (
            ". Whether it was done is not known: push again, it looks first" if failure.scope is Scope.UNCERTAIN else ""
        )
        click.echo(f"{title}: {shown.line(failure.text)}{unknown}", err=True)
    elif created:
        click.echo(f"{title}: created, {created.status}")
        asked = category_of(outcome.step.declared)
        if created.category not in (None, asked):
            click.echo(
                f"{title}: Meta made it {created.category}, not {asked}: that costs and asks for consent as such"
            )
    else:
        click.echo(f"{title}: edited")


def _tell_rest(doing: Sequence[Doing], outcomes: Sequence[Outcome]) -> None:
    well = sum(not outcome.failure for outcome in outcomes)
    left = [sources.title(key_of(step.declared)) for step in doing[len(outcomes) :]]
    click.echo(f"{well} of {shown.counted(len(doing), 'template')} handed in.")
    if left:
        click.echo(f"Left: {', '.join(left)}. Push again: it goes on with these.", err=True)


def _follow(keys: Collection[tuple[str, str]], account: TemplateAccount, minutes: int) -> bool:
    """Wait for the review of what is in review; tell how it ended and return whether all declared ones are approved."""
    known: dict[tuple[str, str], AccountTemplate] = {}
    at_first: set[tuple[str, str]] = set()
    with click.progressbar(length=len(keys), label="Reviewed") as bar:
        for known in reviewed(keys, account, limit_seconds=minutes * 60, sleep=sleep):
            waiting = {key for key, template in known.items() if template.status in IN_REVIEW}
            at_first = at_first or waiting
            bar.update(len(known) - len(waiting) - bar.pos)
    for key in sorted(at_first):
        template = known.get(key)
        reason = f", reason: {shown.line(template.rejected_reason)}" if template and template.rejected_reason else ""
        click.echo(f"{sources.title(key)}: {template.status if template else 'gone'}{reason}")
    if any(template.status in IN_REVIEW for template in known.values()):
        click.echo(
            f"Not all are reviewed after {shown.counted(minutes, 'minute')}: `templates status` tells later.", err=True
        )
    return len(known) == len(keys) and all(template.status == APPROVED for template in known.values())
