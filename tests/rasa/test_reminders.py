"""Rasa's reminders, plain and with this channel: the same three situations, and what becomes of the customer's reminder.

Plain Rasa 3.6 loses it in each. The plain halves are here so that we notice if a version of Rasa mends one.
"""

from __future__ import annotations

import asyncio
import json
import time
from dataclasses import replace
from datetime import datetime, timedelta, timezone

import pytest
import rasa.core.jobs
from rasa.core.agent import Agent
from rasa.core.channels.channel import CollectingOutputChannel, OutputChannel, UserMessage
from rasa.shared.core.events import BotUttered, ReminderCancelled, ReminderScheduled, Restarted, SlotSet, UserUttered
from rasa.shared.core.trackers import DialogueStateTracker
from sqlalchemy import select

from rasa_whatsapp import firing
from rasa_whatsapp.cloud.templates.declared import Declared, Source
from rasa_whatsapp.firing import FiringRules
from rasa_whatsapp.output import WhatsAppOutput
from rasa_whatsapp.storage import inbox
from rasa_whatsapp.storage.schema import aliases, follow_ups, outbox
from rasa_whatsapp.turn import Turn

LEA, TOM = "4915112345678", "4915187654321"
A_DAY = timedelta(hours=25)


def reminder(due_at: datetime, *, name: str = "order", kill: bool = False) -> ReminderScheduled:
    """Return the event that an action of the example bot returns."""
    return ReminderScheduled("EXTERNAL_open_question", due_at, name=name, kill_on_user_message=kill)


def webhook(wa_id: str, text: str, at: datetime, number: int = 1) -> bytes:
    """Return the body with which Meta delivers a typed message."""
    message = {
        "from": wa_id,
        "id": f"wamid.{wa_id}.{number}",
        "timestamp": str(int(at.timestamp())),
        "type": "text",
        "text": {"body": text},
    }
    value = {"metadata": {"phone_number_id": "100000000000001"}, "messages": [message]}
    entry = {"id": "1", "changes": [{"field": "messages", "value": value}]}
    return json.dumps({"object": "whatsapp_business_account", "entry": [entry]}).encode()


def turn_of(sender: str, message_id: str) -> Turn:
    """Return a customer's turn, as the cause of what an action does."""
    return Turn(
        contact_id=sender, message_id=message_id, cause=message_id, sent_at=datetime.now(timezone.utc), text="Hi"
    )


async def has_spoken(agent: Agent, sender_id: str, output: OutputChannel) -> DialogueStateTracker:
    """Return the conversation of a customer who has written once, after an action asked for a reminder."""
    await agent.handle_message(UserMessage("hello", output, sender_id, input_channel=output.name()))
    return await agent.tracker_store.retrieve(sender_id)


async def schedule(
    agent: Agent, tracker: DialogueStateTracker, event: ReminderScheduled, output: OutputChannel
) -> None:
    """Let Rasa do with an action's event what it does after each action."""
    tracker.update(event)
    await agent.tracker_store.save(tracker)
    await agent.processor.execute_side_effects([event], tracker, output)


def real_soon() -> datetime:
    """Return a moment that plain Rasa's scheduler, which knows only the system's clock, has not reached."""
    return datetime.now(timezone.utc) + timedelta(hours=1)


class TestPlainRasa:
    """What Rasa 3.6.21 does on its own, on any other channel."""

    def test_second_customers_reminder_deletes_the_firsts(self, agent):
        """Two customers with the same reminder name: one job is left."""

        async def story():
            output = CollectingOutputChannel()
            for sender in ("lea", "tom"):
                tracker = await has_spoken(agent, sender, output)
                await schedule(agent, tracker, reminder(real_soon()), output)
            return [job.args[1] for job in (await rasa.core.jobs.scheduler()).get_jobs()]

        assert asyncio.run(story()) == ["tom"]

    def test_reminder_is_dropped_when_the_session_expired(self, agent):
        """A reminder that fires after the session's 60 minutes says nothing."""

        async def story():
            output = CollectingOutputChannel()
            tracker = await has_spoken(agent, "lea", output)
            event = reminder(real_soon())
            await schedule(agent, tracker, event, output)
            for happened in tracker.events:
                happened.timestamp = time.time() - 2 * 60 * 60
            agent.tracker_store = agent.processor.tracker_store = _Remembering(tracker, agent.processor.tracker_store)
            output.messages.clear()
            await agent.processor.handle_reminder(event, "lea", output)
            return output.messages

        assert asyncio.run(story()) == []

    def test_reminder_is_gone_after_a_restart(self, agent):
        """The scheduler lives in memory."""

        async def story():
            output = CollectingOutputChannel()
            await schedule(agent, await has_spoken(agent, "lea", output), reminder(real_soon()), output)
            rasa.core.jobs.kill_scheduler()
            return (await rasa.core.jobs.scheduler()).get_jobs()

        assert asyncio.run(story()) == []


