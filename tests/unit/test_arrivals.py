"""Bodies at the door: one is taken in at once, many are written down first, and nothing that was acknowledged is lost."""

from __future__ import annotations

import asyncio
import hashlib
import json

import pytest
from sqlalchemy.exc import OperationalError, SQLAlchemyError

from rasa_whatsapp import intake, reception
from rasa_whatsapp.cloud import inbound
from rasa_whatsapp.cloud.inbound import MessageReceived
from rasa_whatsapp.errors import BacklogFull, WebhookMalformed
from rasa_whatsapp.intake import IntakeRules
from rasa_whatsapp.reception import Reception, ReceptionRules
from rasa_whatsapp.storage import arrivals

pytestmark = pytest.mark.asyncio


@pytest.fixture
def door(stage):
    """Return a reception that only stores, as that of the intake: it sorts when a test calls it."""
    rules = ReceptionRules(intake=stage.rules.intake)
    return Reception(stage.database, stage.clock, rules)


def waiting(stage):
    """Return how many bodies are only written down."""
    return stage.database.run_now(arrivals.count)


async def sort(door):
    """Take in what waits."""
    while await door._sort_some() is reception.Sorting.SOME:
        pass


async def store_many(door, *bodies):
    """Hand in more bodies than are taken in at once, at the same time."""
    await asyncio.gather(*(door.receive(raw) for raw in bodies))


async def test_one_alone_is_taken_in_at_once(stage, door, body):
    """The transaction that stores it also makes its row."""
    await door.receive(body(stage.message("Hi")))
    assert (waiting(stage), stage.states("inbox")) == (0, ["received"])


async def test_many_at_once_are_written_down_and_taken_in_in_their_order(stage, door, body):
    """Fifty of one customer within one second: their turns keep the order in which they came."""
    await store_many(door, *(body(stage.message(str(number))) for number in range(50)))
    assert waiting(stage) == 50
    assert stage.rows("inbox") == []
    await sort(door)
    assert waiting(stage) == 0
    texts = [row["body"]["message"]["text"]["body"] for row in stage.rows("inbox")]
    assert texts == [str(number) for number in range(50)]


async def test_more_than_are_sorted_at_a_time(stage, door, body):
    """All of them come in the end."""
    await store_many(door, *(body(stage.message("x", sender=f"49{number}")) for number in range(120)))
    await sort(door)
    assert (waiting(stage), len(stage.rows("inbox"))) == (0, 120)


async def test_what_comes_later_waits_behind_them(stage, door, body):
    """A body alone does not overtake those that are only written down."""
    await store_many(door, *(body(stage.message(str(number))) for number in range(10)))
    await door.receive(body(stage.message("last")))
    assert waiting(stage) == 11
    await sort(door)
    assert stage.rows("inbox")[-1]["body"]["message"]["text"]["body"] == "last"


async def test_a_redelivery_while_it_waits_is_one_turn(stage, door, body):
    """Meta may send a body again before it was taken in."""
    raw = body(stage.message("Hi"))
    await store_many(door, *[raw] * 10)
    await door.receive(raw)
    assert waiting(stage) == 11
    await sort(door)
    assert stage.states("inbox") == ["received"]


async def test_the_moment_at_which_it_came_counts(stage, door, body):
    """Not the one at which it is taken in."""
    came = stage.clock.now()
    await store_many(door, *(body(stage.message(str(number))) for number in range(10)))
    stage.clock.advance(hours=1)
    await sort(door)
    assert {row["received_at"] for row in stage.rows("inbox")} == {came}


async def test_a_body_that_is_no_webhook(stage, door):
    """It is refused before anything is stored."""
    with pytest.raises(WebhookMalformed):
        await door.receive(b"[]")
    assert waiting(stage) == 0


