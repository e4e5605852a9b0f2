"""The gate that every outgoing message passes: free form, template, or a refusal with its reason.

The bot is silent where a human answers. The ladder, first rung that applies: the window is open -> free form; the response carries templates -> the first of them that is
approved, complete and consented to; else refuse. Nothing is sent from here and nothing is raised.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Union

from rasa_whatsapp.cloud.templates import TemplateBook, TemplateMessage, TemplateUnusable, TemplateUse
from rasa_whatsapp.policy.consent import Choice, Consent, Scope
from rasa_whatsapp.policy.window import CareWindow


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """What is to be said: in free form, as a template, or either. `proactive` when no customer's message caused it."""

    has_free_form: bool
    template: TemplateUse | None
    proactive: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Circumstances:
    """What the decision depends on, as it is at `now`; `fallback_languages` follow those that response and dialogue want."""

    now: datetime
    window: CareWindow
    consent: Consent
    templates: TemplateBook
    fallback_languages: Sequence[str] = ()
    utility_needs_opt_in: bool = False
    is_paused: bool = False  # a human answers in this chat


@dataclass(frozen=True, slots=True)
class SendFreeForm:
    """The free-form message may go."""


@dataclass(frozen=True, slots=True)
class SendTemplate:
    """This template goes instead."""

    message: TemplateMessage


@dataclass(frozen=True, slots=True)
class Refuse:
    """Nothing may go; the reason is for a designer to understand."""

    reason: str


Decision = Union[SendFreeForm, SendTemplate, Refuse]


def decide(proposal: Proposal, given: Circumstances) -> Decision:
    """Return the first rung of the ladder that applies."""
    if given.is_paused:
        return Refuse("a human answers in this chat, so the bot stays silent")
    is_open = given.window.is_open(given.now)
    if proposal.has_free_form and is_open:
        opted_out = given.consent.standing(Scope.UTILITY) is Choice.OPT_OUT
        if proposal.proactive and opted_out:
            return Refuse("the customer opted out of proactive messages")
        return SendFreeForm()
    if proposal.template is None:
        return Refuse(f"{_closed_since(given.window)} and the response carries no template (custom.template)")
    return _first_template(proposal.template, given, is_reply=is_open and not proposal.proactive)


def _first_template(template: TemplateUse, given: Circumstances, *, is_reply: bool) -> SendTemplate | Refuse:
    """Return the first template in the response's order that may go, or why each of them may not."""
    passed_over = []
    for use in template.in_order:
        try:
            message = given.templates.prepare(use, given.fallback_languages)
        except TemplateUnusable as problem:
            passed_over.append(str(problem))
            continue
        decision = _consented(message, given, is_reply=is_reply)
        if isinstance(decision, SendTemplate):
            return decision
        passed_over.append(decision.reason)
    return Refuse("; ".join(passed_over))


def _consented(message: TemplateMessage, given: Circumstances, *, is_reply: bool) -> SendTemplate | Refuse:
    category = Scope.MARKETING if message.category == "MARKETING" else Scope.UTILITY
    if is_reply and category is Scope.UTILITY:
        return SendTemplate(message)  # an answer to what the customer just wrote needs no consent
    objection = given.consent.objection(category, utility_needs_opt_in=given.utility_needs_opt_in)
    if objection:
        return Refuse(f"template {message.name!r}: {objection}")
    return SendTemplate(message)


def _closed_since(window: CareWindow) -> str:
    if window.opened_at is None:
        return "the customer has never written, so no care window is open,"
    if window.refused_at is not None:
        return "Meta refused a free-form message (131047), so the care window counts as closed,"
    return f"the care window closed at {window.expires_at:%Y-%m-%d %H:%M} UTC"
