"""What follows when Meta does not take a template: the next one of the response's list, each once; after the last one the words, as the gate lets them.

It is paused, disabled, not approved in that language, or its parameters do not fit (fact sheet 8.2, the family 132000). The gate judges what
is next as anything else; where nothing can be, the failure stays as it is recorded.
https://developers.facebook.com/documentation/business-messaging/whatsapp/support/error-codes
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from sqlalchemy.engine import Connection

from rasa_whatsapp.storage import contacts, otherwise, outbox
from rasa_whatsapp.storage.outbox import Message

CODES = frozenset({132000, 132001, 132005, 132007, 132008, 132012, 132015, 132016, 132018})


def say_otherwise(
    connection: Connection, failed: Message, name: str | None, now: datetime, *, later_rungs: bool
) -> bool:
    """Keep for delivery what is to be tried after the template of this name; return whether there is any.

    The next template goes under `<key>/otherwise`. After the last one the messages that it stood for go under their own keys, in their
    old places, if the window is open by now or the ladder has rungs after the templates.
    """
    if name is None:
        return False  # an older copy of what has gone in words since
    uses = failed.template
    rest = uses.without(name) if uses and name in {use.name for use in uses.in_order} else None
    if rest is not None:
        otherwise.stand_back(connection, failed)
        outbox.add_once(connection, replace(failed.again(failed.key + outbox.OTHERWISE), template=rest), now)
        return True
    contact = contacts.read(connection, failed.contact_id)
    if failed.free_form is None or contact is None or not (later_rungs or contact.window.is_open(now)):
        return False
    otherwise.stand_back(connection, failed)
    otherwise.say_in_words(connection, failed)
    return True
