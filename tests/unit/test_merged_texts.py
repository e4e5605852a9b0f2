"""With `merge_texts`, the texts that a turn says one after the other are one message: nothing is lost, said twice, or out of order."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from rasa_whatsapp.cloud.answers import Refused
from rasa_whatsapp.cloud.graph_errors import Disposition
from rasa_whatsapp.delivery import DeliveryRules
from rasa_whatsapp.storage import servers
from rasa_whatsapp.storage.follow_ups import NewFollowUp

pytestmark = pytest.mark.asyncio

BUTTONS = {"text": "Which?", "buttons": [{"title": "Yes", "payload": "/yes"}]}
TEMPLATE = {"text": "Later", "custom": {"template": {"name": "later"}}}
QUOTING = {"text": "This one", "custom": {"whatsapp": {"reply_to": "last"}}}
PREVIEW = {"custom": {"whatsapp": {"type": "text", "text": {"body": "https://a.example", "preview_url": True}}}}
CONSENT = {"text": "Noted", "custom": {"consent": {"opt_in": "utility"}}}
IMPOSSIBLE = {"buttons": [{"title": "Yes", "payload": "/yes"}]}
LONG = "w" * 4000


def response(said):
    """Return a text as a response."""
    return {"text": said} if isinstance(said, str) else said


async def begin(stage, *said, **changes):
    """Start with merging; each turn says these."""
    stage.dialogue.answer = lambda turn: map(response, said)
    await stage.start(**({"merge_texts": True} | changes))


class Halting:
    """A dialogue whose first run of a turn says something and then hangs, until it is told to go on or dies."""

    def __init__(self, stage, *said):
        self.stage, self.said = stage, said
        self.goes_on, self.reached = asyncio.Event(), asyncio.Event()
        stage.dialogue.before = self.take

    async def take(self, turn):
        """Say what is to be said before it hangs."""
        if self.reached.is_set():
            return
        for ordinal, said in enumerate(self.said, start=1):
            await self.stage.gateway.say(turn.contact_id, turn.cause, ordinal, response(said), turn)
        self.reached.set()
        await self.goes_on.wait()

    async def begin(self, body):
        """Let a customer write, and the turn come to where it hangs."""
        await self.stage.hand_in(body(self.stage.message("Hi")))
        await asyncio.wait_for(self.reached.wait(), 5)


async def restart(stage):
    """Kill the server and start another one, which frees what the first was about to claim, as each tick does."""
    await stage.restart()
    await stage.database.run(servers.bury, stage.gateway._membership.id, stage.clock.now())
    await stage.nudge()


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (["one"], ["one"]),
        (["one", "two", "three"], ["one\n\ntwo\n\nthree"]),
        (["one", BUTTONS, "two", "three"], ["one", "Which?", "two\n\nthree"]),
        (["one", "two", BUTTONS], ["one\n\ntwo", "Which?"]),
        (["one", TEMPLATE, "two"], ["one", "Later", "two"]),
        (["one", QUOTING, "two", "three"], ["one", "This one", "two\n\nthree"]),
        (["one", PREVIEW, "two"], ["one", "https://a.example", "two"]),
        (["one", CONSENT, "two"], ["one\n\nNoted\n\ntwo"]),
        (["one", IMPOSSIBLE, "two"], ["one\n\ntwo"]),
        ([LONG, "w" * 94, "two"], [LONG + "\n\n" + "w" * 94, "two"]),
        ([LONG, "w" * 95, "two"], [LONG, "w" * 95 + "\n\ntwo"]),
        ([LONG + " " + LONG, "two"], [LONG, LONG + "\n\ntwo"]),
    ],
    ids=[
        "one text", "three texts", "buttons in between", "buttons at the end", "a template in between", "a quote in between",
        "a preview in between", "with a consent", "a refused one in between", "just short enough", "too long", "a long one that was split",
    ],
)  # fmt: skip
async def test_what_is_merged(stage, said, expected):
    """Texts are, up to Meta's limit; all else stays apart and in its place."""
    await begin(stage, *said)
    await stage.receive(stage.message("Hi"))
    assert stage.graph.texts == expected


async def test_each_keeps_its_key(stage):
    """The merged one is recorded as such under its own key; the message carries the key of the first."""
    await begin(stage, "one", "two", "three")
    await stage.receive(stage.message("Hi"))
    rows = [(row["key"], row["state"], row["reason"]) for row in stage.rows("outbox")]
    why = "it went with the text before it"
    assert rows == [
        ("wamid.IN1#1", "accepted", None),
        ("wamid.IN1#2", "replaced", why),
        ("wamid.IN1#3", "replaced", why),
    ]
    assert [body["biz_opaque_callback_data"] for body in stage.graph.sent] == ["wamid.IN1#1"]


async def test_off_unless_it_is_asked_for(stage):
    """Each text is a message."""
    await begin(stage, "one", "two", merge_texts=False)
    await stage.receive(stage.message("Hi"))
    assert stage.graph.texts == ["one", "two"]


async def test_turns_stay_apart(stage):
    """What answers two messages is two messages, also if neither is sent yet."""
    await begin(stage, "one", "two")
    stage.graph.answers = [Refused(Disposition.RETRY, 131016, "away")]
    await stage.receive(stage.message("Hi"), stage.message("Ho"))
    await stage.advance(minutes=5)
    assert stage.graph.texts == ["one\n\ntwo", "one\n\ntwo", "one\n\ntwo"]
    assert [body["biz_opaque_callback_data"] for body in stage.graph.sent] == [
        "wamid.IN1#1",
        "wamid.IN1#1",
        "wamid.IN2#1",
    ]


