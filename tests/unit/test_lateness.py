"""What becomes of a follow-up whose time has come."""

from __future__ import annotations

from datetime import datetime, time, timedelta, timezone

import pytest

from rasa_whatsapp.policy.lateness import Fire, Miss, PutOff, judge
from rasa_whatsapp.policy.quiet_hours import QuietHours

UTC = timezone.utc
TEN = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
NIGHT = QuietHours(time(21, 0), time(8, 0))
MISSED = Miss("no server was there to fire it at 2026-11-22 10:00 UTC, nor in the 1 day, 0:00:00 after that")


@pytest.mark.parametrize(
    ("late", "quiet", "expected"),
    [
        (timedelta(0), None, Fire()),
        (timedelta(hours=24), None, Fire()),
        (timedelta(hours=24, microseconds=1), None, MISSED),
        (timedelta(0), NIGHT, Fire()),
        (timedelta(hours=11), NIGHT, PutOff(datetime(2026, 11, 23, 8, tzinfo=UTC))),
        (timedelta(hours=22), NIGHT, Fire()),
        (timedelta(hours=36), NIGHT, MISSED),
    ],
    ids=[
        "in time",
        "as late as allowed",
        "a moment later than allowed",
        "in time, by day",
        "late, by night",
        "late, when the night is over",
        "too late, by night",
    ],
)
def test_verdicts(late, quiet, expected):
    """It fires, waits for the end of the night, or was missed."""
    assert judge(TEN, TEN + late, late_limit=timedelta(days=1), quiet=quiet, zones=[UTC]) == expected


def test_no_limit_at_all():
    """With a limit of nothing only what fires on the dot fires."""
    second = timedelta(seconds=1)
    assert isinstance(judge(TEN, TEN, late_limit=timedelta(0), quiet=None, zones=[]), Fire)
    assert isinstance(judge(TEN, TEN + second, late_limit=timedelta(0), quiet=None, zones=[]), Miss)
