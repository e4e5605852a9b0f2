"""One person under several names and in several moments: merges, late wishes, commands that look like keywords."""

from __future__ import annotations

import pytest

from rasa_whatsapp import intake
from rasa_whatsapp.cloud.graph_errors import Disposition
from rasa_whatsapp.cloud.responses import Refused

pytestmark = pytest.mark.asyncio


async def test_a_button_whose_command_is_called_stop_is_no_opt_out(stage):
    """A button with the payload /stop (a designer's intent, to leave a form) must not end all messages."""
    stage.dialogue.answer = lambda turn: [{"text": "?", "buttons": [{"title": "Leave the form", "payload": "/stop"}]}]
    await stage.start()
    await stage.receive(stage.message("Hi"))
    tap = {"type": "button_reply", "button_reply": {"id": "/stop", "title": "Leave the form"}}
    await stage.receive(stage.message(type="interactive", context={"id": "wamid.OUT1"}, interactive=tap))
    assert stage.dialogue.turns[1].is_command
    assert stage.rows("consent") == []


async def test_a_replayed_wish_does_not_outdo_a_later_stop(stage):
    """'remind me' is parked, STOP follows, the operator replays: the customer stays opted out."""
    broken = True

    async def fail(turn):
        if broken and turn.text == "remind me":
            raise RuntimeError

    stage.dialogue.before = fail
    stage.dialogue.answer = lambda turn: (
        [{"text": "ok", "custom": {"consent": {"opt_in": "utility"}}}] if turn.text == "remind me" else []
    )
    await stage.start(turn_attempts=1)
    await stage.receive(stage.message("remind me"))
    stage.clock.advance(minutes=5)
    await stage.receive(stage.message("STOP"))
    stage.clock.advance(minutes=5)
    broken = False
    await stage.database.run(intake.replay, [stage.rows("inbox")[0]["id"]], stage.rules.intake, stage.clock.now())
    await stage.nudge()
    await stage.receive(stage.message("well?"))
    assert stage.dialogue.turns[-1].entities["whatsapp_consent"] == "opted_out"


async def test_one_131000_after_some_throttling_is_not_the_end(stage):
    """Tries that were throttled (surely not sent) do not count for the two or three tries of 131000."""
    await stage.start()
    await stage.receive(stage.message("Hi"))
    stage.graph.answers = [Refused(Disposition.RETRY, 130429, "x")] * 4 + [Refused(Disposition.UNCERTAIN, 131000, "x")]
    await stage.gateway.say(stage.contact_id, "wamid.IN1", 1, {"text": "one"}, proactive=False)
    await stage.idle()
    for _ in range(12):
        await stage.advance(minutes=6)
    assert stage.states("outbox") == ["accepted"]


async def test_a_contact_that_lost_its_number_to_another(stage):
    """B was known by number only, A by user id only; then they turn out one person: B's waiting message has no recipient."""
    await stage.start()
    await stage.receive(stage.message("Hi"))
    b = stage.contact_id
    stage.graph.answers = [Refused(Disposition.RETRY, 130429, "x")]
    await stage.gateway.say(b, "wamid.IN1", 1, {"text": "for you"}, proactive=False)
    await stage.idle()
    await stage.receive(stage.message("Hi", **{"from": None, "from_user_id": "DE.1"}))
    await stage.receive(stage.message("Hi", from_user_id="DE.1"))
    await stage.advance(seconds=5)
    last = stage.graph.sent[-1]
    assert last.get("to") or last.get("recipient")


async def test_a_stop_under_the_number_counts_for_the_person(stage):
    """STOP under the number alone; the same person is known by user id too; then both come together: still opted out."""
    await stage.start()
    await stage.receive(stage.message("Hi", **{"from": None, "from_user_id": "DE.1"}))
    await stage.receive(stage.message("STOP"))
    stage.clock.advance(minutes=1)
    await stage.receive(stage.message("Hi", from_user_id="DE.1"))
    assert stage.dialogue.turns[-1].entities["whatsapp_consent"] == "opted_out"
