"""What an action learns of the care window from the slots of its conversation."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
from rasa_sdk import Tracker

from rasa_whatsapp import custom_actions, slots
from rasa_whatsapp.custom_actions import WindowLeft, care_window
from rasa_whatsapp.policy.consent import Consent
from rasa_whatsapp.policy.window import CareWindow

TEN = datetime(2026, 11, 22, 10, 0, tzinfo=timezone.utc)
NEXT_TEN = TEN + timedelta(days=1)
END = "2026-11-23T10:00:00+00:00"
CLOSED = timedelta()


def tracker(**filled):
    """Return a conversation with these slots, as the action server has it."""
    return Tracker("c", filled, {}, [], False, None, {}, "action_listen")


@pytest.mark.parametrize(
    ("filled", "now", "expected"),
    [
        ({"care_window_open": True, "care_window_expires_at": END}, TEN, WindowLeft(NEXT_TEN, timedelta(hours=24))),
        ({"care_window_open": True, "care_window_expires_at": END}, NEXT_TEN - timedelta(seconds=1), WindowLeft(NEXT_TEN, timedelta(seconds=1))),
        ({"care_window_open": True, "care_window_expires_at": END}, NEXT_TEN, WindowLeft(NEXT_TEN, CLOSED)),
        ({"care_window_open": True, "care_window_expires_at": END}, NEXT_TEN + timedelta(days=9), WindowLeft(NEXT_TEN, CLOSED)),
        ({"care_window_open": False, "care_window_expires_at": END}, TEN, WindowLeft(NEXT_TEN, CLOSED)),
        ({"care_window_open": None, "care_window_expires_at": END}, TEN, WindowLeft(NEXT_TEN, timedelta(hours=24))),
        ({"care_window_expires_at": END}, TEN, WindowLeft(NEXT_TEN, timedelta(hours=24))),
        ({"care_window_expires_at": "2026-11-23T10:00:00Z"}, TEN, WindowLeft(NEXT_TEN, timedelta(hours=24))),
        ({"care_window_expires_at": "2026-11-23T12:00:00+02:00"}, TEN, WindowLeft(NEXT_TEN, timedelta(hours=24))),
        ({"care_window_expires_at": END}, datetime(2026, 11, 23, 11, 0, tzinfo=timezone(timedelta(hours=2))), WindowLeft(NEXT_TEN, timedelta(hours=1))),
        ({}, TEN, WindowLeft(None, CLOSED)),
        ({"care_window_open": True}, TEN, WindowLeft(None, CLOSED)),
        ({"care_window_open": True, "care_window_expires_at": None}, TEN, WindowLeft(None, CLOSED)),
        ({"care_window_open": True, "care_window_expires_at": ""}, TEN, WindowLeft(None, CLOSED)),
        ({"care_window_open": True, "care_window_expires_at": "tomorrow"}, TEN, WindowLeft(None, CLOSED)),
        ({"care_window_open": True, "care_window_expires_at": "2026-11-23T10:00:00"}, TEN, WindowLeft(None, CLOSED)),
        ({"care_window_open": True, "care_window_expires_at": 1795428000}, TEN, WindowLeft(None, CLOSED)),
        ({"care_window_open": True, "care_window_expires_at": "0001-01-01T00:00:00+14:00"}, TEN, WindowLeft(None, CLOSED)),
    ],
    ids=[
        "just opened", "a second left", "at its end", "long over", "closed by Meta", "open slot empty", "open slot not declared",
        "written with Z", "another zone", "now in another zone", "no slot", "no end", "end empty", "end a blank text", "no moment",
        "no zone", "a number", "before time began",
    ],
)  # fmt: skip
def test_the_window_that_an_action_sees(filled, now, expected):
    """Open as long as something remains; closed where the slots do not say otherwise. All moments are in UTC."""
    window = care_window(tracker(**filled), now=now)
    assert window == expected
    assert window.is_open is (expected.remaining > CLOSED)
    assert window.expires_at is None or window.expires_at.tzinfo is timezone.utc


def test_what_the_channel_fills_in_is_read_back():
    """The slots' values and the helper agree, also after Meta refused."""
    opened = CareWindow(TEN)
    for window in (opened, opened.with_refusal(TEN + timedelta(hours=1)), CareWindow(None)):
        found = care_window(tracker(**slots.values(window, Consent(), TEN)), now=TEN)
        assert (found.is_open, found.expires_at) == (window.is_open(TEN), window.expires_at)


def test_a_moment_without_a_zone_is_refused():
    """It could be any hour."""
    with pytest.raises(ValueError, match="now has no time zone: give an aware moment"):
        care_window(tracker(care_window_expires_at=END), now=datetime(2026, 11, 22, 10, 0))  # noqa: DTZ001


def test_the_clock_tells_if_nobody_does(clock, monkeypatch):
    """In production the system's, in the demo the simulator's."""
    monkeypatch.setattr(custom_actions, "from_environment", lambda: clock)
    clock.advance(hours=20)
    assert care_window(tracker(care_window_expires_at=END)).remaining == timedelta(hours=4)
