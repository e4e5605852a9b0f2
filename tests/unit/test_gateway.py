"""From the webhook to the dialogue: one turn for each message, in order, whatever is repeated, broken, cut off or away."""

from __future__ import annotations

import asyncio
import json
import logging
from datetime import timedelta

import pytest
from sqlalchemy.exc import SQLAlchemyError

from rasa_whatsapp import firing, intake
from rasa_whatsapp.cloud.inbound import MessageReceived
from rasa_whatsapp.errors import DialogueUnavailable, UnknownContact, WebhookMalformed
from rasa_whatsapp.intake import IntakeRules
from rasa_whatsapp.storage.follow_ups import NewFollowUp

pytestmark = pytest.mark.asyncio

BEN = "4915100000002"


def follow_up(stage, **changes):
    """Return a follow-up that is due in an hour."""
    plain = {
        "name": "reminder",
        "intent": "EXTERNAL_reminder",
        "entities": [],
        "due_at": stage.clock.now() + timedelta(hours=1),
        "kill_on_user_message": False,
        "cause": "wamid.IN1",
    }
    return NewFollowUp(**(plain | changes))


def echo(turn):
    """Answer with what was heard."""
    return [{"text": f"re: {turn.text}"}]


async def test_a_message_becomes_a_turn_and_its_answer_a_request(stage):
    """The whole way: turn with its metadata and entities, answer under its key, receipt recorded."""
    stage.dialogue.answer = echo
    await stage.start()
    await stage.receive(stage.message("Hi"))
    (turn,) = stage.dialogue.turns
    assert (turn.text, turn.is_command, turn.is_external, turn.intents) == ("Hi", False, False, ())
    assert turn.message_id == "wamid.IN1"
    assert turn.entities == {
        "care_window_open": True,
        "care_window_expires_at": "2026-11-23T10:00:00+00:00",
        "whatsapp_consent": "unknown",
    }
    assert turn.metadata == {
        "whatsapp": {
            "message_id": "wamid.IN1",
            "type": "text",
            "timestamp": "2026-11-22T10:00:00+00:00",
            "number_id": "100000000000001",
            "wa_id": "4915112345678",
        }
    }
    assert stage.graph.sent == [
        {
            "messaging_product": "whatsapp",
            "recipient_type": "individual",
            "to": "+4915112345678",
            "type": "text",
            "text": {"body": "re: Hi"},
            "biz_opaque_callback_data": "wamid.IN1#1",
        }
    ]
    assert stage.states("inbox") == ["done"]
    assert stage.states("outbox") == ["accepted"]
    assert stage.rows("outbox")[0]["message_id"] == "wamid.OUT1"


async def test_the_same_body_ten_times_at_once_is_one_turn(stage, body):
    """Redeliveries and several open connections of Meta's change nothing."""
    stage.dialogue.answer = echo
    await stage.start()
    raw = body(stage.message("Hi"))
    await asyncio.gather(*(stage.hand_in(raw) for _ in range(10)))
    await stage.idle()
    await stage.hand_in(raw)
    await stage.idle()
    assert stage.dialogue.heard == ["Hi"]
    assert stage.graph.texts == ["re: Hi"]


async def test_one_broken_message_among_ten(stage):
    """Nine turns; the broken one is parked with its reason."""
    await stage.start()
    messages = [stage.message(str(number)) for number in range(10)]
    messages[4] = stage.message(text=None)
    await stage.receive(*messages)
    assert stage.dialogue.heard == ["0", "1", "2", "3", "5", "6", "7", "8", "9"]
    (parked,) = [row for row in stage.rows("inbox") if row["state"] == "parked"]
    assert parked["reason"] == "text.body is missing or not a text"


async def test_a_message_that_cannot_be_stored_does_not_touch_the_others(stage, monkeypatch):
    """Nine turns also when the tenth breaks something inside; it is parked by the name of the mistake."""
    real = intake._TAKERS[MessageReceived]

    def break_one(desk, event):
        if event.message_id == "wamid.IN5":
            raise ZeroDivisionError
        real(desk, event)

    monkeypatch.setitem(intake._TAKERS, MessageReceived, break_one)
    await stage.start()
    await stage.receive(*(stage.message(str(number)) for number in range(10)))
    assert len(stage.dialogue.turns) == 9
    (parked,) = [row for row in stage.rows("inbox") if row["state"] == "parked"]
    assert parked["reason"] == "ZeroDivisionError while storing it"


async def test_what_can_neither_be_stored_nor_written_down_is_not_acknowledged(stage, body, refusing):
    """A store that takes nothing makes receive raise, so that Meta sends the body again."""
    await stage.start()
    raw = body(stage.message("Hi"))
    with refusing("inbox"), refusing("arrivals"), pytest.raises(SQLAlchemyError, match="full"):
        await stage.hand_in(raw)
    await stage.hand_in(raw)
    await stage.idle()
    assert stage.dialogue.heard == ["Hi"]


