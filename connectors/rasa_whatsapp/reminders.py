"""Rasa's reminders made durable: `ReminderScheduled` and `ReminderCancelled` of WhatsApp conversations go to our store.

Rasa keeps them in a scheduler in memory, by name for the whole server (rasa.core.jobs). The seam is the one method that runs
an action's side effects: it knows the output channel and can wait for the store, so a reminder is durable before the
tracker that mentions it is saved; and what is said there is said by a bot that knows the customer's language, slots and entities. Conversations of
other channels keep Rasa's behaviour.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timezone
from typing import Any

from rasa.core.channels.channel import OutputChannel
from rasa.core.processor import MessageProcessor
from rasa.shared.core.events import Event, ReminderCancelled, ReminderScheduled
from rasa.shared.core.trackers import DialogueStateTracker

from rasa_whatsapp.cloud.templates.declared import Known
from rasa_whatsapp.output import WhatsAppOutput
from rasa_whatsapp.storage.follow_ups import NewFollowUp
from rasa_whatsapp.turns import Cancellation

_RASAS_OWN = MessageProcessor.execute_side_effects


def install() -> None:
    """Let Rasa's processor hand the reminders of this channel to us; doing it twice changes nothing."""
    MessageProcessor.execute_side_effects = _execute_side_effects


async def _execute_side_effects(
    self: MessageProcessor, events: list[Event], tracker: DialogueStateTracker, output_channel: OutputChannel
) -> None:
    if not isinstance(output_channel, WhatsAppOutput):
        await _RASAS_OWN(self, events, tracker, output_channel)
        return
    output_channel.language = _language(tracker, output_channel.gateway.language_slot)
    output_channel.known = _known(tracker)
    await self._send_bot_messages(events, tracker, output_channel)
    for event in events:
        if isinstance(event, ReminderScheduled):
            await output_channel.gateway.schedule(
                _follow_up(event, tracker.sender_id, output_channel.cause), output_channel.turn
            )
        elif isinstance(event, ReminderCancelled):
            await output_channel.gateway.cancel(
                _cancellation(event, tracker.sender_id, output_channel), output_channel.turn
            )


def _language(tracker: DialogueStateTracker, slot: str) -> str | None:
    """Return what the slot holds: the templates of what is said now are chosen by it."""
    known = tracker.slots.get(slot)
    return known.value if known is not None and isinstance(known.value, str) else None


def _known(tracker: DialogueStateTracker) -> Known:
    """Return what may fill the template of what is said now; of several entities of a name the first counts."""
    message = tracker.latest_message
    entities = message.entities if message else []
    return Known(tracker.current_slot_values(), {each["entity"]: each.get("value") for each in reversed(entities)})


def _follow_up(event: ReminderScheduled, sender_id: str, cause: str) -> NewFollowUp:
    return NewFollowUp(
        contact_id=sender_id,
        name=event.name,
        intent=event.intent,
        entities=_entities(event.entities),
        due_at=_aware(event.trigger_date_time),
        kill_on_user_message=event.kill_on_user_message,
        cause=cause,
    )


def _cancellation(event: ReminderCancelled, sender_id: str, output: WhatsAppOutput) -> Cancellation:
    return Cancellation(
        contact_id=sender_id,
        but=output.turn.follow_up_id if output.turn else None,
        name=event.name,
        intent=event.intent,
        entities=_entities(event.entities),
    )


def _aware(moment: datetime) -> datetime:
    """Return the moment in UTC; a naive one is the server's local time, as it is for Rasa's own scheduler."""
    return moment.astimezone(timezone.utc)


def _entities(given: Sequence[dict[str, Any]] | dict[str, Any] | None) -> list[dict[str, Any]]:
    """Return entities as a list; rasa-sdk also allows the short form {"name": "value"}."""
    if isinstance(given, dict):
        return [{"entity": name, "value": value} for name, value in given.items()]
    return [dict(entity) for entity in given or []]
