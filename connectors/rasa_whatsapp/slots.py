"""The slots that the channel fills, by name, and what goes into them. Each is filled from an entity of the same name."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from rasa_whatsapp.policy.consent import Consent
from rasa_whatsapp.policy.window import CareWindow

CARE_WINDOW_OPEN = "care_window_open"
CARE_WINDOW_EXPIRES_AT = "care_window_expires_at"
WHATSAPP_CONSENT = "whatsapp_consent"
DEFAULT_LANGUAGE_SLOT = "language"  # the bot's own: it is read, not filled
NAMES = (CARE_WINDOW_OPEN, CARE_WINDOW_EXPIRES_AT, WHATSAPP_CONSENT)


def values(window: CareWindow, consent: Consent, now: datetime) -> dict[str, Any]:
    """Return the entities that make the slots true at this moment."""
    filled: dict[str, Any] = {CARE_WINDOW_OPEN: window.is_open(now), WHATSAPP_CONSENT: consent.slot_value}
    if window.expires_at is not None:
        filled[CARE_WINDOW_EXPIRES_AT] = window.expires_at.isoformat()
    return filled
