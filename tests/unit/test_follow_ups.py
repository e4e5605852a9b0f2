"""Follow-ups: fired once when due, replaced by name, cancelled, overtaken; they survive what happens in between."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
from sqlalchemy import update

from rasa_whatsapp.errors import DialogueUnavailable
from rasa_whatsapp.storage import follow_ups, schema
from rasa_whatsapp.storage.follow_ups import NewFollowUp
from rasa_whatsapp.turns import Cancellation

pytestmark = pytest.mark.asyncio

BEN = "4915100000002"


async def schedule(stage, contact_id=None, **changes):
    """Schedule a follow-up, by default due in an hour."""
    plain = {
        "contact_id": contact_id or stage.contact_id,
        "name": "reminder",
        "intent": "EXTERNAL_reminder",
        "entities": [{"entity": "order_id", "value": "1002"}],
        "due_at": stage.clock.now() + timedelta(hours=1),
        "kill_on_user_message": False,
        "cause": "wamid.IN1",
    }
    await stage.gateway.schedule(NewFollowUp(**(plain | changes)))


async def cancel(stage, **which):
    """Cancel what matches."""
    given = {"but": None, "name": None, "intent": None, "entities": None}
    await stage.gateway.cancel(Cancellation(contact_id=stage.contact_id, **(given | which)))


async def begin(stage, **changes):
    """Start, let Lea write, and forget that turn."""
    await stage.start(**changes)
    await stage.receive(stage.message("Hi"))
    stage.dialogue.turns.clear()


async def test_it_fires_once(stage):
    """Not before its time; then as an external turn with its entities and the window's; and never again."""
    await begin(stage)
    await schedule(stage)
    await stage.advance(minutes=59, seconds=59)
    assert stage.dialogue.turns == []
    await stage.advance(seconds=1)
    (turn,) = stage.dialogue.turns
    assert (turn.text, turn.intents, turn.is_external) == ("EXTERNAL: EXTERNAL_reminder", ("EXTERNAL_reminder",), True)
    assert list(turn.event_entities) == [{"entity": "order_id", "value": "1002"}]
    assert turn.entities["care_window_open"] is True
    assert turn.metadata == {"whatsapp": {"type": "follow_up", "follow_up": "reminder"}}
    await stage.advance(days=3)
    assert len(stage.dialogue.turns) == 1
    assert stage.states("follow_ups") == ["done"]


async def test_after_a_day_the_window_is_closed(stage):
    """The turn sees the window as it is when it fires."""
    await begin(stage)
    await schedule(stage, due_at=stage.clock.now() + timedelta(hours=24))
    await stage.advance(hours=24)
    assert stage.dialogue.turns[0].entities["care_window_open"] is False


async def test_what_it_says_is_proactive(stage):
    """Its answer is keyed by it, and a STOP in between ends it with a recorded reason."""
    await begin(stage)
    await schedule(stage)
    await stage.receive(stage.message("STOP"))
    stage.dialogue.answer = lambda turn: [{"text": "How was it?"}]
    await stage.advance(hours=1)
    assert stage.graph.sent == []
    (row,) = stage.rows("outbox")
    assert row["key"].startswith("follow-up:")
    assert (row["proactive"], row["state"]) == (True, "refused")


async def test_it_survives_a_restart_and_a_late_start(stage):
    """A server that was down when it fell due fires it at its start."""
    await begin(stage)
    await schedule(stage)
    await stage.kill()
    stage.clock.advance(hours=5)
    await stage.start(tick_seconds=0.01)
    await stage.until(lambda: stage.dialogue.turns)
    await stage.idle()
    assert len(stage.dialogue.turns) == 1