class _Remembering:
    """A tracker store that hands out one prepared conversation."""

    def __init__(self, tracker, store):
        self._tracker, self._store = tracker, store

    async def get_or_create_tracker(self, sender_id, *args, **kwargs):
        return self._tracker

    async def save(self, tracker):
        self._tracker = tracker

    def __getattr__(self, name):
        return getattr(self._store, name)


class TestWithTheChannel:
    """The same situations in WhatsApp conversations."""

    def test_two_customers_with_the_same_name_are_both_reminded(self, channel):
        """A reminder belongs to one conversation."""

        async def story():
            await channel.start()
            for wa_id in (LEA, TOM):
                await _ask_and_schedule(channel, wa_id, reminder(channel.clock.now() + A_DAY))
            await _advance_and_wait(channel, A_DAY, messages=2)
            await channel.stop()

        asyncio.run(story())
        assert sorted(message["to"] for message in channel.graph.messages[-2:]) == [f"+{LEA}", f"+{TOM}"]
        assert [message["type"] for message in channel.graph.messages[-2:]] == ["template", "template"]

    def test_reminder_survives_an_expired_session(self, channel):
        """The session expires after 60 minutes; a day later the reminder is said all the same."""

        async def story():
            await channel.start()
            sender = await _ask_and_schedule(channel, LEA, reminder(channel.clock.now() + A_DAY))
            await _age_tracker(channel.agent, sender, hours=25)
            await _advance_and_wait(channel, A_DAY, messages=1)
            await channel.stop()
            tracker = await channel.agent.tracker_store.retrieve_full_tracker(sender)
            return [event.as_dict()["name"] for event in tracker.events if event.type_name == "action"]

        actions = asyncio.run(story())
        assert channel.graph.messages[-1]["template"]["name"] == "open_question"
        assert actions.count("action_session_start") == 2, "the session was to expire in this test"

    def test_reminder_survives_a_restart_and_fires_once(self, channel):
        """Another process on the same store takes it up, and a third does not fire it again."""

        async def story():
            await channel.start()
            await _ask_and_schedule(channel, LEA, reminder(channel.clock.now() + A_DAY))
            await channel.stop()
            channel.clock.moment += A_DAY
            before = len(channel.graph.messages)
            await channel.start()
            await _until_sent(channel, before + 1)
            await channel.stop()
            await channel.start()
            fired_again = await channel.database.run(firing.fire_due, FiringRules(), channel.clock.now())
            waiting = await channel.database.run(inbox.backlog, 10)
            await channel.stop()
            return len(channel.graph.messages) - before, fired_again, waiting

        assert asyncio.run(story()) == (1, 0, 0)

    def test_customer_who_writes_ends_a_reminder_that_waits_for_silence(self, channel):
        """kill_on_user_message is honoured, also long after the session in which it was scheduled."""

        async def story():
            await channel.start()
            sender = await _ask_and_schedule(channel, LEA, reminder(channel.clock.now() + A_DAY, kill=True))
            channel.clock.moment += timedelta(hours=2)
            await channel.gateway.receive(webhook(LEA, "hello", channel.clock.now(), number=2))
            await _until_idle(channel)
            states = await _states(channel, sender)
            await channel.stop()
            return states

        assert asyncio.run(story()) == [("cancelled", "the customer wrote first")]

    def test_cancelling_by_name_reaches_only_this_conversation(self, channel):
        """ReminderCancelled ends Lea's reminder; Tom's of the same name stays."""

        async def story():
            await channel.start()
            senders = [
                await _ask_and_schedule(channel, wa_id, reminder(channel.clock.now() + A_DAY)) for wa_id in (LEA, TOM)
            ]
            tracker = await channel.agent.tracker_store.retrieve(senders[0])
            output = WhatsAppOutput(channel.gateway, turn_of(senders[0], "wamid.x"))
            await channel.agent.processor.execute_side_effects([ReminderCancelled(name="order")], tracker, output)
            states = [await _states(channel, sender) for sender in senders]
            await channel.stop()
            return states

        assert asyncio.run(story()) == [[("cancelled", "cancelled by the dialogue")], [("pending", None)]]

    @pytest.mark.parametrize(
        ("slot", "value", "known"),
        [("language", "de", "de"), ("language", None, "en"), ("order_id", 7, None), ("no_such_slot", None, None)],
    )
    def test_what_is_said_knows_the_customers_language(self, channel, slot, value, known):
        """The slot's text at the moment of speaking goes with the template; "hello" is English for the example bot."""
        said = BotUttered(data={"custom": {"template": {"name": "order_reminder"}}})

        async def story():
            await channel.start()
            await channel.gateway.receive(webhook(LEA, "hello", channel.clock.now()))
            await _until_idle(channel)
            (sender,) = await channel.database.run(
                lambda connection: connection.execute(select(aliases.c.contact_id)).scalars().all()
            )
            tracker = await channel.agent.tracker_store.retrieve(sender)
            if value is not None:
                tracker.update(SlotSet(slot, value))
            output = WhatsAppOutput(channel.gateway, turn_of(sender, "wamid.x"))
            await channel.agent.processor.execute_side_effects([said], tracker, output)
            stored = await channel.database.run(
                lambda connection: connection.execute(select(outbox.c.template).order_by(outbox.c.id.desc())).scalar()
            )
            await channel.stop()
            return stored

        channel.settings = replace(channel.settings, values={**channel.settings.values, "language_slot": slot})
        assert asyncio.run(story()).get("customer_language") == known

    @pytest.mark.parametrize(
        ("slot", "text", "code"),
        [
            ("no_such_slot", "Are you actually a human or a bot?", "en"),
            ("no_such_slot", "Bist du eigentlich ein Mensch oder ein Bot?", "de"),
            ("no_such_slot", "hello", "de"),  # too little: the number is German
            ("language", "Bist du eigentlich ein Mensch oder ein Bot?", "de"),
            ("language", "hello", "en"),
        ],
    )
    def test_a_template_goes_in_the_language_that_the_customer_writes(self, channel, slot, text, code):
        """A day later; the bot's slot comes first, if it has one that holds something."""
        wanted = {"name": "order_reminder", "parameters": {"order_id": "1002"}}
        said = BotUttered(data={"custom": {"template": wanted}})

        async def story():
            await channel.start()
            await channel.gateway.receive(webhook(LEA, text, channel.clock.now()))
            await _until_idle(channel)
            (sender,) = await channel.database.run(
                lambda connection: connection.execute(select(aliases.c.contact_id).distinct()).scalars().all()
            )
            channel.clock.moment += A_DAY
            before = len(channel.graph.messages)
            tracker = await channel.agent.tracker_store.retrieve(sender)
            output = WhatsAppOutput(channel.gateway, turn_of(sender, "wamid.x"))
            await channel.agent.processor.execute_side_effects([said], tracker, output)
            await _until_sent(channel, before + 1)
            await channel.stop()

        channel.settings = replace(channel.settings, values={**channel.settings.values, "language_slot": slot})
        asyncio.run(story())
        assert channel.graph.messages[-1]["template"]["language"] == {"code": code}

    def test_a_template_that_the_catalogue_declares(self, channel):
        """The answer to "hello" carries no template; the catalogue's is kept with it, filled from slots, entities and literals."""
        sources = {
            "a": Source("slot", "language"),
            "b": Source("entity", "language"),
            "c": Source("literal", "x"),
            "d": Source("slot", "order_id"),
        }

        async def story():
            await channel.start()
            await channel.gateway.receive(webhook(LEA, "hello", channel.clock.now()))
            await _until_idle(channel)
            stored = await channel.database.run(
                lambda connection: connection.execute(select(outbox.c.template)).scalars().all()
            )
            await channel.stop()
            return stored

        declared = Declared("greeting", ("utter_greet",), sources, ("/affirm",))
        channel.settings = replace(channel.settings, declared={"utter_greet": declared})
        (kept,) = asyncio.run(story())
        assert kept["name"] == "greeting"
        assert kept["parameters"] == {"a": "en", "b": "en", "c": "x", "d": "{order_id}"}
        assert (kept["payloads"], kept["customer_language"]) == (["/affirm"], "en")

    def test_restarted_conversation_makes_its_reminder_void(self, channel):
        """As in Rasa: what was planned before the restart is not said after it."""

        async def story():
            await channel.start()
            sender = await _ask_and_schedule(channel, LEA, reminder(channel.clock.now() + A_DAY))
            tracker = await channel.agent.tracker_store.retrieve(sender)
            tracker.update(Restarted())
            await channel.agent.tracker_store.save(tracker)
            before = len(channel.graph.messages)
            channel.clock.moment += A_DAY
            await _until_settled(channel, sender)
            states = await _states(channel, sender)
            await channel.stop()
            return states, len(channel.graph.messages) - before

        assert asyncio.run(story()) == ([("cancelled", "the conversation was restarted since")], 0)

    def test_other_channels_keep_rasas_own_scheduler(self, channel):
        """A reminder of a REST conversation still goes to Rasa's scheduler."""

        async def story():
            await channel.start()
            output = CollectingOutputChannel()
            tracker = await has_spoken(channel.agent, "rest-user", output)
            await schedule(channel.agent, tracker, reminder(real_soon()), output)
            jobs = [job.args[1] for job in (await rasa.core.jobs.scheduler()).get_jobs()]
            await channel.stop()
            return jobs

        assert asyncio.run(story()) == ["rest-user"]


