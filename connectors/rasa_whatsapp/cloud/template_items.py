"""Read what a webhook tells of the account's templates: a status, a quality, a category. A change of them holds no list, but one thing.

Each reader takes the account's id, the change, and when Meta says it was (None: it does not say); each raises MalformedField.
https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/message_template_status_update
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from rasa_whatsapp.cloud.events import Event, TemplateChanged, Unused
from rasa_whatsapp.cloud.templates.states import (
    CATEGORIES,
    DISABLED,
    FLAGGED,
    PAUSED,
    QUALITIES,
    Aspect,
    News,
    read_key,
)
from rasa_whatsapp.cloud.templates.translations import APPROVED
from rasa_whatsapp.cloud.wire import (
    JSONDict,
    MalformedField,
    digest,
    optional_id,
    optional_text,
    required_id,
    required_moment,
    required_text,
)

# event -> the status that a template has then (fact sheet 4.1 and 6.4)
_STATUSES = {
    "APPROVED": APPROVED,
    "REINSTATED": APPROVED,
    "UNARCHIVED": APPROVED,
    "UNLOCKED": APPROVED,
    **{
        status: status
        for status in (
            "ARCHIVED", "DELETED", "DISABLED", "IN_APPEAL", "LIMIT_EXCEEDED", "PAUSED", "PENDING", "PENDING_DELETION", "REJECTED",
        )
    },
}  # fmt: skip
# LOCKED alone may only mean that it cannot be edited; the title tells whether it is paused or disabled.
_LOCKED = {"FIRST_PAUSE": PAUSED, "SECOND_PAUSE": PAUSED, "RATE_LIMITING_PAUSE": PAUSED, "DISABLED": DISABLED}
_TERM = re.compile(r"[A-Z_]{1,40}")
_SAYS_NOTHING = "NONE"


def read(account_id: str, entry: JSONDict, change: JSONDict) -> Event:
    """Return what a change of `READERS` tells; raises MalformedField."""
    at = required_moment(entry, "time") if entry.get("time") is not None else None
    value: JSONDict = change["value"]
    reader = READERS[change["field"]]
    if "event" not in value and "new_quality_score" in value:
        reader = _quality  # one of Meta's samples labels it as a status
    news = reader(value)
    if not news:
        return Unused.of("", f"template event {_term(value, 'event')} changes nothing here", change)
    required_id(value, "message_template_id")
    return TemplateChanged(
        account_id=account_id,
        message_id=digest({"account": account_id, "time": entry.get("time"), "change": change}),
        template=read_key(
            required_text(value, "message_template_name"), required_text(value, "message_template_language")
        ),
        news=news,
        at=at,
        raw=change,
    )


def account_of(entry: JSONDict) -> str:
    """Return the id of the account that an entry is about, or nothing."""
    return optional_id(entry, "id") or ""


def _status(value: JSONDict) -> tuple[News, ...]:
    event = required_text(value, "event").upper()
    title = _term(value.get("other_info"), "title")
    if event == FLAGGED:
        return (News(aspect=Aspect.QUALITY, value=FLAGGED, detail=_reason(value)),)
    status = _LOCKED.get(title) if event == "LOCKED" else _STATUSES.get(event)
    if status is None:
        return ()
    category = _term(value, "message_template_category")
    told = (News(aspect=Aspect.STATUS, value=status, detail=title or _reason(value)),)
    return (*told, News(aspect=Aspect.CATEGORY, value=category)) if category in CATEGORIES else told


def _quality(value: JSONDict) -> tuple[News, ...]:
    return (News(aspect=Aspect.QUALITY, value=_one_of(value, "new_quality_score", QUALITIES)),)


def _category(value: JSONDict) -> tuple[News, ...]:
    """Read a change that is done, or one that is announced: there, `new_category` is the present one."""
    present = News(aspect=Aspect.CATEGORY, value=_one_of(value, "new_category", CATEGORIES))
    if value.get("correct_category") is None:
        return (present, News(aspect=Aspect.COMING_CATEGORY, value=None))
    coming = _one_of(value, "correct_category", CATEGORIES)
    comes_at = required_moment(value, "category_update_timestamp")
    return (present, News(aspect=Aspect.COMING_CATEGORY, value=coming, until=comes_at))


# field of the change -> reader of its value; nothing: it changes nothing here
READERS: dict[str, Callable[[JSONDict], tuple[News, ...]]] = {
    "message_template_status_update": _status,
    "message_template_quality_update": _quality,
    "template_category_update": _category,
}


def _one_of(holder: JSONDict, key: str, known: tuple[str, ...]) -> str:
    found = required_text(holder, key).upper()
    if found not in known:
        raise MalformedField(f"{key} is none of {', '.join(known)}")
    return found


def _reason(value: JSONDict) -> str:
    reason = _term(value, "reason")
    return "" if reason == _SAYS_NOTHING else reason


def _term(holder: Any, key: str) -> str:
    """Return one of Meta's terms in capitals; nothing if it is no term."""
    found = optional_text(holder, key) if isinstance(holder, dict) else None
    return found.upper() if found and _TERM.fullmatch(found.upper()) else ""
