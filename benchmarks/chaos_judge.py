"""Holds what a simulated WhatsApp recorded against what should have happened. Pure: lines of the record in, findings out.

What each text is answered with is written down here by hand, from the example bot's rules.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

# what a customer writes -> how many messages answer it
ANSWERS: Mapping[str, int] = {
    "Hello": 1,
    "How long can you write to me?": 1,
    "How long does delivery take?": 1,
    "Where is order 1002?": 2,
    "What do you store about me?": 1,
    "remind me tomorrow about it": 1,
}
REMINDER = "remind me tomorrow about it"
Line = Mapping[str, Any]


@dataclass
class Findings:
    """What went right, and what did not; each list should be empty."""

    turns: int = 0
    answers: int = 0
    follow_ups: int = 0
    lost: list[str] = field(default_factory=list)
    twice: list[str] = field(default_factory=list)
    unasked: list[str] = field(default_factory=list)
    out_of_order: list[str] = field(default_factory=list)
    outside_window: list[str] = field(default_factory=list)

    @property
    def wrong(self) -> dict[str, list[str]]:
        """Return what should be empty."""
        return {
            "lost": self.lost,
            "twice": self.twice,
            "unasked": self.unasked,
            "out of order": self.out_of_order,
            "free form outside the window": self.outside_window,
        }

    @property
    def is_clean(self) -> bool:
        """Tell whether everything happened as it should."""
        return not any(self.wrong.values())


def judge(lines: Sequence[Line], *, follow_ups_due: Mapping[str, int]) -> Findings:
    """Return what the record shows: every message answered once and in order, every follow-up that is due once."""
    found = Findings()
    asked = [line for line in lines if line["direction"] == "in"]
    said = [line for line in lines if line["direction"] == "out" and line["state"] != "failed"]
    expected = {
        f"{line['wamid']}#{ordinal}": (line["wa_id"], position, ordinal)
        for position, line in enumerate(asked)
        for ordinal in range(1, ANSWERS[line["text"]] + 1)
    }
    times = Counter(str(line["callback_data"]) for line in said)
    _judge_answers(found, expected, times)
    _judge_order(found, expected, said)
    _judge_follow_ups(found, said, follow_ups_due)
    found.turns = len(asked)
    found.outside_window = [
        str(line["callback_data"])
        for line in lines
        if line["direction"] == "out" and line["template"] is None and not line["window_open"]
    ]
    return found


def _judge_answers(found: Findings, expected: Mapping[str, Any], times: Counter[str]) -> None:
    found.answers = sum(1 for key in expected if times[key] == 1)
    found.lost = [key for key in expected if times[key] == 0]
    found.twice = [key for key, count in times.items() if count > 1]
    found.unasked = [key for key in times if key not in expected and not key.startswith("follow-up:")]


def _judge_order(found: Findings, expected: Mapping[str, tuple[str, int, int]], said: Sequence[Line]) -> None:
    latest: dict[str, tuple[int, int]] = {}
    for line in said:
        key = str(line["callback_data"])
        if key not in expected:
            continue
        wa_id, *place = expected[key]
        if tuple(place) < latest.get(wa_id, (-1, -1)):
            found.out_of_order.append(key)
        latest[wa_id] = max(latest.get(wa_id, (-1, -1)), (place[0], place[1]))


def _judge_follow_ups(found: Findings, said: Sequence[Line], due: Mapping[str, int]) -> None:
    came: dict[str, set[str]] = defaultdict(set)
    for line in said:
        key = str(line["callback_data"])
        if key.startswith("follow-up:") and key.endswith("#1"):
            came[line["wa_id"]].add(key)
    found.follow_ups = sum(min(len(came[wa_id]), count) for wa_id, count in due.items())
    found.lost += [f"follow-up of {wa_id[-4:]}" for wa_id, count in due.items() if len(came[wa_id]) < count]
    found.twice += [f"follow-up of {wa_id[-4:]}" for wa_id in came if len(came[wa_id]) > due.get(wa_id, 0)]
