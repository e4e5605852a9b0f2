"""A short run of benchmarks/chaos.py on the cluster of the tests: servers die at random, and nothing is lost or said twice."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"
QUIET_SECONDS = 15.0  # longer than the settle_seconds of this cluster: what is sent again, is sent by then


@pytest.fixture
def chaos(monkeypatch):
    """Return the benchmark's module."""
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    import chaos as module

    yield module
    for name in ("chaos", "chaos_customers", "chaos_judge", "report"):
        sys.modules.pop(name, None)


def test_nothing_is_lost_and_nothing_comes_twice(cluster, chaos):
    """By the simulator's own record: each message answered once and in order, each follow-up once, no free form outside the window."""
    said: list[str] = []
    findings, kills = chaos.run(
        cluster, seed=20261125, turns=48, kills=6, customers=12, say=said.append, quiet_seconds=QUIET_SECONDS
    )
    assert sum(kills.values()) == 6, said
    assert (findings.turns, findings.follow_ups) == (48, 12)
    assert findings.wrong == {
        "lost": [],
        "twice": [],
        "unasked": [],
        "out of order": [],
        "free form outside the window": [],
    }, said


def test_the_judge_sees_what_is_wrong(chaos):
    """A message without its answer, one answered twice, answers swapped, a follow-up missing, words outside the window."""

    def line(direction, wamid, **more):
        plain = {
            "direction": direction, "wamid": wamid, "wa_id": "49151", "text": "Hello", "state": "delivered",
            "template": None, "callback_data": None, "window_open": True,
        }  # fmt: skip
        return plain | more

    record = [
        line("in", "a"),
        line("in", "b"),
        line("in", "c"),
        line("in", "d"),
        line("out", "1", callback_data="b#1"),
        line("out", "2", callback_data="a#1"),
        line("out", "3", callback_data="c#1"),
        line("out", "4", callback_data="c#1"),
        line("out", "5", callback_data="x#1"),
        line("out", "6", callback_data="follow-up:7#1", window_open=False),
        line("out", "7", callback_data="d#1", state="failed"),
    ]
    found = chaos.judge(record, follow_ups_due={"49151": 1, "49152": 1})
    assert found.wrong == {
        "lost": ["d#1", "follow-up of 9152"],
        "twice": ["c#1"],
        "unasked": ["x#1"],
        "out of order": ["a#1"],
        "free form outside the window": ["follow-up:7#1"],
    }
    assert (found.turns, found.answers, found.follow_ups, found.is_clean) == (4, 2, 1, False)