async def test_a_body_that_is_no_webhook(stage):
    """It is refused, and nothing is stored."""
    await stage.start()
    with pytest.raises(WebhookMalformed):
        await stage.hand_in(b"[]")
    assert stage.rows("inbox") == []


@pytest.mark.parametrize(
    ("name", "state", "reason"),
    [
        ("group_text", "ignored", "a group's message is nobody's conversation with the bot"),
        ("reaction", "ignored", "a reaction is no turn; turns_for could name it"),
        ("system_number_changed", "ignored", "a system is no turn; turns_for could name it"),
        ("field_unknown", "ignored", "field account_alerts is not used"),
        ("object_unknown", "ignored", "object is not whatsapp_business_account"),
        ("value_error", "ignored", "Meta reports error 131035 for this number: Lost"),
    ],
)
async def test_what_is_no_turn_is_recorded_once(stage, webhook, name, state, reason):
    """Kinds that are no turn, other fields and Meta's own errors are kept with a reason; the dialogue hears nothing."""
    await stage.start()
    await stage.hand_in(webhook(name))
    await stage.hand_in(webhook(name))
    await stage.idle()
    assert [(row["state"], row["reason"]) for row in stage.rows("inbox")] == [(state, reason)]
    assert stage.dialogue.turns == []


async def test_a_number_of_somebody_else(stage, body):
    """A message for an unknown phone number id is recorded, without a turn, without a contact."""
    await stage.start()
    await stage.hand_in(body(stage.message("Hi"), number_id="123456123"))
    await stage.idle()
    (row,) = stage.rows("inbox")
    assert (row["state"], row["reason"]) == ("ignored", "the phone number id is not one of this bot's")
    assert stage.rows("contacts") == []


async def test_a_message_without_phone_number_id_is_no_turn(stage):
    """Nobody knows from which number it could be answered."""
    await stage.start()
    change = {"field": "messages", "value": {"messages": [stage.message("Hi")]}}
    envelope = {"object": "whatsapp_business_account", "entry": [{"changes": [change]}]}
    await stage.hand_in(json.dumps(envelope).encode())
    await stage.idle()
    assert stage.dialogue.turns == []
    assert stage.states("inbox")[0] in ("ignored", "parked")


async def test_one_contact_is_taken_in_the_order_of_sending(stage, body):
    """Messages that were swapped on the way are put right while they wait; each turn ends before the next begins."""
    running = []
    gate = asyncio.Event()

    async def one_at_a_time(turn):
        running.append(turn.text)
        assert len(running) == 1
        await gate.wait()
        running.remove(turn.text)

    stage.dialogue.before = one_at_a_time
    await stage.start()
    at = int(stage.clock.moment.timestamp())
    stage.clock.advance(seconds=5)
    first, third, second = (stage.message(f"t{at + late}", timestamp=str(at + late)) for late in (0, 2, 1))
    await stage.hand_in(body(first))
    await stage.until(lambda: running)
    await stage.hand_in(body(third))
    await stage.hand_in(body(second))
    gate.set()
    await stage.idle()
    assert stage.dialogue.heard == [f"t{at}", f"t{at + 1}", f"t{at + 2}"]


async def test_messages_of_one_second_keep_the_order_of_the_body(stage):
    """Timestamps have whole seconds: within one, the order of arrival counts."""
    await stage.start()
    await stage.receive(*(stage.message(str(number)) for number in range(8)))
    assert stage.dialogue.heard == [str(number) for number in range(8)]


async def test_contacts_do_not_wait_for_each_other(stage, body):
    """While one turn hangs, another customer is answered."""
    gate = asyncio.Event()

    async def hang_for_lea(turn):
        if turn.text == "slow":
            await gate.wait()

    stage.dialogue.before = hang_for_lea
    stage.dialogue.answer = echo
    await stage.start()
    await stage.hand_in(body(stage.message("slow"), stage.message("quick", sender=BEN)))
    await stage.until(lambda: "re: quick" in stage.graph.texts)
    assert "re: slow" not in stage.graph.texts
    gate.set()
    await stage.idle()
    assert stage.graph.texts == ["re: quick", "re: slow"]


async def test_no_more_turns_at_once_than_allowed(stage):
    """The bound holds, and whoever waited gets a turn."""
    now, most = 0, 0
    all_places_taken = asyncio.Event()

    async def count(turn):
        nonlocal now, most
        now += 1
        most = max(most, now)
        if now == 3:
            all_places_taken.set()
        await all_places_taken.wait()
        await asyncio.sleep(0.001)
        now -= 1

    stage.dialogue.before = count
    await stage.start(turns_at_once=3)
    await stage.receive(*(stage.message("x", sender=f"49{number}") for number in range(12)))
    assert most == 3
    assert len(stage.dialogue.turns) == 12


