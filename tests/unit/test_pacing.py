"""How fast messages may go to one customer: the pair rate as a table over time, and the gateway that keeps it."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta, timezone

import pytest

from rasa_whatsapp.policy.pacing import PAIR

TEN = datetime(2026, 11, 22, 10, 0, tzinfo=timezone.utc)


def at(seconds):
    """Return the moment so many seconds after ten."""
    return TEN + timedelta(seconds=seconds)


def waits(bucket, moments):
    """Return what each message would have to wait, in seconds; those that may go do."""
    full_at, found = None, []
    for moment in moments:
        wait = bucket.wait(full_at, moment)
        found.append(wait.total_seconds())
        if not wait:
            full_at = bucket.after(full_at, moment)
    return found


@pytest.mark.parametrize(
    ("moments", "expected"),
    [
        ([at(0)] * 45, [0] * 45),
        ([at(0)] * 46, [0] * 45 + [6]),
        ([at(0)] * 45 + [at(5), at(6), at(6)], [0] * 45 + [1, 0, 6]),
        ([at(0)] * 45 + [at(270)] * 46, [0] * 45 + [0] * 45 + [6]),
        ([at(6 * number) for number in range(100)], [0] * 100),
        ([at(3 * number) for number in range(89)], [0] * 89),
    ],
    ids=[
        "a burst of 45",
        "one more than the burst",
        "one each six seconds after the burst",
        "a new burst after four and a half minutes",
        "steadily",
        "twice as fast as steadily, for a while",
    ],
)
def test_pair_rate(moments, expected):
    """One message per six seconds to one customer, and up to 45 at once."""
    assert waits(PAIR, moments) == expected


@pytest.mark.asyncio
async def test_the_46th_message_waits_before_meta_says_no(stage):
    """All is said, in order; the clock has to move for the last ones."""
    await stage.start()
    await stage.receive(stage.message("Hi"))
    for number in range(48):
        await stage.say(stage.contact_id, "api:1", number, {"text": str(number)}, proactive=False)
    await stage.idle()
    assert len(stage.graph.sent) == 45
    for seconds in (6, 6, 6):
        await stage.advance(seconds=seconds)
    assert stage.graph.texts == [str(number) for number in range(48)]


@pytest.mark.asyncio
async def test_another_customer_does_not_wait(stage):
    """The rate is per customer."""
    await stage.start()
    await stage.receive(stage.message("Hi"))
    lea = stage.contact_id
    await stage.receive(stage.message("Hi", sender="4915199999999"))
    other = next(row["id"] for row in stage.rows("contacts") if row["id"] != lea)
    for number in range(46):
        await stage.say(lea, "api:1", number, {"text": str(number)}, proactive=False)
    await stage.say(other, "api:2", 1, {"text": "to the other"}, proactive=False)
    await stage.idle()
    assert "to the other" in stage.graph.texts
    assert len(stage.graph.sent) == 46


@pytest.mark.asyncio
async def test_a_burst_counts_from_when_meta_took_its_first_message(stage):
    """The answer to the first one took two seconds: so does the first pause after the burst."""
    await stage.start()
    await stage.receive(stage.message("Hi"))
    stage.graph.held = asyncio.Event()
    await stage.say(stage.contact_id, "api:1", 0, {"text": "0"}, proactive=False)
    await stage.until(lambda: len(stage.graph.sent) == 1)
    stage.clock.advance(seconds=2)
    stage.graph.held.set()
    await stage.idle()
    for number in range(1, 46):
        await stage.say(stage.contact_id, "api:1", number, {"text": str(number)}, proactive=False)
    await stage.idle()
    assert len(stage.graph.sent) == 45
    await stage.advance(seconds=5.9)
    assert len(stage.graph.sent) == 45
    await stage.advance(seconds=0.2)
    assert len(stage.graph.sent) == 46
