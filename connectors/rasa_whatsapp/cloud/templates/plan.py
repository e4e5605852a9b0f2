"""Declared templates and those that the account has, to what has to be done about each: nothing, a creation, an edit, or why neither.

https://developers.facebook.com/documentation/business-messaging/whatsapp/templates/template-management
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Union

from rasa_whatsapp.cloud import limits
from rasa_whatsapp.cloud.templates.calls import GONE, IN_REVIEW, AccountTemplate
from rasa_whatsapp.cloud.templates.differences import Difference, category_of, differences
from rasa_whatsapp.cloud.wire import JSONDict

APPROVED = "APPROVED"
_EDITABLE = (APPROVED, "REJECTED", "PAUSED")
_WHY_NOT = {
    **dict.fromkeys(IN_REVIEW, "it is being reviewed: push again when that is over"),
    **dict.fromkeys(GONE, "it is being deleted, and Meta locks the name for 30 days: take another name"),
    "DISABLED": "Meta has disabled it for good: make a new one under another name",
    "ARCHIVED": "it is archived: bring it back in WhatsApp Manager",
    "LIMIT_EXCEEDED": "the account has too many templates: delete some",
}
_CATEGORY_FIXED = "Meta has it as {theirs}, which is fixed once it was approved: declare that, or ask for a review in WhatsApp Manager"
_FORM_FIXED = "parameter_format cannot be edited: take another name"


@dataclass(frozen=True, slots=True)
class Create:
    """Hand it in."""

    declared: JSONDict

    @property
    def body(self) -> JSONDict:
        """Return what is handed in."""
        return self.declared


@dataclass(frozen=True, slots=True)
class Edit:
    """Change the account's one: `changes` is what is sent, `different` what it is about, `remark` what stays different."""

    declared: JSONDict
    template: AccountTemplate
    changes: JSONDict
    different: Sequence[Difference]
    remark: str = ""

    @property
    def body(self) -> JSONDict:
        """Return what is handed in."""
        return self.changes


@dataclass(frozen=True, slots=True)
class Skip:
    """Do nothing; `reason` says what is in the way, nothing if the account has it as it is declared."""

    declared: JSONDict
    template: AccountTemplate
    reason: str = ""


Step = Union[Create, Edit, Skip]


def key_of(declared: JSONDict) -> tuple[str, str]:
    """Return what tells a declared template from all others."""
    return str(declared.get("name") or ""), str(declared.get("language") or "")


def by_key(templates: Iterable[AccountTemplate]) -> dict[tuple[str, str], AccountTemplate]:
    """Return the account's templates by name and language."""
    return {template.key: template for template in templates}


def plan(declared: Iterable[JSONDict], at_meta: Mapping[tuple[str, str], AccountTemplate]) -> list[Step]:
    """Return a step for each declared template, in their order."""
    return [_step(each, at_meta.get(key_of(each))) for each in declared]


def this_hour(steps: Sequence[Step]) -> tuple[list[Step], list[Step]]:
    """Return the steps that may be taken now, and those for which Meta wants an hour in between."""
    now: list[Step] = []
    later: list[Step] = []
    creations = 0
    for step in steps:
        creations += isinstance(step, Create)
        waits = isinstance(step, Create) and creations > limits.TEMPLATES_PER_HOUR
        (later if waits else now).append(step)
    return now, later


def _step(declared: JSONDict, template: AccountTemplate | None) -> Step:
    if template is None:
        return Create(declared)
    different = differences(declared, template.content)
    if template.status not in _EDITABLE:
        is_as_declared = not different and template.status in IN_REVIEW
        reason = _WHY_NOT.get(template.status, f"Meta has it as {template.status}: see WhatsApp Manager")
        return Skip(declared, template, "" if is_as_declared else reason)
    parts = {difference.part for difference in different}
    if "parameter_format" in parts:
        return Skip(declared, template, _FORM_FIXED)
    changes = _changes(declared, parts, template.status)
    remark = (
        _CATEGORY_FIXED.format(theirs=template.category) if "category" in parts and "category" not in changes else ""
    )
    if not changes:
        return Skip(declared, template, remark)
    return Edit(declared, template, changes, different, remark)


def _changes(declared: JSONDict, parts: set[str], status: str) -> JSONDict:
    """Return what an edit sends: components always as a whole, and nothing that did not change."""
    changes: JSONDict = {}
    if parts - {"category", "message_send_ttl_seconds"}:
        changes["components"] = declared["components"]
    if "message_send_ttl_seconds" in parts:
        changes["message_send_ttl_seconds"] = declared["message_send_ttl_seconds"]
    if "category" in parts and status != APPROVED:
        changes["category"] = category_of(declared)
    return changes
