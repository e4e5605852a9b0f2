"""The clock that only moves forward, and the care window that it runs against."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest

from rasa_whatsapp.simulator.clock import Clock, ClockRefused
from rasa_whatsapp.simulator.customers import Customer, opened, opens_window, window_at
from rasa_whatsapp.simulator.pricing import pricing

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=timezone.utc)


def clock() -> Clock:
    """Return a clock whose system time stands at noon."""
    return Clock(system=NOON.timestamp)


def customer(last: int | None) -> Customer:
    """Return a customer who wrote to number 1 last at some moment."""
    opened_at = {} if last is None else {"1": last}
    return Customer(wa_id="4915112345678", name="Lea", user_id="DE.a", opened_at=opened_at)


def test_clock_advances_and_moves_to_a_moment() -> None:
    """Seconds and a moment both move it."""
    moved = clock()
    moved.advance(90_000)
    assert moved.now().isoformat() == "2026-11-23T13:00:00+00:00"
    moved.move_to(datetime(2026, 11, 24, 12, 0, tzinfo=timezone.utc))
    assert moved.offset_seconds == 172_800


@pytest.mark.parametrize("seconds", [-1, float("nan"), float("inf"), 1e12])
def test_clock_refuses_the_past_and_the_absurd(seconds: float) -> None:
    """Backward, endless and absurd moves are refused."""
    with pytest.raises(ClockRefused):
        clock().advance(seconds)


def test_clock_refuses_a_past_or_naive_moment() -> None:
    """A moment must be aware and not in the past."""
    with pytest.raises(ClockRefused):
        clock().move_to(datetime(2026, 11, 22, 11, 59, tzinfo=timezone.utc))
    with pytest.raises(ClockRefused):
        clock().move_to(datetime(2026, 11, 23))  # noqa: DTZ001 - naive on purpose


@pytest.mark.parametrize(
    ("last", "now", "is_open", "remaining"),
    [
        pytest.param(None, 1_000_000, False, 0, id="never wrote"),
        pytest.param(1_000_000, 1_000_000, True, 86_400, id="just wrote"),
        pytest.param(1_000_000, 1_086_399, True, 1, id="last second"),
        pytest.param(1_000_000, 1_086_400, False, 0, id="24 h later"),
        pytest.param(1_000_000, 1_090_000, False, 0, id="long after"),
    ],
)
def test_window_is_open_for_24_hours(last: int | None, now: int, is_open: bool, remaining: int) -> None:
    """The window runs from the customer's latest message."""
    window = window_at(customer(last), "1", now)
    assert (window.is_open, window.remaining_seconds) == (is_open, remaining)


def test_numbers_have_windows_of_their_own() -> None:
    """What opens one number's window leaves another one's alone."""
    assert not window_at(customer(1_000_000), "2", 1_000_000).is_open
    assert opened(customer(1_000_000), "2", 900_000) == {"1": 1_000_000, "2": 900_000}


@pytest.mark.parametrize(
    ("last", "timestamp", "expected"),
    [
        pytest.param(None, 500, 500, id="first message"),
        pytest.param(500, 700, 700, id="newer message"),
        pytest.param(500, 300, 500, id="late message shortens nothing"),
    ],
)
def test_window_counts_from_the_latest_message(last: int | None, timestamp: int, expected: int) -> None:
    """What the customer says opens it, by its own timestamp."""
    assert opened(customer(last), "1", timestamp) == {"1": expected}


@pytest.mark.parametrize(
    ("message", "opens"),
    [
        *[
            pytest.param({"type": kind}, True, id=kind)
            for kind in (
                "text", "image", "audio", "location", "contacts", "order", "interactive", "button", "unsupported",
                "request_welcome",
            )
        ],
        *[pytest.param({"type": kind}, False, id=kind) for kind in ("reaction", "system", "edit", "revoke")],
        pytest.param({"type": "text", "group_id": "g1"}, False, id="to a group"),
    ],
)  # fmt: skip
def test_what_opens_the_window(message: dict[str, str], opens: bool) -> None:
    """What is said to the business opens it; reactions, notices, changes of what was said, group talk do not."""
    assert opens_window(message) is opens


SUMMER, AUTUMN = 1_788_000_000, 1_795_000_000  # August and November 2026


@pytest.mark.parametrize(
    ("category", "window_open", "now", "kind", "name"),
    [
        pytest.param(None, True, SUMMER, "free_customer_service", "service", id="service until September 2026"),
        pytest.param(None, True, AUTUMN, "regular", "service", id="service from October 2026"),
        pytest.param("UTILITY", True, SUMMER, "free_customer_service", "utility", id="utility inside the window"),
        pytest.param("UTILITY", False, SUMMER, "regular", "utility", id="utility outside the window"),
        pytest.param("MARKETING", True, SUMMER, "regular", "marketing", id="marketing"),
    ],
)
def test_pricing(category: str | None, window_open: bool, now: int, kind: str, name: str) -> None:
    """What a message costs depends on category, window and date."""
    assert pricing(category, window_open, now) == {
        "billable": kind == "regular",
        "pricing_model": "PMP",
        "type": kind,
        "category": name,
    }
