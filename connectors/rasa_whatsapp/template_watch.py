"""The declared templates as Meta has them now, for the gate; and what an operator has to hear of them.

A template that was lost raises an alarm until Meta approves it again: what the bot says with it may not reach its customers. What is
only about to change is warned of.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import datetime

from rasa_whatsapp.cloud.templates import APPROVED, TemplateBook, Translation
from rasa_whatsapp.cloud.templates.calls import IN_REVIEW
from rasa_whatsapp.cloud.templates.states import (
    FLAGGED,
    NOT_FOUND,
    Aspect,
    Key,
    Source,
    TemplateStates,
    Word,
    key_of,
    over,
)
from rasa_whatsapp.storage import template_states
from rasa_whatsapp.storage.database import Database

logger = logging.getLogger(__name__)

_UNTIL_THEN = "until then a second template of the response goes, if it has one"
_HAND_IN_ANOTHER = (
    "hand in another one under a new name with `rasa-whatsapp templates push`, and name that in the response"
)
# status -> what an operator can do
_REMEDIES = {
    "PAUSED": f"Meta lifts it after 3 or 6 hours, and disables a template instead of a third pause; {_UNTIL_THEN}",
    "DISABLED": "it does not come back by itself: hand in another one under a new name, or appeal in the WhatsApp Manager",
    "REJECTED": "correct it and hand it in again with `rasa-whatsapp templates push`",
    "PENDING": f"Meta reviews it, which takes up to a day; {_UNTIL_THEN}",
    "IN_APPEAL": f"Meta reviews it once more; {_UNTIL_THEN}",
    "ARCHIVED": "take it out of the archive in the WhatsApp Manager",
    "DELETED": _HAND_IN_ANOTHER,
    "PENDING_DELETION": _HAND_IN_ANOTHER,
    NOT_FOUND: "Meta has no approved one of this name and language: see `rasa-whatsapp templates status`",
}
_SEE_MANAGER = "see the WhatsApp Manager"


class TemplateWatch:
    """Knows the declared templates as Meta has them; `look` asks the store, `hear` is told what it has."""

    def __init__(self, declared: TemplateBook) -> None:
        self._declared = declared
        self._lost: dict[Key, Word] = {}
        self._warned: set[str] = set()
        self._changes: int | None = None
        self._until: datetime | None = None
        self.book = declared

    @property
    def alarms(self) -> list[str]:
        """Return a sentence for each template that was lost."""
        return [_sentence(key, self._lost[key]) for key in sorted(self._lost)]

    async def look(self, database: Database, now: datetime) -> bool:
        """Take notice of what Meta says of the templates, whoever took it in; return whether anything has changed, which is seldom."""
        # Asked before: what is noted between the two questions is heard of twice, and nothing never.
        changes = await database.run(template_states.changes)
        if self.is_current(changes, now):
            return False
        self.hear(await database.run(template_states.read), changes, now)
        return True

    def is_current(self, changes: int, now: datetime) -> bool:
        """Tell whether nothing was noted since, and nothing has changed by itself."""
        return changes == self._changes and (self._until is None or now < self._until)

    def hear(self, states: TemplateStates, changes: int, now: datetime) -> None:
        """Take in what Meta says of the templates; an operator hears of each loss once."""
        self._changes, self._until = changes, states.changes_at(now)
        self.book = over(self._declared, states, now)
        lost = dict(self._losses(states, now))
        for key in self._lost.keys() - lost.keys():
            logger.warning("Template %s can be sent again.", _title(key), extra={"action": "template_regained"})
        for key in sorted(lost):
            if key not in self._lost or self._lost[key].news.value != lost[key].news.value:
                logger.error("A template was lost: %s.", _sentence(key, lost[key]), extra={"action": "template_lost"})
        self._lost = lost
        warnings = set(self._warnings(states, now))
        for sentence in sorted(warnings - self._warned):
            logger.warning("%s.", sentence, extra={"action": "template_in_doubt"})
        self._warned = warnings

    def _losses(self, states: TemplateStates, now: datetime) -> Iterator[tuple[Key, Word]]:
        for declared in self._declared.translations:
            key = key_of(declared.name, declared.language)
            word = states.status(key, now)
            if word is not None and word.news.value != APPROVED and not _was_never_approved(declared, word):
                yield key, word

    def _warnings(self, states: TemplateStates, now: datetime) -> Iterator[str]:
        for declared in self._declared.translations:
            key = key_of(declared.name, declared.language)
            category = states.category(key, now) or declared.category
            if category != declared.category:
                yield (
                    f"Template {_title(key)} is of category {category} at Meta and declared as {declared.category}: it is "
                    "sent to those who agreed to that category, and charged as such; declare it so, or ask Meta for a review"
                )
            coming = states.words.get((key, Aspect.COMING_CATEGORY))
            if coming and coming.news.value and coming.news.until and coming.news.until > now:
                yield f"Template {_title(key)} becomes {coming.news.value} on {_moment(coming.news.until)}: Meta announces it"
            quality = states.words.get((key, Aspect.QUALITY))
            if quality and quality.news.value in ("RED", FLAGGED):
                yield f"Template {_title(key)} has a low quality ({quality.news.value}): Meta may pause or disable it"


def _was_never_approved(declared: Translation, word: Word) -> bool:
    """Tell whether it is still in its first review, as its entry says."""
    return word.news.value in IN_REVIEW and declared.status != APPROVED


def _sentence(key: Key, word: Word) -> str:
    status = word.news.value or ""
    detail = f" ({word.news.detail})" if word.news.detail else ""
    remedy = _REMEDIES.get(status, _SEE_MANAGER)
    if word.source is Source.REFUSAL and word.news.until is not None:
        remedy += f"; it is tried again on {_moment(word.news.until)}"
    return f"template {_title(key)}: it is {status} since {_moment(word.at)}{detail}: {remedy}"


def _title(key: Key) -> str:
    name, language = key
    return f"{name} ({language})"


def _moment(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"