async def _ask_and_schedule(channel, wa_id: str, event: ReminderScheduled) -> str:
    """Let a customer write, and an action of that conversation schedule a reminder; return the conversation's id."""
    await channel.gateway.receive(webhook(wa_id, "hello", channel.clock.now()))
    await _until_idle(channel)
    sender = await channel.database.run(
        lambda connection: connection.execute(select(aliases.c.contact_id).where(aliases.c.value == wa_id)).scalar()
    )
    tracker = await channel.agent.tracker_store.retrieve(sender)
    assert any(isinstance(happened, UserUttered) for happened in tracker.events)
    tracker.update(SlotSet("order_id", "1002"))
    output = WhatsAppOutput(channel.gateway, turn_of(sender, f"wamid.{wa_id}.1"))
    await schedule(channel.agent, tracker, event, output)
    return sender


async def _age_tracker(agent: Agent, sender: str, *, hours: float) -> None:
    """Move everything in a stored conversation back in time, since Rasa's session looks at the system's clock."""
    with agent.tracker_store.session_scope() as session:
        stored = session.query(agent.tracker_store.SQLEvent).filter_by(sender_id=sender).all()
        for event in stored:
            event.timestamp -= hours * 3600
            event.data = json.dumps({**json.loads(event.data), "timestamp": event.timestamp})
        session.commit()


async def _advance_and_wait(channel, amount: timedelta, *, messages: int) -> None:
    before = len(channel.graph.messages)
    channel.clock.moment += amount
    await _until_sent(channel, before + messages)


async def _until_sent(channel, count: int) -> None:
    await _until(lambda: len(channel.graph.messages) >= count)


async def _until_idle(channel) -> None:
    """Return when neither lane has anything to do."""
    await _until(lambda: not channel.gateway._turns._running and not channel.gateway._sends._running)


async def _until_settled(channel, sender: str) -> None:
    for _ in range(1000):
        if (await _states(channel, sender))[0][0] in ("done", "cancelled"):
            return
        await asyncio.sleep(0.01)
    raise AssertionError("the follow-up did not settle within ten seconds")


async def _until(condition) -> None:
    for _ in range(1000):
        if condition():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("did not become true within ten seconds")


async def _states(channel, sender: str) -> list[tuple[str, str | None]]:
    mine = select(follow_ups.c.state, follow_ups.c.reason).where(follow_ups.c.contact_id == sender)
    return await channel.database.run(lambda connection: [tuple(row) for row in connection.execute(mine)])
