"""The credentials block and the template catalogue as checked values; everything that is wrong is reported at once.

A problem names the key, what was found (secrets masked), what is expected, and the nearest known key for a misspelled one.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from rasa_whatsapp import yaml_files
from rasa_whatsapp.cloud import limits
from rasa_whatsapp.cloud.templates import TemplateBook, Translation, read_translation
from rasa_whatsapp.delivery import DeliveryRules
from rasa_whatsapp.dialogue import DEFAULT_LIST_BUTTON
from rasa_whatsapp.errors import ConfigInvalid
from rasa_whatsapp.gateway import Rules
from rasa_whatsapp.intake import IntakeRules
from rasa_whatsapp.policy.consent import OPT_IN_KEYWORDS, OPT_OUT_KEYWORDS
from rasa_whatsapp.storage.database import DEFAULT_URL
from rasa_whatsapp.transport import DEFAULT_API_VERSION, DEFAULT_GRAPH_URL

CREDENTIALS_KEY = "rasa_whatsapp.WhatsAppInput"


class Unacceptable(Exception):
    """A value is not what a setting expects; the text is the expectation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One key of the credentials block."""

    name: str
    read: Callable[[Any], Any]
    meaning: str
    default: Any = None
    required: bool = False
    secret: bool = False


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise Unacceptable("a text, so put it in quotes")
    if not value.strip():
        raise Unacceptable("a text that is not empty")
    return value.strip()


def _digits(value: Any) -> str:
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    if not isinstance(text, str) or not text.strip().isdigit():
        raise Unacceptable("the digits of an id from Meta's App Dashboard (not a phone number with +)")
    return text.strip()


def _web_address(value: Any) -> str:
    text = _text(value)
    if not text.startswith(("http://", "https://")) or len(text.split("//", 1)[1].split("/")[0]) == 0:
        raise Unacceptable("an address that starts with https:// (or http:// for a simulator)")
    return text.rstrip("/")


def _api_version(value: Any) -> str:
    text = _text(value)
    if not (text.startswith("v") and text.endswith(".0") and text[1:-2].isdigit()):
        raise Unacceptable("a Graph version such as v26.0")
    return text


def _database(value: Any) -> str:
    try:
        url = make_url(_text(value))
    except ArgumentError:
        url = None
    if url is None or url.get_backend_name() != "sqlite" or url.database in (None, "", ":memory:"):
        raise Unacceptable("the address of an SQLite file, such as sqlite:///rasa_whatsapp.sqlite")
    return str(value).strip()


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise Unacceptable("true or false")
    return value


def _words(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(word, str) and word.strip() for word in value):
        raise Unacceptable("a list of texts")
    return tuple(word.strip() for word in value)


def _count(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= 10:
        raise Unacceptable("a whole number from 1 to 10")
    return value


def _seconds(value: Any) -> timedelta:
    if not isinstance(value, (int, float)) or isinstance(value, bool) or not 0 <= value <= 30 * 86400:
        raise Unacceptable("seconds, from 0 to 2592000 (30 days)")
    return timedelta(seconds=value)


def _list_button(value: Any) -> str:
    text = _text(value)
    if limits.length(text) > limits.LIST_BUTTON:
        raise Unacceptable(f"a text of at most {limits.LIST_BUTTON} characters")
    return text


# The README's table of settings is held against this by a test.
SETTINGS: tuple[Setting, ...] = (
    Setting(name="phone_number_id", read=_digits, required=True, meaning="Id of the business number (not the number)."),
    Setting(name="access_token", read=_text, required=True, secret=True, meaning="Token of a system user."),
    Setting(name="app_secret", read=_text, required=True, secret=True, meaning="Signs the webhooks."),
    Setting(name="verify_token", read=_text, required=True, secret=True, meaning="Your word for the subscription."),
    Setting(
        name="business_account_id",
        read=_digits,
        meaning="Id of the WhatsApp Business Account; not used by this version.",
    ),
    Setting(name="graph_url", read=_web_address, default=DEFAULT_GRAPH_URL, meaning="Where Graph is."),
    Setting(name="api_version", read=_api_version, default=DEFAULT_API_VERSION, meaning="Graph version."),
    Setting(
        name="database_url", read=_database, default=DEFAULT_URL, meaning="The channel's own store, for SQLAlchemy."
    ),
    Setting(name="templates", read=_text, meaning="File with the approved templates."),
    Setting(name="fallback_languages", read=_words, default=(), meaning="Template languages to try, in order."),
    Setting(name="utility_needs_opt_in", read=_flag, default=False, meaning="Utility templates need an opt-in too."),
    Setting(name="opt_out_keywords", read=_words, default=OPT_OUT_KEYWORDS, meaning="Whole messages that opt out."),
    Setting(name="opt_in_keywords", read=_words, default=OPT_IN_KEYWORDS, meaning="Whole messages that opt in."),
    Setting(name="list_button", read=_list_button, default=DEFAULT_LIST_BUTTON, meaning="Label that opens a list."),
    Setting(name="read_receipts", read=_flag, default=True, meaning="Show the customer that a message was read."),
    Setting(name="typing_indicator", read=_flag, default=True, meaning="Show that an answer is being written."),
    Setting(name="turn_attempts", read=_count, default=3, meaning="Tries before a failing turn is parked."),
    Setting(
        name="settle_seconds",
        read=_seconds,
        default=timedelta(seconds=10),
        meaning="How long a status may tell the fate of an unanswered request.",
    ),
    Setting(
        name="send_age_limit_seconds",
        read=_seconds,
        default=timedelta(hours=23),
        meaning="How long sending a message is retried.",
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The effective configuration: every setting by name, and the templates of the file it names."""

    values: Mapping[str, Any]
    templates: TemplateBook

    def __getitem__(self, name: str) -> Any:
        """Return a setting's value."""
        return self.values[name]

    def rules(self) -> Rules:
        """Return what the gateway needs of it."""
        intake = IntakeRules(
            number_ids=(self["phone_number_id"],),
            opt_out_keywords=self["opt_out_keywords"],
            opt_in_keywords=self["opt_in_keywords"],
        )
        delivery = DeliveryRules(
            templates=self.templates,
            fallback_languages=self["fallback_languages"],
            utility_needs_opt_in=self["utility_needs_opt_in"],
            settle=self["settle_seconds"],
            age_limit=self["send_age_limit_seconds"],
        )
        return Rules(
            intake=intake,
            delivery=delivery,
            list_button=self["list_button"],
            read_receipts=self["read_receipts"],
            typing_indicator=self["typing_indicator"],
            turn_attempts=self["turn_attempts"],
        )

    def shown(self) -> list[tuple[str, str]]:
        """Return every setting with its value for people to read, secrets masked."""
        return [(setting.name, _shown(setting, self.values[setting.name])) for setting in SETTINGS]


