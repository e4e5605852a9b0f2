"""Buttons and quick replies of a response as things to tap: reply buttons, a list, web addresses. No option is cut or left out.

What is too long for a button becomes a row; what is too long for a row is numbered, and stands in full above the rows.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from rasa_whatsapp.cloud import limits, pages
from rasa_whatsapp.cloud.drafts import MORE_ID, Buttons, ListMenu, Option, Text
from rasa_whatsapp.cloud.scalars import link
from rasa_whatsapp.cloud.splitting import is_inside_link, split_text
from rasa_whatsapp.errors import DraftImpossible
from rasa_whatsapp.responses.fields import words_in

_MOST_TEXT = 2000  # of one option: so that every one fits into the text of a page
_WEB = ("http:", "https:")
_NO_WORDS = "…"  # above something to tap, where all words went before


@dataclass(frozen=True, slots=True)
class LinkButton:
    """A button that opens a web page."""

    title: str
    url: str

    @property
    def is_button(self) -> bool:
        """Tell whether WhatsApp has a button for it; else (tel:, mailto:, a long title) it is a line of text."""
        return self.url.lower().startswith(_WEB) and _is_line(self.title, limits.LINK_BUTTON)


@dataclass(frozen=True, slots=True)
class Choice:
    """What a response offers: options to tap, addresses to open, and lines for addresses that no button can open."""

    options: tuple[Option, ...] = ()
    addresses: tuple[LinkButton, ...] = ()
    lines: tuple[str, ...] = ()


NOTHING = Choice()


@dataclass(frozen=True, slots=True)
class MenuWords:
    """The words of a list: on the button that opens it, and on the row for the next page."""

    list_button: str
    more_button: str


def choice_of(buttons: Sequence[tuple[str, Mapping[str, Any]]], taken: set[str] | None = None) -> Choice:
    """Return what buttons offer, each given with its key (`buttons[2]`); raises DraftImpossible.

    `taken` are choice ids that are used already in the same message; the new ones are added.
    """
    used = {MORE_ID} if taken is None else taken
    options: list[Option] = []
    addresses: list[LinkButton] = []
    for key, button in buttons:
        title, url = words_in(button, "title", key), words_in(button, "url", key)
        if not title:
            raise DraftImpossible(f"{key}.title is missing or empty; give the button a title")
        if url:
            addresses.append(LinkButton(title, _checked_url(key, url)))
        else:
            options.append(_option(key, button, title, used))
    lines = tuple(f"{address.title}: {address.url}" for address in addresses if not address.is_button)
    return Choice(tuple(options), tuple(address for address in addresses if address.is_button), lines)


def menu_of(body: str, options: tuple[Option, ...], words: MenuWords) -> tuple[list[Text], Buttons | ListMenu]:
    """Return what can be tapped under the end of the body, and the texts that go before if the body is too long for it."""
    paged = [words.more_button] if len(options) > limits.LIST_ROWS else []
    titles = [*(option.title for option in options), *paged]
    unique = len(set(titles)) == len(titles)
    if _are_buttons(options) and unique:
        before, end = with_short_end(body, limits.INTERACTIVE_BODY)
        return before, Buttons(end, options)
    numbered = not unique or not all(_is_row(option) for option in options)
    menu = pages.first_page("", options, button=words.list_button, more_button=words.more_button, numbered=numbered)
    before, end = with_short_end("\n".join([body, *pages.lines(menu)]) if numbered else body, limits.LIST_BODY)
    return before, replace(menu, body=end)


def with_short_end(body: str, limit: int) -> tuple[list[Text], str]:
    """Return the text as messages to send first, and its end, which fits above something to tap; a link stays whole."""
    *before, last = split_text(body, limits.TEXT_BODY)
    end = split_text(last, limit)[-1]
    if is_inside_link(last, len(last) - len(end)):
        return [Text(part) for part in (*before, last)], _NO_WORDS
    rest = last.removesuffix(end).rstrip()
    return [Text(part) for part in (*before, *([rest] if rest else []))], end


def _checked_url(key: str, url: str) -> str:
    """Return the address; other schemes (tel:, mailto:) are for reading, a broken web address is refused."""
    if url.lower().startswith(_WEB):
        for problem in link(url, f"{key}.url"):
            raise DraftImpossible(str(problem))
    return url


def _option(key: str, button: Mapping[str, Any], title: str, taken: set[str]) -> Option:
    description = words_in(button, "description", key)
    for name, words in (("title", title), ("description", description)):
        if limits.length(words) > _MOST_TEXT:
            found = f"has {limits.length(words)} characters, at most {_MOST_TEXT} can be offered"
            raise DraftImpossible(f"{key}.{name} {found}; move it into the text and shorten it here")
    payload = str(button["payload"]) if words_in(button, "payload", key) else title
    choice_id = _choice_id(payload, taken)
    taken.add(choice_id)
    return Option(choice_id, title, payload, description)


def _choice_id(payload: str, taken: set[str]) -> str:
    """Return the id that travels: the payload itself, or a short stand-in when it is too long or there twice."""
    if limits.length(payload) <= limits.QUICK_REPLY_PAYLOAD and payload not in taken and payload == payload.strip():
        return payload
    return f"choice-{len(taken)}-{hashlib.sha256(payload.encode('utf-8', 'replace')).hexdigest()[:24]}"


def _are_buttons(options: Sequence[Option]) -> bool:
    """Tell whether the options fit under a text as they are; a button has no place for a description."""
    return len(options) <= limits.REPLY_BUTTONS and all(
        not option.description and _is_line(option.title, limits.REPLY_BUTTON_TITLE) for option in options
    )


def _is_row(option: Option) -> bool:
    return _is_line(option.title, limits.LIST_ROW_TITLE) and _is_line(option.description, limits.LIST_DESCRIPTION)


def _is_line(text: str, most: int) -> bool:
    return limits.length(text) <= most and "\n" not in text