async def test_several_fall_due_together(stage):
    """They come in the order of their times, also of different customers."""
    await begin(stage)
    await stage.receive(stage.message("Hi", sender=BEN))
    stage.dialogue.turns.clear()
    lea, ben = (row["contact_id"] for row in stage.rows("inbox"))
    for hours, contact_id in ((3, lea), (1, ben), (2, lea)):
        due_at = stage.clock.now() + timedelta(hours=hours)
        await schedule(stage, contact_id, name=f"after {hours}", due_at=due_at)
    await stage.advance(hours=4)
    names = [(turn.contact_id, turn.metadata["whatsapp"]["follow_up"]) for turn in stage.dialogue.turns]
    assert [name for contact_id, name in names if contact_id == lea] == ["after 2", "after 3"]
    assert [name for contact_id, name in names if contact_id == ben] == ["after 1"]


async def test_more_than_a_tick_takes(stage):
    """A hundred and fifty that fall due together all fire."""
    await begin(stage)
    for number in range(150):
        await schedule(stage, name=str(number))
    await stage.advance(hours=1)
    await stage.nudge()
    assert len(stage.dialogue.turns) == 150


async def test_the_same_name_replaces_the_pending_one(stage):
    """Within a conversation, and there only."""
    await begin(stage)
    await stage.receive(stage.message("Hi", sender=BEN))
    stage.dialogue.turns.clear()
    lea, ben = (row["contact_id"] for row in stage.rows("inbox"))
    await schedule(stage, lea)
    await schedule(stage, ben)
    await schedule(stage, lea, due_at=stage.clock.now() + timedelta(hours=2))
    await stage.advance(hours=1)
    assert [turn.contact_id for turn in stage.dialogue.turns] == [ben]
    await stage.advance(hours=1)
    assert [turn.contact_id for turn in stage.dialogue.turns] == [ben, lea]


ORDER = [{"entity": "order_id", "value": "1002"}]


@pytest.mark.parametrize(
    ("which", "left"),
    [
        pytest.param({}, [], id="all"),
        pytest.param({"name": "a"}, ["b"], id="by name"),
        pytest.param({"intent": "EXTERNAL_b"}, ["a"], id="by intent"),
        pytest.param({"entities": ORDER}, ["b"], id="by entities"),
        pytest.param({"name": "a", "intent": "EXTERNAL_b"}, ["a", "b"], id="by two that do not fit together"),
        pytest.param({"name": "c"}, ["a", "b"], id="by a name that is not there"),
    ],
)
async def test_cancelling(stage, which, left):
    """What matches everything given is cancelled, and says so."""
    await begin(stage)
    await schedule(stage, name="a", intent="EXTERNAL_a", entities=ORDER)
    await schedule(stage, name="b", intent="EXTERNAL_b", entities=[])
    await cancel(stage, **which)
    pending = sorted(row["name"] for row in stage.rows("follow_ups") if row["state"] == "pending")
    assert pending == left
    await stage.advance(hours=1)
    assert sorted(turn.metadata["whatsapp"]["follow_up"] for turn in stage.dialogue.turns) == left


async def test_cancelling_touches_nobody_else(stage):
    """Another conversation's follow-up stays."""
    await begin(stage)
    lea = stage.contact_id
    await stage.receive(stage.message("Hi", sender=BEN))
    ben = stage.rows("inbox")[1]["contact_id"]
    await schedule(stage, lea)
    await schedule(stage, ben)
    await stage.gateway.cancel(Cancellation(contact_id=lea, but=None, name=None, intent=None, entities=()))
    assert sorted(stage.states("follow_ups")) == ["cancelled", "pending"]


@pytest.mark.parametrize("kill", [True, False])
@pytest.mark.parametrize("kind", ["text", "image", "reaction"])
async def test_a_customer_who_writes_first(stage, kill, kind):
    """Only what should wait for silence is overtaken, by anything that the customer says; a reaction says nothing."""
    await begin(stage)
    await schedule(stage, kill_on_user_message=kill)
    body = {kind: {"id": "1"}} if kind != "text" else {}
    await stage.receive(stage.message("hello", type=kind, **body))
    expected = "cancelled" if kill and kind != "reaction" else "pending"
    assert stage.states("follow_ups") == [expected]


