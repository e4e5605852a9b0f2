"""Refusals that mean more than one message: who slows down, for how long, and what ends it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from rasa_whatsapp.cloud.answers import Accepted, Refused
from rasa_whatsapp.cloud.graph_errors import CODES, Disposition
from rasa_whatsapp.policy.slowdown import SLOWDOWNS
from rasa_whatsapp.stops import Stops

NUMBERS = ("100000000000001", "100000000000002")
ONE, TWO = NUMBERS
FINE = Accepted("wamid.1")


def too_fast(code):
    """Return Graph's refusal."""
    return Refused(Disposition.RETRY, code, f"error {code}")


@pytest.mark.parametrize(
    ("code", "pauses"),
    [
        (130429, [0.5, 1, 2, 4, 8, 16, 30, 30]),
        (131057, [30, 60, 60]),
        (2494100, [30, 60, 120, 240, 300, 300]),
        (80007, [5, 10, 20, 40, 80, 160, 300, 300]),
        (4, [5, 10, 20, 40, 80, 160, 300, 300]),
    ],
)
def test_pauses_double_up_to_a_bound(code, pauses):
    """Counted in seconds, for refusals in a row."""
    found = [SLOWDOWNS[code].pause(count).total_seconds() for count in range(1, len(pauses) + 1)]
    assert found == pauses


def test_a_long_row_stays_at_the_bound():
    """However many there were, nothing overflows."""
    assert SLOWDOWNS[4].pause(100_000) == timedelta(minutes=5)


def test_each_is_tried_again():
    """What pauses the number does not end the message; 131056 concerns one customer and is none of these."""
    assert {CODES[code][0] for code in SLOWDOWNS} == {Disposition.RETRY}
    assert 131056 not in SLOWDOWNS


@pytest.mark.parametrize(
    ("code", "stopped"),
    [(130429, {ONE}), (131057, {ONE}), (80007, {ONE, TWO}), (4, {ONE, TWO}), (131056, set()), (131000, set())],
    ids=[
        "throughput: the number",
        "maintenance: the number",
        "the account's rate: all of its numbers",
        "the app's rate: all of its numbers",
        "pair rate: nobody",
        "an error of Meta's: nobody",
    ],
)
def test_how_wide_it_goes(clock, code, stopped):
    """A number, or all of the account's; and no alarm, as no operator can mend it."""
    stops = Stops(NUMBERS)
    stops.note(ONE, too_fast(code), clock.now(), clock.now())
    assert set(stops.stopped.everything) == stopped
    assert stops.alarms(clock.now()) == []


def test_requests_under_way_together_count_once(clock):
    """Thirty refusals of one moment are one pause, not the thirtieth doubling."""
    stops = Stops(NUMBERS)
    for _ in range(30):
        stops.note(ONE, too_fast(130429), clock.now(), clock.now())
    assert stops.stopped.everything == {ONE: clock.now() + timedelta(seconds=0.5)}


def test_a_row_of_refusals(clock):
    """Each pause that ends with a refusal is followed by a longer one; an acceptance ends the row."""
    stops = Stops(NUMBERS)
    for seconds in (0.5, 1, 2):
        stops.note(ONE, too_fast(130429), clock.now(), clock.now())
        assert stops.stopped.everything[ONE] - clock.now() == timedelta(seconds=seconds)
        clock.advance(seconds=seconds)
    stops.note(ONE, FINE, clock.now(), clock.now())
    assert stops.stopped.everything == {}
    stops.note(ONE, too_fast(130429), clock.now(), clock.now())
    assert stops.stopped.everything[ONE] - clock.now() == timedelta(seconds=0.5)


def test_the_accounts_numbers_count_one_row(clock):
    """Whichever of them meets the next refusal."""
    stops = Stops(NUMBERS)
    for number, seconds in ((ONE, 5), (TWO, 10), (ONE, 20)):
        stops.note(number, too_fast(80007), clock.now(), clock.now())
        assert stops.stopped.everything[ONE] - clock.now() == timedelta(seconds=seconds)
        clock.advance(seconds=seconds)


def test_a_pause_after_a_stop(clock):
    """The token is right again, but it goes too fast: an acceptance of the same moment does not end the pause."""
    stops = Stops(NUMBERS)
    stops.note(ONE, Refused(Disposition.STOP_SENDING, 190, "expired"), clock.now(), clock.now())
    clock.advance(seconds=61)
    stops.note(ONE, too_fast(130429), clock.now(), clock.now())
    stops.note(ONE, FINE, clock.now(), clock.now())
    assert stops.stopped.everything == {ONE: clock.now() + timedelta(seconds=0.5)}
    assert stops.alarms(clock.now()) == []


def test_an_acceptance_from_before_the_pause(clock):
    """The answer to a request that left earlier does not end it."""
    stops = Stops(NUMBERS)
    stops.note(ONE, too_fast(131057), clock.now(), clock.now())
    stops.note(ONE, FINE, clock.now(), clock.now())
    assert stops.stopped.everything == {ONE: clock.now() + timedelta(seconds=30)}


def test_a_short_pause_does_not_cut_a_long_one(clock):
    """The account pauses; then one of its numbers is refused for something shorter."""
    stops = Stops(NUMBERS)
    stops.note(TWO, too_fast(131057), clock.now(), clock.now())
    stops.note(ONE, too_fast(4), clock.now(), clock.now())
    assert stops.stopped.everything == {
        ONE: clock.now() + timedelta(seconds=5),
        TWO: clock.now() + timedelta(seconds=30),
    }


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("code", "seconds"),
    [(130429, 1), (131057, 30), (80007, 5)],
    ids=["throughput", "maintenance", "the account's rate"],
)
async def test_other_customers_wait_too(stage, code, seconds):
    """After the refusal of one message nothing goes from the number until the pause is over; then all of it."""
    await stage.start()
    await stage.receive(stage.message("Hi"))
    lea = stage.contact_id
    await stage.receive(stage.message("Hi", sender="4915199999999"))
    ben = next(row["id"] for row in stage.rows("contacts") if row["id"] != lea)
    stage.graph.answers = [too_fast(code)]
    await stage.say(lea, "api:1", 1, {"text": "one"}, proactive=False)
    await stage.idle()
    await stage.say(ben, "api:2", 1, {"text": "two"}, proactive=False)
    await stage.idle()
    await stage.advance(seconds=seconds * 0.4)
    assert stage.graph.texts == ["one"]
    await stage.advance(seconds=seconds * 1.2)
    assert sorted(stage.graph.texts) == ["one", "one", "two"]
