"""What follows when Meta does not take a template: the next one of the response's list, each once.

It is paused, disabled, not approved in that language, or its parameters do not fit (fact sheet 8.2, the family 132000). The gate judges the
next one as any other; where there is none, the failure stays as it is recorded.
https://developers.facebook.com/documentation/business-messaging/whatsapp/support/error-codes
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from sqlalchemy.engine import Connection

from rasa_whatsapp.storage import outbox
from rasa_whatsapp.storage.outbox import Message

CODES = frozenset({132000, 132001, 132005, 132007, 132008, 132012, 132015, 132016, 132018})


def say_otherwise(connection: Connection, failed: Message, name: str | None, now: datetime) -> bool:
    """Keep for delivery what is to be tried after the template of this name, under `<key>/otherwise`; return whether there is any."""
    uses = failed.template.in_order if failed.template else ()
    rest = next((use.otherwise for use in uses if use.name == name), None)
    if rest is None:
        return False
    outbox.add_once(connection, replace(failed.again(f"{failed.key}/otherwise"), template=rest), now)
    return True
