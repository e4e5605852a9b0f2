"""The kinds of outbound message: one reader each, from the object named like the kind to what the phone shows.

A reader checks everything that Meta checks about its kind and raises `Refused`; what it returns was accepted. A new
kind is one reader and one row here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rasa_whatsapp.simulator.bubbles import Bubble
from rasa_whatsapp.simulator.kinds.cards import read_contacts, read_location, read_reaction
from rasa_whatsapp.simulator.kinds.context import SendContext
from rasa_whatsapp.simulator.kinds.interactive import read_interactive
from rasa_whatsapp.simulator.kinds.media import media_reader
from rasa_whatsapp.simulator.kinds.template import read_template
from rasa_whatsapp.simulator.kinds.text import read_text
from rasa_whatsapp.simulator.refusals import Refused

__all__ = ["READERS", "SendContext", "read_content"]

Reader = Callable[[Any, SendContext], Bubble]

READERS: dict[str, Reader] = {
    "text": read_text,
    "interactive": read_interactive,
    "template": read_template,
    "image": media_reader("image", caption=True),
    "video": media_reader("video", caption=True),
    "audio": media_reader("audio", caption=False),
    "document": media_reader("document", caption=True),
    "sticker": media_reader("sticker", caption=False),
    "location": read_location,
    "contacts": read_contacts,
    "reaction": read_reaction,
}


def read_content(kind: Any, body: dict[str, Any], context: SendContext) -> Bubble:
    """Check the content of a message body and return what the phone shows of it."""
    if not isinstance(kind, str) or kind not in READERS:
        raise Refused(100, f"Param type must be one of {{{', '.join(sorted(READERS)).upper()}}}.")
    if kind not in body:
        raise Refused(131008, f"Parameter '{kind}' is mandatory for type '{kind}'")
    return READERS[kind](body[kind], context)
