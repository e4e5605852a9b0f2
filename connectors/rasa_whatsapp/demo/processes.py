"""Turns a command into a child process with its own process group and log file, which never outlives its starter.

Law: the group is stopped as a whole, and what is left of it when its leader ends is killed; a kill reaches those, too, who left it.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from contextlib import suppress
from pathlib import Path

from rasa_whatsapp.demo.families import descendants, is_alive

TETHER = Path(__file__).with_name("tether.py")
GRACE_SECONDS = 10.0
LAST_BREATH_SECONDS = 5.0


def never() -> bool:
    """Return False: nobody is in a hurry."""
    return False


def nothing() -> None:
    """Do nothing between two looks at a process."""


class Process:
    """A child process. It starts when this is made; its output is appended to `log` (None: this terminal)."""

    def __init__(
        self, name: str, command: Sequence[str], *, folder: Path, environment: Mapping[str, str], log: Path | None
    ) -> None:
        """Start `command` in `folder`; raise OSError when there is no such program or folder."""
        self.name = name
        self.log = log
        self._log_start = log.stat().st_size if log and log.exists() else 0
        self._ended = threading.Event()
        started: Future[subprocess.Popen[bytes]] = Future()
        # The kernel's tether is tied to the *thread* that forked. So each child gets a thread that lives as long as it,
        # and Stack may be used from short-lived threads too.
        threading.Thread(
            target=self._own,
            args=(started, command, folder, dict(environment)),
            name=f"parent of {name}",
            daemon=True,
        ).start()
        self._popen = started.result()

    @property
    def pid(self) -> int:
        """The process id, and the id of its group."""
        return self._popen.pid

    @property
    def exit_code(self) -> int | None:
        """None while it runs; negative: the signal that ended it."""
        return self._popen.returncode if self._ended.is_set() else None

    def wait(self, seconds: float) -> bool:
        """Return whether it ended within `seconds`."""
        return self._ended.wait(seconds)

    def stop(
        self,
        *,
        number: signal.Signals = signal.SIGTERM,
        grace_seconds: float = GRACE_SECONDS,
        hurry: Callable[[], bool] = never,
    ) -> None:
        """Ask the group to end by this signal, and kill it when the grace time is over or `hurry` says so."""
        self._signal(number)
        deadline = time.monotonic() + grace_seconds
        while not self.wait(0.1) and time.monotonic() < deadline and not hurry():
            pass
        self.kill()

    def kill(self) -> None:
        """Kill the whole group, and all that the process started, at once (SIGKILL); return when they are gone."""
        family = self._halted_family()
        self._signal(signal.SIGKILL)
        for pid in family:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self._ended.wait()
        deadline = time.monotonic() + LAST_BREATH_SECONDS
        while any(map(is_alive, family)) and time.monotonic() < deadline:
            time.sleep(0.005)

    def output(self) -> str:
        """Return what it has written to its log since it started."""
        if self.log is None:
            return ""
        with self.log.open("rb") as log:
            log.seek(self._log_start)
            return log.read().decode("utf-8", "replace")

    def _own(
        self,
        started: Future[subprocess.Popen[bytes]],
        command: Sequence[str],
        folder: Path,
        environment: dict[str, str],
    ) -> None:
        """Start the child, wait for its end, and clear up behind it."""
        try:
            popen = spawn(command, folder, environment, self.log)
        except OSError as error:
            started.set_exception(error)
            return
        started.set_result(popen)
        popen.wait()
        signal_group(popen.pid, signal.SIGKILL)
        self._ended.set()

    def _halted_family(self) -> list[int]:
        """Return who descends from the process, which is halted so that they do not become more meanwhile."""
        self._signal(signal.SIGSTOP)
        return [] if self._ended.is_set() else descendants(self.pid)

    def _signal(self, number: signal.Signals) -> None:
        if not self._ended.is_set():
            signal_group(self._popen.pid, number)


def spawn(
    command: Sequence[str], folder: Path, environment: dict[str, str], log: Path | None
) -> subprocess.Popen[bytes]:
    """Start a tethered command as the leader of a new process group."""
    tethered = [sys.executable, "-I", "-S", str(TETHER), str(os.getpid()), *command]
    output = log.open("ab") if log else None
    try:
        return subprocess.Popen(  # noqa: S603 - the command is ours
            tethered,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT if output else None,
            start_new_session=True,
        )
    finally:
        if output:
            output.close()


def signal_group(group: int, number: signal.Signals) -> None:
    """Send a signal to every process of a group; a group that is gone is fine."""
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):  # macOS answers EPERM when only a zombie is left
        return
