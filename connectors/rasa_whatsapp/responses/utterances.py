"""Rasa's response dicts as what WhatsApp can be told: drafts in order, the template for a closed window, a consent to note.

Without any I/O. All of Rasa's keys are taken; what WhatsApp cannot take is refused with its key, the limit and the remedy, never cut.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from rasa_whatsapp.cloud import limits, objects
from rasa_whatsapp.cloud.drafts import Draft, content_of
from rasa_whatsapp.cloud.markup import to_whatsapp
from rasa_whatsapp.cloud.scalars import meant
from rasa_whatsapp.cloud.templates import TemplateUse
from rasa_whatsapp.cloud.templates.spelling import read_use
from rasa_whatsapp.errors import DraftImpossible
from rasa_whatsapp.policy.consent import Choice as ConsentChoice
from rasa_whatsapp.policy.consent import Scope
from rasa_whatsapp.responses.attachments import attachment_of
from rasa_whatsapp.responses.elements import drafts_of_elements, elements_of
from rasa_whatsapp.responses.fields import buttons_in
from rasa_whatsapp.responses.layout import Parts, drafts_of
from rasa_whatsapp.responses.options import NOTHING, MenuWords, choice_of
from rasa_whatsapp.responses.raw_messages import LAST, raw_of
from rasa_whatsapp.turn import CHANNEL_NAME

__all__ = [
    "DEFAULT_LIST_BUTTON", "DEFAULT_MORE_BUTTON", "LAST", "RESPONSE_NAME", "ConsentNote", "Utterance", "Wording", "to_utterance",
]  # fmt: skip

DEFAULT_LIST_BUTTON = "Options"
DEFAULT_MORE_BUTTON = "More"
RESPONSE_NAME = "utter_action"  # under this key Rasa 3.6.21 hands on which response it is

_LONGEST_KIND = 200
_LONGEST_LANGUAGE = 50
_CUSTOM = ("template", "consent", "list_button", "more_button", "whatsapp")


@dataclass(frozen=True, slots=True)
class Wording:
    """Words and ways of a bot: the button that opens a list, the row for its next page, whether texts are Markdown."""

    list_button: str = DEFAULT_LIST_BUTTON
    more_button: str = DEFAULT_MORE_BUTTON
    markdown: bool = True


_PLAIN = Wording()


@dataclass(frozen=True, slots=True)
class ConsentNote:
    """A response says that the customer agreed or withdrew; `source` is where, in words."""

    choice: ConsentChoice
    scope: Scope
    source: str


@dataclass(frozen=True, slots=True)
class Utterance:
    """What one response asks for: free-form drafts in order, a template for when the window is closed, a consent to note.

    `reply_to` is the message that the first draft quotes: a message id, or `last` for the customer's latest. `kind` is the response's
    name in the domain, if it has one: of what is parked, the newest of a kind counts. `language` is what the dialogue knows of the customer's.
    """

    drafts: tuple[Draft, ...]
    template: TemplateUse | None = None
    consent: ConsentNote | None = None
    reply_to: str | None = None
    kind: str | None = None
    language: str | None = None


def to_utterance(
    response: Mapping[str, Any],
    wording: Wording = _PLAIN,
    customer_language: str | None = None,
    declared: TemplateUse | None = None,
) -> Utterance:
    """Return what a Rasa response dict asks for; raises DraftImpossible naming the key that WhatsApp cannot take.

    `customer_language` is what the dialogue knows of the customer's, for the template; `declared` the template of a response that
    carries none itself.
    """
    custom = _custom(response)
    words = MenuWords(
        _label(custom, "list_button", wording.list_button, limits.LIST_BUTTON),
        _label(custom, "more_button", wording.more_button, limits.LIST_ROW_TITLE),
    )
    # Rasa 3.6.21 hands this key of a response on; what is written for WhatsApp alone is written in its own markup.
    is_ours = response.get("channel") == CHANNEL_NAME
    marked = to_whatsapp if wording.markdown and not is_ours else str
    raw, reply_to = raw_of(custom.get("whatsapp"))
    drafts: list[Draft] = [*_drafts(response, words, marked), *([raw] if raw else [])]
    name = response.get(RESPONSE_NAME)
    kind = name[:_LONGEST_KIND] if isinstance(name, str) else None
    template = _template(custom, customer_language) or declared
    language = customer_language if customer_language and len(customer_language) <= _LONGEST_LANGUAGE else None
    utterance = Utterance(tuple(drafts), template, _consent(custom), reply_to, kind, language)
    _refuse_unlawful(utterance)
    return utterance


def _custom(response: Mapping[str, Any]) -> Mapping[str, Any]:
    custom = response.get("custom") or {}
    if not isinstance(custom, Mapping):
        raise DraftImpossible("custom is not a mapping")
    unknown = sorted(str(key) for key in custom if key not in _CUSTOM)
    if unknown:
        expected = f"{', '.join(_CUSTOM[:-1])} or {_CUSTOM[-1]}"
        raise DraftImpossible(f"custom.{unknown[0]} is not known; expected {expected}{meant(unknown[0], _CUSTOM)}")
    return custom


def _label(custom: Mapping[str, Any], key: str, default: str, most: int) -> str:
    label = custom.get(key, default)
    if not isinstance(label, str) or not label.strip() or limits.length(label) > most:
        raise DraftImpossible(f"custom.{key} must have 1 to {most} characters")
    return label


def _drafts(response: Mapping[str, Any], words: MenuWords, marked: Callable[[str], str]) -> list[Draft]:
    text = marked(_text_of(response))
    files = [attachment_of("image", response["image"], "image")] if response.get("image") else []
    files += [attachment_of("attachment", response["attachment"])] if response.get("attachment") else []
    attachments = tuple(replace(file, caption=marked(file.caption)) for file in files)
    choice = choice_of(buttons_in(response))
    elements = elements_of(response.get("elements"), marked)
    if elements and not attachments and choice == NOTHING:
        return drafts_of_elements(text, elements, words)
    parts = Parts(text=text, attachments=attachments, choice=choice)
    return [*drafts_of(parts, words), *drafts_of_elements("", elements, words)]


def _text_of(response: Mapping[str, Any]) -> str:
    text = response.get("text")
    if text is not None and not isinstance(text, str):
        raise DraftImpossible("text is not a text")
    return (text or "").strip()


def _refuse_unlawful(utterance: Utterance) -> None:
    if not utterance.drafts and utterance.template is None:
        raise DraftImpossible("the response has neither text nor a template nor anything else to show")
    if utterance.reply_to and utterance.drafts and content_of(utterance.drafts[0])["type"] == "reaction":
        raise DraftImpossible("custom.whatsapp.reply_to: a reaction quotes nothing; leave it out")
    for draft in utterance.drafts:
        for problem in objects.check(content_of(draft)):
            raise DraftImpossible(f"the response makes a message in which {problem}")


def _template(custom: Mapping[str, Any], customer_language: str | None) -> TemplateUse | None:
    template = custom.get("template")
    return None if template is None else read_use(template, "custom.template", customer_language)


def _consent(custom: Mapping[str, Any]) -> ConsentNote | None:
    consent = custom.get("consent")
    if consent is None:
        return None
    choices = [choice for choice in ConsentChoice if isinstance(consent, Mapping) and choice.value in consent]
    if len(choices) != 1:
        raise DraftImpossible("custom.consent needs either opt_in or opt_out, with utility, marketing or all")
    scope = consent[choices[0].value]
    if scope not in [known.value for known in Scope]:
        raise DraftImpossible(f"custom.consent.{choices[0].value} is none of utility, marketing and all")
    return ConsentNote(choices[0], Scope(scope), str(consent.get("source") or "said in the chat"))
