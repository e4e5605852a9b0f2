"""Media messages (M:messages/image-messages and its siblings), by the id of a file in the store or by a link.

A link is checked for its form only: the simulator never fetches anything from a foreign host.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from rasa_whatsapp.simulator.bubbles import Bubble, Media
from rasa_whatsapp.simulator.kinds import fields
from rasa_whatsapp.simulator.kinds.context import SendContext
from rasa_whatsapp.simulator.media_kinds import can_be_sent_as, essence
from rasa_whatsapp.simulator.refusals import Refused

CAPTION = 1024


def media_reader(kind: str, *, caption: bool) -> Callable[[Any, SendContext], Bubble]:
    """Return the reader for `{"id" | "link", "caption"?, "filename"?, "voice"?}` of one media kind."""

    def read(content: Any, context: SendContext) -> Bubble:
        media = fields.an_object(content, kind)
        shown = read_source(media, kind, kind, context)
        for name, allowed in (("caption", caption), ("filename", kind == "document"), ("voice", kind == "audio")):
            if not allowed and media.get(name) is not None:
                raise Refused(100, f'Unexpected key "{name}" on param "{kind}".')
        text = fields.optional_bounded(media, "caption", kind, label="Caption", limit=CAPTION)
        voice = _voice(media, shown) if kind == "audio" else False
        return Bubble(text=text or "", media=replace(shown, voice=voice))

    return read


def read_source(media: dict[str, Any], kind: str, path: str, context: SendContext) -> Media:
    """Return the media behind exactly one of `id` and `link`; a file that WhatsApp would not take as `kind` is 131053."""
    if (media.get("id") is None) == (media.get("link") is None):
        raise Refused(100, f"Param {path} must have exactly one of id and link.")
    filename = fields.optional_string(media, "filename", path)
    if media.get("link") is not None:
        if not is_web_address(media["link"]):
            raise Refused(131009, f"Param {path}['link'] is not a valid URL.")
        return Media(kind=kind, link=media["link"], filename=filename)
    stored = context.find_media(fields.string_at(media, "id", path))
    if stored is None:
        raise Refused(131009, f"Param {path}['id'] names no media that this phone number has uploaded or received")
    if not can_be_sent_as(kind, stored.mime_type):
        raise Refused(131053, f"Media of type {essence(stored.mime_type)} cannot be sent as {kind}")
    return Media(kind=kind, stored=stored, filename=filename)


def _voice(media: dict[str, Any], shown: Media) -> bool:
    voice = fields.optional_flag(media, "voice", "audio")
    if voice and shown.stored is not None and essence(shown.stored.mime_type) != "audio/ogg":
        raise Refused(131053, "A voice message must be audio/ogg with the Opus codec")
    return voice


def is_web_address(value: Any) -> bool:
    """Tell whether a value is an http or https address."""
    if not isinstance(value, str):
        return False
    try:
        parts = urlsplit(value)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname)
