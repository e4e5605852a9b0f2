"""Long choices as pages of a list: the first one now, each further one when the customer asks for it.

What is still to come is plain JSON, so that it can be kept beside the message that offers it. No option is lost or renumbered.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace

from rasa_whatsapp.cloud import limits
from rasa_whatsapp.cloud.drafts import Draft, ListMenu, Option, number_line
from rasa_whatsapp.cloud.wire import JSONDict


def first_page(body: str, options: Sequence[Option], *, button: str, more_button: str, numbered: bool) -> ListMenu:
    """Return the first rows of a choice; the body must hold their `lines` if they are numbered."""
    whole = ListMenu(body, button, (), after=tuple(options), more_button=more_button, numbered=numbered)
    return _turned(whole, limits.LIST_ROWS)


def lines(menu: ListMenu) -> list[str]:
    """Return the page's options in full, each with its number."""
    return [number_line(number, option) for number, option in enumerate(menu.options, start=len(menu.before) + 1)]


def more_of(draft: Draft) -> JSONDict | None:
    """Return what `page_of` needs for the next page as plain JSON, or None if there is none."""
    if not isinstance(draft, ListMenu) or not draft.after:
        return None
    return {
        "button": draft.button,
        "more_button": draft.more_button,
        "numbered": draft.numbered,
        "shown": len(draft.before) + len(draft.options),
        "options": [asdict(option) for option in (*draft.before, *draft.options, *draft.after)],
    }


def page_of(more: JSONDict) -> ListMenu:
    """Return the next page; its body has the full titles if rows are numbered, else says which ones of how many follow."""
    options = tuple(Option(**option) for option in more["options"])
    seen, rest = options[: more["shown"]], options[more["shown"] :]
    whole = ListMenu("", more["button"], seen, (), rest, more["more_button"], more["numbered"])
    count = limits.LIST_ROWS
    menu = _turned(whole, count)
    while menu.numbered and count > 1 and limits.length("\n".join(lines(menu))) > limits.LIST_BODY:
        count -= 1
        menu = _turned(whole, count)
    first, last = len(seen) + 1, len(seen) + len(menu.options)
    return replace(menu, body="\n".join(lines(menu)) if menu.numbered else f"{first}-{last} / {len(options)}")


def _turned(menu: ListMenu, rows: int) -> ListMenu:
    """Return the page after this one with at most that many rows, the one for more included."""
    take = len(menu.after) if len(menu.after) <= rows else max(rows - 1, 1)
    seen = (*menu.before, *menu.options)
    return replace(menu, before=seen, options=menu.after[:take], after=menu.after[take:])