async def test_a_turn_that_fails_is_tried_again_and_then_parked(stage):
    """Three tries with growing pauses, then the next message has its turn; nothing is answered twice."""

    async def fail_on_poison(turn):
        if turn.text == "poison":
            raise RuntimeError("secret words")

    stage.dialogue.before = fail_on_poison
    await stage.start()
    await stage.receive(stage.message("poison"), stage.message("after"))
    assert stage.dialogue.heard == ["poison"]
    await stage.nudge()
    assert stage.dialogue.heard == ["poison"]
    await stage.advance(seconds=1)
    await stage.advance(seconds=1.9)
    assert stage.dialogue.heard == ["poison", "poison"]
    await stage.advance(seconds=0.2)
    assert stage.dialogue.heard == ["poison", "poison", "poison", "after"]
    assert stage.dialogue.asked == ["poison", "poison"]
    assert stage.states("inbox") == ["parked", "done"]
    assert stage.rows("inbox")[0]["reason"] == "RuntimeError"


async def test_a_parked_message_is_replayed(stage):
    """After the repair it is taken up again, without a restart."""
    broken = True

    async def fail_while_broken(turn):
        if broken:
            raise RuntimeError

    stage.dialogue.before = fail_while_broken
    stage.dialogue.answer = echo
    await stage.start(turn_attempts=1)
    await stage.receive(stage.message("Hi"))
    (row,) = stage.rows("inbox")
    assert row["state"] == "parked"
    broken = False
    replayed = await stage.database.run(intake.replay, [row["id"]], stage.rules.intake, stage.clock.now())
    assert replayed == [row["id"]]
    await stage.nudge()
    assert stage.graph.texts == ["re: Hi"]
    assert stage.states("inbox") == ["done"]
    assert await stage.database.run(intake.replay, [row["id"]], stage.rules.intake, stage.clock.now()) == []


async def test_the_watch_takes_up_what_another_process_replays(stage):
    """A replay from the command line is noticed within a tick."""
    stage.dialogue.before = lambda turn: (_ for _ in ()).throw(RuntimeError)
    await stage.start(turn_attempts=1, tick_seconds=0.01)
    await stage.receive(stage.message("Hi"))
    stage.dialogue.before = None
    stage.dialogue.turns.clear()
    ids = [stage.rows("inbox")[0]["id"]]
    await stage.database.run(intake.replay, ids, stage.rules.intake, stage.clock.now())
    await stage.until(lambda: stage.dialogue.turns)
    assert stage.dialogue.heard == ["Hi"]


async def test_a_dialogue_that_is_away(stage):
    """Without a model the turn waits, with pauses that grow to half a minute, and no failure is counted."""
    away = True

    async def maybe_away(turn):
        if away:
            raise DialogueUnavailable("no model is loaded")

    stage.dialogue.before = maybe_away
    stage.dialogue.answer = echo
    await stage.start()
    await stage.receive(stage.message("one"), stage.message("two"))
    for _ in range(20):
        await stage.advance(seconds=1)
    assert set(stage.dialogue.heard) == {"one"}
    assert stage.rows("inbox")[0]["reason"] == "no model is loaded"
    first = stage.rows("inbox")[0]
    assert first["failures"] == 0
    assert first["waits"] == len(stage.dialogue.heard) > 3
    away = False
    await stage.advance(seconds=30)
    assert stage.graph.texts == ["re: one", "re: two"]


async def test_a_crash_in_the_middle_of_a_turn(stage, body):
    """The next process takes the turn again, and tells the dialogue that it is again; what was said is not said twice."""
    spoken = asyncio.Event()

    async def die(turn):
        if not spoken.is_set():
            await stage.say(turn.contact_id, turn.message_id, 1, {"text": "re: Hi"}, proactive=False)
            spoken.set()
            await asyncio.Event().wait()

    stage.dialogue.before = die
    stage.dialogue.answer = echo
    await stage.start()
    await stage.hand_in(body(stage.message("Hi")))
    await asyncio.wait_for(spoken.wait(), 5)
    await stage.gateway._sends.close(grace_seconds=5)  # else it would be a crash in the middle of a request, too
    await stage.restart()
    await stage.idle()
    await stage.advance(minutes=1)
    assert stage.dialogue.heard == ["Hi", "Hi"]
    assert stage.dialogue.asked == ["Hi"]
    assert stage.graph.texts == ["re: Hi"]
    assert stage.states("inbox") == ["done"]


async def test_a_crash_between_the_end_of_a_turn_and_its_note(stage, body):
    """The conversation is saved, the inbox does not know: the turn is not taken again, and what it scheduled stays."""
    saved = asyncio.Event()

    async def complete_and_die(turn):
        await stage.gateway.schedule(follow_up(stage, contact_id=turn.contact_id, cause=turn.cause))
        stage.dialogue.saved.add(turn.message_id)
        saved.set()
        await asyncio.Event().wait()

    stage.dialogue.before = complete_and_die
    await stage.start()
    await stage.hand_in(body(stage.message("Hi")))
    await asyncio.wait_for(saved.wait(), 5)
    await stage.restart()
    await stage.idle()
    assert stage.dialogue.heard == ["Hi"]
    assert stage.states("inbox") == ["done"]
    assert stage.states("follow_ups") == ["pending"]


