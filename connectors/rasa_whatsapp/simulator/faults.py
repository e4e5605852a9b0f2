"""Faults on demand: which thing goes wrong, how, how many times and how likely. Range-checked, off by default.

Each fault draws from a generator of its own, so that with a seed a run can be repeated whatever else is switched on.
A new fault is one row in `FIELDS` and one question to `Faults` at the place where it strikes.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Any

from rasa_whatsapp.simulator.refusals import CODES

# kind -> the settings it knows, beside `times` and `probability`
FIELDS: dict[str, frozenset[str]] = {
    "unreachable": frozenset(),  # every connection to the Graph doors breaks before anything is taken up
    "http_error": frozenset({"status", "code"}),  # a send is refused with this status and code
    "drop_before": frozenset(),  # the connection breaks before the send is taken up
    "drop_after": frozenset(),  # the send is accepted, then the connection breaks without an answer
    "accepted_error": frozenset({"status", "code"}),  # the send is accepted, and answered with an error
    "slow_answer": frozenset({"seconds"}),  # the send is accepted, its answer comes late
    "failed_status": frozenset({"code"}),  # the send is accepted, then fails
    "status_first": frozenset(),  # the `sent` status overtakes the answer to the send
    "hold_statuses": frozenset(),  # statuses wait until the fault is taken away
    "skip_delivered": frozenset(),  # `delivered` is left out
    "reorder_webhooks": frozenset({"seconds"}),  # a webhook is held back, later ones overtake it
    "delay_statuses": frozenset({"seconds"}),  # the same, for webhooks with statuses only
    "duplicate_webhooks": frozenset({"seconds"}),  # a webhook comes once more
    "media_unreachable": frozenset(),  # the send is accepted, then fails because its link cannot be fetched
    "cut_upload": frozenset(),  # of an upload for the app half the bytes arrive, then the connection breaks
}
RANGES: dict[str, tuple[float, float]] = {
    "status": (400, 599),
    "code": (0, 9_999_999),
    "times": (1, 1_000_000),
    "seconds": (0, 120),
    "probability": (0, 1),
    "seed": (0, 2**53),
}
FRACTIONS = frozenset({"seconds", "probability"})
DEFAULTS: dict[str, dict[str, int | float]] = {
    "http_error": {"code": 131000},
    "accepted_error": {"code": 131000},
    "failed_status": {"code": 131026},
    "slow_answer": {"seconds": 5},
    "reorder_webhooks": {"seconds": 2},
    "delay_statuses": {"seconds": 2},
    "duplicate_webhooks": {"seconds": 0},
}


class FaultRefused(ValueError):
    """A fault that the simulator does not know or whose setting is out of range."""


@dataclass(slots=True, kw_only=True)
class Fault:
    """One fault; `times` counts down, None means until changed."""

    kind: str
    times: int | None
    settings: dict[str, int | float]
    probability: float
    random: Random

    def to_json(self) -> dict[str, Any]:
        """Return the fault as the control API shows it."""
        chance = {} if self.probability == 1 else {"probability": self.probability}
        return {"kind": self.kind, **self.settings, **chance, "times": self.times}

    def hits(self) -> bool:
        """Draw whether the fault strikes this time."""
        return self.probability == 1 or self.random.random() < self.probability


class Faults:
    """The faults that are switched on."""

    def __init__(self) -> None:
        """Begin with none."""
        self._faults: list[Fault] = []
        self._seed: int | None = None

    def replace(self, entries: Any, seed: Any = None) -> None:
        """Switch on exactly these faults; the same seed draws the same lots."""
        if not isinstance(entries, list):
            raise FaultRefused("faults must be an array")
        checked = None if seed is None else int(_number(seed, "seed"))
        self._faults = [_fault(entry, _generator(checked, place)) for place, entry in enumerate(entries)]
        self._seed = checked

    def to_json(self) -> list[dict[str, Any]]:
        """Return what is still switched on."""
        return [fault.to_json() for fault in self._faults]

    def shown(self) -> dict[str, Any]:
        """Return what is still switched on as the control API shows it, with the seed if one was given."""
        return {"faults": self.to_json()} | ({} if self._seed is None else {"seed": self._seed})

    @property
    def are_off(self) -> bool:
        """Tell whether there is no fault at all."""
        return not self._faults

    def is_on(self, kind: str) -> bool:
        """Tell whether a fault is switched on, without using it up."""
        return any(fault.kind == kind for fault in self._faults)

    def strike(self, kind: str) -> Fault | None:
        """Return the first fault of a kind that strikes now and count it down, or None."""
        if not self._faults:
            return None
        fault = next((fault for fault in self._faults if fault.kind == kind and fault.hits()), None)
        if fault is not None and fault.times is not None:
            fault.times -= 1
            self._faults = [other for other in self._faults if other.times != 0]
        return fault

    def delay(self, kind: str) -> float | None:
        """Return by how many seconds a fault of a kind that strikes now delays, drawn from 0 to its `seconds`."""
        fault = self.strike(kind)
        return None if fault is None else fault.random.uniform(0, fault.settings["seconds"])


def _generator(seed: int | None, place: int) -> Random:
    return Random() if seed is None else Random(f"{seed}/{place}")  # noqa: S311 - lots, not secrets


def _fault(entry: Any, random: Random) -> Fault:
    if not isinstance(entry, dict) or entry.get("kind") not in FIELDS:
        raise FaultRefused(f"kind must be one of {', '.join(sorted(FIELDS))}")
    kind = entry["kind"]
    unknown = set(entry) - FIELDS[kind] - {"kind", "times", "probability"}
    if unknown:
        raise FaultRefused(f"{kind} knows no {', '.join(sorted(unknown))}")
    times = entry.get("times")
    if kind == "hold_statuses" and times is not None:
        raise FaultRefused("hold_statuses lasts until it is taken away, it knows no times")
    return Fault(
        kind=kind,
        times=None if times is None else int(_number(times, "times")),
        settings=_settings(kind, entry),
        probability=_number(entry.get("probability", 1), "probability"),
        random=random,
    )


def _settings(kind: str, entry: dict[str, Any]) -> dict[str, int | float]:
    settings = DEFAULTS.get(kind, {}) | {name: _number(entry[name], name) for name in FIELDS[kind] if name in entry}
    if "status" in FIELDS[kind]:
        settings.setdefault("status", CODES.get(int(settings["code"]), (500, ""))[0])
    return settings


def _number(value: Any, name: str) -> int | float:
    low, high = RANGES[name]
    whole = name not in FRACTIONS
    if isinstance(value, bool) or not isinstance(value, int if whole else (int, float)) or not low <= value <= high:
        raise FaultRefused(f"{name} must be a {'whole ' if whole else ''}number from {low:g} to {high:g}")
    return int(value) if whole else float(value)
