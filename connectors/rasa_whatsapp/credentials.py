"""Read the channel's block from credentials.yml, as Rasa does it: `${NAME}` comes from the environment.

Also what the block says of the provider: an account for each business number, and the secrets that sign the webhooks.
"""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

from rasa_whatsapp import yaml_files
from rasa_whatsapp.cloud.providers import (
    DIALOG_360,
    Account,
    BusinessAccount,
    business_account,
    cloud_api,
    dialog360,
)
from rasa_whatsapp.config import CREDENTIALS_KEY, Settings, read_settings
from rasa_whatsapp.errors import ConfigInvalid
from rasa_whatsapp.settings.numbers import BusinessNumber

PATH_VARIABLE = "RASA_WHATSAPP_CREDENTIALS"
_VARIABLE = re.compile(r"\$\{(\w+)\}")
_ACCOUNT_KEYS = ("provider", "phone_number_id", "numbers", "access_token", "graph_url", "api_version", "media_hosts")
# What is required of a channel, but not of who only calls the provider; nothing is verified by these.
_STAND_INS = {"app_secret": "-", "verify_token": "-", "webhook_secret": "-"}


def default_path() -> Path:
    """Return the file that RASA_WHATSAPP_CREDENTIALS names, else `credentials.yml` in the current folder."""
    return Path(os.environ.get(PATH_VARIABLE, "").strip() or "credentials.yml")


def load(path: Path) -> Settings:
    """Return the settings of the file's block; raises ConfigInvalid with everything that is wrong.

    Files that it names are looked for in the current folder, where Rasa looks for them too.
    """
    return _read(path, _block(path))


def load_unchecked(path: Path) -> dict[str, Any]:
    """Return what the file's block says, right or wrong, variables as far as the environment has them; nothing without a block."""
    try:
        block = _block(path)
    except ConfigInvalid:
        return {}
    return {str(key): _expanded(value) for key, value in block.items()} if isinstance(block, dict) else {}


def load_accounts(path: Path) -> dict[str, Account]:
    """Return the accounts of the file's block; what they do not need may be missing, such as the secrets of the webhook.

    Raises ConfigInvalid with everything that is wrong with the rest.
    """
    return accounts(_load_for_calls(path, _ACCOUNT_KEYS))


def load_business_account(path: Path) -> BusinessAccount:
    """Return the account that owns the templates, with the token of the number that is meant when none is named.

    What its calls do not need may be missing. Raises ConfigInvalid with everything that is wrong with the rest.
    """
    settings = _load_for_calls(path, (*_ACCOUNT_KEYS, "business_account_id", "app_id"))
    if is_dialog360(settings):
        raise ConfigInvalid(
            str(path),
            ["provider: these commands speak Meta's own API for templates, which 360dialog has not; manage them there"],
        )
    if settings["business_account_id"] is None:
        raise ConfigInvalid(
            str(path),
            [
                "business_account_id: missing; it names the account that owns the templates "
                "(WhatsApp Manager shows it, digits)"
            ],
        )
    return business_account(
        account_id=settings["business_account_id"],
        access_token=settings.account_values[0].access_token,
        graph_url=settings["graph_url"],
        api_version=settings["api_version"],
        app_id=settings["app_id"],
    )


def accounts(settings: Settings) -> dict[str, Account]:
    """Return the account of each business number by its phone_number_id, the one that is meant when none is named first."""
    return {number.phone_number_id: _account(settings, number) for number in settings.account_values}


def app_secrets(settings: Settings) -> tuple[str, ...]:
    """Return the secrets that may have signed a webhook: one for each app that is subscribed."""
    given = (number.app_secret for number in settings.account_values)
    return tuple(dict.fromkeys(secret for secret in given if secret))


def is_dialog360(settings: Settings) -> bool:
    """Tell whether the numbers are at 360dialog."""
    return bool(settings["provider"] == DIALOG_360)


def _account(settings: Settings, number: BusinessNumber) -> Account:
    shared = {"number_id": number.phone_number_id, "media_hosts": settings["media_hosts"]}
    if is_dialog360(settings):
        return dialog360(api_key=number.access_token, base_url=settings["graph_url"], **shared)
    return cloud_api(
        access_token=number.access_token,
        graph_url=settings["graph_url"],
        api_version=settings["api_version"],
        **shared,
    )


def _block(path: Path) -> Any:
    try:
        content = yaml_files.load(path)
    except yaml_files.Unreadable as problem:
        raise ConfigInvalid(str(path), [f"it cannot be read: {problem}"]) from problem
    if not isinstance(content, dict) or CREDENTIALS_KEY not in content:
        raise ConfigInvalid(str(path), [f"it has no block {CREDENTIALS_KEY}"])
    return content[CREDENTIALS_KEY]


def _load_for_calls(path: Path, keys: Collection[str]) -> Settings:
    """Return the settings of these keys; of the others none is needed by who only calls the provider."""
    block = _block(path)
    if isinstance(block, dict):
        needed = {key: value for key, value in block.items() if key in keys}
        if isinstance(needed.get("numbers"), list):
            needed["numbers"] = [_without_app_secret(number) for number in needed["numbers"]]
        block = needed | _STAND_INS
    return _read(path, block)


def _read(path: Path, block: Any) -> Settings:
    if not isinstance(block, dict):
        return read_settings(block, file=path)
    missing = list(_missing(block))
    problems = [f"{place}: the environment variable {name} is not set" for place, name in missing]
    told = {known for place, _ in missing for known in (place, re.sub(r"\[\d+\]$", "", place))}  # or its list
    try:
        settings = read_settings(_expanded(block))
    except ConfigInvalid as found:
        problems += [problem for problem in found.problems if problem.split(":")[0] not in told]
    if problems:
        raise ConfigInvalid(str(path), problems)
    return settings


def _without_app_secret(number: Any) -> Any:
    return {key: value for key, value in number.items() if key != "app_secret"} if isinstance(number, dict) else number


def _missing(value: Any, place: str = "") -> Iterator[tuple[str, str]]:
    """Yield the place and the name of each variable that the environment lacks."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _missing(item, f"{place}.{key}" if place else str(key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _missing(item, f"{place}[{index}]")
    elif isinstance(value, str):
        yield from ((place, name) for name in _VARIABLE.findall(value) if name not in os.environ)


def _expanded(value: Any) -> Any:
    """Return the value with its variables; one that the environment lacks stays as it is written."""
    if isinstance(value, list):
        return [_expanded(item) for item in value]
    if isinstance(value, dict):
        return {key: _expanded(item) for key, item in value.items()}
    return _VARIABLE.sub(lambda found: os.environ.get(found[1], found[0]), value) if isinstance(value, str) else value
