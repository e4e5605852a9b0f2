"""Servers that belong together: started together, stopped together, none left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from urllib.request import urlopen

import pytest

from rasa_whatsapp.demo import Ports, Server, Stack
from rasa_whatsapp.demo.failures import ServerFailed
from rasa_whatsapp.demo.ports import is_free

Eventually = Callable[[Callable[[], object]], None]
MakeServer = Callable[..., Server]


def is_alive(pid: int) -> bool:
    """Return whether a process exists and is no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.fixture
def two(ports: Ports, server: MakeServer) -> list[Server]:
    """Return two sound servers."""
    return [server("simulator", ports.simulator, comes_first=True), server("rasa", ports.rasa)]


def test_start_returns_when_all_answer(two: list[Server], tmp_path: Path) -> None:
    """After start each server answers; after the block none does."""
    with Stack(two, folder=tmp_path, logs=tmp_path) as stack:
        stack.start()
        for name in ("simulator", "rasa"):
            assert urlopen(stack.url(name)).status == 200
    assert is_free(two[0].port)
    assert is_free(two[1].port)


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("dies", r"actions ended with exit code 1 before it answered(.|\n)*the fake server has a fault"),
        ("silent", "actions did not answer http://127.0.0.1:[0-9]+/ within 2 seconds"),
        ("unready", "actions did not answer http://127.0.0.1:[0-9]+/ within 2 seconds"),
    ],
)
def test_failed_start_stops_all(
    fault: str, said: str, two: list[Server], server: MakeServer, ports: Ports, tmp_path: Path
) -> None:
    """One that ends, hangs, or answers an error takes the others with it, and its last words are told."""
    stack = Stack(
        [*two, server("actions", ports.actions, FAULT=fault)], folder=tmp_path, logs=tmp_path, limit_seconds=2
    )
    with pytest.raises(ServerFailed, match=said):
        stack.start()
    assert all(is_free(port) for port in (ports.simulator, ports.rasa, ports.actions))


def test_killed_server_starts_again(two: list[Server], tmp_path: Path) -> None:
    """A kill is SIGKILL, the others go on, and the log holds both lives."""
    with Stack(two, folder=tmp_path, logs=tmp_path) as stack:
        stack.start()
        first, other = stack.pid("rasa"), stack.pid("simulator")
        stack.kill("rasa")
        assert not is_alive(first)
        assert is_alive(other)
        stack.check()
        stack.start("rasa")
        assert stack.pid("rasa") != first
        assert stack.log("rasa").count("listening") == 2


def test_own_death_is_noticed(two: list[Server], tmp_path: Path) -> None:
    """A server that ends by itself ends the watching."""
    with Stack(two, folder=tmp_path, logs=tmp_path) as stack:
        stack.start()
        os.kill(stack.pid("simulator"), signal.SIGKILL)
        with pytest.raises(ServerFailed, match="simulator ended by itself with exit code -9"):
            stack.watch()
    assert is_free(two[1].port)


@pytest.mark.parametrize("how", ["stop", "kill", "ends by itself"])
def test_no_child_of_a_server_is_left(
    how: str, server: MakeServer, ports: Ports, tmp_path: Path, eventually: Eventually
) -> None:
    """What a server started goes with it."""
    pid_file = tmp_path / "child"
    with Stack([server("rasa", ports.rasa, CHILD_PID_FILE=str(pid_file))], folder=tmp_path, logs=tmp_path) as stack:
        stack.start()
        child = int(pid_file.read_text())
        assert is_alive(child)
        if how == "ends by itself":
            os.kill(stack.pid("rasa"), signal.SIGKILL)
        else:
            getattr(stack, how)("rasa")
        eventually(lambda: not is_alive(child))


def test_stubborn_server_is_killed_after_the_grace_time(server: MakeServer, ports: Ports, tmp_path: Path) -> None:
    """One that ignores SIGTERM is gone all the same."""
    with Stack([server("rasa", ports.rasa, FAULT="stubborn")], folder=tmp_path, logs=tmp_path) as stack:
        stack.start()
        stack.stop("rasa", grace_seconds=0.2)
        assert is_free(ports.rasa)


def test_hurry_cuts_the_grace_time(server: MakeServer, ports: Ports, tmp_path: Path) -> None:
    """Who asks twice does not wait for a stubborn server."""
    asked = threading.Event()
    stubborn = server("rasa", ports.rasa, FAULT="stubborn")
    with Stack([stubborn], folder=tmp_path, logs=tmp_path, hurry=asked.is_set) as stack:
        stack.start()
        asked.set()
        stack.stop("rasa", grace_seconds=600)
        assert is_free(ports.rasa)


def test_server_outlives_the_thread_that_started_it(two: list[Server], tmp_path: Path) -> None:
    """The kernel's tether is one of threads, but a stack may be started in a thread that ends."""
    with Stack(two, folder=tmp_path, logs=tmp_path) as stack:
        starter = threading.Thread(target=stack.start)
        starter.start()
        starter.join()
        stack.check()
        assert urlopen(stack.url("rasa")).status == 200


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has the tether")
def test_killed_runner_leaves_no_orphan(two: list[Server], tmp_path: Path, eventually: Eventually) -> None:
    """When the process that runs the stack is killed by SIGKILL, the servers go too."""
    program = (
        "import pathlib, sys, time\n"
        "from rasa_whatsapp.demo import Server, Stack\n"
        "command = lambda port: (sys.executable, '-c', pathlib.Path(sys.argv[1]).read_text(), str(port))\n"
        "servers = [Server(name=n, port=int(p), health='/', command=command(p))\n"
        "           for n, p in zip(('simulator', 'rasa'), sys.argv[2:])]\n"
        "stack = Stack(servers, folder=pathlib.Path('.'), logs=pathlib.Path('.'))\n"
        "stack.start()\n"
        "print(*(stack.pid(s.name) for s in servers), flush=True)\n"
        "time.sleep(600)\n"
    )
    source = tmp_path / "fake_server.txt"
    source.write_text(two[0].command[2])
    arguments = [sys.executable, "-c", program, str(source), *(str(server.port) for server in two)]
    with subprocess.Popen(arguments, cwd=tmp_path, stdout=subprocess.PIPE, text=True) as runner:
        assert runner.stdout
        pids = [int(pid) for pid in runner.stdout.readline().split()]
        assert len(pids) == 2
        runner.kill()
    eventually(lambda: not any(is_alive(pid) for pid in pids))


def test_starting_twice_is_refused(two: list[Server], tmp_path: Path) -> None:
    """A running server is not started over."""
    with Stack(two, folder=tmp_path, logs=tmp_path) as stack:
        stack.start()
        with pytest.raises(ValueError, match="rasa is running already"):
            stack.launch("rasa")