async def test_overtaken_while_it_waits_for_its_turn(stage):
    """Due while the model was away, and then the customer writes: it has become pointless."""
    away = True

    async def maybe_away(turn):
        if away:
            raise DialogueUnavailable("no model")

    await begin(stage)
    stage.dialogue.before = maybe_away
    await schedule(stage, kill_on_user_message=True)
    await stage.advance(hours=1)
    stage.clock.advance(minutes=3)
    await stage.receive(stage.message("I am back"))
    stage.dialogue.turns.clear()
    away = False
    await stage.advance(minutes=5)
    await stage.nudge()
    assert stage.dialogue.heard == ["I am back"]


async def test_one_that_fails_is_tried_again_also_if_it_cancels_all(stage):
    """An action of its own turn cancels all reminders, then something breaks: the turn runs again."""
    failures = [True]

    async def cancel_all_and_fail_once(turn):
        await stage.gateway.cancel(
            Cancellation(contact_id=turn.contact_id, but=turn.follow_up_id, name=None, intent=None, entities=())
        )
        if failures:
            failures.pop()
            raise RuntimeError

    await begin(stage)
    stage.dialogue.before = cancel_all_and_fail_once
    await schedule(stage)
    await stage.advance(hours=1)
    await stage.advance(minutes=1)
    assert len(stage.dialogue.turns) == 2
    assert stage.states("follow_ups") == ["done"]


async def test_one_that_the_dialogue_finds_pointless(stage):
    """A conversation that was restarted since drops it, with a reason."""
    await begin(stage)
    stage.dialogue.sensible = False
    await schedule(stage)
    await stage.advance(hours=1)
    (row,) = stage.rows("follow_ups")
    assert (row["state"], row["reason"]) == ("cancelled", "the conversation was restarted since")
    assert stage.states("inbox") == ["done", "ignored"]


async def test_one_that_schedules_the_next(stage):
    """A follow-up's turn may schedule itself anew under the same name."""
    await begin(stage)

    async def again(turn):
        if len(stage.dialogue.turns) < 3:
            await schedule(stage, but=turn.follow_up_id)

    stage.dialogue.before = again
    await schedule(stage)
    for _ in range(5):
        await stage.advance(hours=1)
    assert len(stage.dialogue.turns) == 3


async def test_one_in_the_past_fires_at_once(stage):
    """An action may give a moment that is gone."""
    await begin(stage)
    await schedule(stage, due_at=stage.clock.now() - timedelta(days=1))
    await stage.nudge()
    assert len(stage.dialogue.turns) == 1


async def test_one_for_the_end_of_time(stage):
    """An action gives the year 9999: it is kept, and nothing breaks."""
    await begin(stage)
    await schedule(stage, due_at=datetime(9999, 12, 31, 23, tzinfo=timezone.utc))
    await stage.advance(days=3650)
    assert stage.states("follow_ups") == ["pending"]


async def test_one_that_the_operator_fires(stage):
    """Long before its time, and then not again."""
    await begin(stage)
    await schedule(stage)
    (row,) = stage.rows("follow_ups")
    assert stage.database.run_now(follow_ups.make_due, [row["id"]], stage.clock.now()) == [row["id"]]
    await stage.nudge()
    assert len(stage.dialogue.turns) == 1
    await stage.advance(hours=1)
    assert len(stage.dialogue.turns) == 1


async def test_one_that_the_operator_cancels_while_it_waits(stage):
    """It was due while a human answered; cancelled before its turn, it has none."""
    await begin(stage)
    await schedule(stage)
    pause = update(schema.contacts).values(paused_until=stage.clock.now() + timedelta(hours=3))
    stage.database.run_now(lambda connection: connection.execute(pause))
    await stage.advance(hours=1)
    (row,) = stage.rows("follow_ups")
    assert row["state"] == "fired"
    stage.database.run_now(follow_ups.cancel_by_id, [row["id"]], stage.clock.now(), "cancelled by the operator")
    await stage.advance(hours=4)
    assert stage.dialogue.turns == []
    assert stage.states("inbox") == ["done", "ignored"]
