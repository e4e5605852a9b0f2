"""What an operator hears when the template that asks a customer to write did not go: what is parked for them waits without it."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from sqlalchemy.engine import Connection

from rasa_whatsapp.policy.asking import REST, may_ask_again
from rasa_whatsapp.storage import parked
from rasa_whatsapp.storage.outbox import Message

logger = logging.getLogger(__name__)


def tell(connection: Connection, failed: Message, reason: str, now: datetime, code: int | None = None) -> None:
    """Warn of a template that was refused by the gate or Meta, with how many messages wait; of any other message nothing."""
    if not failed.asks_to_write or parked.is_asked(connection, failed.contact_id, f"{failed.key}/", now):
        return  # with its media uploaded, it goes once more
    waiting = parked.count_parked(connection, failed.contact_id)
    if not waiting:
        return
    again = "" if may_ask_again(code, failed.tried_at, now) else f" after {REST / timedelta(hours=1):g} hours"
    logger.warning(
        "%s could not be asked to write by the template %s: %s; what is parked for them (%d) waits until they write or it is too late; "
        "the next message that is parked%s asks again.",
        failed.contact_id,
        failed.template.name if failed.template else "",
        reason,
        waiting,
        again,
        extra={"action": "not_asked_to_write", "code": code, "parked": waiting},
    )
