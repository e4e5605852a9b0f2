"""What Rasa passes over in silence interrupts our turns: an action server, a tracker store, a lock store that is away."""

from __future__ import annotations

import asyncio
from datetime import datetime, timezone
from typing import Any

import pytest
from aiohttp import web
from rasa.core.channels.channel import CollectingOutputChannel, UserMessage
from rasa.core.tracker_store import FailSafeTrackerStore
from rasa.shared.core.events import UserUttered
from rasa.utils.endpoints import EndpointConfig
from redis.exceptions import ConnectionError as RedisAway
from sqlalchemy import insert

from rasa_whatsapp import rasa_turns
from rasa_whatsapp.demo.ports import unused
from rasa_whatsapp.errors import DialogueUnavailable
from rasa_whatsapp.storage.schema import contacts
from rasa_whatsapp.turn import Turn

SENDER = "wa-0123456789"
NOON = datetime(2026, 11, 20, 12, 0, tzinfo=timezone.utc)
WITH_AN_ACTION = "How long can you write to me?"


def turn(text: str) -> Turn:
    """Return a customer's turn."""
    return Turn(contact_id=SENDER, message_id="wamid.1", cause="wamid.1", sent_at=NOON, text=text)


async def prepared(channel):
    """Start the channel with Rasa's failures made loud; return its dialogue."""
    rasa_turns.install()
    gateway = await channel.start()
    row = {"id": SENDER, "number_id": "100000000000001", "created_at": NOON}
    await channel.database.run(lambda connection: connection.execute(insert(contacts).values(**row)))
    return gateway._dialogue


async def events_of(channel) -> list[Any]:
    """Return the customer's messages in the saved conversation."""
    tracker = await channel.agent.tracker_store.retrieve_full_tracker(SENDER)
    return [event for event in tracker.events if isinstance(event, UserUttered)] if tracker else []


async def answering(status: int, port: int, body: dict[str, Any] | None = None) -> web.AppRunner:
    """Serve an action server that answers everything alike."""

    async def answer(_: web.Request) -> web.Response:
        return web.json_response(body or {"error": "x"}, status=status)

    app = web.Application()
    app.router.add_post("/webhook", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    return runner


def action_server(channel, port: int) -> None:
    """Let the agent call its actions there."""
    channel.agent.processor.action_endpoint = EndpointConfig(f"http://127.0.0.1:{port}/webhook")


def test_an_action_server_that_is_not_there(channel):
    """The turn did not run, and nothing of it is saved; when the server is back it runs, and its words are said once."""

    async def story():
        (port,) = unused(1)
        dialogue = await prepared(channel)
        action_server(channel, port)
        with pytest.raises(DialogueUnavailable, match="action server"):
            await dialogue.take(turn(WITH_AN_ACTION))
        before = len(await events_of(channel))
        server = await answering(200, port, {"events": [], "responses": [{"text": "a day"}]})
        await dialogue.take(turn(WITH_AN_ACTION))
        await server.cleanup()
        said = [row["key"] for row in await outbox(channel)]
        after = len(await events_of(channel))
        await channel.stop()
        return before, after, said

    before, after, said = asyncio.run(story())
    assert (before, after) == (0, 1)
    assert "wamid.1#1" in said
    assert len(said) == len(set(said))


@pytest.mark.parametrize(
    ("status", "is_away"), [(500, False), (502, True), (503, True), (504, True)], ids=["500", "502", "503", "504"]
)
def test_an_action_that_breaks_is_rasas_affair(channel, status, is_away):
    """An action that raises answers 500, and Rasa goes on without it; a gateway's errors mean that nobody was there."""

    async def story():
        (port,) = unused(1)
        dialogue = await prepared(channel)
        action_server(channel, port)
        server = await answering(status, port)
        try:
            await dialogue.take(turn(WITH_AN_ACTION))
        except DialogueUnavailable:
            return True
        finally:
            await server.cleanup()
            await channel.stop()
        return False

    assert asyncio.run(story()) is is_away


@pytest.mark.parametrize("broken", ["save", "retrieve", "retrieve_full_tracker"])
def test_a_tracker_store_that_is_away(channel, broken, monkeypatch):
    """Rasa would go on with an empty conversation, or keep it in memory; our turn is taken again instead."""

    async def away(*_: Any) -> None:
        raise OSError("the database is away")

    async def story():
        dialogue = await prepared(channel)
        store = channel.agent.tracker_store
        safe = FailSafeTrackerStore(store)
        channel.agent.tracker_store = channel.agent.processor.tracker_store = safe
        with monkeypatch.context() as patch:
            patch.setattr(store, broken, away)
            call = dialogue.has_taken if broken == "retrieve_full_tracker" else dialogue.take
            with pytest.raises(DialogueUnavailable, match="tracker store"):
                await call(turn("Hello"))
        await dialogue.take(turn("Hello"))
        taken = await dialogue.has_taken(turn("Hello"))
        await channel.stop()
        return taken

    assert asyncio.run(story()) is True


def test_other_channels_keep_rasas_ways(channel, monkeypatch):
    """A REST conversation still goes on without a tracker store that is away."""

    async def away(*_: Any) -> None:
        raise OSError("the database is away")

    async def story():
        await prepared(channel)
        store = channel.agent.tracker_store
        channel.agent.processor.tracker_store = FailSafeTrackerStore(store)
        with monkeypatch.context() as patch:
            patch.setattr(store, "save", away)
            output = CollectingOutputChannel()
            await channel.agent.handle_message(UserMessage("Hello", output, "somebody"))
        await channel.stop()
        return len(output.messages)

    assert asyncio.run(story()) == 1


def test_a_lock_store_that_is_away(channel, monkeypatch):
    """No turn runs without its lock, and the turn is not to blame."""

    async def story():
        dialogue = await prepared(channel)
        store = channel.agent.lock_store

        def away(*_: Any) -> None:
            raise RedisAway("refused")

        with monkeypatch.context() as patch:
            patch.setattr(store, "get_lock", away)
            with pytest.raises(DialogueUnavailable):
                await dialogue.take(turn("Hello"))
        await dialogue.take(turn("Hello"))
        count = len(await events_of(channel))
        await channel.stop()
        return count

    assert asyncio.run(story()) == 1


def test_the_lock_of_a_dead_server_is_deleted(channel):
    """In Redis it would hold the conversation up for a minute."""

    async def story():
        dialogue = await prepared(channel)
        channel.agent.lock_store.issue_ticket(SENDER)  # by a server that died with it
        await dialogue.unlock(SENDER)
        await asyncio.wait_for(dialogue.take(turn("Hello")), 10)
        count = len(await events_of(channel))
        await channel.stop()
        return count

    assert asyncio.run(story()) == 1


async def outbox(channel) -> list[dict[str, Any]]:
    """Return the outbox."""
    from rasa_whatsapp.storage.schema import outbox as table

    return await channel.database.run(
        lambda connection: [dict(row) for row in connection.execute(table.select()).mappings()]
    )
