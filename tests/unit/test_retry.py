"""Retries: pauses grow, jitter spreads them, an age ends them."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from rasa_whatsapp.policy.retry import PAIR_RATE, GiveUp, RetryAt, after_failure

TEN = datetime(2026, 11, 22, 10, 0, tzinfo=timezone.utc)
DAY = timedelta(hours=23)


def asked(attempts=1, *, age=timedelta(), code=131016, jitter=0.5, limit=DAY):
    """Return the verdict after so many tries."""
    return after_failure(
        attempts=attempts, copies=0, created_at=TEN - age, now=TEN, code=code, age_limit=limit, jitter=jitter
    )


@pytest.mark.parametrize(
    ("attempts", "code", "jitter", "seconds"),
    [
        (1, 131016, 0.5, 1),
        (2, 131016, 0.5, 2),
        (3, 131016, 0.5, 4),
        (9, 131016, 0.5, 256),
        (10, 131016, 0.5, 300),
        (10_000, 131016, 0.5, 300),
        (1, 131016, 0.0, 0.8),
        (1, 131016, 1.0, 1.2),
        (1, PAIR_RATE, 0.5, 1),
        (2, PAIR_RATE, 0.5, 4),
        (3, PAIR_RATE, 0.5, 16),
        (10_000, PAIR_RATE, 0.5, 300),
    ],
)
def test_pauses(attempts, code, jitter, seconds):
    """They double, or grow fourfold for the pair rate as Meta asks, up to five minutes, spread by a fifth."""
    assert asked(attempts, code=code, jitter=jitter) == RetryAt(TEN + timedelta(seconds=seconds))


@pytest.mark.parametrize(
    ("age", "ends"),
    [
        (timedelta(), False),
        (DAY - timedelta(microseconds=1), False),
        (DAY, True),
        (DAY + timedelta(days=3), True),
    ],
)
def test_age(age, ends):
    """At its age limit a message is given up."""
    assert isinstance(asked(2, age=age), GiveUp if ends else RetryAt)


def test_the_reason_names_the_limit():
    """The operator reads how long it was tried."""
    assert asked(2, age=DAY) == GiveUp("it could not be sent within 23:00:00")