async def test_a_crash_before_the_end_of_a_turn_schedules_once(stage, body):
    """What an unfinished run had scheduled is forgotten; the second run schedules it anew."""
    scheduled = asyncio.Event()

    async def schedule_and_die_once(turn):
        await stage.gateway.schedule(follow_up(stage, contact_id=turn.contact_id, cause=turn.cause, name=str(id(turn))))
        if not scheduled.is_set():
            scheduled.set()
            await asyncio.Event().wait()

    stage.dialogue.before = schedule_and_die_once
    await stage.start()
    await stage.hand_in(body(stage.message("Hi")))
    await asyncio.wait_for(scheduled.wait(), 5)
    await stage.restart()
    await stage.idle()
    assert stage.dialogue.heard == ["Hi", "Hi"]
    assert stage.states("follow_ups") == ["pending"]


async def test_what_waited_is_taken_after_a_restart(stage, body):
    """Messages that were stored but not begun are no second run."""
    hold = asyncio.Event()
    stage.dialogue.before = lambda turn: hold.wait()
    await stage.start()
    await stage.hand_in(body(stage.message("one"), stage.message("two")))
    await stage.until(lambda: stage.dialogue.turns)
    await stage.kill()
    hold.set()
    await stage.start()
    await stage.idle()
    assert stage.dialogue.heard == ["one", "one", "two"]
    assert stage.dialogue.asked == ["one"]


async def test_a_crash_after_a_short_reminder_fired_reminds_once(stage, body):
    """It fell due before its turn was taken again, and stands in the lane behind it: the turn schedules it again."""
    die = True

    async def schedule_and_die(turn):
        if turn.text != "remind me":
            return
        reminder = NewFollowUp(
            contact_id=turn.contact_id,
            name="reminder",
            intent="EXTERNAL_reminder",
            entities=(),
            due_at=stage.clock.now() + timedelta(minutes=1),
            kill_on_user_message=False,
            cause=turn.cause,
        )
        await stage.gateway.schedule(reminder, turn)
        if die:
            await asyncio.Event().wait()

    stage.dialogue.before = schedule_and_die
    await stage.start()
    await stage.hand_in(body(stage.message("remind me")))
    await stage.until(lambda: stage.rows("follow_ups"))
    await stage.kill()
    stage.clock.advance(minutes=2)
    await stage.database.run(firing.fire_due, stage.rules.firing, stage.clock.now())
    assert stage.states("follow_ups") == ["fired"]
    die = False
    await stage.start()
    await stage.idle()
    await stage.advance(minutes=2)
    reminders = [turn for turn in stage.dialogue.turns if turn.intents == ("EXTERNAL_reminder",)]
    assert (len(reminders), stage.states("follow_ups")) == (1, ["done"])


async def test_a_message_that_kills_the_process_is_parked_in_the_end(stage, body):
    """A turn that never survives does not run for ever; the next message has its turn."""

    async def hang(turn):
        if turn.text == "poison":
            await asyncio.Event().wait()

    stage.dialogue.before = hang
    await stage.start()
    await stage.hand_in(body(stage.message("poison"), stage.message("after")))
    for run in range(1, 11):
        await stage.until(lambda run=run: len(stage.dialogue.turns) == run)
        await stage.restart()
    await stage.idle()
    assert stage.dialogue.heard == ["poison"] * 10 + ["after"]
    assert stage.states("inbox") == ["parked", "done"]


async def test_closing_waits_for_the_turn_under_way(stage, body):
    """Within its grace a turn and its answer are finished."""

    async def short(turn):
        await asyncio.sleep(0.05)

    stage.dialogue.before = short
    stage.dialogue.answer = echo
    await stage.start()
    await stage.hand_in(body(stage.message("Hi")))
    await stage.until(lambda: stage.dialogue.turns)
    await stage.gateway.close(grace_seconds=5)
    assert stage.states("inbox") == ["done"]
    assert stage.graph.texts == ["re: Hi"]


