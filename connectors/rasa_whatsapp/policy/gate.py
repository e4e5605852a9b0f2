"""The gate that every outgoing message passes: free form, template, Direct Send, parked until the customer writes, or refused with its reason.

The bot is silent where a human answers. The ladder, first rung that applies: the window is open -> free form; the response carries
templates -> the first of them that is approved, complete and consented to; Direct Send is switched on and can carry the words, with the
consent of a utility template -> by it; a re-engagement template may go -> the free form is parked;
else refuse. Shortly before the window closes a template goes first, since the words might come too late. Nothing is sent from here and
nothing is raised.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Union

from rasa_whatsapp.cloud.templates import TemplateBook, TemplateMessage, TemplateUnusable, TemplateUse
from rasa_whatsapp.cloud.wire import JSONDict
from rasa_whatsapp.policy.consent import Choice, Consent, Scope
from rasa_whatsapp.policy.window import CareWindow


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """What is to be said: in free form, as a template, or either. `proactive` when no customer's message caused it.

    `after_templates` when it had templates, and Meta took none of them; `direct_misfit` is why Direct Send cannot carry the free form,
    None if it can.
    """

    has_free_form: bool
    template: TemplateUse | None
    proactive: bool
    after_templates: bool = False
    direct_misfit: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Circumstances:
    """What the decision depends on, as it is at `now`; `fallback_languages` follow those that response and dialogue want.

    `margin` is the time before the window's end in which a template is surer; `direct_send` when Meta's Direct Send is switched on;
    `re_engagement` asks the customer to write again.
    """

    now: datetime
    window: CareWindow
    consent: Consent
    templates: TemplateBook
    fallback_languages: Sequence[str] = ()
    utility_needs_opt_in: bool = False
    is_paused: bool = False  # a human answers in this chat
    margin: timedelta = timedelta(0)
    direct_send: bool = False
    re_engagement: TemplateUse | None = None


@dataclass(frozen=True, slots=True)
class SendFreeForm:
    """The free-form message may go."""


@dataclass(frozen=True, slots=True)
class SendTemplate:
    """This template goes instead."""

    message: TemplateMessage


@dataclass(frozen=True, slots=True)
class SendDirectly:
    """The free form goes outside the window, as a utility message of which Meta makes a template; the reason is why no other may."""

    reason: str


@dataclass(frozen=True, slots=True)
class Park:
    """The free form waits until the customer writes, whom the re-engagement template asks to; the reason is why it may not go."""

    reason: str


@dataclass(frozen=True, slots=True)
class Refuse:
    """Nothing may go; the reason is for a designer to understand."""

    reason: str


Decision = Union[SendFreeForm, SendTemplate, SendDirectly, Park, Refuse]
_NO_TEMPLATE = "the response carries no template (custom.template)"
_RUNGS = {
    SendFreeForm: "free_form",
    SendTemplate: "template",
    SendDirectly: "direct_send",
    Park: "park",
    Refuse: "refuse",
}


def decide(proposal: Proposal, given: Circumstances) -> Decision:
    """Return the first rung of the ladder that applies."""
    if given.is_paused:
        return Refuse("a human answers in this chat, so the bot stays silent")
    is_open = given.window.is_open(given.now)
    may_be_free = proposal.has_free_form and is_open
    if may_be_free and proposal.proactive and given.consent.standing(Scope.UTILITY) is Choice.OPT_OUT:
        return Refuse("the customer opted out of proactive messages")
    if may_be_free and (proposal.template is None or given.window.is_open(given.now + given.margin)):
        return SendFreeForm()
    decision = _as_template(proposal, given, is_open=is_open)
    if isinstance(decision, SendTemplate):
        return decision
    if may_be_free:
        return SendFreeForm()
    return _without_template(decision, proposal, given) if proposal.has_free_form else decision


def to_record(proposal: Proposal, given: Circumstances, decision: Decision) -> JSONDict:
    """Return what was decided and from what, as it is kept with the message."""
    window = given.window
    made: JSONDict = {
        "at": given.now.isoformat(),
        "rung": _RUNGS[type(decision)],
        "window_expires_at": window.expires_at.isoformat() if window.expires_at else None,
        "refused_at": window.refused_at.isoformat() if window.refused_at else None,
        "consent": given.consent.slot_value,
        "margin_seconds": given.margin.total_seconds(),
        "human_answers": given.is_paused,
        "proactive": proposal.proactive,
        "free_form": proposal.has_free_form,
        "direct_send": given.direct_send,
        "re_engagement_template": given.re_engagement.name if given.re_engagement else None,
        "after_templates": proposal.after_templates,
        "templates": [use.name for use in proposal.template.in_order] if proposal.template else [],
    }
    if isinstance(decision, SendTemplate):
        made |= {"template": decision.message.name, "language": decision.message.language}
    elif isinstance(decision, (SendDirectly, Park, Refuse)):
        made |= {"reason": decision.reason}
    return made


def _as_template(proposal: Proposal, given: Circumstances, *, is_open: bool) -> SendTemplate | Refuse:
    if proposal.template is None:
        why = "Meta took none of the response's templates" if proposal.after_templates else _NO_TEMPLATE
        return Refuse(f"{_closed_since(given.window)} and {why}")
    return _first_template(proposal.template, given, is_reply=is_open and not proposal.proactive)


def _without_template(refused: Refuse, proposal: Proposal, given: Circumstances) -> SendDirectly | Park | Refuse:
    """Return what becomes of words outside the window for which no template may go."""
    if not given.direct_send:
        return _parked(refused, given)
    objection = proposal.direct_misfit or given.consent.objection(
        Scope.UTILITY, utility_needs_opt_in=given.utility_needs_opt_in
    )
    return (
        _parked(Refuse(f"{refused.reason}; Direct Send: {objection}"), given)
        if objection
        else SendDirectly(refused.reason)
    )


def _parked(refused: Refuse, given: Circumstances) -> Park | Refuse:
    if given.re_engagement is None:
        return refused
    nudge = _first_template(given.re_engagement, given, is_reply=False)
    if isinstance(nudge, SendTemplate):
        return Park(refused.reason)
    return Refuse(f"{refused.reason}; it cannot be parked: {nudge.reason}")


def _first_template(template: TemplateUse, given: Circumstances, *, is_reply: bool) -> SendTemplate | Refuse:
    """Return the first template that may go, or why each of them may not."""
    passed_over = []
    for use in given.templates.in_order(template, given.fallback_languages):
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