async def test_an_event_that_cannot_be_stored_does_not_block(stage, door, body, monkeypatch):
    """It is parked by the name of the mistake; what stands before and behind it has its turn."""
    real = intake._TAKERS[MessageReceived]

    def break_one(desk, event):
        if event.message_id == "wamid.IN3":
            raise ZeroDivisionError
        real(desk, event)

    monkeypatch.setitem(intake._TAKERS, MessageReceived, break_one)
    await store_many(door, *(body(stage.message(str(number))) for number in range(10)))
    await sort(door)
    assert waiting(stage) == 0
    assert sorted(stage.states("inbox")) == ["parked"] + ["received"] * 9
    (parked,) = [row for row in stage.rows("inbox") if row["state"] == "parked"]
    assert (parked["message_id"], parked["reason"]) == ("wamid.IN3", "ZeroDivisionError while storing it")


@pytest.mark.parametrize("alone", [True, False], ids=["alone", "among others"])
async def test_a_body_that_cannot_be_taken_apart_does_not_block(stage, door, body, monkeypatch, alone):
    """It is parked as a whole, as it came; all others have their turn."""
    real = inbound.parse
    poison = body(stage.message("poison"))

    def break_one(raw):
        if raw == poison:
            raise RecursionError
        return real(raw)

    monkeypatch.setattr(inbound, "parse", break_one)
    others = [] if alone else [body(stage.message(str(number))) for number in range(9)]
    await store_many(door, *others[:5], poison, *others[5:])
    await sort(door)
    assert waiting(stage) == 0
    assert sorted(stage.states("inbox")) == ["parked"] + ["received"] * len(others)
    (parked,) = [row for row in stage.rows("inbox") if row["state"] == "parked"]
    assert parked["reason"] == "RecursionError while taking it in"
    assert json.loads(parked["body"]["webhook"]) == json.loads(poison)


@pytest.mark.on("postgresql")
async def test_a_value_that_no_index_takes_does_not_block(stage, door, body):
    """PostgreSQL calls that an operational error (class 54), though it will never go: its body is parked, as it came."""
    endless = "".join(hashlib.sha256(bytes([number])).hexdigest() for number in range(150))  # it cannot be compressed
    await store_many(door, *(body(stage.message(str(number))) for number in range(5)), body(stage.message(id=endless)))
    await sort(door)
    assert waiting(stage) == 0
    assert sorted(stage.states("inbox")) == ["parked"] + ["received"] * 5
    (parked,) = [row for row in stage.rows("inbox") if row["state"] == "parked"]
    assert endless in parked["body"]["webhook"]


async def test_the_stores_own_trouble_parks_nothing(stage, door, body, monkeypatch):
    """A deadlock or a lock that is not to be had is no fault of the message: it is taken in a moment later."""
    real, away = intake._TAKERS[MessageReceived], [True]

    def stumble(desk, event):
        if away:
            raise OperationalError("SELECT 1", {}, Exception("lock timeout"))
        real(desk, event)

    monkeypatch.setitem(intake._TAKERS, MessageReceived, stumble)
    await store_many(door, *(body(stage.message(str(number))) for number in range(10)))
    with pytest.raises(OperationalError):
        await sort(door)
    assert (waiting(stage), stage.rows("inbox")) == (10, [])
    away.clear()
    await sort(door)
    assert stage.states("inbox") == ["received"] * 10


@pytest.mark.parametrize("count", [1, 30], ids=["one", "many at once"])
async def test_a_store_that_takes_nothing(stage, door, body, refusing, count):
    """Each of them is told so, and Meta delivers it again; nothing is half stored."""
    bodies = [body(stage.message(str(number))) for number in range(count)]
    with refusing("inbox"), refusing("arrivals"):
        told = await asyncio.gather(*map(door.receive, bodies), return_exceptions=True)
    assert [isinstance(problem, SQLAlchemyError) for problem in told] == [True] * count
    assert (waiting(stage), stage.rows("inbox")) == (0, [])
    await store_many(door, *bodies)
    await sort(door)
    assert len(stage.rows("inbox")) == count


