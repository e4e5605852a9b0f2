"""Parts of an answer keep their order on the phone: each waits for the one before it to arrive, or for a little while."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from rasa_whatsapp.cloud.answers import Refused
from rasa_whatsapp.cloud.graph_errors import Disposition
from rasa_whatsapp.delivery import DeliveryRules
from rasa_whatsapp.storage import contacts, lanes

pytestmark = pytest.mark.asyncio

RULES = DeliveryRules(order_wait=timedelta(seconds=2))


async def answer(stage, *texts, cause="wamid.IN1", proactive=False):
    """Say these texts as responses of one cause."""
    for ordinal, text in enumerate(texts, start=1):
        await stage.say(stage.contact_id, cause, ordinal, {"text": text}, proactive=proactive)
    await stage.idle()


async def begin(stage, **changes):
    """Let a customer write."""
    await stage.start(**({"delivery": RULES} | changes))
    await stage.receive(stage.message("Hi"))


@pytest.mark.parametrize("status", ["delivered", "read", "failed"])
async def test_the_second_goes_when_the_first_has_arrived(stage, status):
    """Or when it turns out that it never will."""
    await begin(stage)
    await answer(stage, "one", "two", "three")
    assert stage.graph.texts == ["one"]
    error = {"code": 131026} if status == "failed" else {}
    await stage.receive(stage.status("wamid.OUT1", status, **error))
    assert stage.graph.texts == ["one", "two"]
    await stage.receive(stage.status("wamid.OUT2", status, **error))
    assert stage.graph.texts == ["one", "two", "three"]


@pytest.mark.on("postgresql")
async def test_taking_in_does_not_wait_for_who_sends(stage, body):
    """A sender holds the lane and will change the contact, a webhook changes the contact and moves the lane: neither waits for the other."""
    await begin(stage)
    await answer(stage, "one", "two")
    lane = lanes.Lane(lanes.Kind.SENDS, stage.contact_id, "another server")
    stage.database.run_now(
        lanes.wake, lane.kind, lane.contact_id, stage.clock.now() + timedelta(days=1), claimant=lane.owner
    )
    with stage.database._engine.begin() as connection:
        assert lanes.is_held(connection, lane)
        await asyncio.wait_for(
            stage.gateway.receive(body(stage.message("And?"), stage.status("wamid.OUT1", "delivered"))), timeout=5
        )
        contacts.record_sending(connection, {lane.contact_id: stage.clock.now()})
        lanes.give_back(connection, lane, stage.clock.now() + timedelta(days=1))
    await stage.until(lambda: stage.gateway.look() or stage.graph.texts == ["one", "two"])


async def test_sent_is_not_arrived(stage):
    """Meta has it; the phone may get the next one first."""
    await begin(stage)
    await answer(stage, "one", "two")
    await stage.receive(stage.status("wamid.OUT1", "sent"))
    assert stage.graph.texts == ["one"]


async def test_a_phone_that_is_off(stage):
    """After the time that was set it goes all the same; the third waits for the second as long."""
    await begin(stage)
    await answer(stage, "one", "two", "three")
    await stage.advance(seconds=1.9)
    assert stage.graph.texts == ["one"]
    await stage.advance(seconds=0.1)
    assert stage.graph.texts == ["one", "two"]
    await stage.advance(seconds=2)
    assert stage.graph.texts == ["one", "two", "three"]


async def test_parts_of_a_long_text(stage):
    """They are messages of one response, and wait as well."""
    await begin(stage)
    await answer(stage, "long " * 2000)
    assert len(stage.graph.sent) == 1
    for number in (1, 2):
        await stage.receive(stage.status(f"wamid.OUT{number}", "delivered"))
    assert len(stage.graph.sent) == 3


async def test_another_answer_does_not_wait(stage):
    """What the customer wrote since is answered at once; only one answer's own parts are in a row."""
    await begin(stage)
    await answer(stage, "one")
    await answer(stage, "two", cause="wamid.IN2")
    assert stage.graph.texts == ["one", "two"]


async def test_another_customer_does_not_wait(stage):
    """It is a matter of one chat."""
    await begin(stage)
    lea = stage.contact_id
    await stage.receive(stage.message("Hi", sender="4915199999999"))
    ben = next(row["id"] for row in stage.rows("contacts") if row["id"] != lea)
    for ordinal in (1, 2):
        await stage.say(lea, "wamid.IN1", ordinal, {"text": f"lea {ordinal}"}, proactive=False)
    await stage.say(ben, "wamid.IN2", 1, {"text": "ben"}, proactive=False)
    await stage.idle()
    assert sorted(stage.graph.texts) == ["ben", "lea 1"]


@pytest.mark.parametrize(
    "first",
    [
        pytest.param(Refused(Disposition.GIVE_UP, 131009, "no"), id="Meta refused the first"),
        pytest.param(None, id="it has waited for long enough"),
    ],
)
async def test_nothing_to_wait_for(stage, first):
    """A first part that never went holds up nothing."""
    await begin(stage)
    if first is not None:
        stage.graph.answers = [first]
    await answer(stage, "one")
    if first is None:
        await stage.advance(seconds=2)
    await stage.say(stage.contact_id, "wamid.IN1", 2, {"text": "two"}, proactive=False)
    await stage.idle()
    assert stage.graph.texts == ["one", "two"]


async def test_not_at_all(stage):
    """With a wait of nothing they go one after the other."""
    await begin(stage, delivery=DeliveryRules(order_wait=timedelta(0)))
    await answer(stage, "one", "two", "three")
    assert stage.graph.texts == ["one", "two", "three"]


async def test_a_restart_in_between(stage):
    """What it waits for is in the store."""
    await begin(stage)
    await answer(stage, "one", "two")
    await stage.restart()
    await stage.idle()
    assert stage.graph.texts == ["one"]
    await stage.receive(stage.status("wamid.OUT1", "delivered"))
    assert stage.graph.texts == ["one", "two"]
