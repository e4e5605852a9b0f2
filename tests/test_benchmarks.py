"""The benchmarks are run by hand: here they only have to start, and one of them to come to its end with a small load."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).resolve().parents[1] / "benchmarks"
COMMANDS = ("chaos", "drain", "five_messages", "follow_ups", "intake", "sending", "turn_overhead")


def run(name: str, *options: str) -> str:
    """Run a benchmark and return what it prints."""
    done = subprocess.run(
        [sys.executable, BENCHMARKS / f"{name}.py", *options], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("name", COMMANDS)
def test_help(name):
    """Each tells its options."""
    assert "Usage:" in run(name, "--help")


def test_follow_ups():
    """All that are due are claimed, on both databases; the table says what it compared."""
    told = run("follow_ups", "--pending", "200", "--due", "50", "--count", "2")
    assert "200 pending follow-ups, of which 50 fall due" in told
    assert [line.split("|")[1].strip() for line in told.splitlines()[5:7]] == ["SQLite", "PostgreSQL"]
