"""Translate between the dialogue and the wire, without any I/O: events to turns, Rasa's response dicts to drafts.

Typed text is never a command: a turn says itself whether its text is one, and only the payload of a button that we sent is.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from rasa_whatsapp.cloud import limits
from rasa_whatsapp.cloud.drafts import Buttons, Draft, ListMenu, Option, Text
from rasa_whatsapp.cloud.splitting import split_text
from rasa_whatsapp.cloud.templates import TemplateUse
from rasa_whatsapp.cloud.wire import JSONDict
from rasa_whatsapp.errors import DraftImpossible
from rasa_whatsapp.policy.consent import Choice, Scope

DEFAULT_LIST_BUTTON = "Options"
COMMAND_PREFIX = "/"


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One turn for the dialogue to take.

    `cause` is what the keys of its answers begin with. `text` is a command (`/intent{...}`) only if `is_command`. `intent` is set when the channel knows the intent itself: for
    a follow-up, or for a consent keyword that the domain declares an intent for.
    """

    contact_id: str
    message_id: str
    cause: str
    sent_at: datetime
    text: str
    is_command: bool = False
    intent: str | None = None
    follow_up_id: str | None = None
    entities: Mapping[str, Any] = field(default_factory=dict)
    event_entities: Sequence[JSONDict] = ()
    metadata: JSONDict = field(default_factory=dict)

    @property
    def is_external(self) -> bool:
        """Tell whether a follow-up caused it, and no message of the customer."""
        return self.follow_up_id is not None


@dataclass(frozen=True, slots=True)
class ConsentNote:
    """A response says that the customer agreed or withdrew; `source` is where, in words."""

    choice: Choice
    scope: Scope
    source: str


@dataclass(frozen=True, slots=True)
class Utterance:
    """What one response asks for: free-form drafts in order, a template for when the window is closed, a consent to note."""

    drafts: tuple[Draft, ...]
    template: TemplateUse | None = None
    consent: ConsentNote | None = None


def to_utterance(response: Mapping[str, Any], *, list_button: str = DEFAULT_LIST_BUTTON) -> Utterance:
    """Return what a Rasa response dict asks for; raises DraftImpossible naming the key that WhatsApp cannot take."""
    custom = response.get("custom") or {}
    if not isinstance(custom, Mapping):
        raise DraftImpossible("custom is not a mapping")
    unknown = sorted(set(custom) - {"template", "consent", "list_button"})
    if unknown:
        raise DraftImpossible(f"custom.{unknown[0]} is not known; expected template, consent or list_button")
    button = custom.get("list_button", list_button)
    if not isinstance(button, str) or not 1 <= limits.length(button) <= limits.LIST_BUTTON:
        raise DraftImpossible(f"custom.list_button must have 1 to {limits.LIST_BUTTON} characters")
    utterance = Utterance(tuple(_drafts(response, button)), _template(custom), _consent(custom))
    if not utterance.drafts and utterance.template is None:
        raise DraftImpossible("the response has neither text nor a template")
    return utterance


def _drafts(response: Mapping[str, Any], list_button: str) -> list[Draft]:
    text = _text_of(response)
    options, links = _options([*_list(response, "buttons"), *_list(response, "quick_replies")])
    body = "\n".join(part for part in (text, *links) if part)
    drafts = _menu(body, options, list_button) if options else _texts(body)
    for key in ("image", "attachment"):
        if response.get(key):
            drafts.extend(_texts(_link(key, response[key])))
    for element in _list(response, "elements"):
        drafts.extend(_element(element, list_button))
    return drafts


def _link(key: str, value: Any) -> str:
    """Return the address of a media file, also from Rasa's {"type": ..., "payload": {"src": ...}}."""
    payload = value.get("payload", value) if isinstance(value, Mapping) else value
    link = (payload.get("src") or payload.get("url")) if isinstance(payload, Mapping) else payload
    if not isinstance(link, str):
        raise DraftImpossible(f"{key} is neither a link nor an object with one")
    return link


def _text_of(response: Mapping[str, Any]) -> str:
    text = response.get("text")
    if text is not None and not isinstance(text, str):
        raise DraftImpossible("text is not a text")
    return (text or "").strip()


def _list(response: Mapping[str, Any], key: str) -> list[Any]:
    value = response.get(key) or []
    if not isinstance(value, list) or not all(isinstance(item, Mapping) for item in value):
        raise DraftImpossible(f"{key} is not a list of mappings")
    return value


def _texts(body: str) -> list[Draft]:
    return [Text(part) for part in split_text(body, limits.TEXT_BODY)]


def _element(element: Mapping[str, Any], list_button: str) -> list[Draft]:
    lines = [str(element[key]) for key in ("title", "subtitle", "image_url") if element.get(key)]
    return _drafts({"text": "\n".join(lines), "buttons": element.get("buttons")}, list_button)


