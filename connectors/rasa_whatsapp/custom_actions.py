"""What custom actions ask of a conversation: how long the bot may still write freely, from the slots that the channel fills.

An action server can use it: it loads neither Rasa nor the store. What it says is for the bot's words and stories; when a message is
sent, the channel judges again.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any

from rasa_whatsapp.clock import from_environment
from rasa_whatsapp.slots import CARE_WINDOW_EXPIRES_AT, CARE_WINDOW_OPEN

__all__ = ["WindowLeft", "care_window"]

_CLOSED = timedelta()


@dataclass(frozen=True, slots=True)
class WindowLeft:
    """The care window at a moment: until when it is or was open (UTC; None if the slot does not say), and how long it stays so."""

    expires_at: datetime | None
    remaining: timedelta

    @property
    def is_open(self) -> bool:
        """Tell whether the bot may write freely."""
        return self.remaining > _CLOSED


def care_window(tracker: Any, *, now: datetime | None = None) -> WindowLeft:
    """Return the care window of the conversation whose tracker an action is run with; `now` is aware, if it is not given the clock's.

    It counts as closed, with nothing remaining, if `care_window_expires_at` is missing or is no moment with a time zone (another
    channel, or a domain without the slot), and if `care_window_open` is false, as Meta may close it before its time. Where that
    slot is missing, the end alone tells. Raises ValueError if `now` is naive.
    """
    at = from_environment().now() if now is None else now
    if at.tzinfo is None:
        raise ValueError("now has no time zone: give an aware moment, such as datetime.now(timezone.utc)")
    expires_at = _moment(tracker.get_slot(CARE_WINDOW_EXPIRES_AT))
    if expires_at is None or tracker.get_slot(CARE_WINDOW_OPEN) is False:
        return WindowLeft(expires_at, _CLOSED)
    return WindowLeft(expires_at, max(expires_at - at, _CLOSED))


def _moment(text: Any) -> datetime | None:
    if not isinstance(text, str):
        return None
    try:
        # Python 3.10 reads no trailing Z.
        moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
        return None if moment.tzinfo is None else moment.astimezone(timezone.utc)
    except (ValueError, OverflowError):
        return None
