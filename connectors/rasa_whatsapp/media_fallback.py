"""What follows when Meta could not load a message's media: it is uploaded by us; if that cannot be either, it goes as a plain link.

A template's words are approved as they are, so it has no plain form.

https://developers.facebook.com/documentation/business-messaging/whatsapp/support/error-codes (131052, 131053)
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from sqlalchemy.engine import Connection

from rasa_whatsapp.cloud.media_links import as_plain, links_of
from rasa_whatsapp.storage import contacts, outbox, uploads
from rasa_whatsapp.storage.outbox import Message

_LOAD_CODES = frozenset({131052, 131053})
_ID_CODES = frozenset({100, 131009})  # what an id that has expired, or was deleted, is answered with


def applies(code: int, message: Message) -> bool:
    """Tell whether a refusal with this code may be about the message's media."""
    return bool(_links(message)) and code in _LOAD_CODES | _ID_CODES


def say_otherwise(connection: Connection, failed: Message, code: int, now: datetime) -> None:
    """Keep for delivery what is to be tried next, once each: `<key>/upload`, then `<key>/link`."""
    contact = contacts.read(connection, failed.contact_id)
    links = _links(failed)
    if contact is None or not links:
        return
    had_id = [uploads.forget(connection, contact.number_id, link) for link in links]
    if code in _ID_CODES and not any(had_id):
        return  # not about media: the same content would fail again
    if failed.must_upload and failed.form == "free_form":
        say_plainly(connection, failed, now)
    elif not failed.must_upload:
        outbox.add_once(connection, replace(failed.again(f"{failed.key}/upload"), must_upload=True), now)


def _links(message: Message) -> tuple[str, ...]:
    """Return the links of what was sent; of several templates, those of all."""
    if message.form == "template":
        return message.template.links if message.template else ()
    return tuple(file.link for file in links_of(message.free_form or {}))


def say_plainly(connection: Connection, message: Message, now: datetime) -> None:
    """Keep for delivery what the message says without its media: `<key>/link`, and `<key>/link.2` if there is more of it."""
    key = f"{message.key.removesuffix('/upload')}/link"
    contents = as_plain(message.free_form or {})
    for part, content in enumerate(contents, start=1):
        said = replace(message.again(key if part == 1 else f"{key}.{part}"), free_form=content)
        # what can be tapped is in the last part
        outbox.add_once(
            connection, said if part == len(contents) else replace(said, choices={}, numbers=(), more=None), now
        )