def _options(buttons: Sequence[Mapping[str, Any]]) -> tuple[list[Option], list[str]]:
    """Return what can be tapped, and as lines of text the buttons that only open a web address."""
    options: list[Option] = []
    links: list[str] = []
    for position, button in enumerate(buttons, start=1):
        title = str(button.get("title") or "").strip()
        if not title:
            raise DraftImpossible(f"buttons: number {position} has no title")
        if button.get("url"):
            links.append(f"{title}: {button['url']}")
            continue
        payload = str(button.get("payload") or title)
        taken = {option.choice_id for option in options}
        options.append(Option(_choice_id(payload, position, taken), title, payload))
    return options, links


def _choice_id(payload: str, position: int, taken: set[str]) -> str:
    """Return the id that travels: the payload itself, or a short stand-in when it is too long or there twice."""
    if limits.length(payload) <= limits.QUICK_REPLY_PAYLOAD and payload not in taken and payload == payload.strip():
        return payload
    return f"choice-{position}-{hashlib.sha256(payload.encode('utf-8', 'replace')).hexdigest()[:24]}"


def _menu(body: str, options: list[Option], list_button: str) -> list[Draft]:
    """Return the options as reply buttons if they fit, else as lists of up to ten rows; nothing is cut."""
    if not body:
        raise DraftImpossible("buttons without text: WhatsApp needs a text above them")
    titles = [option.title for option in options]
    unique = len(set(titles)) == len(titles)
    if len(options) <= limits.REPLY_BUTTONS and unique and _longest(titles) <= limits.REPLY_BUTTON_TITLE:
        before, last = _with_short_end(body, limits.INTERACTIVE_BODY)
        return [*before, Buttons(last, tuple(options))]
    if not unique or _longest(titles) > limits.LIST_ROW_TITLE:
        body, options = _numbered(body, options)
    before, last = _with_short_end(body, limits.LIST_BODY)
    drafts: list[Draft] = [*before]
    for start in range(0, len(options), limits.LIST_ROWS):
        rows = tuple(options[start : start + limits.LIST_ROWS])
        drafts.append(ListMenu(last if start == 0 else "…", list_button, rows))
    return drafts


def _with_short_end(body: str, limit: int) -> tuple[list[Text], str]:
    """Return the text as messages to send first, and its end, which fits above something to tap."""
    *before, last = split_text(body, limits.TEXT_BODY)
    *more, end = split_text(last, limit)
    return [Text(part) for part in (*before, *more)], end


def _numbered(body: str, options: list[Option]) -> tuple[str, list[Option]]:
    """Return the full titles as numbered lines of the text, and options that show only their number."""
    lines = [f"{number}. {option.title}" for number, option in enumerate(options, start=1)]
    short = [Option(option.choice_id, str(number), option.payload) for number, option in enumerate(options, start=1)]
    return "\n".join([body, *lines]), short


def _longest(titles: Sequence[str]) -> int:
    return max(limits.length(title) for title in titles)


def _template(custom: Mapping[str, Any]) -> TemplateUse | None:
    template = custom.get("template")
    if template is None:
        return None
    if not isinstance(template, Mapping) or not isinstance(template.get("name"), str):
        raise DraftImpossible("custom.template needs a name")
    unknown = sorted(set(template) - {"name", "language", "parameters", "payloads"})
    if unknown:
        raise DraftImpossible(
            f"custom.template.{unknown[0]} is not known; expected name, language, parameters or payloads"
        )
    parameters, payloads = template.get("parameters") or {}, template.get("payloads") or []
    if not isinstance(parameters, Mapping) or not isinstance(payloads, list):
        raise DraftImpossible("custom.template.parameters must be a mapping, custom.template.payloads a list")
    language = template.get("language")
    return TemplateUse(
        name=template["name"],
        parameters={str(name): "" if value is None else str(value) for name, value in parameters.items()},
        language=str(language) if language else None,
        payloads=tuple(str(payload) for payload in payloads),
    )


def _consent(custom: Mapping[str, Any]) -> ConsentNote | None:
    consent = custom.get("consent")
    if consent is None:
        return None
    choices = [choice for choice in Choice if isinstance(consent, Mapping) and choice.value in consent]
    if len(choices) != 1:
        raise DraftImpossible("custom.consent needs either opt_in or opt_out, with utility, marketing or all")
    scope = consent[choices[0].value]
    if scope not in [known.value for known in Scope]:
        raise DraftImpossible(f"custom.consent.{choices[0].value} is {scope!r}; expected utility, marketing or all")
    return ConsentNote(choices[0], Scope(scope), str(consent.get("source") or "said in the chat"))
