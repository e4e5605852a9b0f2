"""How long the care desk may still write freely: the window's end becomes a duration that reads the same in both languages."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.events import EventType, SlotSet
from rasa_sdk.executor import CollectingDispatcher

from rasa_whatsapp.clock import from_environment


class ActionMeasureWindow(Action):
    """Measures the time until the care window closes."""

    def name(self) -> str:
        """Return the name in the domain."""
        return "action_measure_window"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> list[EventType]:
        """Return the time left as a slot, nothing on a channel without a window."""
        left = time_left(tracker.get_slot("care_window_expires_at"), from_environment().now())
        return [SlotSet("care_window_left", left)] if left else []


def time_left(expires_at: str | None, now: datetime) -> str | None:
    """Return e.g. `23 h 59 min`, rounded down and never negative; None for a missing or unreadable end."""
    try:
        # Python 3.10 reads no trailing Z.
        end = datetime.fromisoformat((expires_at or "").replace("Z", "+00:00"))
    except ValueError:
        return None
    if end.tzinfo is None:
        return None
    minutes = max(end - now, timedelta()) // timedelta(minutes=1)
    return f"{minutes // 60} h {minutes % 60:02d} min"
