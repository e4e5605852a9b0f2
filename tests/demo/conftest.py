"""Tiny stand-ins for the servers of a bot, and waiting with a deadline."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from rasa_whatsapp.demo import Ports, Server

# Answers 200 on every path. As a bot's `rasa` it also trains; what it does wrong is said by words in its environment.
FAKE_SERVER = """
import http.server, os, signal, subprocess, sys, time

port, fault = int(sys.argv[1]), os.environ.get("FAULT", "")
if fault == "dies":
    sys.exit("the fake server has a fault")
if fault == "stubborn":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
if "CHILD_PID_FILE" in os.environ:
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    with open(os.environ["CHILD_PID_FILE"], "w") as file:
        file.write(str(child.pid))
if fault == "silent":
    time.sleep(600)


class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path == "/die":
            os._exit(7)
        self.send_response(503 if fault == "unready" else 200)
        self.end_headers()


print("listening", port, flush=True)
http.server.ThreadingHTTPServer(("127.0.0.1", port), Answer).serve_forever()
"""


@pytest.fixture
def eventually() -> Callable[[Callable[[], object]], None]:
    """Return a function that waits until something is so, and fails when it is not so within 30 seconds."""

    def wait(condition: Callable[[], object]) -> None:
        deadline = time.monotonic() + 30
        while not condition():
            assert time.monotonic() < deadline, "did not become true within 30 seconds"
            time.sleep(0.02)

    return wait


@pytest.fixture
def ports() -> Ports:
    """Return three free ports."""
    return Ports.unused()


@pytest.fixture
def server() -> Callable[..., Server]:
    """Return a maker of fake servers: `server("rasa", port, FAULT="dies")`."""

    def make(name: str, port: int, *, comes_first: bool = False, **environment: str) -> Server:
        return Server(
            name=name,
            command=(sys.executable, "-c", FAKE_SERVER, str(port)),
            port=port,
            health="/",
            environment=environment,
            comes_first=comes_first,
        )

    return make


@pytest.fixture
def bot(tmp_path: Path) -> Path:
    """Return the folder of a bot whose `rasa` and `rasa_sdk` are fakes: what `python -m` finds first is the folder."""
    folder = tmp_path / "bot"
    for name in ("data", "actions", "rasa", "rasa_sdk"):
        (folder / name).mkdir(parents=True)
    for name in ("config.yml", "domain.yml", "data/nlu.yml"):
        (folder / name).write_text("version: '3.1'\n")
    (folder / "fake_server.py").write_text(FAKE_SERVER)
    (folder / "rasa" / "__init__.py").touch()
    (folder / "rasa_sdk" / "__init__.py").touch()
    start = "import os, runpy, sys\nos.environ['FAULT'] = os.environ.get({!r}, '')\n"
    start += "sys.argv[1:] = [sys.argv[sys.argv.index('--port') + 1]]\nrunpy.run_path('fake_server.py')\n"
    (folder / "rasa_sdk" / "__main__.py").write_text(start.format("ACTIONS_FAULT"))
    train = (
        "import os, pathlib, sys\n"
        "if sys.argv[1] == 'train':\n"
        "    if 'TRAIN_FAULT' in os.environ:\n"
        "        sys.exit('no training data')\n"
        "    out = pathlib.Path(sys.argv[sys.argv.index('--out') + 1])\n"
        "    if 'EDITED' in os.environ:\n"
        "        pathlib.Path(os.environ['EDITED']).touch()\n"
        "    (out / 'fake.tar.gz').write_bytes(b'')\n"
        "    print('trained')\n"
        "    sys.exit()\n"
    )
    (folder / "rasa" / "__main__.py").write_text(train + start.format("RASA_FAULT"))
    return folder
