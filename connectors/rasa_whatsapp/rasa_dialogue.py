"""Rasa as the dialogue: a turn becomes a `UserMessage` with the slots' entities already in its parse result.

The channel parses a message itself and hands the result on (`UserMessage.parse_data`): so the `from_entity` mappings fill
the slots before anything is predicted, without the action server and without a line of the designer's.
https://rasa.com/docs/rasa/domain#from_entity
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from rasa.core.agent import Agent
from rasa.core.channels.channel import OutputChannel, UserMessage
from rasa.core.lock_store import LockError
from rasa.core.processor import MessageProcessor
from rasa.shared.core.constants import ACTION_SESSION_START_NAME
from rasa.shared.core.events import (
    ActionExecuted,
    BotUttered,
    Event,
    ReminderScheduled,
    Restarted,
    SessionStarted,
    UserUttered,
)
from rasa.shared.core.trackers import DialogueStateTracker
from redis.exceptions import RedisError

from rasa_whatsapp.errors import DialogueUnavailable
from rasa_whatsapp.rasa_turns import really_taken
from rasa_whatsapp.turn import CHANNEL_NAME, COMMAND_PREFIX, Turn

_LOCK_LOOK_SECONDS = 0.1
_NOT_A_COMMAND = "\u200b"  # a zero-width space: no blank, so nothing strips it, and NLU hardly sees it


class RasaDialogue:
    """Takes turns with the agent of a running Rasa server."""

    def __init__(self, agent: Callable[[], Agent | None], output: Callable[[Turn], OutputChannel]) -> None:
        self._agent = agent
        self._output = output

    async def has_taken(self, turn: Turn) -> bool:
        """Tell whether the saved conversation holds this turn: Rasa saves at a turn's end."""
        agent = self._ready_agent()
        with really_taken():
            tracker = await agent.tracker_store.retrieve_full_tracker(turn.contact_id)
        taken = (event for event in tracker.events if isinstance(event, UserUttered)) if tracker else ()
        return any(event.message_id == turn.message_id for event in taken)

    async def take(self, turn: Turn) -> bool:
        """Let Rasa take the turn; see `ports.Dialogue`."""
        agent = self._ready_agent()
        with _excused(), really_taken():
            if turn.is_external and await _is_void(agent, turn):
                return False
            message = await self._to_user_message(turn, agent.processor)
            if not agent.is_ready():  # it would drop the message without a word
                raise DialogueUnavailable("Rasa has no model loaded")
            # As Agent.handle_message does it, but for the second that it waits between two looks at a lock.
            async with agent.lock_store.lock(turn.contact_id, wait_time_in_seconds=_LOCK_LOOK_SECONDS):
                await agent.processor.handle_message(message)
        return True

    async def unlock(self, contact_id: str) -> None:
        """Delete the lock of a server that died with it: in Redis it would hold the conversation up for a minute.

        The lane of the conversation is ours alone, so nobody but a caller of Rasa's HTTP API could hold it rightly.
        """
        with _excused():
            self._ready_agent().lock_store.delete_lock(contact_id)

    async def join(self, contact_id: str, merged: str) -> None:
        """Add the conversation of a contact who turned out to be this one to this one's; again is as good as once."""
        agent = self._ready_agent()
        with _excused(), really_taken():
            async with agent.lock_store.lock(contact_id, wait_time_in_seconds=_LOCK_LOOK_SECONDS):
                await _append(agent, contact_id, merged)

    def _ready_agent(self) -> Agent:
        agent = self._agent()
        if agent is None or not agent.is_ready() or agent.processor is None:
            raise DialogueUnavailable("Rasa has no model loaded")
        return agent

    async def _to_user_message(self, turn: Turn, processor: MessageProcessor) -> UserMessage:
        metadata: dict[str, Any] = dict(turn.metadata)
        if turn.is_external:
            metadata["is_external"] = True  # as UserUttered.create_external marks it
        return UserMessage(
            text=turn.text,
            output_channel=self._output(turn),
            sender_id=turn.contact_id,
            parse_data=await _parse(turn, processor),
            input_channel=CHANNEL_NAME,
            message_id=turn.message_id,
            metadata=metadata,
        )


