"""Several quick messages as one turn, if an operator wishes it: what is joined, what is not, and what a crash changes."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from rasa_whatsapp import intake

pytestmark = pytest.mark.asyncio

TWO_SECONDS = timedelta(seconds=2)


async def write(stage, *texts, every=1.0):
    """Let these texts come, one after the other, so many seconds apart; what is no text makes its message then."""
    for place, text in enumerate(texts):
        if place:
            await stage.advance(seconds=every)
        await stage.receive(stage.message(text) if isinstance(text, str) else text())


async def test_off_by_default(stage):
    """Each message is a turn at once."""
    await stage.start()
    await write(stage, "one", "two", every=0)
    assert stage.dialogue.heard == ["one", "two"]


async def test_what_is_typed_in_a_row_is_one_turn(stage):
    """Line by line, when nothing came for the time that was set; the turn names all of its messages."""
    stage.dialogue.answer = lambda turn: [{"text": "ok"}]
    await stage.start(join=TWO_SECONDS)
    await write(stage, "Hi", "I want", "to order")
    await stage.advance(seconds=1.9)
    assert stage.dialogue.heard == []
    await stage.advance(seconds=0.1)
    (turn,) = stage.dialogue.turns
    assert turn.text == "Hi\nI want\nto order"
    assert turn.message_id == "wamid.IN1"
    assert turn.metadata["whatsapp"]["joined"] == ["wamid.IN2", "wamid.IN3"]
    assert stage.states("inbox") == ["done", "done", "done"]
    assert [row["reason"] for row in stage.rows("inbox")] == [
        None, "it shared the turn of message 1", "it shared the turn of message 1",
    ]  # fmt: skip
    assert stage.graph.texts == ["ok"]


async def test_one_alone_waits_and_is_as_ever(stage):
    """It has the same turn, a little later."""
    await stage.start(join=TWO_SECONDS)
    await write(stage, "Hi")
    assert stage.dialogue.heard == []
    await stage.advance(seconds=2)
    (turn,) = stage.dialogue.turns
    assert (turn.text, "joined" in turn.metadata["whatsapp"]) == ("Hi", False)


async def test_who_goes_on_typing_is_answered_in_the_end(stage):
    """After five times the setting the turn begins; what comes then is the next one."""
    await stage.start(join=TWO_SECONDS)
    await write(stage, *map(str, range(13)))
    await stage.advance(seconds=10)
    assert stage.dialogue.heard == ["\n".join(map(str, range(10))), "10\n11\n12"]


async def test_two_customers_are_two_turns(stage):
    """Only what one wrote is joined."""
    await stage.start(join=TWO_SECONDS)
    await write(stage, "Hi", lambda: stage.message("Hello", sender="4915199999999"), every=0)
    await stage.advance(seconds=2)
    assert sorted(stage.dialogue.heard) == ["Hello", "Hi"]


@pytest.mark.parametrize(
    "what",
    ["a keyword", "a photo", "a tap", "a location"],
)
async def test_what_is_a_turn_of_its_own(stage, what):
    """It ends the waiting at once, and is neither joined to what was typed before nor to what follows."""
    others = {
        "a keyword": lambda: stage.message("STOP"),
        "a photo": lambda: stage.message(type="image", text=None, image={"id": "1", "caption": "look"}),
        "a tap": lambda: stage.message(
            type="interactive",
            text=None,
            interactive={"type": "button_reply", "button_reply": {"id": "/affirm", "title": "Yes"}},
        ),
        "a location": lambda: stage.message(type="location", text=None, location={"latitude": 1.0, "longitude": 2.0}),
    }
    await stage.start(join=TWO_SECONDS)
    await write(stage, "one", "two", others[what])
    assert stage.dialogue.heard[0] == "one\ntwo"
    assert len(stage.dialogue.turns) == 2
    await write(stage, "three", "four")
    await stage.advance(seconds=2)
    assert stage.dialogue.heard[2:] == ["three\nfour"]


async def test_a_typed_number_that_picks_from_a_menu(stage):
    """It means a command of the bot's, and commands are not joined."""
    rows = [{"title": f"A choice whose title is too long for a row, {n}", "payload": f"/pick{n}"} for n in range(1, 5)]
    stage.dialogue.answer = lambda turn: [{"text": "Which?", "buttons": rows}]
    await stage.start(join=TWO_SECONDS)
    await write(stage, "Hi")
    await stage.advance(seconds=2)
    stage.dialogue.answer = lambda turn: []
    await write(stage, "2", "please")
    await stage.advance(seconds=2)
    assert [(turn.text, turn.is_command) for turn in stage.dialogue.turns[1:]] == [("/pick2", True), ("please", False)]


async def test_swapped_on_the_way(stage):
    """They are joined in the order of sending."""
    await stage.start(join=TWO_SECONDS)
    at = int(stage.clock.moment.timestamp())
    b, a = (stage.message(text, timestamp=str(at - early)) for text, early in (("b", 0), ("a", 1)))
    await write(stage, lambda: b, lambda: a, every=0)
    await stage.advance(seconds=2)
    assert stage.dialogue.heard == ["a\nb"]


async def test_a_crash_in_the_middle(stage, body):
    """The turn that is taken again is the same one, though more was typed meanwhile; that is the next one."""
    begun = asyncio.Event()

    async def die_once(turn):
        if not begun.is_set():
            begun.set()
            await asyncio.Event().wait()

    stage.dialogue.before = die_once
    await stage.start(join=TWO_SECONDS)
    await write(stage, "one", "two")
    stage.clock.advance(seconds=2)
    stage.gateway.look()
    await asyncio.wait_for(begun.wait(), 5)
    await stage.hand_in(body(stage.message("three")))
    await stage.restart()
    await stage.idle()
    await stage.advance(seconds=2)
    assert stage.dialogue.heard == ["one\ntwo", "one\ntwo", "three"]
    assert {turn.message_id for turn in stage.dialogue.turns[:2]} == {"wamid.IN1"}
    assert stage.states("inbox") == ["done", "done", "done"]


async def test_a_setting_that_is_taken_back_does_not_change_a_turn(stage):
    """What was joined before the restart stays joined."""

    async def fail(turn):
        raise RuntimeError

    stage.dialogue.before = fail
    await stage.start(join=TWO_SECONDS)
    await write(stage, "one", "two")
    await stage.advance(seconds=2)
    await stage.kill()
    stage.dialogue.before = None
    await stage.start(join=timedelta(0))
    await stage.advance(seconds=10)
    assert stage.dialogue.heard == ["one\ntwo", "one\ntwo"]


async def test_a_turn_that_is_parked_keeps_its_messages(stage):
    """A replay takes all of them."""
    broken = [True]

    async def fail_while_broken(turn):
        if broken:
            raise RuntimeError

    stage.dialogue.before = fail_while_broken
    await stage.start(join=TWO_SECONDS, turn_attempts=1)
    await write(stage, "one", "two")
    await stage.advance(seconds=2)
    assert stage.states("inbox") == ["parked", "joined"]
    broken.clear()
    ids = [row["id"] for row in stage.rows("inbox") if row["state"] == "parked"]
    await stage.database.run(intake.replay, ids, stage.rules.intake, stage.clock.now())
    await stage.nudge()
    assert stage.dialogue.heard == ["one\ntwo", "one\ntwo"]
    assert stage.states("inbox") == ["done", "done"]
