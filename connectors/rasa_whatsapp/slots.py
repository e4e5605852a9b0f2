"""The slots that the channel fills, by name, and what goes into them. Each is filled from an entity of the same name."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from rasa_whatsapp.policy.consent import Consent
from rasa_whatsapp.policy.outcome import Outcome
from rasa_whatsapp.policy.window import CareWindow

CARE_WINDOW_OPEN = "care_window_open"
CARE_WINDOW_EXPIRES_AT = "care_window_expires_at"
WHATSAPP_CONSENT = "whatsapp_consent"
LAST_PROACTIVE = "whatsapp_last_proactive"
LAST_PROACTIVE_REASON = "whatsapp_last_proactive_reason"
DEFAULT_LANGUAGE_SLOT = "language"  # the bot's own: it is read, not filled
NAMES = (CARE_WINDOW_OPEN, CARE_WINDOW_EXPIRES_AT, WHATSAPP_CONSENT, LAST_PROACTIVE, LAST_PROACTIVE_REASON)


def values(window: CareWindow, consent: Consent, now: datetime) -> dict[str, Any]:
    """Return the entities that make the slots true at this moment."""
    filled: dict[str, Any] = {CARE_WINDOW_OPEN: window.is_open(now), WHATSAPP_CONSENT: consent.slot_value}
    if window.expires_at is not None:
        filled[CARE_WINDOW_EXPIRES_AT] = window.expires_at.isoformat()
    return filled


def of_outcome(outcome: Outcome | None) -> dict[str, Any]:
    """Return the entities that tell how the last message went that the bot sent by itself; none if it never sent one.

    The reason is empty where there is nothing to explain: a slot keeps its value if no entity comes.
    """
    return {} if outcome is None else {LAST_PROACTIVE: outcome.result, LAST_PROACTIVE_REASON: outcome.reason}
