"""Links to files in a message object: find them, put media ids in their place, or say them as text.

A link stands wherever `{"type": kind, kind: {"link": ...}}` does: in the message, an interactive's header, a card's, a template's.
https://developers.facebook.com/documentation/business-messaging/whatsapp/messages/image-messages
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from rasa_whatsapp.cloud import limits
from rasa_whatsapp.cloud.media import TYPES
from rasa_whatsapp.cloud.splitting import split_text
from rasa_whatsapp.cloud.wire import JSONDict


@dataclass(frozen=True, slots=True)
class MediaLink:
    """A file that Meta is to fetch; `kind` is image, video, audio, document or sticker."""

    kind: str
    link: str
    filename: str | None = None


def links_of(content: JSONDict) -> tuple[MediaLink, ...]:
    """Return the links of a message object in the order in which they stand there, each once."""
    return tuple(dict.fromkeys(MediaLink(kind, file["link"], file.get("filename")) for kind, file in _files(content)))


def with_ids(content: JSONDict, ids: Mapping[str, str]) -> JSONDict:
    """Return the message object with the media id in the place of each link that `ids` names."""
    replaced = _with_ids(content, ids)
    assert isinstance(replaced, dict)
    return replaced


def as_plain(content: JSONDict) -> list[JSONDict]:
    """Return message objects that say the same without media that Meta would have to fetch; nothing is left out.

    A media message becomes a text of caption (else file name) and link. An interactive loses its header, and its body begins with
    the link, which goes before as a text if both are over the body's limit. A carousel becomes the text of its cards. A
    template stays: it was approved so.
    """
    rest = {key: value for key, value in content.items() if key not in ("type", content.get("type"))}
    file = _file_in(content)
    if file is not None:
        return _texts(rest, _lines(file.get("caption") or file.get("filename"), file["link"]))
    if content.get("type") != "interactive" or not links_of(content):
        return [content]
    interactive = content["interactive"]
    if interactive.get("type") == "carousel":
        return _texts(rest, _carousel(interactive))
    return _without_header(content)


def _files(value: Any) -> Iterator[tuple[str, JSONDict]]:
    """Yield kind and media object of each link."""
    if isinstance(value, list):
        for item in value:
            yield from _files(item)
    elif isinstance(value, dict):
        file = _file_in(value)
        if file is not None:
            yield value["type"], file
        for item in value.values():
            yield from _files(item)


def _file_in(holder: JSONDict) -> JSONDict | None:
    kind = holder.get("type")
    file = holder.get(kind) if isinstance(kind, str) and kind in TYPES else None
    return file if isinstance(file, dict) and isinstance(file.get("link"), str) else None


def _with_ids(value: Any, ids: Mapping[str, str]) -> Any:
    if isinstance(value, list):
        return [_with_ids(item, ids) for item in value]
    if not isinstance(value, dict):
        return value
    inner = {key: _with_ids(item, ids) for key, item in value.items()}
    file = _file_in(inner)
    if file is not None and file["link"] in ids:
        rest = {key: item for key, item in file.items() if key != "link"}
        inner[inner["type"]] = {"id": ids[file["link"]], **rest}
    return inner


def _texts(rest: JSONDict, body: str) -> list[JSONDict]:
    """Return a text as messages; the first has what else the message had (its quote)."""
    parts = [{"type": "text", "text": {"body": part}} for part in split_text(body, limits.TEXT_BODY)]
    return [{**rest, **parts[0]}, *parts[1:]]


def _lines(*lines: str | None) -> str:
    return "\n".join(line for line in lines if line)


def _without_header(content: JSONDict) -> list[JSONDict]:
    interactive = content["interactive"]
    rest = {key: value for key, value in interactive.items() if key != "header"}
    file = _file_in(interactive["header"]) if isinstance(interactive.get("header"), dict) else None
    if file is None:
        return [content]
    body = f"{file['link']}\n\n{interactive['body']['text']}"
    most = limits.LIST_BODY if interactive.get("type") == "list" else limits.INTERACTIVE_BODY
    if limits.length(body) > most:
        return [*_texts({}, file["link"]), {**content, "interactive": rest}]
    return [{**content, "interactive": {**rest, "body": {**interactive["body"], "text": body}}}]


def _carousel(interactive: JSONDict) -> str:
    body, cards = interactive.get("body", {}).get("text"), interactive.get("action", {}).get("cards", [])
    said = (body, *(_card(card, _file_in(card.get("header", {}))) for card in cards))
    return "\n\n".join(filter(None, said))


def _card(card: JSONDict, picture: JSONDict | None) -> str:
    """Return what a card says: its body, the link of its picture, and its buttons."""
    action = card.get("action", {})
    parameters = action.get("parameters", {})
    link_button = ": ".join(filter(None, (parameters.get("display_text"), parameters.get("url"))))
    titles = (button.get("quick_reply", button.get("reply", {})).get("title") for button in action.get("buttons", []))
    return _lines(card.get("body", {}).get("text"), picture["link"] if picture else None, link_button, *titles)
