"""The credentials block as a checked value; everything that is wrong with it, and with the files it names, is reported at once.

A problem names the key, what was found (secrets masked), what is expected, and the nearest known key for a misspelled one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta, tzinfo
from pathlib import Path
from typing import Any

from rasa_whatsapp.cloud.providers import CLOUD_API, DEFAULT_URLS
from rasa_whatsapp.cloud.templates import TemplateBook, TemplateUse, misfits
from rasa_whatsapp.cloud.templates.declared import Declared
from rasa_whatsapp.delivery import DeliveryRules
from rasa_whatsapp.errors import ConfigInvalid
from rasa_whatsapp.firing import FiringRules
from rasa_whatsapp.gateway import Rules
from rasa_whatsapp.intake import IntakeRules
from rasa_whatsapp.policy.quiet_hours import QuietHours
from rasa_whatsapp.responses.utterances import Wording
from rasa_whatsapp.settings.catalogue import read_catalogue
from rasa_whatsapp.settings.keys import MARKDOWN, SETTINGS
from rasa_whatsapp.settings.numbers import PER_NUMBER, BusinessNumber, business_numbers
from rasa_whatsapp.settings.setting import Setting, masked, unknown_keys, without_password

_FEWEST_SENDS = 64
_CANNOT_GO = {
    "re_engagement_template": "cannot go without values",
    "re_engagement_payload": "has no button for it",
}
CREDENTIALS_KEY = "rasa_whatsapp.WhatsAppInput"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The effective configuration: every setting by name, the business numbers, the templates of the file it names.

    `account_values` holds each business number with its own credentials, the one that is meant when none is named first.
    """

    values: Mapping[str, Any]
    account_values: tuple[BusinessNumber, ...]
    templates: TemplateBook
    declared: Mapping[str, Declared] = field(
        default_factory=dict
    )  # templates of responses that carry none, by response

    def __getitem__(self, name: str) -> Any:
        """Return a setting's value."""
        return self.values[name]

    @property
    def number_ids(self) -> tuple[str, ...]:
        """Return the ids of the business numbers."""
        return tuple(number.phone_number_id for number in self.account_values)

    def rules(self) -> Rules:
        """Return what the gateway needs of it."""
        intake = IntakeRules(
            number_ids=self.number_ids,
            account_id=self["business_account_id"],
            turns_for=frozenset(self["turns_for"]),
            pause_after_human=self["pause_after_human_seconds"],
            opt_out_keywords=self["opt_out_keywords"],
            opt_in_keywords=self["opt_in_keywords"],
            send_age_limit=self["send_age_limit_seconds"],
            parked=self["parked_seconds"] if self["re_engagement_template"] else None,
            direct_send=self["direct_send"] is not None,
        )
        delivery = DeliveryRules(
            templates=self.templates,
            fallback_languages=self["fallback_languages"],
            written_languages=self._written_languages(),
            utility_needs_opt_in=self["utility_needs_opt_in"],
            settle=self["settle_seconds"],
            age_limit=self["send_age_limit_seconds"],
            order_wait=self["order_wait_seconds"],
            upload_hosts=frozenset(self["upload_hosts"]),
            margin=self["care_window_margin_seconds"],
            direct_send=self["direct_send"] is not None,
            re_engagement=_re_engagement(self.values),
        )
        firing = FiringRules(
            late_limit=self["follow_up_late_limit_seconds"],
            quiet_hours=self["quiet_hours"],
            time_zone=self["time_zone"],
        )
        rates = {number.phone_number_id: number.messages_per_second for number in self.account_values}
        return Rules(
            intake=intake,
            delivery=delivery,
            firing=firing,
            wording=self.wording(),
            declared=self.declared,
            language_slot=self["language_slot"],
            read_receipts=self["read_receipts"],
            typing_indicator=self["typing_indicator"],
            turn_attempts=self["turn_attempts"],
            join=self["join_seconds"],
            merge_texts=self["merge_texts"],
            turns_at_once=self["turns_at_once"],
            retention=self["retention_days"],
            messages_per_second=self["messages_per_second"],
            rates=rates,
            sends_at_once=max(_FEWEST_SENDS, sum(rates.values()) // 2),  # Meta may take half a second for each
            backlog_limit=self["backlog_limit"],
        )

    def _written_languages(self) -> tuple[str, ...]:
        """Return the languages that customers' texts are told from: those of the templates, unless others are set."""
        of_templates = tuple(sorted({each.language for each in self.templates.translations}))
        return of_templates if self["written_languages"] is None else self["written_languages"]

    def wording(self) -> Wording:
        """Return the words and the markup of what the bot says."""
        return Wording(
            list_button=self["list_button"], more_button=self["more_button"], markdown=self["markup"] == MARKDOWN
        )

    def shown(self) -> list[tuple[str, str]]:
        """Return every setting with its value for people to read, secrets masked."""
        shown = {setting.name: _shown(setting, self.values[setting.name]) for setting in SETTINGS}
        if self["numbers"] is not None:
            shown["numbers"] = ", ".join(number.shown() for number in self.account_values)
        return list(shown.items())


def read_settings(block: Mapping[str, Any] | None, *, folder: Path | None = None, file: Path | None = None) -> Settings:
    """Return the settings of a credentials block; raises ConfigInvalid with every problem of it.

    Files are looked for in `folder`, by default the current one. `file` is the one that has the block, where it is known.
    """
    where = f"{CREDENTIALS_KEY} in {file or 'the credentials'}"
    if block is not None and not isinstance(block, Mapping):
        raise ConfigInvalid(where, ["the block is not a mapping of settings to values"])
    given = {str(key): value for key, value in (block or {}).items()}
    problems = unknown_keys(given, [setting.name for setting in SETTINGS])
    values = {
        setting.name: setting.value_in(
            given, problems, required=_required(setting, given) and not _stands_in_numbers(setting, given)
        )
        for setting in SETTINGS
    }
    values["graph_url"] = values["graph_url"] or DEFAULT_URLS[values["provider"]]
    numbers = business_numbers(
        values, problems, required=lambda setting: _required(setting, given) and given.get(setting.name) is None
    )
    templates = TemplateBook()
    declared: Mapping[str, Declared] = {}
    if values["templates"] is not None:
        templates, declared = read_catalogue((folder or Path()) / values["templates"], problems)
    problems += _unusable_re_engagement(values, templates)
    if problems:
        raise ConfigInvalid(where, problems)
    return Settings(values=values, account_values=numbers, templates=templates, declared=declared)


def _re_engagement(values: Mapping[str, Any]) -> TemplateUse | None:
    """Return the template that asks customers to write again, which is filled with nothing; its button may mean something."""
    name, payload = values["re_engagement_template"], values["re_engagement_payload"]
    return TemplateUse(name=name, parameters={}, payloads=(payload,) if payload else ()) if name else None


def _unusable_re_engagement(values: Mapping[str, Any], templates: TemplateBook) -> list[str]:
    """Return why the template that asks customers to write again cannot."""
    use = _re_engagement(values)
    if use is None:
        stray = values["re_engagement_payload"] is not None
        return ["re_engagement_payload: it is for the button of re_engagement_template; give that, too"] * stray
    found = [each for each in templates.translations if each.name == use.name]
    if not found:
        return [
            f"re_engagement_template: {use.name!r} is not among the templates; add it to those that `templates` names"
        ]
    for key, tried in (("re_engagement_template", replace(use, payloads=())), ("re_engagement_payload", use)):
        wanting = [misfit.text for each in found for misfit in misfits(each, tried)]
        if wanting:
            return [f"{key}: {use.name!r} {_CANNOT_GO[key]}: {wanting[0]}"]
    return []


def _required(setting: Setting, given: Mapping[str, Any]) -> bool:
    return setting.required and setting.provider in (None, given.get("provider") or CLOUD_API)


def _stands_in_numbers(setting: Setting, given: Mapping[str, Any]) -> bool:
    return setting.name in PER_NUMBER and given.get("numbers") is not None


def _shown(setting: Setting, value: Any) -> str:
    if value is None:
        return "-"
    if setting.secret:
        return masked(value)
    if setting.name == "database_url":
        return without_password(value)
    if isinstance(value, timedelta):
        return f"{value.days}" if setting.name.endswith("_days") else f"{value.total_seconds():g}"
    if isinstance(value, (QuietHours, tzinfo)):
        return str(value)
    return (", ".join(value) or "none") if isinstance(value, tuple) else repr(value)
