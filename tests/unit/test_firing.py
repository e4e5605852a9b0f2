"""When follow-ups fire: late but not too late, and not in the customer's night."""

from __future__ import annotations

import asyncio
from datetime import datetime, time, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest

from rasa_whatsapp import firing
from rasa_whatsapp.firing import FiringRules
from rasa_whatsapp.policy.quiet_hours import QuietHours
from rasa_whatsapp.storage import follow_ups
from rasa_whatsapp.storage.follow_ups import NewFollowUp

pytestmark = pytest.mark.asyncio

NIGHT = QuietHours(time(21, 0), time(8, 0))
BERLIN, NEW_YORK, TOLL_FREE, INDIA = "4915112345678", "12125550123", "18005550123", "919812345678"


def utc(text):
    """Return a moment in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=timezone.utc)


async def schedule(stage, due_at, contact_id=None, **changes):
    """Schedule a follow-up of the only, or of this, customer."""
    plain = {
        "contact_id": contact_id or stage.contact_id, "name": "reminder", "intent": "EXTERNAL_reminder", "entities": [],
        "due_at": due_at, "kill_on_user_message": False, "cause": "wamid.IN1",
    }  # fmt: skip
    await stage.gateway.schedule(NewFollowUp(**(plain | changes)))


async def begin(stage, sender=BERLIN, **rules):
    """Start with these rules, let a customer write, and forget that turn."""
    await stage.start(firing=FiringRules(**rules))
    names = {"from": None, "from_user_id": "DE.1"} if sender is None else {"from": sender}
    await stage.receive(stage.message("Hi", **names))
    stage.dialogue.turns.clear()


async def move_to(stage, moment):
    """Let it be this moment, and everything happen that is due by then."""
    stage.clock.moment = moment
    await stage.nudge()


def fired(stage):
    """Return the names of the follow-ups that had their turn."""
    return [turn.metadata["whatsapp"]["follow_up"] for turn in stage.dialogue.turns]


@pytest.mark.parametrize(
    ("late", "state"),
    [(timedelta(hours=6), "done"), (timedelta(hours=6, seconds=1), "missed")],
    ids=["as late as allowed", "a second later"],
)
async def test_no_server_was_there(stage, late, state, caplog):
    """It fires late, or is recorded as missed with its reason and a warning; what was not due yet fires in time."""
    await begin(stage, late_limit=timedelta(hours=6))
    due_at = stage.clock.now() + timedelta(hours=1)
    await schedule(stage, due_at)
    await schedule(stage, due_at + timedelta(days=1), name="tomorrow")
    await stage.kill()
    stage.clock.moment = due_at + late
    await stage.start()
    await stage.nudge()
    rows = {row["name"]: row for row in stage.rows("follow_ups")}
    assert rows["reminder"]["state"] == state
    assert rows["tomorrow"]["state"] == "pending"
    if state == "missed":
        assert rows["reminder"]["reason"] == (
            "no server was there to fire it at 2026-11-22 11:00 UTC, nor in the 6:00:00 after that"
        )
        assert rows["reminder"]["finished_at"] == stage.clock.now()
        assert "was missed" in caplog.text
        assert fired(stage) == []


@pytest.mark.parametrize(
    ("sender", "due", "fires"),
    [
        (BERLIN, "2026-11-22 19:59", "2026-11-22 19:59"),
        (BERLIN, "2026-11-22 20:00", "2026-11-23 07:00"),
        (BERLIN, "2026-11-23 03:00", "2026-11-23 07:00"),
        (BERLIN, "2027-03-27 23:00", "2027-03-28 06:00"),
        (BERLIN, "2027-07-01 19:30", "2027-07-02 06:00"),
        (NEW_YORK, "2026-11-23 01:59", "2026-11-23 01:59"),
        (NEW_YORK, "2026-11-23 02:00", "2026-11-23 13:00"),
        (TOLL_FREE, "2026-11-23 20:00", "2026-11-23 22:00"),
        (INDIA, "2026-11-22 16:00", "2026-11-23 02:30"),
        (None, "2026-11-22 12:00", "2026-11-22 23:00"),
    ],
    ids=[
        "evening in Berlin",
        "night begins in Berlin",
        "the middle of the night",
        "the night on which clocks go forward",
        "summer",
        "evening in New York",
        "night in New York",
        "a number of anywhere in America: morning in Guam, afternoon in New York",
        "half an hour off",
        "a hidden number, by the default zone",
    ],
)
async def test_quiet_hours(stage, sender, due, fires):
    """By the clock of the customer's number, else by the zone that was set (here Tokyo)."""
    stage.clock.moment = utc("2026-11-22 04:00")
    await begin(stage, sender, quiet_hours=NIGHT, time_zone=ZoneInfo("Asia/Tokyo"))
    await schedule(stage, utc(due))
    await move_to(stage, utc(due) - timedelta(seconds=1))
    assert fired(stage) == []
    if fires != due:
        await move_to(stage, utc(due))
        (row,) = stage.rows("follow_ups")
        assert (row["state"], row["due_at"], row["fire_at"]) == ("pending", utc(due), utc(fires))
        await move_to(stage, utc(fires) - timedelta(seconds=1))
        assert fired(stage) == []
    await move_to(stage, utc(fires))
    assert fired(stage) == ["reminder"]


