"""`rasa-whatsapp demo` as a person runs it, with the real simulator and a fake Rasa."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.request import Request, urlopen

import pytest

from rasa_whatsapp.demo import Ports
from rasa_whatsapp.demo.ports import is_free

Eventually = Callable[[Callable[[], object]], None]

READY = "|  Phone page:  "


class Runner:
    """A demo that runs in the background; what it prints goes to a file."""

    def __init__(self, bot: Path, ports: Ports, eventually: Eventually) -> None:
        self.bot = bot
        self.ports = ports
        self.eventually = eventually
        self.printed = bot.parent / "printed"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, *options: str, **environment: str) -> None:
        """Start it and return at once."""
        numbers = [f"--{name}-port={getattr(self.ports, name)}" for name in ("simulator", "rasa", "actions")]
        with self.printed.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "rasa_whatsapp.cli", "demo", *numbers, *options],
                cwd=self.bot,
                env={**os.environ, **environment},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    def text(self) -> str:
        """Return what it has printed."""
        return self.printed.read_text()

    def wait_for(self, text: str) -> None:
        """Return when it has printed a text."""
        process = self.process
        assert process
        self.eventually(lambda: text in self.text() or process.poll() is not None)
        assert text in self.text(), self.text()

    def end(self, number: signal.Signals | None = None) -> int:
        """Send it a signal, and return its exit code."""
        assert self.process
        if number:
            self.process.send_signal(number)
        return self.process.wait(30)

    def nothing_runs(self) -> bool:
        """Return whether all its ports are free."""
        return all(is_free(port) for port in (self.ports.simulator, self.ports.rasa, self.ports.actions))


@pytest.fixture
def demo(bot: Path, ports: Ports, eventually: Eventually) -> Iterator[Runner]:
    """Return a demo of the fake bot, not started."""
    runner = Runner(bot, ports, eventually)
    yield runner
    if runner.process and runner.process.poll() is None:
        runner.process.kill()
        runner.process.wait()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_stop_request_stops_all_and_is_no_failure(demo: Runner, number: signal.Signals) -> None:
    """The page is named and answers; a request to end leaves nothing behind."""
    demo.start()
    demo.wait_for(f"{READY}http://127.0.0.1:{demo.ports.simulator}/")
    clock = f"RASA_WHATSAPP_CLOCK_URL=http://127.0.0.1:{demo.ports.simulator}/control/clock"
    demo.wait_for(f"|  Commands:    {clock} rasa-whatsapp <command> --credentials .demo/credentials.yml  |")
    assert urlopen(f"http://127.0.0.1:{demo.ports.simulator}/control/health").status == 200
    assert urlopen(f"http://127.0.0.1:{demo.ports.rasa}/webhooks/whatsapp/").status == 200
    assert demo.end(number) == 0
    assert demo.text().endswith("Stopped.\n")
    assert demo.nothing_runs()


def test_stop_request_during_the_start(demo: Runner) -> None:
    """Ctrl-C while a server is still starting leaves nothing behind either."""
    demo.start(RASA_FAULT="unready")
    demo.wait_for("rasa      | listening")
    assert demo.end(signal.SIGINT) == 0
    assert demo.nothing_runs()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has the tether")
def test_killed_demo_leaves_no_orphan(demo: Runner, eventually: Eventually) -> None:
    """SIGKILL cannot be handled; the servers end all the same, and the next demo starts."""
    demo.start()
    demo.wait_for(READY)
    assert demo.end(signal.SIGKILL) == -signal.SIGKILL
    eventually(demo.nothing_runs)
    demo.start()
    demo.wait_for(READY)


@pytest.mark.parametrize(
    ("environment", "code", "said"),
    [
        ({"RASA_FAULT": "dies"}, 1, "rasa ended with exit code 1 before it answered"),
        ({"ACTIONS_FAULT": "dies"}, 1, "actions ended with exit code 1 before it answered"),
        ({"TRAIN_FAULT": "yes"}, 5, "Training the model failed (rasa train, exit code 1)"),
    ],
    ids=["rasa", "actions", "training"],
)
def test_failed_start(demo: Runner, environment: dict[str, str], code: int, said: str) -> None:
    """What failed is said, the exit code tells the kind, and all else is stopped."""
    demo.start(**environment)
    assert demo.end() == code
    assert said in demo.text()
    assert demo.nothing_runs()


def test_death_of_a_server_ends_the_demo(demo: Runner) -> None:
    """When one ends by itself the others are stopped."""
    demo.start()
    demo.wait_for(READY)
    with pytest.raises(OSError, match=r".*"):
        urlopen(f"http://127.0.0.1:{demo.ports.rasa}/die")
    assert demo.end() == 1
    assert "rasa ended by itself with exit code 7" in demo.text()
    assert demo.nothing_runs()


def test_second_demo_is_refused(demo: Runner) -> None:
    """One demo per folder: the second is told where the first is, and does not disturb it."""
    demo.start()
    demo.wait_for(READY)
    second = subprocess.run(
        [sys.executable, "-m", "rasa_whatsapp.cli", "demo"], cwd=demo.bot, capture_output=True, text=True, check=False
    )
    assert second.returncode == 4
    assert demo.process
    first = f"process {demo.process.pid}, http://127.0.0.1:{demo.ports.simulator}"
    assert f"This bot runs already with the folder .demo ({first})" in second.stderr
    assert demo.end(signal.SIGINT) == 0


def test_taken_port_is_refused(demo: Runner) -> None:
    """A taken port ends it before anything is started or trained."""
    with socket.create_server(("127.0.0.1", demo.ports.rasa)):
        demo.start()
        assert demo.end() == 3
    assert f"Port {demo.ports.rasa}, which the rasa server wants, is taken" in demo.text()
    assert not (demo.bot / "models").exists()


def test_folder_without_a_bot(demo: Runner) -> None:
    """A folder without a bot is no place for a demo, and is left as it was."""
    (demo.bot / "config.yml").unlink()
    demo.start()
    assert demo.end() == 2
    assert "config.yml missing" in demo.text()
    assert not (demo.bot / ".demo").exists()


def test_restart_neither_trains_nor_forgets(demo: Runner) -> None:
    """The model and the simulator's chats outlive a restart; --reset forgets the chats."""
    page = f"http://127.0.0.1:{demo.ports.simulator}"
    for options, trained, remembered in (((), True, False), ((), False, True), (("--reset", "--yes"), False, False)):
        demo.start(*options)
        demo.wait_for(READY)
        assert ("Training the model: there is no model yet." in demo.text()) is trained
        assert ("Lea" in urlopen(f"{page}/control/customers").read().decode()) is remembered
        customer = b'{"wa_id":"4915112345678","name":"Lea"}'
        urlopen(Request(f"{page}/control/customers", customer, {"Content-Type": "application/json"}))
        assert demo.end(signal.SIGINT) == 0


def test_reset_asks_first(demo: Runner) -> None:
    """Without an answer nothing is deleted."""
    (demo.bot / ".demo").mkdir()
    (demo.bot / ".demo" / "simulator.sqlite").write_bytes(b"chats")
    demo.start("--reset")
    assert demo.end() == 1
    assert (demo.bot / ".demo" / "simulator.sqlite").read_bytes() == b"chats"


def test_state_is_hidden_from_version_control(demo: Runner) -> None:
    """A stranger's repository does not get the demo's chats."""
    demo.start()
    demo.wait_for(READY)
    assert (demo.bot / ".demo" / ".gitignore").read_text() == "*\n"


def test_help_names_every_option_and_variable() -> None:
    """Ports can be set, and the help says how."""
    shown = subprocess.run(
        [sys.executable, "-m", "rasa_whatsapp.cli", "demo", "--help"], capture_output=True, text=True, check=True
    ).stdout
    for name in ("rasa", "actions", "simulator"):
        assert f"--{name}-port" in shown
        assert f"RASA_WHATSAPP_DEMO_{name.upper()}_PORT" in shown