class TestCommands:
    """Only the payload of something that we offered is a command."""

    @pytest.mark.parametrize("text", ["/restart", " /restart", '/EXTERNAL_reminder{"a":1}'])
    async def test_typed_text_is_never_one(self, stage, text):
        """Whatever is typed stays text."""
        await stage.start()
        await stage.receive(stage.message(text))
        assert [(turn.text, turn.is_command) for turn in stage.dialogue.turns] == [(text, False)]

    @pytest.mark.parametrize("kind", ["button_reply", "list_reply"])
    async def test_a_choice_that_we_offered(self, stage, kind):
        """A tap on our button means its payload, also when a short id stood in for it."""
        long_payload = '/inform{"note":"' + "x" * 400 + '"}'
        stage.dialogue.answer = lambda turn: [
            {"text": "?", "buttons": [{"title": "Yes", "payload": long_payload}, {"title": "No", "payload": "no"}]}
        ]
        await stage.start()
        await stage.receive(stage.message("Hi"))
        ids = [button["reply"]["id"] for button in stage.graph.sent[0]["interactive"]["action"]["buttons"]]
        stage.dialogue.answer = lambda turn: []
        for choice_id, title in zip(ids, ("Yes", "No"), strict=True):
            await stage.receive(
                stage.message(
                    type="interactive",
                    text=None,
                    context={"id": "wamid.OUT1"},
                    interactive={"type": kind, kind: {"id": choice_id, "title": title}},
                )
            )
        assert [(turn.text, turn.is_command) for turn in stage.dialogue.turns[1:]] == [
            (long_payload, True),
            ("no", False),
        ]

    @pytest.mark.parametrize(
        ("context", "sender"),
        [
            ({"id": "wamid.OUT1"}, BEN),
            ({"id": "wamid.UNKNOWN"}, None),
            ({}, None),
            (None, None),
        ],
        ids=["another customer's button", "a message that we do not know", "no message id", "no context"],
    )
    async def test_a_choice_that_we_did_not_offer(self, stage, context, sender):
        """A forged id is only its title."""
        stage.dialogue.answer = lambda turn: [{"text": "?", "buttons": [{"title": "Yes", "payload": "/affirm"}]}]
        await stage.start()
        await stage.receive(stage.message("Hi"))
        stage.dialogue.answer = lambda turn: []
        tap = {"type": "button_reply", "button_reply": {"id": "/affirm", "title": "Yes"}}
        fields = {"sender": sender} if sender else {}
        await stage.receive(stage.message(type="interactive", text=None, context=context, interactive=tap, **fields))
        assert (stage.dialogue.turns[1].text, stage.dialogue.turns[1].is_command) == ("Yes", False)

    async def test_an_id_that_this_message_did_not_have(self, stage):
        """The right message with an invented id is only its title."""
        stage.dialogue.answer = lambda turn: [{"text": "?", "buttons": [{"title": "Yes", "payload": "/affirm"}]}]
        await stage.start()
        await stage.receive(stage.message("Hi"))
        tap = {"type": "button_reply", "button_reply": {"id": "/restart", "title": "Yes"}}
        await stage.receive(stage.message(type="interactive", text=None, context={"id": "wamid.OUT1"}, interactive=tap))
        assert (stage.dialogue.turns[1].text, stage.dialogue.turns[1].is_command) == ("Yes", False)

    async def test_a_tap_that_overtakes_the_receipt(self, stage, body):
        """The customer taps before Graph's answer told us the message's id: it is our button all the same."""
        stage.dialogue.answer = lambda turn: [{"text": "?", "buttons": [{"title": "Yes", "payload": "/affirm"}]}]
        stage.graph.held = asyncio.Event()
        await stage.start()
        await stage.hand_in(body(stage.message("Hi")))
        await stage.until(lambda: stage.graph.sent)
        tap = {"type": "button_reply", "button_reply": {"id": "/affirm", "title": "Yes"}}
        stage.dialogue.answer = lambda turn: []
        await stage.hand_in(
            body(stage.message(type="interactive", text=None, context={"id": "wamid.OUT1"}, interactive=tap))
        )
        await stage.until(lambda: len(stage.dialogue.turns) == 2)
        stage.graph.held.set()
        await stage.idle()
        assert (stage.dialogue.turns[1].text, stage.dialogue.turns[1].is_command) == ("/affirm", True)