async def test_put_off_it_is_late_from_the_morning_on(stage):
    """The night does not count as lateness: the limit of an hour begins when the quiet hours end."""
    stage.clock.moment = utc("2026-11-22 12:00")
    await begin(stage, quiet_hours=NIGHT, late_limit=timedelta(hours=1))
    await schedule(stage, utc("2026-11-22 22:00"))
    await move_to(stage, utc("2026-11-22 22:00"))
    await move_to(stage, utc("2026-11-23 07:59"))
    assert stage.states("follow_ups") == ["done"]


async def test_customers_of_several_zones_at_once(stage):
    """Each by its own clock, though they fall due in one moment."""
    stage.clock.moment = utc("2026-11-22 12:00")
    await begin(stage, quiet_hours=NIGHT)
    await stage.receive(stage.message("Hi", sender=NEW_YORK))
    stage.dialogue.turns.clear()
    lea, sam = (row["contact_id"] for row in stage.rows("inbox"))
    for name, contact_id in (("Berlin", lea), ("New York", sam)):
        await schedule(stage, utc("2026-11-22 21:00"), contact_id, name=name)
    await move_to(stage, utc("2026-11-22 21:00"))
    assert fired(stage) == ["New York"]
    await move_to(stage, utc("2026-11-23 07:00"))
    assert fired(stage) == ["New York", "Berlin"]


async def test_what_a_customer_writes_at_night_is_answered(stage):
    """Quiet hours are about what the bot says by itself."""
    stage.clock.moment = utc("2026-11-22 23:00")
    stage.dialogue.answer = lambda turn: [{"text": "Good night"}]
    await stage.start(firing=FiringRules(quiet_hours=NIGHT))
    await stage.receive(stage.message("Hi"))
    assert stage.graph.texts == ["Good night"]


async def test_one_that_the_operator_fires_waits_for_the_morning_too(stage):
    """`follow-ups fire` brings it forward, not into the customer's night."""
    stage.clock.moment = utc("2026-11-22 23:00")
    await begin(stage, quiet_hours=NIGHT)
    await schedule(stage, utc("2026-11-22 23:00"))
    await stage.nudge()
    assert fired(stage) == []
    assert stage.rows("follow_ups")[0]["fire_at"] == utc("2026-11-23 07:00")


async def test_some_at_a_time(stage):
    """More than are taken at once fire all the same, the oldest first."""
    await begin(stage)
    for number in range(7):
        await schedule(stage, stage.clock.now() + timedelta(seconds=number), name=str(number))
    stage.clock.advance(hours=1)
    counts = [await stage.database.run(firing.fire_due, FiringRules(), stage.clock.now(), most=3) for _ in range(4)]
    assert counts == [3, 3, 1, 0]
    await stage.nudge()
    assert fired(stage) == [str(number) for number in range(7)]


@pytest.mark.on("postgresql")
async def test_two_servers_fire_none_twice(stage):
    """What one is about to fire, the other passes over; SQLite has one transaction at a time."""
    await begin(stage)
    await stage.receive(stage.message("Hi", sender=NEW_YORK))
    lea, sam = (row["contact_id"] for row in stage.rows("inbox"))
    for contact_id, count, hours in ((lea, 3, 2), (sam, 2, 1)):
        for number in range(count):
            await schedule(stage, stage.clock.now() - timedelta(hours=hours), contact_id, name=str(number))
    now, engine = stage.clock.now(), stage.database._engine
    with engine.begin() as one, engine.begin() as other:
        assert firing.fire_due(one, FiringRules(), now, most=3) == 3
        assert firing.fire_due(other, FiringRules(), now) == 2
    assert sorted(stage.states("follow_ups")) == ["fired"] * 5


@pytest.mark.on("postgresql")
async def test_a_message_does_not_wait_for_what_fires(stage, body):
    """Its webhook is acknowledged at once; the turn of what the customer wrote sees to the reminder that was being fired."""
    await begin(stage)
    await schedule(stage, stage.clock.now(), kill_on_user_message=True)
    with stage.database._engine.begin() as connection:
        assert len(follow_ups.claim_due(connection, stage.clock.now(), 9)) == 1
        await asyncio.wait_for(stage.gateway.receive(body(stage.message("Well?", sender=BERLIN))), timeout=5)
    await stage.idle()
    assert (stage.dialogue.heard, stage.states("follow_ups")) == (["Well?"], ["cancelled"])
