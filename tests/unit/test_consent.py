"""Consent: which choice stands for which messages, what the slot shows, and which words are a choice."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest

from rasa_whatsapp.policy.consent import (
    OPT_IN_KEYWORDS,
    OPT_OUT_KEYWORDS,
    Choice,
    Consent,
    ConsentGiven,
    Scope,
    keyword_choice,
)

TEN = datetime(2026, 11, 22, 10, 0, tzinfo=timezone.utc)
IN, OUT = Choice.OPT_IN, Choice.OPT_OUT
ALL, UTILITY, MARKETING = Scope.ALL, Scope.UTILITY, Scope.MARKETING


def ledger(*choices):
    """Return a ledger with these choices, oldest first."""
    return Consent([ConsentGiven(scope=scope, choice=choice, at=TEN, source="x") for scope, choice in choices])


@pytest.mark.parametrize(
    ("choices", "utility", "marketing", "slot"),
    [
        pytest.param([], None, None, "unknown", id="nothing said"),
        pytest.param([(ALL, IN)], IN, IN, "opted_in", id="in to all"),
        pytest.param([(ALL, OUT)], OUT, OUT, "opted_out", id="out of all"),
        pytest.param([(UTILITY, IN)], IN, None, "opted_in", id="in to utility only"),
        pytest.param([(MARKETING, IN)], None, IN, "unknown", id="in to marketing only"),
        pytest.param([(MARKETING, OUT)], None, OUT, "unknown", id="out of marketing only"),
        pytest.param([(ALL, IN), (MARKETING, OUT)], IN, OUT, "opted_in", id="in to all, then out of marketing"),
        pytest.param([(MARKETING, OUT), (ALL, IN)], IN, IN, "opted_in", id="out of marketing, then in to all"),
        pytest.param([(ALL, OUT), (UTILITY, IN)], IN, OUT, "opted_in", id="STOP, then a reminder asked for"),
        pytest.param([(UTILITY, IN), (ALL, OUT)], OUT, OUT, "opted_out", id="a reminder asked for, then STOP"),
        pytest.param([(ALL, IN), (ALL, OUT), (ALL, IN)], IN, IN, "opted_in", id="to and fro"),
    ],
)
def test_standing(choices, utility, marketing, slot):
    """The latest choice that covers a category decides; the slot shows the one for utility messages."""
    consent = ledger(*choices)
    assert (consent.standing(UTILITY), consent.standing(MARKETING), consent.slot_value) == (utility, marketing, slot)


@pytest.mark.parametrize(
    ("choices", "category", "needs_opt_in", "objection"),
    [
        ([], UTILITY, False, None),
        ([], UTILITY, True, "utility_needs_opt_in is set, and the customer has not opted in"),
        ([(ALL, IN)], UTILITY, True, None),
        ([(MARKETING, IN)], UTILITY, True, "utility_needs_opt_in is set, and the customer has not opted in"),
        ([(ALL, OUT)], UTILITY, False, "the customer opted out of utility messages"),
        ([(ALL, OUT)], UTILITY, True, "the customer opted out of utility messages"),
        ([(MARKETING, OUT)], UTILITY, False, None),
        ([], MARKETING, False, "a marketing template needs the customer's opt-in, and there is none"),
        ([(UTILITY, IN)], MARKETING, False, "a marketing template needs the customer's opt-in, and there is none"),
        ([(MARKETING, IN)], MARKETING, False, None),
        ([(ALL, IN)], MARKETING, False, None),
        ([(ALL, IN), (MARKETING, OUT)], MARKETING, False, "the customer opted out of marketing messages"),
    ],
)
def test_objection(choices, category, needs_opt_in, objection):
    """A marketing message needs an opt-in; a utility one goes unless the customer opted out, or as the setting says."""
    assert ledger(*choices).objection(category, utility_needs_opt_in=needs_opt_in) == objection


@pytest.mark.parametrize(
    ("text", "choice"),
    [
        ("STOP", OUT),
        ("stop", OUT),
        ("Stop.", OUT),
        ("  stop!!! ", OUT),
        ("STOP 🛑", OUT),
        ("🛑STOP🛑", OUT),
        ("“stop”", OUT),
        ("ｓｔｏｐ", OUT),
        ("Stopp", OUT),
        ("ABMELDEN", OUT),
        ("Unsubscribe", OUT),
        ("/stop", OUT),
        ("START", IN),
        ("Anmelden!", IN),
        ("subscribe", IN),
        ("please stop", None),
        ("stop it", None),
        ("Stoppuhr", None),
        ("start-up", None),
        ("s.t.o.p", None),
        ("nonstop", None),
        ("Ich möchte mich abmelden", None),
        ("stop start", None),
        ("", None),
        ("🛑", None),
        ("...", None),
    ],
)
def test_keywords(text, choice):
    """A keyword counts as the whole message only, whatever its case and whatever stands around it."""
    assert keyword_choice(text, opt_out=OPT_OUT_KEYWORDS, opt_in=OPT_IN_KEYWORDS) is choice


@pytest.mark.parametrize(
    ("text", "choice"),
    [("Tschüß", OUT), ("TSCHÜSS", OUT), ("nie wieder!", OUT), ("nie  wieder", None), ("stop", None), ("Los", IN)],
)
def test_keywords_of_the_operator(text, choice):
    """An operator's own words replace the defaults; ß and SS are the same."""
    assert keyword_choice(text, opt_out=["tschüss", "Nie wieder"], opt_in=["los!"]) is choice


def test_a_word_in_both_lists_opts_out():
    """In doubt the customer is left alone."""
    assert keyword_choice("stop", opt_out=["stop"], opt_in=["stop"]) is OUT


def test_no_keywords_at_all():
    """Empty lists and empty words make no choice."""
    assert keyword_choice("!", opt_out=["!"], opt_in=[]) is None