class TestConsentInTheDialogue:
    """STOP and START are recorded when they come in, and are intents of their own."""

    @pytest.mark.parametrize(
        ("text", "intent", "slot"),
        [
            ("STOP", "whatsapp_opt_out", "opted_out"),
            ("Stopp!", "whatsapp_opt_out", "opted_out"),
            ("start", "whatsapp_opt_in", "opted_in"),
            ("please stop it", None, "unknown"),
        ],
    )
    async def test_keywords(self, stage, text, intent, slot):
        """The turn itself sees the new state already."""
        await stage.start()
        await stage.receive(stage.message(text))
        (turn,) = stage.dialogue.turns
        assert (turn.intents, turn.entities["whatsapp_consent"]) == ((intent,) if intent else (), slot)

    async def test_the_ledger_says_when_and_where(self, stage):
        """Time, source and message are kept as proof."""
        await stage.start()
        await stage.receive(stage.message("STOP"))
        (row,) = stage.rows("consent")
        assert (row["scope"], row["choice"], row["source"], row["evidence"]) == (
            "all",
            "opt_out",
            "keyword",
            "wamid.IN1",
        )
        assert row["at"] == stage.clock.now()

    async def test_a_tapped_keyword_is_one_too(self, stage):
        """A template's quick reply comes as its label: what the dialogue hears as opt-out is in the ledger."""
        await stage.start()
        label = {"payload": "STOP", "text": "STOP"}
        await stage.receive(stage.message(type="button", text=None, button=label, context={"id": "wamid.OLD"}))
        assert stage.dialogue.turns[0].intents == ("whatsapp_opt_out",)
        assert [row["choice"] for row in stage.rows("consent")] == ["opt_out"]

    async def test_the_last_of_three_within_a_second(self, stage):
        """STOP, START, STOP in one second is an opt-out."""
        await stage.start()
        for word in ("STOP", "START", "STOP"):
            await stage.receive(stage.message(word))
        assert stage.dialogue.turns[-1].entities["whatsapp_consent"] == "opted_out"

    async def test_stop_beats_an_older_wish_that_is_answered_later(self, stage):
        """The reminder was asked for before STOP, though the dialogue came to it only afterwards."""
        away = True

        async def maybe_away(turn):
            if away:
                raise DialogueUnavailable("no model")

        stage.dialogue.before = maybe_away
        stage.dialogue.answer = lambda turn: (
            [{"text": "ok", "custom": {"consent": {"opt_in": "utility"}}}] if turn.text == "remind me" else []
        )
        await stage.start()
        await stage.receive(stage.message("remind me"))
        stage.clock.advance(minutes=5)
        await stage.receive(stage.message("STOP"))
        away = False
        await stage.advance(minutes=25)
        assert stage.dialogue.turns[-1].text == "STOP"
        assert stage.dialogue.turns[-1].entities["whatsapp_consent"] == "opted_out"

    async def test_a_response_that_records_consent_does_it_once(self, stage):
        """The opt-in that the bot words is noted with its source; a second run of the turn does not note it again."""
        stage.dialogue.answer = lambda turn: [
            {"text": "I will.", "custom": {"consent": {"opt_in": "utility", "source": "reminder request"}}}
        ]
        await stage.start()
        await stage.receive(stage.message("remind me"))
        stage.clock.advance(seconds=5)
        await stage.say(stage.contact_id, "wamid.IN1", 1, stage.dialogue.answer(None)[0], proactive=False)
        (row,) = stage.rows("consent")
        assert (row["scope"], row["choice"], row["source"]) == ("utility", "opt_in", "reminder request")

    @pytest.mark.parametrize(
        ("value", "choices"),
        [("stop", ["opt_out"]), ("resume", ["opt_in"]), ("signup", ["opt_in"]), ("whatever", [])],
    )
    async def test_user_preferences(self, stage, webhook, value, choices):
        """Meta's control is about marketing; what it may mean tomorrow changes nothing."""
        await stage.start()
        raw = webhook("user_preferences_stop").replace(b'"stop"', json.dumps(value).encode())
        await stage.hand_in(raw)
        await stage.hand_in(raw)
        await stage.idle()
        assert [row["choice"] for row in stage.rows("consent")] == choices
        assert {row["scope"] for row in stage.rows("consent")} <= {"marketing"}


class TestWindow:
    """The window comes from the message's own time."""

    @pytest.mark.parametrize("name", ["image", "location", "contacts", "order", "unsupported", "kind_of_tomorrow"])
    async def test_kinds_without_a_turn_open_it(self, stage, webhook, name):
        """A photo is something that the customer said."""
        await stage.start()
        await stage.hand_in(webhook(name))
        await stage.idle()
        assert stage.rows("contacts")[0]["window_opened_at"] == stage.clock.now()

    @pytest.mark.parametrize(
        "name", ["reaction", "reaction_removed", "edit", "revoke", "system_number_changed", "group_text"]
    )
    async def test_kinds_that_open_nothing(self, stage, webhook, name):
        """A reaction, a deletion or a group's message is not."""
        await stage.start()
        await stage.hand_in(webhook(name))
        await stage.idle()
        assert [row["window_opened_at"] for row in stage.rows("contacts")] == [None]

    async def test_a_message_that_was_a_day_on_its_way(self, stage):
        """It has its turn, in a window that is closed again."""
        await stage.start()
        sent = str(int(stage.clock.moment.timestamp()) - 25 * 3600)
        await stage.receive(stage.message("Hi", timestamp=sent))
        assert stage.dialogue.turns[0].entities["care_window_open"] is False
        assert stage.dialogue.turns[0].entities["care_window_expires_at"] == "2026-11-22T09:00:00+00:00"

    @pytest.mark.parametrize("timestamp", ["253402300799", "4102444800"], ids=["the end of time", "decades ahead"])
    async def test_a_time_that_cannot_be(self, stage, timestamp):
        """A message from the future blocks nothing, and does not keep the window open for decades."""
        stage.dialogue.answer = echo
        await stage.start()
        await stage.receive(stage.message("one", timestamp=timestamp))
        await stage.receive(stage.message("two"))
        await stage.nudge()
        assert sorted(stage.dialogue.heard) == ["one", "two"]
        await stage.advance(hours=25)
        await stage.say(stage.contact_id, "api:1", 1, {"text": "late"}, proactive=True)
        await stage.idle()
        assert stage.rows("outbox")[-1]["state"] == "refused"


