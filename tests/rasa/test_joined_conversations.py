"""Two conversations that turn out to be one person's, in the tracker stores of Rasa that need no server."""

from __future__ import annotations

import asyncio
from datetime import datetime, timezone
from typing import Any

import pytest
from rasa.core.channels.channel import CollectingOutputChannel
from rasa.core.lock_store import LockError
from rasa.core.tracker_store import InMemoryTrackerStore, SQLTrackerStore
from rasa.shared.core.events import ReminderScheduled, Restarted, SessionStarted, UserUttered

from rasa_whatsapp.errors import DialogueUnavailable
from rasa_whatsapp.rasa_dialogue import RasaDialogue
from rasa_whatsapp.turn import Turn

OLDER, NEWER = "wa-older", "wa-newer"
WINDOW = {
    "care_window_open": True,
    "care_window_expires_at": "2026-11-21T12:00:00+00:00",
    "whatsapp_consent": "unknown",
}


@pytest.fixture
def over_sql(agent, tmp_path) -> RasaDialogue:
    """Return the dialogue over Rasa's SQL tracker store."""
    return dialogue_over(agent, SQLTrackerStore(agent.domain, db=str(tmp_path / "joined.sqlite")))


@pytest.fixture(params=["sql", "memory"])
def dialogue(request, agent) -> RasaDialogue:
    """Return the dialogue over each of the stores."""
    if request.param == "sql":
        return request.getfixturevalue("over_sql")
    return dialogue_over(agent, InMemoryTrackerStore(agent.domain))


def dialogue_over(agent, store: Any) -> RasaDialogue:
    """Return the dialogue over a tracker store."""
    agent.tracker_store = agent.processor.tracker_store = store
    return RasaDialogue(lambda: agent, lambda _: CollectingOutputChannel())


def turn(contact_id: str, text: str) -> Turn:
    """Return a customer's turn; its text is its id."""
    sent_at = datetime(2026, 11, 20, 12, 0, tzinfo=timezone.utc)
    return Turn(
        contact_id=contact_id,
        message_id=f"wamid.{text}",
        cause=f"wamid.{text}",
        sent_at=sent_at,
        text=text,
        is_command=text.startswith("/"),
        entities=WINDOW,
    )


async def heard(dialogue: RasaDialogue, contact_id: str) -> list[str]:
    """Return what the customer said, as the whole saved conversation has it."""
    tracker = await dialogue._agent().tracker_store.retrieve_full_tracker(contact_id)
    return [event.text for event in tracker.events if isinstance(event, UserUttered)]


def test_the_newer_one_goes_on_in_the_older(dialogue):
    """Nothing of either is lost, the newer one's slots hold, and joining again changes nothing."""

    async def story():
        await dialogue.take(turn(OLDER, "hello"))
        await dialogue.take(turn(NEWER, "hallo"))
        await dialogue.take(turn(NEWER, "/whatsapp_opt_in"))
        await dialogue.join(OLDER, NEWER)
        await dialogue.join(OLDER, NEWER)
        await dialogue.take(turn(OLDER, "danke"))
        assert await dialogue.has_taken(turn(OLDER, "hallo"))
        tracker = await dialogue._agent().tracker_store.retrieve_full_tracker(OLDER)
        return await heard(dialogue, OLDER), tracker

    said, tracker = asyncio.run(story())
    assert said == ["hello", "hallo", "/whatsapp_opt_in", "danke"]
    assert tracker.get_slot("language") == "de"
    assert len([event for event in tracker.events if isinstance(event, SessionStarted)]) == 1


def test_nothing_to_join(dialogue):
    """The other contact never reached the dialogue."""

    async def story():
        await dialogue.take(turn(OLDER, "hello"))
        await dialogue.join(OLDER, NEWER)
        return await heard(dialogue, OLDER)

    assert asyncio.run(story()) == ["hello"]


def test_into_nothing(dialogue):
    """The older contact never reached the dialogue."""

    async def story():
        await dialogue.take(turn(NEWER, "hello"))
        await dialogue.join(OLDER, NEWER)
        await dialogue.take(turn(OLDER, "thanks"))
        return await heard(dialogue, OLDER)

    assert asyncio.run(story()) == ["hello", "thanks"]


def test_several_sessions_of_the_newer(over_sql):
    """An hour later Rasa began a new session there (its memory store forgets the first itself): all words stay."""

    async def story():
        await over_sql.take(turn(OLDER, "hallo"))
        for words in ("hello", "/session_start", "thanks"):
            await over_sql.take(turn(NEWER, words))
        await over_sql.join(OLDER, NEWER)
        await over_sql.take(turn(OLDER, "danke"))
        return await heard(over_sql, OLDER)

    assert [text for text in asyncio.run(story()) if not text.startswith("/")] == ["hallo", "hello", "thanks", "danke"]


def test_a_restart_of_the_newer(over_sql):
    """It ended that conversation: what it scheduled is void, what the older one scheduled is not."""

    async def story():
        await over_sql.take(turn(OLDER, "hallo"))
        store = over_sql._agent().tracker_store
        tracker = await store.get_or_create_tracker(OLDER)
        due = datetime(2026, 11, 21, 12, 0, tzinfo=timezone.utc)
        tracker.update(ReminderScheduled("EXTERNAL_open_question", due, name="ours"))
        await store.save(tracker)
        for words in ("hello", "/restart", "thanks"):
            await over_sql.take(turn(NEWER, words))
        await over_sql.join(OLDER, NEWER)
        joined = await store.retrieve_full_tracker(OLDER)
        return await heard(over_sql, OLDER), [event for event in joined.events if isinstance(event, Restarted)]

    said, restarts = asyncio.run(story())
    assert (said, restarts) == (["hallo", "hello", "/restart", "thanks"], [])


def test_a_locked_conversation_is_joined_later(dialogue, monkeypatch):
    """Another process is in it: the turn waits, and no attempt counts."""

    async def story():
        await dialogue.take(turn(OLDER, "hallo"))
        await dialogue.take(turn(NEWER, "hello"))
        locks = dialogue._agent().lock_store
        monkeypatch.setattr(locks, "_acquire_lock", refuse)
        with pytest.raises(DialogueUnavailable):
            await dialogue.join(OLDER, NEWER)

    async def refuse(*_):
        raise LockError("taken")

    asyncio.run(story())
