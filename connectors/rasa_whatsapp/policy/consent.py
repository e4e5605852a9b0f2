"""Consent to proactive messages: what the customer agreed to, and what that allows.

A ledger of choices, newest last. A choice covers a scope; the latest one that covers a template's category decides.
https://developers.facebook.com/documentation/business-messaging/whatsapp/getting-opt-in
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

OPT_OUT_KEYWORDS = ("stop", "stopp", "unsubscribe", "abmelden")
OPT_IN_KEYWORDS = ("start", "subscribe", "anmelden")


class Choice(Enum):
    """What the customer chose."""

    OPT_IN = "opt_in"
    OPT_OUT = "opt_out"


class Scope(Enum):
    """Which messages a choice is about."""

    ALL = "all"
    UTILITY = "utility"
    MARKETING = "marketing"

    def covers(self, category: Scope) -> bool:
        """Tell whether a choice with this scope speaks about messages of the category."""
        return self is Scope.ALL or self is category


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentGiven:
    """One choice: when, and where it was made (the keyword, Meta's control, the sentence in the chat)."""

    scope: Scope
    choice: Choice
    at: datetime
    source: str
    evidence: str = ""


@dataclass(frozen=True, slots=True)
class Consent:
    """All choices of one customer, oldest first."""

    choices: Sequence[ConsentGiven] = ()

    def standing(self, category: Scope) -> Choice | None:
        """Return the latest choice that covers the category, or None if there is none."""
        covering = [given for given in self.choices if given.scope.covers(category)]
        return covering[-1].choice if covering else None

    @property
    def slot_value(self) -> str:
        """Return what the slot `whatsapp_consent` shows: consent to ordinary proactive (utility) messages."""
        standing = self.standing(Scope.UTILITY)
        return {Choice.OPT_IN: "opted_in", Choice.OPT_OUT: "opted_out", None: "unknown"}[standing]

    def objection(self, category: Scope, *, utility_needs_opt_in: bool = False) -> str | None:
        """Return why nothing proactive of this category may be sent, or None if it may."""
        standing = self.standing(category)
        if standing is Choice.OPT_OUT:
            return f"the customer opted out of {category.value} messages"
        if standing is None and category is Scope.MARKETING:
            return "a marketing template needs the customer's opt-in, and there is none"
        if standing is None and utility_needs_opt_in:
            return "utility_needs_opt_in is set, and the customer has not opted in"
        return None


def stopped_at_meta(code: int, at: datetime, evidence: str) -> ConsentGiven:
    """Return the opt-out that Meta tells by an error such as 131050: of marketing, made with WhatsApp's own control."""
    return ConsentGiven(
        scope=Scope.MARKETING, choice=Choice.OPT_OUT, at=at, source=f"Meta's error {code}", evidence=evidence
    )


def keyword_choice(text: str, *, opt_out: Iterable[str], opt_in: Iterable[str]) -> Choice | None:
    """Return the choice that a typed message makes when it is a keyword and nothing else."""
    word = _bare(text)
    if not word:
        return None
    if word in {_bare(keyword) for keyword in opt_out}:
        return Choice.OPT_OUT
    return Choice.OPT_IN if word in {_bare(keyword) for keyword in opt_in} else None


def _bare(text: str) -> str:
    """Return the text without case, and without blanks, punctuation and emoji around it."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    start, end = 0, len(folded)
    while start < end and not folded[start].isalnum():
        start += 1
    while end > start and not folded[end - 1].isalnum():
        end -= 1
    return folded[start:end]