class TestIdentity:
    """One person is one contact, by whatever identifier Meta gives."""

    async def test_the_number_first_then_both_then_the_user_id(self, stage):
        """The contact stays the same when an identifier comes later or goes."""
        await stage.start()
        await stage.receive(stage.message("one"))
        await stage.receive(stage.message("two", from_user_id="DE.1"))
        await stage.receive(stage.message("three", **{"from": None, "from_user_id": "DE.1"}))
        assert len({turn.contact_id for turn in stage.dialogue.turns}) == 1

    async def test_who_hides_the_number_is_answered_by_user_id(self, stage, webhook):
        """The answer goes to `recipient`, without `to`."""
        stage.dialogue.answer = echo
        await stage.start()
        await stage.hand_in(webhook("text_number_hidden"))
        await stage.idle()
        assert stage.graph.sent[0]["recipient"] == "DE.9Zk3abc"
        assert "to" not in stage.graph.sent[0]

    async def test_one_person_with_two_numbers(self, stage):
        """The answer goes to where the customer last wrote from."""
        stage.dialogue.answer = echo
        await stage.start()
        for number in ("4915100000001", "4915100000002", "4915100000001"):
            stage.clock.advance(seconds=1)
            await stage.receive(stage.message("Hi", sender=number, from_user_id="DE.1"))
        assert [body["to"] for body in stage.graph.sent] == ["+4915100000001", "+4915100000002", "+4915100000001"]

    async def test_a_number_with_a_new_owner(self, stage):
        """The same number with another user id is somebody else, who gets no old conversation."""
        await stage.start()
        await stage.receive(stage.message("Hi", from_user_id="DE.1"))
        await stage.receive(stage.message("Hi", from_user_id="DE.2"))
        assert len({turn.contact_id for turn in stage.dialogue.turns}) == 2

    async def test_two_numbers_of_the_business_share_nothing(self, stage, body):
        """The same customer at two business numbers is two contacts, each with its window, answered from its number."""
        stage.dialogue.answer = echo
        await stage.start(intake=IntakeRules(number_ids=("1", "2")))
        await stage.hand_in(body(stage.message("Hi"), number_id="1"))
        await stage.hand_in(body(stage.message("Hi"), number_id="2"))
        await stage.idle()
        assert sorted(request.number_id for request in stage.graph.requests) == ["1", "2"]
        assert len(stage.rows("contacts")) == 2


class TestReceipts:
    """Read receipts and the typing indicator are a courtesy: nobody waits for them."""

    @pytest.mark.parametrize(
        ("changes", "expected"),
        [
            (
                {"read_receipts": True},
                [
                    {
                        "messaging_product": "whatsapp",
                        "status": "read",
                        "message_id": "wamid.IN1",
                        "typing_indicator": {"type": "text"},
                    }
                ],
            ),
            (
                {"read_receipts": True, "typing_indicator": False},
                [{"messaging_product": "whatsapp", "status": "read", "message_id": "wamid.IN1"}],
            ),
            ({"read_receipts": False}, []),
        ],
        ids=["both", "no typing", "neither"],
    )
    async def test_settings(self, stage, changes, expected):
        """They are sent as the operator wishes."""
        await stage.start(**changes)
        await stage.receive(stage.message("Hi"))
        assert [request.body for request in stage.graph.requests] == expected

    async def test_a_receipt_that_hangs_delays_neither_the_turn_nor_the_end(self, stage, monkeypatch):
        """A turn does not wait for it, and closing does not either."""

        async def hang(request):
            await asyncio.Event().wait()

        monkeypatch.setattr(stage.graph, "post", hang)
        await stage.start(read_receipts=True)
        await stage.receive(stage.message("Hi"))
        assert stage.states("inbox") == ["done"]
        await asyncio.wait_for(stage.gateway.close(grace_seconds=0.05), 3)


async def test_lanes_that_were_finished_meanwhile(stage, caplog):
    """They were taken up for what was seen in time: nothing is done, and nobody hears of another server that there is not."""
    await stage.start()
    await stage.receive(stage.message("Hi"))
    stage.gateway._turns.take([stage.contact_id])
    stage.gateway._sends.take([stage.contact_id])
    await stage.idle()
    assert (stage.dialogue.heard, caplog.messages) == (["Hi"], [])


async def test_nobody_to_speak_to(stage):
    """A conversation id that is no contact is the caller's mistake."""
    await stage.start()
    for response in ({"text": "Hi"}, {}):
        with pytest.raises(UnknownContact):
            await stage.say("default", "api:1", 1, response, proactive=True)


async def test_no_body_and_no_number_in_the_log(stage, caplog, refusing):
    """What customers write, and who they are, stays out of the log, whatever fails."""
    caplog.set_level(logging.DEBUG, logger="rasa_whatsapp")
    stage.dialogue.answer = echo
    await stage.start()
    with refusing("inbox", "NEW.message_id = 'wamid.IN2' AND NEW.state = 'received'"):
        await stage.receive(stage.message("a word of Lea's"), stage.message("another word of Lea's"))
    assert stage.states("inbox") == ["done", "parked"]
    assert "word of Lea" not in caplog.text
    assert "4915112345678" not in caplog.text


