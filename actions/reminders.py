"""Follow-ups of the care desk: a reminder that the customer asked for, and the question that was left open.

Both are Rasa's own `ReminderScheduled`; the channel keeps them and fires them once, also after a restart.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.events import EventType, ReminderCancelled, ReminderScheduled, SlotSet
from rasa_sdk.executor import CollectingDispatcher

from rasa_whatsapp.clock import from_environment

REMINDER_DELAY = timedelta(hours=24)
ORDER_REMINDER = "EXTERNAL_order_reminder"
OPEN_QUESTION = "EXTERNAL_open_question"
OPEN_QUESTION_NAME = "open_question"  # one name: asking again replaces the earlier follow-up


def open_question(order_id: str, now: datetime) -> list[EventType]:
    """Return the events that leave the question open and follow it up a day later, unless the customer writes before.

    The follow-up carries its order: another reminder that comes before it may have changed the slot.
    """
    reminder = ReminderScheduled(
        OPEN_QUESTION,
        now + REMINDER_DELAY,
        entities=[{"entity": "order_id", "value": order_id}],
        name=OPEN_QUESTION_NAME,
        kill_on_user_message=True,
    )
    return [SlotSet("question_open", True), reminder]


def close_question() -> list[EventType]:
    """Return the events that end the open question and its follow-up."""
    return [SlotSet("question_open", None), ReminderCancelled(name=OPEN_QUESTION_NAME)]


class ActionScheduleReminder(Action):
    """Schedules the reminder about the order that was last spoken of."""

    def name(self) -> str:
        """Return the name in the domain."""
        return "action_schedule_reminder"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> list[EventType]:
        """Return the reminder; the customer asked for it, so later messages do not end it. Without an order there is none."""
        order_id = tracker.get_slot("order_number") or tracker.get_slot("order_id")
        if not order_id:
            return []
        reminder = ReminderScheduled(
            ORDER_REMINDER,
            from_environment().now() + REMINDER_DELAY,
            entities=[{"entity": "order_id", "value": order_id}],
            name=f"order_reminder_{order_id}",
            kill_on_user_message=False,
        )
        slots = {"order_id": order_id, "order_number": None, "reminder_state": "set"}
        return [reminder, *(SlotSet(name, value) for name, value in slots.items()), *close_question()]


class ActionCancelReminder(Action):
    """Cancels every reminder that the customer asked for."""

    def name(self) -> str:
        """Return the name in the domain."""
        return "action_cancel_reminder"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> list[EventType]:
        """Return the cancellation, and whether there was anything to cancel."""
        was_set = tracker.get_slot("reminder_state") == "set"
        return [
            ReminderCancelled(intent_name=ORDER_REMINDER),
            SlotSet("reminder_state", "forgotten" if was_set else "none"),
        ]


class ActionCloseQuestion(Action):
    """Ends the open question once the customer has answered it."""

    def name(self) -> str:
        """Return the name in the domain."""
        return "action_close_question"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> list[EventType]:
        """Return the events that end the question."""
        return close_question()
