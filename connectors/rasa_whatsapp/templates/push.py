"""Carries out a plan for the account's templates, step by step, and follows the review of what was handed in.

Both are generators: who asks sees each step's end at once, and knows what is left when it stops in the middle.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, repeat
from operator import attrgetter
from typing import Protocol, Union

from rasa_whatsapp.cloud.templates.calls import IN_REVIEW, AccountTemplate, Created
from rasa_whatsapp.cloud.templates.management_errors import Failure, Scope
from rasa_whatsapp.cloud.templates.plan import Create, Edit, by_key
from rasa_whatsapp.cloud.wire import JSONDict
from rasa_whatsapp.templates.account import CallFailed

Key = tuple[str, str]
Doing = Union[Create, Edit]
_PAUSES_SECONDS = (1.0, 2.0, 4.0, 8.0, 15.0)  # between two looks at a review, which takes minutes, up to a day; then
_LAST_PAUSE_SECONDS = 30.0


class Account(Protocol):
    """What is needed of the account."""

    def listed(self) -> list[AccountTemplate]:
        """Return all templates."""

    def create(self, declared: JSONDict) -> Created:
        """Hand a template in."""

    def edit(self, template_id: str, changes: JSONDict) -> None:
        """Change a template."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a step: what Meta made of a creation, or why it failed; neither for an edit that went well."""

    step: Doing
    created: Created | None = None
    failure: Failure | None = None


def carry_out(
    steps: Iterable[Doing], account: Account, handed_in: Callable[[Doing], JSONDict] = attrgetter("body")
) -> Iterator[Outcome]:
    """Do one step after the other; ends behind one whose failure would meet the next ones too, or whose fate is not known.

    `handed_in` returns what a step sends; it may upload what the step needs, and raise CallFailed.
    """
    for step in steps:
        outcome = _done(step, account, handed_in)
        yield outcome
        if outcome.failure and outcome.failure.scope is not Scope.TEMPLATE:
            return


def reviewed(
    keys: Collection[Key], account: Account, *, limit_seconds: float, sleep: Callable[[float], None]
) -> Iterator[dict[Key, AccountTemplate]]:
    """Yield these templates as they are, again and again, until none is in review any more or the time is used up."""
    waited = 0.0
    for pause in chain(_PAUSES_SECONDS, repeat(_LAST_PAUSE_SECONDS)):
        known = {key: template for key, template in by_key(account.listed()).items() if key in keys}
        yield known
        if waited >= limit_seconds or not any(template.status in IN_REVIEW for template in known.values()):
            return
        sleep(min(pause, limit_seconds - waited))
        waited += pause


def _done(step: Doing, account: Account, handed_in: Callable[[Doing], JSONDict]) -> Outcome:
    try:
        body = handed_in(step)
        if isinstance(step, Create):
            return Outcome(step, created=account.create(body))
        account.edit(step.template.id, body)
    except CallFailed as problem:
        return Outcome(step, failure=problem.failure)
    return Outcome(step)