async def test_the_watch_survives_a_store_that_is_away(stage, monkeypatch, caplog):
    """A tick that fails is logged, and the next one works."""
    real, away, worked = firing.fire_due, [True], []

    def fail_while_away(connection, rules, now):
        if away:
            raise OSError("the disk is away")
        worked.append(now)
        return real(connection, rules, now)

    monkeypatch.setattr(firing, "fire_due", fail_while_away)
    await stage.start(tick_seconds=0.01)
    await stage.until(lambda: "could not be read" in caplog.text)
    away.clear()
    await stage.until(lambda: worked)


async def test_follow_up_turns_are_rows_of_the_same_line(stage, body):
    """A due follow-up waits for the turn under way."""
    await stage.start()
    await stage.receive(stage.message("Hi"))
    due_at = stage.clock.now() + timedelta(seconds=1)
    await stage.gateway.schedule(follow_up(stage, contact_id=stage.contact_id, due_at=due_at))
    hold = asyncio.Event()
    stage.dialogue.before = lambda turn: hold.wait()
    await stage.hand_in(body(stage.message("two")))
    await stage.until(lambda: stage.dialogue.heard == ["Hi", "two"])
    stage.clock.advance(seconds=1)
    assert await stage.database.run(firing.fire_due, stage.rules.firing, stage.clock.now()) == 1
    stage.gateway.look()
    await asyncio.sleep(0.02)
    assert stage.dialogue.heard == ["Hi", "two"]
    hold.set()
    await stage.idle()
    assert stage.dialogue.heard == ["Hi", "two", "EXTERNAL: EXTERNAL_reminder"]


async def test_swapped_messages_are_put_right_though_metas_clock_is_ahead(stage, body):
    """Meta's clock 10 s ahead of ours: while they wait, the order of sending still counts."""
    hold = asyncio.Event()
    stage.dialogue.before = lambda turn: hold.wait()
    await stage.start()
    at = int(stage.clock.moment.timestamp()) + 10
    first, third, second = (stage.message(str(late), timestamp=str(at + late)) for late in (0, 2, 1))
    for message in (first, third, second):
        await stage.hand_in(body(message))
    hold.set()
    await stage.idle()
    assert stage.dialogue.heard == ["0", "1", "2"]


async def test_messages_for_a_number_that_is_not_ours(stage, body, caplog):
    """Most likely a mistake in the credentials: one warning tells it, however many come."""
    intake._warn_of_foreign.cache_clear()
    await stage.start()
    for _ in range(3):
        await stage.hand_in(body(stage.message("Hi"), number_id="199999999999991"))
    assert (stage.states("inbox"), stage.dialogue.heard) == (["ignored"] * 3, [])
    told = [record.message for record in caplog.records if "phone_number_id" in record.message]
    assert told == [
        "Webhooks come for phone_number_id '199999999999991', which this bot does not have (it has 100000000000001): they are "
        "kept as ignored. Correct phone_number_id in the credentials, or take the number out of this webhook."
    ]


async def test_preferences_for_a_number_that_is_not_ours(stage, webhook):
    """Recorded as such, no contact."""
    await stage.start()
    await stage.hand_in(webhook("user_preferences_stop").replace(b"100000000000001", b"999"))
    await stage.idle()
    assert stage.rows("contacts") == []
    assert stage.states("inbox") == ["ignored"]


async def test_the_same_broken_body_twice(stage, webhook):
    """Parked once each."""
    await stage.start()
    for _ in range(2):
        await stage.hand_in(webhook("batch_with_broken_ones"))
    await stage.idle()
    assert stage.states("inbox").count("parked") == 10
    assert len(stage.dialogue.turns) == 3


async def test_the_same_preference_twice_is_one_choice(stage, webhook):
    """stop, resume, stop at different times are three; redeliveries none."""
    await stage.start()
    raw = webhook("user_preferences_stop")
    later = raw.replace(b"1795341600", b"1795341700").replace(b'"stop"', b'"resume"')
    for body in (raw, later, raw, later):
        await stage.hand_in(body)
    assert [row["choice"] for row in stage.rows("consent")] == ["opt_out", "opt_in"]


async def test_a_timestamp_of_the_first_century(stage):
    """Ancient times are only old; one before the count of seconds began is no time of Meta's."""
    await stage.start()
    await stage.receive(stage.message("one", timestamp="0"))
    await stage.receive(stage.message("two", timestamp="-62135596800"))
    assert (stage.dialogue.heard, stage.states("inbox")) == (["one"], ["done", "parked"])


async def test_a_tap_after_the_template_was_used_means_its_payload(stage):
    """An old button of weeks ago still has its meaning, twice."""
    stage.dialogue.answer = lambda turn: [{"text": "?", "buttons": [{"title": "Yes", "payload": "/affirm"}]}]
    await stage.start()
    await stage.receive(stage.message("Hi"))
    stage.dialogue.answer = lambda turn: []
    tap = {"type": "button_reply", "button_reply": {"id": "/affirm", "title": "Yes"}}
    for _ in range(2):
        stage.clock.advance(days=20)
        await stage.receive(stage.message(type="interactive", context={"id": "wamid.OUT1"}, interactive=tap))
    assert [turn.text for turn in stage.dialogue.turns[1:]] == ["/affirm", "/affirm"]
