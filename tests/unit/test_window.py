"""The care window: 24 hours from the customer's latest message, by that message's own time."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from rasa_whatsapp.policy.window import CareWindow

TEN = datetime(2026, 11, 22, 10, 0, tzinfo=timezone.utc)
NEXT_TEN = datetime(2026, 11, 23, 10, 0, tzinfo=timezone.utc)
SECOND = timedelta(seconds=1)
INSTANT = timedelta(microseconds=1)


@pytest.mark.parametrize(
    ("window", "now", "is_open"),
    [
        pytest.param(CareWindow(None), TEN, False, id="never written"),
        pytest.param(CareWindow(TEN), TEN, True, id="just written"),
        pytest.param(CareWindow(TEN), TEN - SECOND, True, id="Meta's clock is ahead of ours"),
        pytest.param(CareWindow(TEN), NEXT_TEN - INSTANT, True, id="an instant before 24 h"),
        pytest.param(CareWindow(TEN), NEXT_TEN, False, id="exactly 24 h"),
        pytest.param(CareWindow(TEN), NEXT_TEN + SECOND, False, id="a second after 24 h"),
        pytest.param(CareWindow(TEN, TEN + SECOND), TEN + 2 * SECOND, False, id="refused by Meta"),
        pytest.param(CareWindow(None, TEN), TEN, False, id="refused though never written"),
    ],
)
def test_is_open(window, now, is_open):
    """It is open from the message up to, but not at, the 24 hours."""
    assert window.is_open(now) is is_open


@pytest.mark.parametrize(
    ("messages", "expires_at"),
    [
        pytest.param([TEN], NEXT_TEN, id="one message"),
        pytest.param([TEN, TEN + SECOND], NEXT_TEN + SECOND, id="a later one moves it"),
        pytest.param([TEN, TEN - SECOND], NEXT_TEN, id="one that was swapped on the way does not"),
        pytest.param([TEN, TEN - timedelta(days=6)], NEXT_TEN, id="one redelivered after days does not"),
        pytest.param([TEN, TEN], NEXT_TEN, id="two in the same second"),
    ],
)
def test_expiry(messages, expires_at):
    """It expires 24 hours after the latest message, in whatever order the messages come."""
    window = CareWindow(None)
    for sent_at in messages:
        window = window.with_message(sent_at)
    assert window.expires_at == expires_at


def test_a_message_received_late_opens_nothing():
    """A message that was on its way for 25 hours leaves the window closed."""
    assert not CareWindow(None).with_message(TEN).is_open(TEN + timedelta(hours=25))


def test_a_new_message_reopens_after_a_refusal():
    """After Meta's refusal only a newer message of the customer opens it again."""
    refused = CareWindow(TEN).with_refusal(TEN + SECOND)
    assert not refused.is_open(TEN + 2 * SECOND)
    assert not refused.with_message(TEN - SECOND).is_open(TEN + 2 * SECOND)
    assert refused.with_message(TEN + 2 * SECOND).is_open(TEN + 3 * SECOND)


def test_a_refusal_keeps_the_expiry():
    """Designers still see until when it would have been open."""
    assert CareWindow(TEN).with_refusal(TEN + SECOND).expires_at == NEXT_TEN
