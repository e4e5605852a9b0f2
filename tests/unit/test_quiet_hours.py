"""Quiet hours by the customer's clock: over midnight, in several zones, on the days on which clocks are changed."""

from __future__ import annotations

from datetime import datetime, time, timezone
from zoneinfo import ZoneInfo

import pytest

from rasa_whatsapp import time_zones
from rasa_whatsapp.policy.quiet_hours import QuietHours

UTC = timezone.utc
BERLIN, NEW_YORK, LOS_ANGELES = ZoneInfo("Europe/Berlin"), ZoneInfo("America/New_York"), ZoneInfo("America/Los_Angeles")
KOLKATA, AUCKLAND = ZoneInfo("Asia/Kolkata"), ZoneInfo("Pacific/Auckland")
NIGHT = QuietHours(time(21, 0), time(8, 0))
NOON = QuietHours(time(12, 0), time(14, 0))
LONG = QuietHours(time(9, 0), time(8, 0))  # one hour of the day is left


def utc(text):
    """Return a moment in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("hours", "now", "until"),
    [
        (NIGHT, "2026-11-22 20:59:59", "2026-11-22 20:59:59"),
        (NIGHT, "2026-11-22 21:00:00", "2026-11-23 08:00:00"),
        (NIGHT, "2026-11-22 23:59:59", "2026-11-23 08:00:00"),
        (NIGHT, "2026-11-23 00:00:00", "2026-11-23 08:00:00"),
        (NIGHT, "2026-11-23 07:59:59", "2026-11-23 08:00:00"),
        (NIGHT, "2026-11-23 08:00:00", "2026-11-23 08:00:00"),
        (NIGHT, "2026-12-31 22:00:00", "2027-01-01 08:00:00"),
        (NOON, "2026-11-22 11:59:59", "2026-11-22 11:59:59"),
        (NOON, "2026-11-22 12:00:00", "2026-11-22 14:00:00"),
        (NOON, "2026-11-22 14:00:00", "2026-11-22 14:00:00"),
        (LONG, "2026-11-22 08:30:00", "2026-11-22 08:30:00"),
        (LONG, "2026-11-22 09:00:00", "2026-11-23 08:00:00"),
    ],
)
def test_in_utc(hours, now, until):
    """From the first second to the last, over midnight or not."""
    assert hours.until(utc(now), [UTC]) == utc(until)


@pytest.mark.parametrize(
    ("zones", "now", "until"),
    [
        ([BERLIN], "2026-11-22 19:59", "2026-11-22 19:59"),
        ([BERLIN], "2026-11-22 20:00", "2026-11-23 07:00"),
        ([BERLIN], "2026-07-22 19:00", "2026-07-23 06:00"),
        ([KOLKATA], "2026-11-22 15:30", "2026-11-23 02:30"),
        ([AUCKLAND], "2026-11-22 08:00", "2026-11-22 19:00"),
        ([NEW_YORK, LOS_ANGELES], "2026-11-22 20:00", "2026-11-22 20:00"),
        ([NEW_YORK, LOS_ANGELES], "2026-11-23 02:00", "2026-11-23 16:00"),
        ([NEW_YORK, LOS_ANGELES], "2026-11-23 13:30", "2026-11-23 16:00"),
        ([LOS_ANGELES, NEW_YORK], "2026-11-23 15:59", "2026-11-23 16:00"),
    ],
    ids=[
        "an evening in Berlin",
        "night begins in Berlin",
        "in summer an hour earlier",
        "half an hour off in India",
        "the next day in New Zealand",
        "afternoon in all of America",
        "night in New York, evening in Los Angeles",
        "morning in New York, night in Los Angeles",
        "the last minute",
    ],
)
def test_by_the_customers_clock(zones, now, until):
    """It is over when it is quiet in none of the zones that may be theirs."""
    assert NIGHT.until(utc(now), zones) == utc(until)


@pytest.mark.parametrize(
    ("now", "until"),
    [
        ("2026-03-28 22:00", "2026-03-29 06:00"),
        ("2026-10-24 21:00", "2026-10-25 07:00"),
        ("2026-10-25 00:30", "2026-10-25 07:00"),
        ("2026-10-25 01:30", "2026-10-25 07:00"),
    ],
    ids=["a night an hour shorter", "a night an hour longer", "02:30 for the first time", "02:30 for the second time"],
)
def test_the_nights_on_which_clocks_are_changed(now, until):
    """Eight o'clock in Berlin is eight o'clock."""
    assert NIGHT.until(utc(now), [BERLIN]) == utc(until)


def test_an_end_that_does_not_exist():
    """02:30 is left out on that night: it ends at 03:30 summer time, once, and not never."""
    hours = QuietHours(time(22, 0), time(2, 30))
    assert hours.until(utc("2026-03-28 22:00"), [BERLIN]) == utc("2026-03-29 01:30")


def test_no_hour_suits_all_zones():
    """Then the first zone decides, and what is due is not put off for ever."""
    long = QuietHours(time(9, 0), time(8, 0))
    assert long.until(utc("2026-11-22 12:00"), [NEW_YORK, LOS_ANGELES]) == utc("2026-11-22 13:00")


def test_in_words():
    """As an operator writes them."""
    assert str(QuietHours(time(21, 5), time(8, 0))) == "21:05-08:00"


@pytest.mark.parametrize(
    ("number", "names"),
    [
        ("4915112345678", ["Europe/Berlin"]),
        ("12125550123", ["America/New_York"]),
        ("12135550123", ["America/Los_Angeles"]),
        ("919812345678", ["Asia/Calcutta"]),
        (None, ["Europe/Vienna"]),
        ("", ["Europe/Vienna"]),
        ("49", ["Europe/Vienna"]),
        ("99912345", ["Europe/Vienna"]),
        ("DE.9Zk3abc", ["Europe/Vienna"]),
    ],
    ids=[
        "a mobile in Germany",
        "New York by its area",
        "Los Angeles by its area",
        "India",
        "hidden",
        "empty",
        "too short",
        "no country's",
        "a user id",
    ],
)
def test_zones_of_a_number(number, names):
    """By its area where it tells, else by its country; the default zone only where there is nothing to go by."""
    assert [str(zone) for zone in time_zones.of_number(number, ZoneInfo("Europe/Vienna"))] == names


def test_a_number_that_may_be_anywhere_in_its_country():
    """An American toll-free number tells no area: all zones of its country count."""
    zones = {str(zone) for zone in time_zones.of_number("18005550123", UTC)}
    assert {"America/New_York", "America/Los_Angeles"} <= zones


@pytest.mark.parametrize(
    ("name", "known"),
    [("Europe/Berlin", True), ("UTC", True), ("Berlin", False), ("", False), ("../../etc/passwd", False)],
)
def test_names_of_zones(name, known):
    """Only those of the tz database."""
    assert (time_zones.zone(name) is not None) is known