def read_settings(block: Mapping[str, Any] | None, *, folder: Path | None = None) -> Settings:
    """Return the settings of a credentials block; raises ConfigInvalid with every problem of it.

    Files are looked for in `folder`, by default the current one.
    """
    where = f"{CREDENTIALS_KEY} in credentials.yml"
    if block is not None and not isinstance(block, Mapping):
        raise ConfigInvalid(where, ["the block is not a mapping of settings to values"])
    given = {str(key): value for key, value in (block or {}).items()}
    problems = _unknown_keys(given)
    values = {setting.name: _read_one(setting, given, problems) for setting in SETTINGS}
    templates = TemplateBook()
    if values["templates"] is not None:
        templates = _read_templates((folder or Path()) / values["templates"], problems)
    if problems:
        raise ConfigInvalid(where, problems)
    return Settings(values=values, templates=templates)


def _read_one(setting: Setting, given: Mapping[str, Any], problems: list[str]) -> Any:
    value = given.get(setting.name)
    if value is None:
        if setting.required:
            problems.append(f"{setting.name}: missing; {setting.meaning}")
        return setting.default
    try:
        return setting.read(value)
    except Unacceptable as expected:
        problems.append(f"{setting.name}: found {_shown(setting, value)}; expected {expected}")
        return setting.default


def _unknown_keys(given: Mapping[str, Any]) -> list[str]:
    known = [setting.name for setting in SETTINGS]
    problems = []
    for key in given:
        if key not in known:
            near = difflib.get_close_matches(key, known, n=1)
            hint = f"did you mean {near[0]}?" if near else f"known are: {', '.join(known)}"
            problems.append(f"{key}: not a setting; {hint}")
    return problems


def _shown(setting: Setting, value: Any) -> str:
    if value is None:
        return "-"
    if setting.secret:
        return "an empty text" if value == "" else f"•••• ({len(str(value))} characters)"
    if setting.name == "database_url":
        return _without_password(value)
    if isinstance(value, timedelta):
        return f"{value.total_seconds():g}"
    return ", ".join(value) if isinstance(value, tuple) else repr(value)


def _without_password(value: Any) -> str:
    try:
        return str(make_url(value).render_as_string(hide_password=True))
    except (ArgumentError, AttributeError):
        return "something that is no database address"


def _read_templates(path: Path, problems: list[str]) -> TemplateBook:
    try:
        content = yaml_files.load(path)
    except yaml_files.Unreadable as problem:
        problems.append(f"templates: {path} cannot be read: {problem}")
        return TemplateBook()
    entries = content.get("whatsapp_templates") if isinstance(content, dict) else None
    if not isinstance(entries, list):
        problems.append(f"templates: {path} has no list whatsapp_templates")
        return TemplateBook()
    found = [_read_template(path, position, entry, problems) for position, entry in enumerate(entries, start=1)]
    return TemplateBook(tuple(translation for translation in found if translation is not None))


def _read_template(path: Path, position: int, entry: Any, problems: list[str]) -> Translation | None:
    try:
        if not isinstance(entry, dict):
            raise ValueError("it is not a mapping")
        return read_translation(entry)
    except ValueError as problem:
        name = entry.get("name") if isinstance(entry, dict) else None
        problems.append(f"templates: {path}, number {position} ({name or 'without a name'}): {problem}")
        return None