async def test_what_cannot_be_taken_in_is_still_acknowledged(stage, door, body, refusing):
    """It is written down, and taken in when the store takes it again."""
    with refusing("inbox"):
        await door.receive(body(stage.message("Hi")))
        assert waiting(stage) == 1
        with pytest.raises(SQLAlchemyError):
            await sort(door)
    await sort(door)
    assert (waiting(stage), stage.states("inbox")) == (0, ["received"])


@pytest.mark.on("postgresql")
async def test_while_another_process_says_who_is_who(stage, door, body):
    """It is only written down, and sorted by whoever is free: nobody waits. SQLite has one transaction at a time."""
    with stage.database._engine.begin() as other:
        reception.try_identities(other)
        await door.receive(body(stage.message("Hi")))
        assert waiting(stage) == 1
        assert await door._sort_some() is reception.Sorting.ELSEWHERE
        assert waiting(stage) == 1
    await sort(door)
    assert (waiting(stage), stage.states("inbox")) == (0, ["received"])


async def test_storing_goes_before_sorting(stage, door, body, monkeypatch):
    """An intake sorts only when nothing has come for a moment."""
    door.only_when_idle = True
    monkeypatch.setattr(reception, "_IDLE_SECONDS", 60)
    await store_many(door, *(body(stage.message(str(number))) for number in range(10)))
    assert await door._sort_some() is reception.Sorting.NOTHING
    door._received_at -= 61
    assert await door._sort_some() is reception.Sorting.SOME
    assert waiting(stage) == 0


async def test_what_is_written_down_counts_as_backlog(stage, body):
    """Else Meta would be acknowledged for ever while nobody sorts."""
    rules = ReceptionRules(intake=IntakeRules(number_ids=("100000000000001",)), backlog_limit=10)
    door = Reception(stage.database, stage.clock, rules)
    await store_many(door, *(body(stage.message(str(number))) for number in range(10)))
    with pytest.raises(BacklogFull, match="10 messages wait"):
        await door.receive(body(stage.message("late")))
    again = Reception(stage.database, stage.clock, rules)
    await again.count()
    with pytest.raises(BacklogFull, match="10 messages wait"):
        again.check()


async def test_a_server_takes_up_what_was_written_down_before_it_started(stage, door, body):
    """By an intake, or by a server that died."""
    await store_many(door, *(body(stage.message(str(number))) for number in range(10)))
    await stage.start()
    await stage.idle()
    assert stage.dialogue.heard == [str(number) for number in range(10)]


async def test_bytes_come_back_as_they_went(database, clock):
    """Whatever they are."""
    bodies = [b'{"a": "\\ud83d"}', '{"ü": "👋"}'.encode(), b"\xff\x00{"]
    await database.run(arrivals.write_down, bodies, clock.now())
    found = await database.run(arrivals.waiting, 10)
    assert [arrival.bodies for arrival in found] == [bodies]
    await database.run(arrivals.remove, found)
    assert await database.run(arrivals.waiting, 10) == []


@pytest.mark.parametrize(
    ("commits", "most", "taken"),
    [
        ([1, 1, 1], 10, 3),
        ([1, 1, 1], 2, 2),
        ([4, 4, 4], 10, 8),
        ([4, 4, 4], 3, 4),  # those of one row go together
        ([120], 100, 100),
        ([], 10, 0),
    ],
)
async def test_the_oldest_are_taken_first(database, clock, commits, most, taken):
    """As many as are wanted at a time; what is taken is gone, the others still wait."""
    bodies = [str(number).encode() for number in range(sum(commits))]
    left = iter(bodies)
    for size in commits:
        await database.run(arrivals.write_down, [next(left) for _ in range(size)], clock.now())
    assert await database.run(arrivals.count) == len(bodies)
    found = await database.run(arrivals.waiting, most)
    assert [body for arrival in found for body in arrival.bodies] == bodies[:taken]
    await database.run(arrivals.remove, found)
    assert await database.run(arrivals.count) == len(bodies) - taken