async def test_a_text_is_durable_before_its_turn_ends(stage, body):
    """It is in the outbox as soon as Rasa has said it, and waits there for what follows."""
    await begin(stage, "one", "two", "three")
    halting = Halting(stage, "one", "two")
    await halting.begin(body)
    assert stage.states("outbox") == ["pending", "replaced"]
    halting.goes_on.set()
    await stage.idle()
    assert stage.graph.texts == ["one\n\ntwo\n\nthree"]


async def test_a_turn_that_takes_long(stage, body):
    """What it said goes after five seconds; what it says afterwards is a message of its own, when the turn ends."""
    await begin(stage, "one", "two", "three", "four")
    halting = Halting(stage, "one", "two")
    await halting.begin(body)
    stage.clock.advance(seconds=4.9)
    stage.gateway.look()
    await asyncio.sleep(0.02)
    assert stage.graph.texts == []
    stage.clock.advance(seconds=0.1)
    stage.gateway.look()
    await stage.until(lambda: stage.graph.texts == ["one\n\ntwo"])
    halting.goes_on.set()
    await stage.idle()
    assert stage.graph.texts == ["one\n\ntwo", "three\n\nfour"]


async def test_what_is_no_text_lets_the_text_before_it_go(stage, body):
    """At once, while the turn goes on; nothing that follows could be merged with it."""
    await begin(stage)
    halting = Halting(stage, "one", "two", BUTTONS)
    await halting.begin(body)
    await stage.until(lambda: stage.graph.texts == ["one\n\ntwo", "Which?"])
    halting.goes_on.set()
    await stage.idle()


@pytest.mark.parametrize("seconds", [0, 60], ids=["at once", "a minute later"])
async def test_a_crash_in_the_middle_of_a_turn(stage, body, seconds):
    """The second run says under known keys nothing again, and what is new once; merged or not, nothing is lost."""
    await begin(stage, "one", "two", "three", "four")
    await Halting(stage, "one", "two").begin(body)
    stage.clock.advance(seconds=seconds)
    await restart(stage)
    await stage.advance(minutes=1)
    assert stage.dialogue.asked == ["Hi"]
    assert "\n\n".join(stage.graph.texts) == "one\n\ntwo\n\nthree\n\nfour"
    assert len(stage.graph.texts) <= 2


async def test_a_crash_after_the_turn_was_saved(stage, body):
    """The conversation has it all, so has the outbox: it goes when the turn's end is noted."""
    await begin(stage, "one", "two")
    halting = Halting(stage, "one", "two")
    await halting.begin(body)
    stage.dialogue.saved.add("wamid.IN1")
    await restart(stage)
    assert stage.graph.texts == ["one\n\ntwo"]
    assert stage.states("inbox") == ["done"]


async def test_a_turn_that_fails(stage):
    """What it said goes after five seconds, and is not said again by the tries that follow."""
    await begin(stage, turn_attempts=1)

    async def fail(turn):
        for ordinal, said in enumerate(["one", "two"], start=1):
            await stage.gateway.say(turn.contact_id, turn.cause, ordinal, response(said), turn)
        raise RuntimeError

    stage.dialogue.before = fail
    await stage.receive(stage.message("Hi"))
    assert stage.states("inbox") == ["parked"]
    await stage.advance(seconds=5)
    assert stage.graph.texts == ["one\n\ntwo"]


async def test_what_is_being_sent_takes_nothing_in(stage, body):
    """A text that follows one whose request is under way is a message of its own."""
    await begin(stage, "one", "two")
    halting = Halting(stage, "one")
    await halting.begin(body)
    stage.graph.held = asyncio.Event()
    stage.clock.advance(seconds=5)
    stage.gateway.look()
    await stage.until(lambda: stage.graph.texts == ["one"])
    halting.goes_on.set()
    await stage.until(lambda: len(stage.rows("outbox")) == 2)
    stage.graph.held.set()
    await stage.idle()
    assert stage.graph.texts == ["one", "two"]


async def test_a_follow_up_is_a_turn_too(stage):
    """Its texts are merged as well."""
    await begin(stage)
    await stage.receive(stage.message("Hi"))
    stage.dialogue.answer = lambda turn: [{"text": "one"}, {"text": "two"}]
    follow_up = NewFollowUp(
        contact_id=stage.contact_id, name="n", intent="EXTERNAL_n", entities=[], kill_on_user_message=False, cause="wamid.IN1",
        due_at=stage.clock.now() + timedelta(hours=1),
    )  # fmt: skip
    await stage.gateway.schedule(follow_up)
    await stage.advance(hours=1)
    assert stage.graph.texts == ["one\n\ntwo"]


async def test_what_is_said_outside_of_a_turn(stage):
    """Nobody knows when it ends, so it goes at once, behind what waits."""
    await begin(stage, "one")
    await stage.receive(stage.message("Hi"))
    for ordinal, said in enumerate(["two", "three"], start=1):
        await stage.say(stage.contact_id, "api:1", ordinal, {"text": said}, proactive=True)
    await stage.idle()
    assert stage.graph.texts == ["one", "two", "three"]


async def test_the_next_part_waits_for_the_merged_one(stage):
    """With `order_wait_seconds` a picture or a menu does not overtake the text before it."""
    await begin(stage, "one", "two", BUTTONS, delivery=DeliveryRules(order_wait=timedelta(seconds=2)))
    await stage.receive(stage.message("Hi"))
    assert stage.graph.texts == ["one\n\ntwo"]
    await stage.receive(stage.status("wamid.OUT1", "delivered"))
    assert stage.graph.texts == ["one\n\ntwo", "Which?"]
