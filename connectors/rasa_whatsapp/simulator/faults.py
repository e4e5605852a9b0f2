"""Faults on demand: which thing goes wrong, how, and how many times. Range-checked, off by default.

A new fault is one row in `FIELDS` and one question to `Faults` at the place where it strikes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from rasa_whatsapp.simulator.refusals import CODES

# kind -> the settings it knows, beside `times`
FIELDS: dict[str, frozenset[str]] = {
    "http_error": frozenset({"status", "code"}),  # a send is refused with this status and code
    "drop_before": frozenset(),  # the connection breaks before the send is taken up
    "drop_after": frozenset(),  # the send is accepted, then the connection breaks without an answer
    "slow_answer": frozenset({"seconds"}),  # the send is accepted, its answer comes late
    "failed_status": frozenset({"code"}),  # the send is accepted, then fails
    "status_first": frozenset(),  # the `sent` status overtakes the answer to the send
    "hold_statuses": frozenset(),  # statuses wait until the fault is taken away
    "skip_delivered": frozenset(),  # `delivered` is left out
    "duplicate_webhooks": frozenset(),  # a webhook that was taken comes once more
    "media_unreachable": frozenset(),  # the send is accepted, then fails because its link cannot be fetched
}
RANGES: dict[str, tuple[float, float]] = {
    "status": (400, 599),
    "code": (0, 9_999_999),
    "times": (1, 1_000_000),
    "seconds": (0, 120),
}
DEFAULTS: dict[str, dict[str, int | float]] = {
    "http_error": {"code": 131000},
    "failed_status": {"code": 131026},
    "slow_answer": {"seconds": 5},
}


class FaultRefused(ValueError):
    """A fault that the simulator does not know or whose setting is out of range."""


@dataclass(slots=True)
class Fault:
    """One fault; `times` counts down, None means until changed."""

    kind: str
    times: int | None
    settings: dict[str, int | float]

    def to_json(self) -> dict[str, Any]:
        """Return the fault as the control API shows it."""
        return {"kind": self.kind, **self.settings, "times": self.times}


class Faults:
    """The faults that are switched on."""

    def __init__(self) -> None:
        """Begin with none."""
        self._faults: list[Fault] = []

    def replace(self, entries: Any) -> None:
        """Switch on exactly these faults."""
        if not isinstance(entries, list):
            raise FaultRefused("faults must be an array")
        self._faults = [_fault(entry) for entry in entries]

    def to_json(self) -> list[dict[str, Any]]:
        """Return what is still switched on."""
        return [fault.to_json() for fault in self._faults]

    def is_on(self, kind: str) -> bool:
        """Tell whether a fault is switched on, without using it up."""
        return any(fault.kind == kind for fault in self._faults)

    def strike(self, kind: str) -> Fault | None:
        """Return the first fault of a kind and count it down, or None."""
        fault = next((fault for fault in self._faults if fault.kind == kind), None)
        if fault is not None and fault.times is not None:
            fault.times -= 1
            self._faults = [other for other in self._faults if other.times != 0]
        return fault


def _fault(entry: Any) -> Fault:
    if not isinstance(entry, dict) or entry.get("kind") not in FIELDS:
        raise FaultRefused(f"kind must be one of {', '.join(sorted(FIELDS))}")
    kind = entry["kind"]
    unknown = set(entry) - FIELDS[kind] - {"kind", "times"}
    if unknown:
        raise FaultRefused(f"{kind} knows no {', '.join(sorted(unknown))}")
    settings = DEFAULTS.get(kind, {}) | {name: _number(entry[name], name) for name in FIELDS[kind] if name in entry}
    if kind == "http_error":
        settings.setdefault("status", CODES.get(int(settings["code"]), (500, ""))[0])
    times = entry.get("times")
    if kind == "hold_statuses" and times is not None:
        raise FaultRefused("hold_statuses lasts until it is taken away, it knows no times")
    return Fault(kind, None if times is None else int(_number(times, "times")), settings)


def _number(value: Any, name: str) -> int | float:
    low, high = RANGES[name]
    whole = name != "seconds"
    if isinstance(value, bool) or not isinstance(value, int if whole else (int, float)) or not low <= value <= high:
        raise FaultRefused(f"{name} must be a {'whole ' if whole else ''}number from {low:g} to {high:g}")
    return int(value) if whole else float(value)
