"""What the bot wants to say, before anything decides whether and how: a closed family of values.

Also the way from a draft to its Graph object. Nothing is cut here: what is over a limit was split, numbered or refused before.
https://developers.facebook.com/documentation/business-messaging/whatsapp/messages/send-messages
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Union

from rasa_whatsapp.cloud import limits
from rasa_whatsapp.cloud.wire import JSONDict

# the row that asks for the next page of a list; it is no option and has no payload
MORE_ID = "rasa-whatsapp/more"


@dataclass(frozen=True, slots=True)
class Option:
    """One thing to choose. `choice_id` travels to the phone; `payload` is what a tap means to the bot."""

    choice_id: str
    title: str
    payload: str
    description: str = ""


@dataclass(frozen=True, slots=True)
class Media:
    """A file to show, by `link` or by `media_id`; `kind` is image, video, audio, document or sticker."""

    kind: str
    link: str = ""
    media_id: str = ""
    filename: str = ""
    voice: bool = False


@dataclass(frozen=True, slots=True)
class Text:
    """A text message."""

    body: str


@dataclass(frozen=True, slots=True)
class MediaMessage:
    """A file; audio and stickers take no caption."""

    media: Media
    caption: str = ""


@dataclass(frozen=True, slots=True)
class Buttons:
    """Up to three reply buttons under a text; the header is an image, a video or a document."""

    body: str
    options: tuple[Option, ...]
    header: Media | None = None
    footer: str = ""


@dataclass(frozen=True, slots=True)
class ListMenu:
    """Up to ten rows behind one button: one page of the choice.

    `before` and `after` are the options of other pages; with some `after`, the last row is the one that asks for the next page. `numbered`
    rows show their number as title (counted over all pages), because a full title is too long or there twice; the body has the full ones.
    """

    body: str
    button: str
    options: tuple[Option, ...]
    before: tuple[Option, ...] = ()
    after: tuple[Option, ...] = ()
    more_button: str = "More"
    numbered: bool = False


@dataclass(frozen=True, slots=True)
class Link:
    """One button that opens a web address; a tap on it is not told to us."""

    body: str
    title: str
    url: str
    header: Media | None = None
    footer: str = ""


@dataclass(frozen=True, slots=True)
class Card:
    """One card of a carousel: reply options, or one button (`title`) that opens `url`."""

    header: Media
    body: str = ""
    options: tuple[Option, ...] = ()
    title: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True)
class Carousel:
    """Two to ten cards to swipe through; all with the same kind of header and the same number of buttons of one kind."""

    body: str
    cards: tuple[Card, ...]


@dataclass(frozen=True, slots=True)
class Raw:
    """A Graph message object as a designer wrote it, already checked."""

    content: JSONDict


Draft = Union[Text, MediaMessage, Buttons, ListMenu, Link, Carousel, Raw]


def options_of(draft: Draft) -> tuple[Option, ...]:
    """Return what a customer can tap on this draft; the row for the next page is none of them."""
    if isinstance(draft, (Buttons, ListMenu)):
        return draft.options
    if isinstance(draft, Carousel):
        return tuple(option for card in draft.cards for option in card.options)
    if isinstance(draft, Raw):
        return tuple(Option(choice_id, title, choice_id) for choice_id, title in _choices(draft.content))
    return ()


def numbers_of(draft: Draft) -> tuple[str, ...]:
    """Return the payloads of the numbers 1..n that the customer has read up to this page; nothing if titles are shown."""
    if isinstance(draft, ListMenu) and draft.numbered:
        return tuple(option.payload for option in (*draft.before, *draft.options))
    return ()


def content_of(draft: Draft) -> JSONDict:
    """Return the draft as a Graph message object, still without its recipient."""
    if isinstance(draft, Text):
        return {"type": "text", "text": {"body": draft.body}}
    if isinstance(draft, MediaMessage):
        caption = {"caption": draft.caption} if draft.caption else {}
        return {"type": draft.media.kind, draft.media.kind: _media(draft.media) | caption}
    return draft.content if isinstance(draft, Raw) else _interactive(draft)


def number_line(number: int, option: Option) -> str:
    """Return the line that shows an option in full beside its number."""
    return f"{number}. {option.title}" + (f": {option.description}" if option.description else "")


def _interactive(draft: Buttons | ListMenu | Link | Carousel) -> JSONDict:
    kind, action = _action(draft)
    interactive: JSONDict = {"type": kind}
    if isinstance(draft, (Buttons, Link)) and draft.header:
        interactive["header"] = _header(draft.header)
    interactive["body"] = {"text": draft.body}
    if isinstance(draft, (Buttons, Link)) and draft.footer:
        interactive["footer"] = {"text": draft.footer}
    return {"type": "interactive", "interactive": interactive | {"action": action}}


def _action(draft: Buttons | ListMenu | Link | Carousel) -> tuple[str, JSONDict]:
    if isinstance(draft, Buttons):
        return "button", {"buttons": [_reply(option, "reply") for option in draft.options]}
    if isinstance(draft, ListMenu):
        return "list", _list_action(draft)
    if isinstance(draft, Link):
        return "cta_url", _open_url(draft)
    return "carousel", {"cards": [_card(index, card) for index, card in enumerate(draft.cards)]}


def _media(media: Media) -> JSONDict:
    content: JSONDict = {"id": media.media_id} if media.media_id else {"link": media.link}
    if media.filename and media.kind == "document":
        content["filename"] = media.filename
    return content | ({"voice": True} if media.voice and media.kind == "audio" else {})


def _header(media: Media) -> JSONDict:
    return {"type": media.kind, media.kind: _media(media)}


def _reply(option: Option, kind: str) -> JSONDict:
    return {"type": kind, kind: {"id": option.choice_id, "title": option.title}}


def _open_url(button: Link | Card) -> JSONDict:
    return {"name": "cta_url", "parameters": {"display_text": button.title, "url": button.url}}


def _card(index: int, card: Card) -> JSONDict:
    # Meta's page gives the type cta_url also to cards with quick replies: messages/interactive-media-carousel-messages
    content: JSONDict = {"card_index": index, "type": "cta_url", "header": _header(card.header)}
    if card.body:
        content["body"] = {"text": card.body}
    replies = {"buttons": [_reply(option, "quick_reply") for option in card.options]}
    return content | {"action": replies if card.options else _open_url(card)}


def _list_action(menu: ListMenu) -> JSONDict:
    rows = [_row(menu, number, option) for number, option in enumerate(menu.options, start=len(menu.before) + 1)]
    if menu.after:
        rows.append({"id": MORE_ID, "title": menu.more_button})
    return {"button": menu.button, "sections": [{"title": menu.button, "rows": rows}]}


def _row(menu: ListMenu, number: int, option: Option) -> JSONDict:
    title, described = option.title, option.description
    if menu.numbered:
        title = str(number)
        whole = number_line(number, option).removeprefix(f"{number}. ")
        described = next((text for text in (whole, option.title) if limits.length(text) <= limits.LIST_DESCRIPTION), "")
    return {"id": option.choice_id, "title": title} | ({"description": described} if described else {})


def _choices(content: JSONDict) -> list[tuple[str, str]]:
    """Return id and title of everything that can be tapped in a checked message object."""
    action = content.get("interactive", {}).get("action", {})
    rows = [row for section in action.get("sections", ()) for row in section.get("rows", ())]
    buttons = [*action.get("buttons", ())]
    for card in action.get("cards", ()):
        buttons.extend(card.get("action", {}).get("buttons", ()))
    replies = [button.get("reply") or button.get("quick_reply") or {} for button in buttons]
    return [(chosen["id"], chosen.get("title", "")) for chosen in (*rows, *replies) if "id" in chosen]
