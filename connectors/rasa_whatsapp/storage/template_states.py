"""What Meta last said of each template: a row for each aspect, so that the newest word of each counts in whatever order they come."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, func, select, text
from sqlalchemy.engine import Connection

from rasa_whatsapp.cloud.templates.states import Aspect, News, Source, TemplateStates, Word, refused
from rasa_whatsapp.cloud.wire import JSONDict
from rasa_whatsapp.storage.schema import Moment, template_states

# What a refusal teaches is less than what Meta says itself: it only ends what was approved, or prolongs itself.
_NOTE = text(
    """
    INSERT INTO template_states (name, language, aspect, value, detail, source, at, until, changes)
    VALUES (:name, :language, :aspect, :value, :detail, :source, :at, :until, 1)
    ON CONFLICT (name, language, aspect) DO UPDATE SET
        value = excluded.value, detail = excluded.detail, source = excluded.source, at = excluded.at,
        until = excluded.until, changes = template_states.changes + 1
    WHERE excluded.at >= template_states.at
        AND (excluded.source <> 'refusal' OR template_states.source = 'refusal' OR template_states.value = 'APPROVED')
    """
).bindparams(bindparam("at", type_=Moment), bindparam("until", type_=Moment))
_CHANGES = select(func.coalesce(func.sum(template_states.c.changes), 0))


def note(connection: Connection, words: Iterable[Word]) -> None:
    """Keep what is newer than what is known; always in the same order, so that two who note the same do not wait for each other."""
    for word in sorted(words, key=lambda word: (word.key, word.news.aspect.value)):
        connection.execute(_NOTE, _row(word))


def note_refusal(connection: Connection, request: JSONDict | None, code: int, at: datetime) -> None:
    """Keep what Graph's refusal of a request teaches of the template in it, which was tried at this moment."""
    template = (request or {}).get("template")
    if template is None:
        return
    word = refused(code, template["name"], template["language"]["code"], at)
    if word is not None:
        note(connection, [word])


def changes(connection: Connection) -> int:
    """Return a number that is another one whenever anything was noted since."""
    return int(connection.execute(_CHANGES).scalar_one())


def read(connection: Connection) -> TemplateStates:
    """Return all that Meta said."""
    return TemplateStates.of(_word(row) for row in connection.execute(select(template_states)))


def _row(word: Word) -> dict[str, Any]:
    name, language = word.key
    return {
        "name": name,
        "language": language,
        "aspect": word.news.aspect.value,
        "value": word.news.value,
        "detail": word.news.detail,
        "source": word.source.value,
        "at": word.at,
        "until": word.news.until,
    }


def _word(row: Any) -> Word:
    news = News(aspect=Aspect(row.aspect), value=row.value, detail=row.detail, until=row.until)
    return Word(key=(row.name, row.language), news=news, at=row.at, source=Source(row.source))
