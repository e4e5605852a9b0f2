"""Media messages (M:messages/image-messages and its siblings), by link only: there is no media store here yet."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from rasa_whatsapp.simulator.bubbles import Bubble
from rasa_whatsapp.simulator.kinds import fields
from rasa_whatsapp.simulator.kinds.context import SendContext
from rasa_whatsapp.simulator.refusals import Refused

CAPTION = 1024


def media_reader(kind: str, *, caption: bool) -> Callable[[Any, SendContext], Bubble]:
    """Return the reader for `{"id" | "link", "caption"?, "filename"?}` of one media kind."""

    def read(content: Any, context: SendContext) -> Bubble:
        media = fields.an_object(content, kind)
        check_source(media, kind)
        if not caption and media.get("caption") is not None:
            raise Refused(100, f'Unexpected key "caption" on param "{kind}".')
        text = fields.optional_bounded(media, "caption", kind, label="Caption", limit=CAPTION)
        name = media.get("filename") or media["link"]
        return Bubble(text=text or "", header=f"[{kind}] {name}")

    return read


def check_source(media: dict[str, Any], path: str) -> None:
    """Refuse a media object that does not name exactly one source which can be had."""
    if (media.get("id") is None) == (media.get("link") is None):
        raise Refused(100, f"Param {path} must have exactly one of id and link.")
    if media.get("id") is not None:
        raise Refused(131009, "Unknown media id: this simulator has no media store, send a link")
    if not is_web_address(media["link"]):
        raise Refused(131009, f"Param {path}['link'] is not a valid URL.")


def is_web_address(value: Any) -> bool:
    """Tell whether a value is an http or https address."""
    if not isinstance(value, str):
        return False
    try:
        parts = urlsplit(value)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname)
