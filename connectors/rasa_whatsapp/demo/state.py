"""The folder where a demo keeps what must survive a restart: chats, trackers, the plugin's store, logs.

Law: one demo at a time uses it, also after a crash (the lock is the kernel's), and version control never sees it.
"""

from __future__ import annotations

import fcntl
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rasa_whatsapp.demo.failures import AlreadyRunning

STATE = ".demo"


@contextmanager
def occupied(state: Path, owner: str) -> Iterator[None]:
    """Hold the folder, made if missing, for this process; raise AlreadyRunning when another one holds it."""
    state.mkdir(parents=True, exist_ok=True)
    (state / ".gitignore").write_text("*\n", "utf-8")
    with (state / "lock").open("a+", encoding="utf-8") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            lock.seek(0)
            owner = lock.read().strip() or "starting"
            raise AlreadyRunning(f"This bot runs already with the folder {state.name} ({owner}).") from None
        lock.truncate(0)
        lock.write(owner)
        lock.flush()
        yield


def forget(state: Path) -> None:
    """Delete all that a demo has stored, but for the lock that we hold and the word to version control."""
    for path in state.iterdir():
        if path.name in {"lock", ".gitignore"}:
            continue
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()
