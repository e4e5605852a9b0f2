"""Runs servers that belong together: starts them, waits until each answers, stops them all.

    with Stack(servers, folder=bot, logs=tmp_path) as stack:
        stack.start()                  # all, each answering; a server that fails takes the others with it
        stack.url("rasa")              # "http://127.0.0.1:5005"
        stack.kill("rasa")             # SIGKILL to it and all that it started, as if power had failed
        stack.start("rasa")            # the same command again; returns when it answers
        stack.stop("actions")          # its stop signal, then SIGKILL after a grace time
        stack.log("rasa")              # all that it has written in this stack's life

Synchronous, for one thread at a time. Law: when the block is left, or this process dies, no server is left running.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from http.client import HTTPException
from pathlib import Path
from types import TracebackType
from typing import final
from urllib.request import ProxyHandler, build_opener

from rasa_whatsapp.demo.failures import ServerFailed
from rasa_whatsapp.demo.ports import HOST
from rasa_whatsapp.demo.processes import GRACE_SECONDS, Process, never, nothing

TAIL_LINES = 25
START_LIMIT_SECONDS = 180.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A command that answers HTTP 200 on `health` when it is ready; or that is asked otherwise, by `probe`."""

    name: str
    command: tuple[str, ...]
    port: int
    health: str = "/"
    probe: Callable[[int], bool] | None = None
    """Returns whether what listens on this port is ready, where HTTP is not spoken or says nothing."""
    address: str = ""
    """What its clients are told, if that is not an address of HTTP."""
    stop_signal: signal.Signals = signal.SIGTERM
    """Asks it to end in an orderly way."""
    environment: Mapping[str, str] = field(default_factory=dict)
    comes_first: bool = False
    """The servers after it in the list are started only when it answers."""

    @property
    def url(self) -> str:
        """Its address without a trailing slash."""
        return self.address or f"http://{HOST}:{self.port}"

    @property
    def door(self) -> str:
        """Where it is asked whether it is ready, in words that may be shown: no password is in it."""
        return f"on port {self.port}" if self.probe else self.url + self.health

    def is_ready(self) -> bool:
        """Ask it whether it is ready."""
        return self.probe(self.port) if self.probe else answers(self.url + self.health)


@final
class Stack:
    """The servers of one bot, see the module's docstring."""

    def __init__(
        self,
        servers: Sequence[Server],
        *,
        folder: Path,
        logs: Path,
        limit_seconds: float = START_LIMIT_SECONDS,
        tick: Callable[[], None] = nothing,
        hurry: Callable[[], bool] = never,
    ) -> None:
        """Start nothing yet.

        `tick` is called several times a second while waiting; what it raises ends the waiting. `hurry` cuts the grace time of
        servers that are being stopped.
        """
        self.servers = {server.name: server for server in servers}
        self._folder = folder
        self._logs = logs
        self._limit_seconds = limit_seconds
        self._tick = tick
        self._hurry = hurry
        self._processes: dict[str, Process] = {}
        logs.mkdir(parents=True, exist_ok=True)
        for name in self.servers:
            self.log_path(name).write_bytes(b"")

    def __enter__(self) -> Stack:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def url(self, name: str) -> str:
        """Return a server's address without a trailing slash."""
        return self.servers[name].url

    def log_path(self, name: str) -> Path:
        """Return the file that a server's output goes to; it is emptied when a stack is made."""
        return self._logs / f"{name}.log"

    def log(self, name: str) -> str:
        """Return what a server has written in this stack's life, over restarts."""
        return self.log_path(name).read_text("utf-8", "replace")

    def pid(self, name: str) -> int:
        """Return the process id of a server that was started."""
        return self._processes[name].pid

    def is_running(self, name: str) -> bool:
        """Return whether the server was started and has not ended."""
        return name in self._processes and self._processes[name].exit_code is None

    def start(self, name: str | None = None) -> None:
        """Start one server, or all that do not run; return when each answers.

        If one fails all are stopped and ServerFailed is raised.
        """
        wanted = [self.servers[name]] if name else [s for s in self.servers.values() if not self.is_running(s.name)]
        try:
            for wave in _waves(wanted):
                self._start_together(wave)
        except BaseException:
            self.close()
            raise

    def launch(self, name: str) -> None:
        """Start one server and return at once. Follow with `wait_ready`."""
        if self.is_running(name):
            message = f"{name} is running already"
            raise ValueError(message)
        server = self.servers[name]
        self._processes[name] = Process(
            name, server.command, folder=self._folder, environment=server.environment, log=self.log_path(name)
        )

    def wait_ready(self, name: str) -> None:
        """Return when the server answers; raise ServerFailed when it ended or is over its time limit."""
        server, process = self.servers[name], self._processes[name]
        deadline = time.monotonic() + self._limit_seconds
        while not server.is_ready():
            self._tick()
            if process.exit_code is not None:
                raise self._failure(name, f"ended with exit code {process.exit_code} before it answered")
            if time.monotonic() > deadline:
                problem = f"did not answer {server.door} within {self._limit_seconds:.0f} seconds"
                raise self._failure(name, problem)
            process.wait(0.2)

    def watch(self) -> None:
        """Call `tick` until it raises; raise ServerFailed as soon as a running server ends by itself."""
        while True:
            self._tick()
            self.check()
            time.sleep(0.2)

    def check(self) -> None:
        """Raise ServerFailed if a server has ended that nobody stopped or killed through this stack."""
        for name in self.fallen():
            raise self._failure(name, f"ended by itself with exit code {self._processes[name].exit_code}")

    def fallen(self) -> list[str]:
        """Return the servers that have ended, though nobody stopped or killed them through this stack."""
        return [name for name, process in self._processes.items() if process.exit_code is not None]

    def stop(self, name: str, *, grace_seconds: float = GRACE_SECONDS) -> None:
        """Stop a server in an orderly way, and kill it after the grace time. One that does not run is fine."""
        if name in self._processes:
            number = self.servers[name].stop_signal
            self._processes[name].stop(number=number, grace_seconds=grace_seconds, hurry=self._hurry)
            del self._processes[name]

    def kill(self, name: str) -> None:
        """Kill a server with SIGKILL, and all that it started."""
        self._processes.pop(name).kill()

    def close(self) -> None:
        """Stop every server, the last started first: who sends before who is sent to."""
        for name in reversed(list(self._processes)):
            self.stop(name)

    def _start_together(self, wave: Sequence[Server]) -> None:
        for server in wave:
            self.launch(server.name)
        for server in wave:
            self.wait_ready(server.name)

    def _failure(self, name: str, problem: str) -> ServerFailed:
        lines = self._processes[name].output().splitlines()[-TAIL_LINES:]
        tail = "\n".join(f"    {line}" for line in lines) or "    (nothing)"
        return ServerFailed(f"{name} {problem}. The last lines of {self.log_path(name)}:\n{tail}")


def answers(url: str) -> bool:
    """Return whether the address answers 200 within two seconds."""
    # Without a proxy that the environment may name: these servers are on this machine.
    opener = build_opener(ProxyHandler({}))
    try:
        with opener.open(url, timeout=2) as response:
            return bool(response.status == 200)
    except (OSError, HTTPException):
        return False


def _waves(servers: Sequence[Server]) -> list[list[Server]]:
    waves: list[list[Server]] = [[]]
    for server in servers:
        waves[-1].append(server)
        if server.comes_first:
            waves.append([])
    return waves
