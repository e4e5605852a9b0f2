"""What Meta says of a template as time goes by: status, quality, category and the coming one; and the catalogue with that over it.

Each aspect has a word of its own, so that the newest word of each counts whatever order they come in. Meta reports webhooks late, so
refusals teach, too: what a refusal taught is believed for three hours, which is Meta's shortest pause.
https://developers.facebook.com/documentation/business-messaging/whatsapp/templates/template-pausing
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import Enum
from typing import TYPE_CHECKING

from rasa_whatsapp.cloud.templates.calls import AccountTemplate
from rasa_whatsapp.cloud.templates.translations import APPROVED, AUTHENTICATION, Translation
from rasa_whatsapp.cloud.wire import MalformedField

if TYPE_CHECKING:
    from rasa_whatsapp.cloud.templates import TemplateBook

CATEGORIES = ("UTILITY", "MARKETING", AUTHENTICATION)
QUALITIES = ("GREEN", "YELLOW", "RED", "UNKNOWN")
FLAGGED = "FLAGGED"  # kept as a quality: the template may still be sent, and may be disabled soon
PAUSED, DISABLED, NOT_FOUND = (
    "PAUSED",
    "DISABLED",
    "NOT_FOUND",
)  # the last one is ours: Meta has nothing under this name and language
REFUSALS = {132001: NOT_FOUND, 132015: PAUSED, 132016: DISABLED}
REFUSAL_COUNTS = timedelta(hours=3)
_LONGEST_NAME = 512
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:[-_][A-Za-z0-9]{2,8}){0,2}")

Key = tuple[str, str]


class Aspect(str, Enum):
    """What is said of a template; the text is the stored one."""

    STATUS = "status"
    QUALITY = "quality"
    CATEGORY = "category"
    COMING_CATEGORY = "coming_category"


class Source(str, Enum):
    """Where Meta's word came from; the text is the stored one."""

    WEBHOOK = "webhook"
    PULL = "pull"
    REFUSAL = "refusal"


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """What is said of one aspect; `detail` is Meta's reason in its own terms.

    `until` is when a refusal is believed no more, or when an announced category comes. No value: what was announced is over.
    """

    aspect: Aspect
    value: str | None
    detail: str = ""
    until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """News of a template in one language: when it was so, and who told."""

    key: Key
    news: News
    at: datetime
    source: Source


@dataclass(frozen=True, slots=True)
class TemplateStates:
    """The newest word of each aspect, as the store has them."""

    words: Mapping[tuple[Key, Aspect], Word] = field(default_factory=dict)

    @classmethod
    def of(cls, words: Iterable[Word]) -> TemplateStates:
        """Return what these words tell, one for each aspect of a template."""
        return cls({(word.key, word.news.aspect): word for word in words})

    def status(self, key: Key, now: datetime) -> Word | None:
        """Return what status a template has; one that a refusal taught long ago may be tried again."""
        word = self.words.get((key, Aspect.STATUS))
        if word is None or word.news.until is None or word.news.until > now:
            return word
        return replace(word, news=replace(word.news, value=APPROVED, until=None))

    def category(self, key: Key, now: datetime) -> str | None:
        """Return the category of a template, if Meta told it: an announced one from its moment on, whether or not it was told then."""
        told, coming = (self.words.get((key, aspect)) for aspect in (Aspect.CATEGORY, Aspect.COMING_CATEGORY))
        moment = coming.news.until if coming else None
        if coming and coming.news.value and moment and moment <= now and (told is None or told.at < moment):
            return coming.news.value
        return told.news.value if told else None

    def changes_at(self, now: datetime) -> datetime | None:
        """Return when time alone changes something next."""
        moments = (word.news.until for word in self.words.values())
        return min((moment for moment in moments if moment is not None and moment > now), default=None)


def over(book: TemplateBook, states: TemplateStates, now: datetime) -> TemplateBook:
    """Return the catalogue as Meta has its templates now: what may be sent, and which consent it needs."""
    return replace(book, translations=tuple(_as_told(each, states, now) for each in book.translations))


def key_of(name: str, language: str) -> Key:
    """Return what tells a template in one language from all others: Meta writes en-US in webhooks, en_US elsewhere."""
    return name, language.replace("-", "_")


def read_key(name: str, language: str) -> Key:
    """Return the key of a template that a webhook names; raises MalformedField for what no template is called."""
    if len(name) > _LONGEST_NAME:
        raise MalformedField(f"message_template_name is longer than {_LONGEST_NAME} characters")
    if not _LANGUAGE.fullmatch(language):
        raise MalformedField("message_template_language is no language code")
    return key_of(name, language)


def refused(code: int, name: str, language: str, at: datetime) -> Word | None:
    """Return what Graph's refusal of a message that was tried at a moment teaches of its template, if anything."""
    if code not in REFUSALS:
        return None
    news = News(aspect=Aspect.STATUS, value=REFUSALS[code], detail=f"error {code}", until=at + REFUSAL_COUNTS)
    return Word(key=key_of(name, language), news=news, at=at, source=Source.REFUSAL)


def pulled(declared: Iterable[Key], templates: Iterable[AccountTemplate], at: datetime) -> Iterator[Word]:
    """Yield what a list of the account's templates, asked for at a moment, tells of each declared one: also that Meta does not have it."""
    found = {key_of(template.name, template.language): template for template in templates}
    for name, language in declared:
        key = key_of(name, language)
        for news in _pulled(found.get(key)):
            yield Word(key=key, news=news, at=at, source=Source.PULL)


def _pulled(template: AccountTemplate | None) -> Iterator[News]:
    if template is None:
        yield News(aspect=Aspect.STATUS, value=NOT_FOUND)
        return
    yield News(aspect=Aspect.STATUS, value=template.status[:40], detail=(template.rejected_reason or "")[:40])
    if template.category in CATEGORIES:
        yield News(aspect=Aspect.CATEGORY, value=template.category)
    if template.quality in QUALITIES:
        yield News(aspect=Aspect.QUALITY, value=template.quality)


def _as_told(translation: Translation, states: TemplateStates, now: datetime) -> Translation:
    key = key_of(translation.name, translation.language)
    status, category = states.status(key, now), states.category(key, now)
    # What can be filled in a template for codes is another thing than in all others, whatever Meta bills it as.
    is_for_codes = AUTHENTICATION in (translation.category, category)
    return replace(
        translation,
        status=(status.news.value if status else None) or translation.status,
        category=translation.category if is_for_codes else category or translation.category,
    )
