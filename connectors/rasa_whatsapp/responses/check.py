"""A domain's responses to everything that WhatsApp, or the catalogue of templates, would refuse of them: before anybody says them.

`{slot}` in a text counts as it is written. Where only the slot's value can tell (a link, a number), the value is taken for a right one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

from rasa_whatsapp.cloud import languages
from rasa_whatsapp.cloud.templates import TemplateBook, TemplateUnusable, TemplateUse, misfits
from rasa_whatsapp.cloud.templates.declared import Declared
from rasa_whatsapp.cloud.templates.values import Misfit
from rasa_whatsapp.errors import DraftImpossible
from rasa_whatsapp.responses.domain import SLOT, Domain, Problem, path_in
from rasa_whatsapp.responses.spelling import misspelt
from rasa_whatsapp.responses.utterances import Utterance, Wording, to_utterance

# In the other keys Rasa leaves `{slot}` as it is (rasa.core.nlg.response).
_WITHSLOTS = {"text", "image", "custom", "buttons", "attachment", "quick_replies"}
# Right values for everything whose form is checked: a link; a host, a number or one sign; a date.
_NONE: Mapping[str, Declared] = {}
_STAND_INS = ("https://example.com/x", "1", "1999-01-23")


def refused(
    domain: Domain,
    *,
    wording: Wording | None = None,
    templates: TemplateBook | None = None,
    fallback_languages: Sequence[str] = (),
    declared: Mapping[str, Declared] = _NONE,
) -> list[Problem]:
    """Return the domain's problems in the order of files and lines; without `templates` the catalogue is not asked.

    `declared` are the templates that the catalogue names for responses which carry none.
    """
    problems = list(domain.problems)
    for variation in domain.variations:
        try:
            named = declared.get(variation.response)
            use = named.use_unfilled() if named else None
            texts = list(_refusals(variation.content, wording or Wording(), templates, fallback_languages, use))
        except RecursionError:
            texts = ["the variation contains itself: an anchor (&) is named inside of what it stands for"]
        problems += [variation.problem(text) for text in texts]
    return sorted(problems, key=lambda problem: (problem.file, problem.line))


def _refusals(
    content: Mapping[str, Any],
    wording: Wording,
    templates: TemplateBook | None,
    fallback_languages: Sequence[str],
    declared: TemplateUse | None,
) -> Iterator[str]:
    yield from misspelt(content)
    custom = content.get("custom")
    use = None
    try:
        use = _said(content, wording, declared).template
    except DraftImpossible as problem:
        yield from _single(problem)
        if isinstance(custom, Mapping) and custom.get("template"):
            with suppress(DraftImpossible):  # that one is told already
                use = to_utterance({"custom": {"template": custom["template"]}}, wording).template
    if use and templates is not None:
        yield from _template_refusals(content, use, templates, fallback_languages)


def _said(content: Mapping[str, Any], wording: Wording, declared: TemplateUse | None) -> Utterance:
    """Return what a variation says once its slots have right values; raises DraftImpossible if no value makes it right."""
    try:
        return to_utterance(content, wording, declared=declared)
    except DraftImpossible as problem:
        for path in _paths(problem, content):
            for stand_in in _STAND_INS:
                filled = _filled(content, path, stand_in)
                if filled == content:
                    break
                try:
                    return _said(filled, wording, declared)
                except DraftImpossible as other:
                    if path not in _paths(other, content):
                        raise
        raise


def _single(problem: DraftImpossible) -> list[str]:
    """Return the problems that a refusal names, of which a message object may have several."""
    return re.split(r"; (?=custom\.whatsapp\.)", str(problem))


def _paths(problem: DraftImpossible, content: Mapping[str, Any]) -> list[list[str | int]]:
    """Return what the problems are about; nothing in particular ([]) if they name no key of the variation."""
    paths = [path_in(text) for text in _single(problem)]
    return [path if path and path[0] in content else [] for path in paths]


def _filled(content: Mapping[str, Any], path: Sequence[str | int], stand_in: str) -> dict[str, Any]:
    """Return the variation with the slots filled that stand where the path leads to (all of them, if it is empty)."""
    given = {key: value for key, value in content.items() if key in _WITHSLOTS}
    return {**content, **_replaced(given, path, stand_in)}


def _replaced(value: Any, path: Sequence[str | int], stand_in: str) -> Any:
    if isinstance(value, str):
        return SLOT.sub(stand_in, value)
    if isinstance(value, Mapping):
        return {
            key: _replaced(item, path[1:], stand_in) if not path or key == path[0] else item
            for key, item in value.items()
        }
    if isinstance(value, list):
        return [
            _replaced(item, path[1:], stand_in) if not path or position == path[0] else item
            for position, item in enumerate(value)
        ]
    return value


def _template_refusals(
    content: Mapping[str, Any], use: TemplateUse, templates: TemplateBook, fallback_languages: Sequence[str]
) -> Iterator[str]:
    """Yield why the catalogue would refuse a response's templates, each in all languages in which it may go."""
    custom = content.get("custom")
    carries_it = isinstance(custom, Mapping) and custom.get("template") is not None
    uses = list(use.in_order)
    said = set(SLOT.findall(str(content.get("text", ""))))
    for position, each in enumerate(uses):
        path = "custom.template" if len(uses) == 1 else f"custom.template[{position}]"
        for misfit, which in _misfits(each, templates, fallback_languages):
            place = ".".join(filter(None, (path, misfit.path))) if carries_it else "the catalogue's template for it"
            slot = f"{{{misfit.path.rpartition('.')[2]}}}"
            remedy = f" (the text has {slot})" if slot in said and "has no value" in misfit.text else ""
            yield f"{place}: {which}{misfit.text}{remedy}"


def _misfits(
    use: TemplateUse, templates: TemplateBook, fallback_languages: Sequence[str]
) -> Iterator[tuple[Misfit, str]]:
    """Yield each misfit with the translation that it is about, unless only a slot tells which template it is."""
    if SLOT.search(use.name + (use.language or "")):
        return
    if use.language and not languages.is_code(use.language):
        yield Misfit("language", f"{use.language!r} is no code of a language, such as de or pt_BR"), ""
        return
    try:
        found = templates.find(use.name, [*use.languages, *fallback_languages])
    except TemplateUnusable as problem:
        yield Misfit("", str(problem)), ""
        return
    # Without a language of the response's own it is the customer's that decides.
    for translation in [found] if use.language else templates.approved(use.name):
        for misfit in misfits(translation, use):
            yield misfit, f"template {use.name!r} ({translation.language}): "
