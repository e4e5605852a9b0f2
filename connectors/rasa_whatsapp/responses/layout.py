"""The text, files and options of one response (or of one element) as messages, in the order in which they are read.

A file takes the text as its caption or heads the buttons where it can; what does not fit into one message follows in the next.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from rasa_whatsapp.cloud import limits
from rasa_whatsapp.cloud.drafts import Buttons, Draft, Link, MediaMessage, Text
from rasa_whatsapp.cloud.splitting import split_text
from rasa_whatsapp.errors import DraftImpossible
from rasa_whatsapp.responses.attachments import Attachment
from rasa_whatsapp.responses.options import NOTHING, Choice, MenuWords, menu_of, with_short_end


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What is to be said together; `key` is where it stands in the response."""

    text: str
    attachments: tuple[Attachment, ...] = ()
    choice: Choice = NOTHING
    key: str = ""


def drafts_of(parts: Parts, words: MenuWords) -> list[Draft]:
    """Return the messages; raises DraftImpossible."""
    body = "\n".join(part for part in (parts.text, *parts.choice.lines) if part)
    if parts.choice.options or parts.choice.addresses:
        return _to_tap(body, parts, words)
    first = parts.attachments[0] if parts.attachments else None
    if first is None or not first.takes_text or not body:
        return [*texts(body), *_files(parts.attachments)]
    rest = _files(parts.attachments[1:])
    if limits.length(body) <= limits.CAPTION:
        return [MediaMessage(first.media, body), *rest]
    return [MediaMessage(first.media), *texts(body), *rest]


def texts(body: str) -> list[Text]:
    """Return a text as messages."""
    return [Text(part) for part in split_text(body, limits.TEXT_BODY)]


def _to_tap(body: str, parts: Parts, words: MenuWords) -> list[Draft]:
    """Return files, then the text with what can be tapped, then the addresses that are left."""
    before, shown = _first_to_tap(body, parts, words)
    addresses = parts.choice.addresses[0 if parts.choice.options else 1 :]
    links = [Link(address.title, address.title, address.url) for address in addresses]
    first = parts.attachments[0] if parts.attachments else None
    if first and first.takes_text and not before and isinstance(shown, (Buttons, Link)):
        return [*_files(parts.attachments[1:]), replace(shown, header=first.media), *links]
    return [*_files(parts.attachments), *before, shown, *links]


def _first_to_tap(body: str, parts: Parts, words: MenuWords) -> tuple[list[Text], Draft]:
    if parts.choice.options:
        if not body:
            raise DraftImpossible(f"{parts.key}buttons stand without text: WhatsApp needs a text above them")
        return menu_of(body, parts.choice.options, words)
    address = parts.choice.addresses[0]
    before, end = with_short_end(body or address.title, limits.INTERACTIVE_BODY)
    return before, Link(end, address.title, address.url)


def _files(attachments: tuple[Attachment, ...]) -> list[Draft]:
    drafts: list[Draft] = []
    for attachment in attachments:
        drafts.append(MediaMessage(attachment.media, attachment.caption if attachment.keeps_caption else ""))
        drafts.extend([] if attachment.keeps_caption else texts(attachment.caption))
    return drafts
