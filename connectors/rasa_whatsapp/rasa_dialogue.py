"""Rasa as the dialogue: a turn becomes a `UserMessage` with the slots' entities already in its parse result.

The channel parses a message itself and hands the result on (`UserMessage.parse_data`): so the `from_entity` mappings fill
the slots before anything is predicted, without the action server and without a line of the designer's.
https://rasa.com/docs/rasa/domain#from_entity
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rasa.core.agent import Agent
from rasa.core.channels.channel import OutputChannel, UserMessage
from rasa.core.lock_store import LockError
from rasa.core.processor import MessageProcessor
from rasa.shared.core.events import ReminderScheduled, Restarted, UserUttered
from rasa.shared.core.trackers import DialogueStateTracker

from rasa_whatsapp.dialogue import COMMAND_PREFIX, Turn
from rasa_whatsapp.errors import DialogueUnavailable

CHANNEL_NAME = "whatsapp"
_NOT_A_COMMAND = "\u200b"  # a zero-width space: no blank, so nothing strips it, and NLU hardly sees it


class RasaDialogue:
    """Takes turns with the agent of a running Rasa server."""

    def __init__(self, agent: Callable[[], Agent | None], output: Callable[[Turn], OutputChannel]) -> None:
        self._agent = agent
        self._output = output

    async def has_taken(self, turn: Turn) -> bool:
        """Tell whether the saved conversation holds this turn: Rasa saves at a turn's end."""
        tracker = await self._ready_agent().tracker_store.retrieve_full_tracker(turn.contact_id)
        taken = (event for event in tracker.events if isinstance(event, UserUttered)) if tracker else ()
        return any(event.message_id == turn.message_id for event in taken)

    async def take(self, turn: Turn) -> bool:
        """Let Rasa take the turn; see `gateway.Dialogue`."""
        agent = self._ready_agent()
        if turn.is_external:
            tracker = await agent.tracker_store.retrieve_full_tracker(turn.contact_id)
            if tracker is not None and _was_restarted(tracker, turn):
                return False
        message = await self._to_user_message(turn, agent.processor)
        if not agent.is_ready():  # it would drop the message without a word
            raise DialogueUnavailable("Rasa has no model loaded")
        try:
            await agent.handle_message(message)
        except LockError as problem:
            raise DialogueUnavailable("the conversation is locked by another process") from problem
        return True

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


async def _parse(turn: Turn, processor: MessageProcessor) -> dict[str, Any]:
    """Return the parse result of a turn with the channel's entities in it, and with no others of these names."""
    if turn.is_external or turn.intent in (processor.domain.intents if turn.intent else ()):
        parsed = _known_intent(turn)
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


def _known_intent(turn: Turn) -> dict[str, Any]:
    intent = {"name": turn.intent, "confidence": 1.0}
    return {
        "text": turn.text,
        "intent": intent,
        "intent_ranking": [intent],
        "entities": [dict(entity) for entity in turn.event_entities],
    }


def _was_restarted(tracker: DialogueStateTracker, turn: Turn) -> bool:
    """Tell whether the conversation was restarted after the follow-up was scheduled, which makes it void in Rasa too."""
    name = turn.metadata["whatsapp"]["follow_up"]
    for event in reversed(tracker.events):
        if isinstance(event, Restarted):
            return True
        if isinstance(event, ReminderScheduled) and event.name == name:
            return False
    return False
