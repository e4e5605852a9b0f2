"""How long the care desk may still write freely: the window's rest becomes a duration that reads the same in both languages."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.events import EventType, SlotSet
from rasa_sdk.executor import CollectingDispatcher

from rasa_whatsapp.custom_actions import care_window


class ActionMeasureWindow(Action):
    """Measures the time until the care window closes."""

    def name(self) -> str:
        """Return the name in the domain."""
        return "action_measure_window"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> list[EventType]:
        """Return the time left as a slot, nothing on a channel without a window."""
        window = care_window(tracker)
        return [SlotSet("care_window_left", to_duration(window.remaining))] if window.expires_at else []


def to_duration(left: timedelta) -> str:
    """Return e.g. `23 h 59 min`, rounded down."""
    minutes = left // timedelta(minutes=1)
    return f"{minutes // 60} h {minutes % 60:02d} min"
