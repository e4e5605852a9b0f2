"""`rasa-whatsapp cluster` as a person runs it, with real databases, intake, proxy and simulator, and a fake Rasa."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.request import urlopen

import pytest

from rasa_whatsapp.demo.ports import is_free, unused

Eventually = Callable[[Callable[[], object]], None]


class Runner:
    """A cluster that runs in the background; what it prints goes to a file."""

    def __init__(self, bot: Path, eventually: Eventually) -> None:
        self.bot = bot
        self.state = bot / ".cluster"
        self.proxy, self.simulator = unused(2)
        self.eventually = eventually
        self.printed = bot.parent / "printed"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, *options: str) -> None:
        """Start it; return when it says where things are."""
        ports = [f"--proxy-port={self.proxy}", f"--simulator-port={self.simulator}"]
        with self.printed.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "rasa_whatsapp.cli", "cluster", *ports, *options],
                cwd=self.bot,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        self.wait_for("Ctrl-C stops the cluster")

    def text(self) -> str:
        """Return what it has printed."""
        return self.printed.read_text()

    def wait_for(self, text: str) -> None:
        """Return when it has printed a text."""
        process = self.process
        assert process
        self.eventually(lambda: text in self.text() or process.poll() is not None)
        assert text in self.text(), self.text()

    def end(self, number: signal.Signals) -> int:
        """Send it a signal, and return its exit code."""
        assert self.process
        self.process.send_signal(number)
        return self.process.wait(60)

    def postgres_pid(self) -> int:
        """Return the process id that PostgreSQL has written down."""
        return int((self.state / "postgres" / "data" / "postmaster.pid").read_text().split()[0])

    def takes_webhooks(self) -> bool:
        """Return whether the proxy finds somebody who does."""
        try:
            return bool(urlopen(f"http://127.0.0.1:{self.proxy}/webhooks/whatsapp/", timeout=5).status == 200)
        except OSError:
            return False


@pytest.fixture
def cluster(bot: Path, eventually: Eventually) -> Iterator[Runner]:
    """Return a cluster of the fake bot, not started."""
    runner = Runner(bot, eventually)
    yield runner
    if runner.process and runner.process.poll() is None:
        runner.process.kill()
        runner.process.wait()


def test_one_life(cluster: Runner) -> None:
    """It says where things are, starts again what is killed, and leaves nothing running; its databases are kept."""
    cluster.start("--servers", "1")
    database = (cluster.state / "postgres" / "password").read_text().strip()
    assert f"Phone page:  http://127.0.0.1:{cluster.simulator}/" in cluster.text()
    assert f"Webhooks:    http://127.0.0.1:{cluster.proxy}/webhooks/whatsapp/webhook" in cluster.text()
    assert f"Database:    postgresql://rasa:{database}@127.0.0.1:" in cluster.text()
    clock = f"RASA_WHATSAPP_CLOCK_URL=http://127.0.0.1:{cluster.simulator}/control/clock"
    assert f"Commands:    {clock} rasa-whatsapp <command> --credentials .cluster/credentials.yml" in cluster.text()
    assert cluster.takes_webhooks()
    os.kill(cluster.postgres_pid(), signal.SIGKILL)
    cluster.wait_for("postgres has ended by itself. It is started again.")
    cluster.wait_for("database system was interrupted")
    assert cluster.end(signal.SIGINT) == 0
    assert cluster.text().endswith("Stopped.\n")
    assert is_free(cluster.proxy)
    assert is_free(cluster.simulator)
    assert not (cluster.state / "postgres" / "data" / "postmaster.pid").exists()
    cluster.start("--servers", "1")
    assert (cluster.state / "postgres" / "password").read_text().strip() == database
    assert cluster.takes_webhooks()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has the tether")
def test_killed_cluster_leaves_no_orphan(cluster: Runner, eventually: Eventually) -> None:
    """SIGKILL cannot be handled; all parts end all the same, PostgreSQL too, which is another user's if root starts it."""
    cluster.start("--servers", "1")
    postgres = Path(f"/proc/{cluster.postgres_pid()}/cmdline")
    assert b"postgres" in postgres.read_bytes()
    assert cluster.end(signal.SIGKILL) == -signal.SIGKILL
    eventually(lambda: is_free(cluster.proxy) and is_free(cluster.simulator))
    eventually(lambda: not postgres.exists() or postgres.read_bytes() == b"")
    cluster.start("--servers", "1")
    assert cluster.takes_webhooks()
