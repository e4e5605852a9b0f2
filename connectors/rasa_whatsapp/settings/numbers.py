"""The business numbers of one bot: the block's own, and those of the list `numbers`, each with what it does not share.

Law: the first number is the one that is meant when none is named; every number has all that its provider asks for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from rasa_whatsapp.cloud.providers import DIALOG_360
from rasa_whatsapp.settings.keys import SETTINGS
from rasa_whatsapp.settings.setting import Setting, masked, unknown_keys

PER_NUMBER = ("phone_number_id", "access_token", "app_secret", "messages_per_second")
_SETTINGS: tuple[Setting, ...] = tuple(setting for setting in SETTINGS if setting.name in PER_NUMBER)


@dataclass(frozen=True, slots=True, kw_only=True)
class BusinessNumber:
    """One number's credentials and its throughput; `app_secret` is None where the provider signs nothing."""

    phone_number_id: str
    access_token: str = field(repr=False)
    app_secret: str | None = field(default=None, repr=False)
    messages_per_second: int

    def shown(self) -> str:
        """Return it for people to read, secrets masked."""
        secrets = (("access_token", self.access_token), ("app_secret", self.app_secret))
        told = [f"{name} {masked(value)}" for name, value in secrets if value]
        return f"{self.phone_number_id} ({', '.join([*told, f'{self.messages_per_second} messages/s'])})"


def business_numbers(
    block: Mapping[str, Any], problems: list[str], *, required: Callable[[Setting], bool]
) -> tuple[BusinessNumber, ...]:
    """Return the numbers of a block whose single values are read; adds what is wrong with the entries of `numbers`.

    `required` says what the block does not give; an entry has the block's other values unless it has its own.
    """
    own = {name: block[name] for name in PER_NUMBER}
    if block["numbers"] is None:
        return (BusinessNumber(**own),)  # what it lacks is told with the block's other keys
    shared = {name: value for name, value in own.items() if name != "phone_number_id"}
    found: dict[str, dict[str, Any]] = {}
    for index, entry in enumerate(block["numbers"]):
        given = {str(key): value for key, value in entry.items() if value is not None}
        at = f"numbers[{index}]."
        problems += unknown_keys(given, PER_NUMBER, at=at)
        found[at] = _read(shared | given, problems, required, at)
    _refuse_twins(found, "phone_number_id", "each number stands in the list once", problems)
    if own["phone_number_id"] not in [None, *(values["phone_number_id"] for values in found.values())]:
        found = {"": _read(own, problems, required, ""), **found}
    if block["provider"] == DIALOG_360:
        _refuse_twins(found, "access_token", "360dialog has a key for each number", problems)
    return tuple(BusinessNumber(**values) for values in found.values())


def _read(
    given: Mapping[str, Any], problems: list[str], required: Callable[[Setting], bool], at: str
) -> dict[str, Any]:
    return {
        setting.name: setting.value_in(
            given, problems, required=setting.name == "phone_number_id" or required(setting), at=at
        )
        for setting in _SETTINGS
    }


def _refuse_twins(found: Mapping[str, Mapping[str, Any]], name: str, reason: str, problems: list[str]) -> None:
    first: dict[str, str] = {}
    for at, values in found.items():
        if values[name] in first:
            problems.append(f"{at}{name}: the same as {first[values[name]]}{name}; {reason}")
        elif values[name] is not None:
            first[values[name]] = at
