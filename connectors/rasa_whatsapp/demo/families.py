"""Finds every process that a process has started, also those that left its process group, as PostgreSQL's all do.

Law: read from /proc, so Linux only; elsewhere nobody is found.
"""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

PROC = Path("/proc")
ZOMBIE = "Z"


def descendants(pid: int) -> list[int]:
    """Return the ids of all processes that descend from this one, without itself."""
    children = _children()
    found = list(children[pid])
    for at in found:  # grows while it is walked
        found += children[at]
    return found


def is_alive(pid: int) -> bool:
    """Return whether there is such a process and it can still do something."""
    state, _ = _state_and_parent(pid)
    return state not in ("", ZOMBIE)


def command_line(pid: int) -> list[str]:
    """Return the words that a process was started with; a zombie has none."""
    try:
        return (PROC / str(pid) / "cmdline").read_text("utf-8", "replace").split("\0")
    except OSError:
        return []


def _children() -> defaultdict[int, list[int]]:
    children: defaultdict[int, list[int]] = defaultdict(list)
    for path in PROC.glob("[0-9]*"):
        _, parent = _state_and_parent(int(path.name))
        children[parent].append(int(path.name))
    return children


def _state_and_parent(pid: int) -> tuple[str, int]:
    # proc(5): "pid (name) state ppid ...", and the name may hold anything, parentheses too
    try:
        fields = (PROC / str(pid) / "stat").read_text("utf-8", "replace").rpartition(")")[2].split()
    except OSError:  # it has ended
        return "", 0
    return fields[0], int(fields[1])
