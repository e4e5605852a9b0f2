"""The slots that the channel fills: what goes into them at a moment."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from rasa_whatsapp import slots
from rasa_whatsapp.policy.consent import Choice, Consent, ConsentGiven, Scope
from rasa_whatsapp.policy.outcome import outcome_of
from rasa_whatsapp.policy.window import CareWindow

TEN = datetime(2026, 11, 22, 10, 0, tzinfo=timezone.utc)
OUT = Consent([ConsentGiven(scope=Scope.ALL, choice=Choice.OPT_OUT, at=TEN, source="keyword")])


@pytest.mark.parametrize(
    ("window", "consent", "now", "expected"),
    [
        (
            CareWindow(TEN),
            Consent(),
            TEN,
            {
                "care_window_open": True,
                "care_window_expires_at": "2026-11-23T10:00:00+00:00",
                "whatsapp_consent": "unknown",
            },
        ),
        (
            CareWindow(TEN),
            OUT,
            TEN + timedelta(hours=24),
            {
                "care_window_open": False,
                "care_window_expires_at": "2026-11-23T10:00:00+00:00",
                "whatsapp_consent": "opted_out",
            },
        ),
        (CareWindow(None), Consent(), TEN, {"care_window_open": False, "whatsapp_consent": "unknown"}),
    ],
    ids=["open", "closed", "never written"],
)
def test_values(window, consent, now, expected):
    """They are true at this moment, not at the message's."""
    assert slots.values(window, consent, now) == expected


def test_names():
    """The names that the domain declares."""
    assert slots.NAMES == (
        "care_window_open",
        "care_window_expires_at",
        "whatsapp_consent",
        "whatsapp_last_proactive",
        "whatsapp_last_proactive_reason",
    )


@pytest.mark.parametrize(
    ("state", "form", "reason", "expected"),
    [
        ("pending", None, None, ("waiting", "")),
        ("sending", "free_form", None, ("waiting", "")),
        ("unsettled", "template", "perhaps", ("waiting", "")),
        ("accepted", "free_form", None, ("sent_free", "")),
        ("delivered", "free_form", None, ("sent_free", "")),
        ("read", "template", None, ("sent_as_template", "")),
        ("sent", "direct_send", None, ("sent_directly", "")),
        ("pending", "not_direct", "error 139200", ("waiting", "")),
        ("parked", "not_direct", "error 139200", ("parked", "error 139200")),
        ("refused", None, "the window is closed", ("refused", "the window is closed")),
        ("failed", "template", "error 131026", ("failed", "error 131026")),
        ("failed", "template", None, ("failed", "")),
    ],
)
def test_how_the_last_proactive_message_went(state, form, reason, expected):
    """In the words of the slots."""
    result, why = expected
    told = slots.of_outcome(outcome_of(state, form, reason))
    assert told == {"whatsapp_last_proactive": result, "whatsapp_last_proactive_reason": why}


def test_nothing_was_ever_said_without_being_asked():
    """The slots stay empty."""
    assert slots.of_outcome(None) == {}
