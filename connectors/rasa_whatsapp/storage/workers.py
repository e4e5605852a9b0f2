"""Who runs transactions off the event loop: one thread that shares commits (SQLite), or several at once (PostgreSQL).

Law: a work is a function of a connection and nothing else, so it may run again: after a conflict, or when a neighbour in the
same commit failed.
"""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from time import monotonic
from typing import Any, Protocol

from sqlalchemy.engine import Connection, Engine

from rasa_whatsapp.storage.engines import POSTGRESQL_CONNECTIONS, is_conflict

Work = Callable[[Connection], Any]

_MOST_IN_ONE_COMMIT = 64
_MOST_TRIES = 5
_LOOK_SECONDS = 0.02  # how soon a commit of another process is noticed


class Worker(Protocol):
    """Runs works."""

    async def run(self, work: Work) -> Any:
        """Return what the work returns, durable; raises what it raises, and then it has done nothing."""

    def listen(self, changed: Callable[[], None]) -> None:
        """Have `changed` called, in any thread, after another process has stored something; where that can be noticed."""

    def close(self) -> None:
        """Finish what was begun."""


def run_once(engine: Engine, work: Work) -> Any:
    """Return what the work returns, in one transaction; after a conflict it runs again."""
    for tries in range(1, _MOST_TRIES + 1):
        try:
            with engine.begin() as connection:
                return work(connection)
        except Exception as problem:
            if tries == _MOST_TRIES or not is_conflict(problem):
                raise
    raise AssertionError("unreachable")


class ManyThreads:
    """For a server that runs transactions at once."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._threads = ThreadPoolExecutor(POSTGRESQL_CONNECTIONS, thread_name_prefix="rasa-whatsapp-store")

    async def run(self, work: Work) -> Any:
        """See `Worker`."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, run_once, self._engine, work)

    def listen(self, changed: Callable[[], None]) -> None:
        """Other processes tell by NOTIFY: see listening.py."""

    def close(self) -> None:
        """See `Worker`."""
        self._threads.shutdown(wait=True)


@dataclass(frozen=True, slots=True)
class _Task:
    work: Work
    loop: asyncio.AbstractEventLoop
    future: asyncio.Future[Any]


@dataclass(frozen=True, slots=True)
class _Outcome:
    task: _Task
    result: Any = None
    problem: Exception | None = None

    def tell(self) -> None:
        """Settle the future, in its loop."""
        if self.task.future.done():  # whoever waited was cancelled
            return
        if self.problem is not None:
            self.task.future.set_exception(self.problem)
        else:
            self.task.future.set_result(self.result)


class OneThread:
    """For an SQLite file: one transaction at a time. What is wanted while one runs shares the next one's commit."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._tasks: queue.SimpleQueue[_Task | None] = queue.SimpleQueue()
        self._changed: Callable[[], None] | None = None
        self._thread = threading.Thread(target=self._serve, name="rasa-whatsapp-store", daemon=True)
        self._thread.start()

    async def run(self, work: Work) -> Any:
        """See `Worker`."""
        loop = asyncio.get_running_loop()
        task = _Task(work, loop, loop.create_future())
        self._tasks.put(task)
        return await task.future

    def listen(self, changed: Callable[[], None]) -> None:
        """See `Worker`."""
        self._changed = changed

    def close(self) -> None:
        """See `Worker`."""
        self._tasks.put(None)
        self._thread.join()

    def _serve(self) -> None:
        seen: int | None = None
        looked = 0.0
        while True:
            try:
                task = self._tasks.get(timeout=_LOOK_SECONDS if self._changed else None)
            except queue.Empty:
                seen, looked = self._look(seen), monotonic()
                continue
            if task is None:
                return
            group = self._group(task)
            _tell(self._run_together(group))
            if self._changed and monotonic() - looked > _LOOK_SECONDS:
                seen, looked = self._look(seen), monotonic()

    def _group(self, first: _Task) -> list[_Task]:
        group = [first]
        while len(group) < _MOST_IN_ONE_COMMIT:
            try:
                task = self._tasks.get_nowait()
            except queue.Empty:
                break
            if task is None:
                self._tasks.put(None)  # the end comes after these
                break
            group.append(task)
        return group

    def _run_together(self, group: list[_Task]) -> list[_Outcome]:
        if len(group) == 1:
            return [self._run_alone(group[0])]
        try:
            with self._engine.begin() as connection:
                return [_Outcome(task, task.work(connection)) for task in group]
        except Exception:  # noqa: BLE001 - all of it is undone: each runs alone, and who fails then is to blame
            return [self._run_alone(task) for task in group]

    def _run_alone(self, task: _Task) -> _Outcome:
        try:
            return _Outcome(task, run_once(self._engine, task.work))
        except Exception as problem:  # noqa: BLE001 - it is raised where it is waited for
            return _Outcome(task, problem=problem)

    def _look(self, seen: int | None) -> int | None:
        """Notice commits of other processes: SQLite counts them, and not those of this connection."""
        try:
            connection = self._engine.raw_connection()
            version = int(connection.cursor().execute("PRAGMA data_version").fetchone()[0])
            connection.close()  # back into the pool
        except Exception:  # noqa: BLE001 - the file is away for a moment: the tick looks, too
            return seen
        if seen is not None and version != seen and self._changed:
            self._changed()
        return version


def _tell(outcomes: list[_Outcome]) -> None:
    """Settle all futures of a commit by one message to their loop."""
    loop = outcomes[0].task.loop

    def settle() -> None:
        for outcome in outcomes:
            outcome.tell()

    try:
        loop.call_soon_threadsafe(settle)
    except RuntimeError:  # the loop was closed: nobody waits any more
        return
