"""Images and attachments of a response as media: a link or an id, its kind, its caption and its file name.

The kind is what `type` says, else what the link's ending says, else a document.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import unquote

from rasa_whatsapp.cloud import limits
from rasa_whatsapp.cloud.drafts import Media
from rasa_whatsapp.cloud.scalars import link as web_link
from rasa_whatsapp.cloud.scalars import meant
from rasa_whatsapp.errors import DraftImpossible
from rasa_whatsapp.responses.fields import words_in

_KINDS = {
    "image": "image", "video": "video", "audio": "audio", "voice": "audio", "document": "document", "file": "document",
    "sticker": "sticker",
}  # fmt: skip
# business-phone-numbers/media: the types that are more than a document
_ENDINGS = {
    ".jpg": "image", ".jpeg": "image", ".png": "image",
    ".mp4": "video", ".3gp": "video", ".3gpp": "video",
    ".aac": "audio", ".amr": "audio", ".mp3": "audio", ".m4a": "audio", ".ogg": "audio", ".opus": "audio",
    ".webp": "sticker",
}  # fmt: skip
_PATH = re.compile(r"[^:]+://[^/?#]*([^?#]*)")
_FIELDS = ("url", "link", "src", "id", "type", "filename", "caption", "voice", "payload")
_CAPTIONED = ("image", "video", "document")


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that a response shows, and its own caption."""

    media: Media
    caption: str = ""

    @property
    def takes_text(self) -> bool:
        """Tell whether the response's text may be its caption, or it the header of buttons."""
        return self.media.kind in _CAPTIONED and not self.caption

    @property
    def keeps_caption(self) -> bool:
        """Tell whether its caption can stand beside it; else it follows as a text."""
        return self.media.kind in _CAPTIONED and limits.length(self.caption) <= limits.CAPTION


def attachment_of(key: str, value: Any, kind: str = "") -> Attachment:
    """Return what stands under `image` (of that `kind`) or `attachment`: a link, or a mapping with one; raises DraftImpossible."""
    if isinstance(value, str):
        link = _lawful(value, key)
        return Attachment(_media(kind or _kind(key, "", link, ""), link))
    if not isinstance(value, Mapping):
        raise DraftImpossible(f"{key} is neither a link nor a mapping with url, link or id")
    for field in value:
        if field not in _FIELDS and meant(field, _FIELDS):
            raise DraftImpossible(f"{key}.{field} is not known{meant(field, _FIELDS)}")
    payload = value["payload"] if isinstance(value.get("payload"), Mapping) else {}
    link = _link_in(value, key) or _link_in(payload, f"{key}.payload")
    media_id = words_in(value, "id", key)
    if bool(link) == bool(media_id):
        raise DraftImpossible(f"{key} needs exactly one of url (or link, or payload.src) and id")
    said, name = words_in(value, "type", key).lower(), words_in(value, "filename", key)
    media = _media(kind or _kind(key, said, link, name), link, media_id, name)
    caption = words_in(value, "caption", key) or words_in(payload, "title", f"{key}.payload")
    return Attachment(replace(media, voice=said == "voice" or value.get("voice") is True), caption)


def _media(kind: str, link: str, media_id: str = "", name: str = "") -> Media:
    return Media(kind, link, media_id, (name or _name_in(link)) if kind == "document" else "")


def _link_in(fields: Mapping[str, Any], key: str) -> str:
    name = next((name for name in ("url", "link", "src") if fields.get(name)), None)
    return _lawful(fields[name], f"{key}.{name}") if name else ""


def _lawful(link: Any, where: str) -> str:
    for problem in web_link(link, where):
        raise DraftImpossible(f"{problem}; WhatsApp fetches a file from a public web address")
    return str(link)


def _kind(key: str, said: str, link: str, name: str) -> str:
    if said:
        if said not in _KINDS:
            raise DraftImpossible(f"{key}.type is none of {', '.join(_KINDS)}{meant(said, [*_KINDS])}")
        return _KINDS[said]
    endings = (PurePosixPath(path).suffix.lower() for path in (_path(link), name))
    return next((_ENDINGS[ending] for ending in endings if ending in _ENDINGS), "document")


def _name_in(link: str) -> str:
    """Return the file name at the end of a link, if there is one; without a name WhatsApp shows an ugly one."""
    name = unquote(PurePosixPath(_path(link)).name)
    return name if PurePosixPath(name).suffix and "/" not in name else ""


def _path(link: str) -> str:
    found = _PATH.match(link)
    return found[1] if found else ""