@contextmanager
def _excused() -> Iterator[None]:
    """Raise DialogueUnavailable where the lock store is to blame and not the turn."""
    try:
        yield
    except LockError as problem:
        raise DialogueUnavailable("the conversation is locked by another process") from problem
    except RedisError as problem:
        raise DialogueUnavailable("the lock store does not answer") from problem


async def _is_void(agent: Agent, turn: Turn) -> bool:
    tracker = await agent.tracker_store.retrieve_full_tracker(turn.contact_id)
    return tracker is not None and _was_restarted(tracker, turn)


async def _parse(turn: Turn, processor: MessageProcessor) -> dict[str, Any]:
    """Return the parse result of a turn with the channel's entities in it, and with no others of these names."""
    intent = _known_intent(turn, processor)
    if intent is not None:
        parsed = _without_nlu(turn, intent)
    else:
        parsed = await processor.parse_message(UserMessage(text=_as_typed(turn), sender_id=turn.contact_id))
        parsed["text"] = turn.text
    others = [entity for entity in parsed.get("entities") or [] if entity.get("entity") not in turn.entities]
    ours = [{"entity": name, "value": value, "extractor": CHANNEL_NAME} for name, value in turn.entities.items()]
    parsed["entities"] = others + [entity for entity in ours if entity["entity"] in processor.domain.entities]
    return parsed


def _as_typed(turn: Turn) -> str:
    """Return the text for NLU, where a leading slash is a command only if the turn says so.

    Rasa strips the text twice before it looks for the slash, so blanks do not protect; a character that is none does.
    """
    if turn.is_command or not turn.text.strip().startswith(COMMAND_PREFIX):
        return turn.text
    return _NOT_A_COMMAND + turn.text.strip()


def _known_intent(turn: Turn, processor: MessageProcessor) -> str | None:
    """Return the intent that the channel knows and the domain declares; a follow-up's is taken as Rasa itself takes it."""
    if turn.is_external:
        return turn.intents[0]
    return next((intent for intent in turn.intents if intent in processor.domain.intents), None)


def _without_nlu(turn: Turn, name: str) -> dict[str, Any]:
    intent = {"name": name, "confidence": 1.0}
    return {
        "text": turn.text,
        "intent": intent,
        "intent_ranking": [intent],
        "entities": [dict(entity) for entity in turn.event_entities],
    }


async def _append(agent: Agent, contact_id: str, merged: str) -> None:
    theirs = await agent.tracker_store.retrieve_full_tracker(merged)
    ours = await agent.tracker_store.retrieve_full_tracker(contact_id)
    events = _as_one_session(list(theirs.events)) if theirs is not None else []
    if not events or (ours is not None and any(known.timestamp == events[-1].timestamp for known in ours.events)):
        return
    # As Rasa's own processor does it: what is saved are the events after those that this call returns.
    tracker = await agent.tracker_store.get_or_create_tracker(contact_id, append_action_listen=False)
    for event in events:
        tracker.update(event, agent.domain)
    await agent.tracker_store.save(tracker)


def _as_one_session(events: list[Event]) -> list[Event]:
    """Return a conversation as the continuation of another: what both sides said, and what holds at its end.

    Without the starts of sessions, since some of Rasa's tracker stores forget what is before the latest when they save, and
    the slots of the other conversation would be reset. A restart ended this conversation and not the other: what it made void
    is left out but for the words.
    """
    restarted = max((index for index, event in enumerate(events) if isinstance(event, Restarted)), default=-1)
    words = (
        [event for event in events[:restarted] if isinstance(event, (UserUttered, BotUttered))] if restarted > 0 else []
    )
    return [*words, *(event for event in events[restarted + 1 :] if not _begins_a_session(event))]


def _begins_a_session(event: Event) -> bool:
    is_action = isinstance(event, ActionExecuted) and event.action_name == ACTION_SESSION_START_NAME
    return is_action or isinstance(event, SessionStarted)


def _was_restarted(tracker: DialogueStateTracker, turn: Turn) -> bool:
    """Tell whether the conversation was restarted after the follow-up was scheduled, which makes it void in Rasa too."""
    name = turn.metadata["whatsapp"]["follow_up"]
    for event in reversed(tracker.events):
        if isinstance(event, Restarted):
            return True
        if isinstance(event, ReminderScheduled) and event.name == name:
            return False
    return False
