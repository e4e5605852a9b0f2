"""`rasa-whatsapp simulator` as a process: what it prints, what it refuses, how it stops."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from click.testing import CliRunner

from rasa_whatsapp.cli.simulator import _pauses, _runner, command

TEMPLATES = Path(__file__).with_name("templates.yml")
START = [sys.executable, "-c", "from rasa_whatsapp.cli import main; main()", "simulator"]


@contextmanager
def running(*options: str, **environment: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Start the command on a free port; yield the process and the address that it printed."""
    process = subprocess.Popen(
        [*START, "--port", "0", *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1", **environment},
    )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        found = re.match(r"Phone page: +(http://127\.0\.0\.1:\d+)/", line)
        assert found, line
        yield process, found.group(1)
    finally:
        process.kill()
        process.communicate()


def get(url: str, **headers: str) -> Any:
    """Get JSON."""
    with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=5) as answer:
        return json.load(answer)


def run(*options: str) -> tuple[int, str]:
    """Run the command in this process until it ends by itself."""
    result = CliRunner().invoke(command, list(options))
    return result.exit_code, result.output


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_starts_answers_and_stops_with_a_page_open(number: signal.Signals) -> None:
    """A signal ends it at once and cleanly, also while an event stream is open."""
    with running("--templates", str(TEMPLATES)) as (process, address):
        assert get(f"{address}/control/health") == {"status": "ok"}
        stream = urllib.request.urlopen(f"{address}/control/events", timeout=5)
        assert stream.readline() == b"event: clock\n"
        process.send_signal(number)
        output, _ = process.communicate(timeout=5)
        stream.close()
    assert process.returncode == 0
    assert output.endswith("Stopped.\n")
    assert "Traceback" not in output


def test_environment_names_the_business() -> None:
    """Ids and token come from the environment that the bot reads, too."""
    environment = {"WHATSAPP_PHONE_NUMBER_ID": "123", "WHATSAPP_ACCESS_TOKEN": "t0ken"}
    with running(**environment) as (_, address):
        assert get(f"{address}/v26.0/123", Authorization="Bearer t0ken")["id"] == "123"


def test_several_numbers() -> None:
    """Each number is there; one with a token of its own takes that one only."""
    numbers = ("--number", "222:+49 30 901820001", "--number", "333:4930901820002:third")
    with running(*numbers) as (_, address):
        known = get(f"{address}/control/settings")["numbers"]
        assert [number["phone_number_id"] for number in known] == ["100000000000001", "222", "333"]
        assert get(f"{address}/v26.0/222", Authorization="Bearer demo-access-token")["id"] == "222"
        assert get(f"{address}/v26.0/333", Authorization="Bearer third")["display_phone_number"] == "4930901820002"


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        pytest.param(["--number", "222"], "is written ID:DISPLAY", id="number without digits"),
        pytest.param(["--number", "x:4930901820001"], "is written ID:DISPLAY", id="id that is no number"),
        pytest.param(["--number", "222:030"], "is no phone number", id="national number"),
        pytest.param(["--number", "100000000000001:4930901820001"], "the same id", id="id twice"),
        pytest.param(["--provider", "twilio"], "'twilio' is not one of", id="unknown provider"),
        pytest.param(["--webhook-secret-header", "X: y"], "is no name of a header", id="header with a value"),
    ],
)
def test_bad_option_is_refused(options: list[str], problem: str) -> None:
    """A sentence says what is expected."""
    code, output = run(*options)
    assert code == 2
    assert problem in output


def test_taken_port_is_named() -> None:
    """A port that somebody else has is named with what to do."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        code, output = run("--port", str(port))
    assert code == 2
    assert f"Port {port} on 127.0.0.1 is taken. Stop what uses it, or choose another with --port." in output


def test_bad_templates_file_is_named_with_its_line(tmp_path: Path) -> None:
    """The line and the remedy are told, and nothing runs."""
    path = tmp_path / "templates.yml"
    path.write_text("whatsapp_templates:\n- {name: a, language: en, category: NEWS, components: []}\n")
    code, output = run("--templates", str(path))
    assert code == 2
    assert f"{path}:2: category is 'NEWS', expected one of UTILITY, MARKETING, AUTHENTICATION." in output


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        pytest.param("ftp://127.0.0.1/webhook", "must begin with http:// or https://", id="ftp"),
        pytest.param("127.0.0.1:5005/webhook", "must begin with http:// or https://", id="no scheme"),
        pytest.param("file:///etc/passwd", "must begin with http:// or https://", id="file"),
        pytest.param("http:///webhook", "names no host", id="no host"),
        pytest.param("http://user:secret@127.0.0.1/", "must not carry a user name", id="password"),
        pytest.param("http://127.0.0.1:port/", "is not an address", id="port in words"),
    ],
)
def test_bad_webhook_is_refused(url: str, problem: str) -> None:
    """Only http and https addresses are called."""
    code, output = run("--webhook", url)
    assert code == 2
    assert problem in output
    assert "secret" not in output


def test_database_that_is_none_is_named(tmp_path: Path) -> None:
    """A file of another kind is not touched."""
    path = tmp_path / "notes.txt"
    path.write_text("not a database" * 100)
    code, output = run("--database", str(path))
    assert code == 2
    assert "is not a database" in output


def test_help_names_every_option() -> None:
    """Each setting is in --help; secrets' values are not."""
    code, output = run("--help")
    assert code == 0
    for option in [
        "--host",
        "--port",
        "--webhook",
        "--phone-number-id",
        "--business-account-id",
        "--display-phone-number",
        "--access-token",
        "--app-secret",
        "--verify-token",
        "--templates",
        "--database",
        "--number",
        "--provider",
        "--webhook-secret",
        "--webhook-secret-header",
        "--window-errors",
        "--api-version",
        "--throughput",
        "--pair-rate",
        "--webhooks-at-once",
        "--batch-webhooks",
        "--longest-pause",
    ]:
        assert option in output
    assert "demo-app-secret" not in output


def test_neither_rasa_nor_the_connector_is_loaded() -> None:
    """The simulator is a stranger to the rest of the package, and light."""
    script = (
        "import sys, rasa_whatsapp.cli.simulator\n"
        "own = [m for m in sys.modules if m.startswith('rasa_whatsapp.')]\n"
        "print([m for m in own if not m.startswith(('rasa_whatsapp.simulator', 'rasa_whatsapp.cli'))])\n"
        "print([m for m in ('rasa', 'rasa_sdk', 'tensorflow', 'sqlalchemy', 'requests') if m in sys.modules])\n"
    )
    output = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    assert output == "[]\n[]\n"


@pytest.mark.parametrize(
    ("longest", "pauses"),
    [
        pytest.param(60.0, (0.0, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0), id="as Meta"),
        pytest.param(3.0, (0.0, 1.0, 2.0, 3.0, 3.0, 3.0, 3.0), id="impatient"),
    ],
)
def test_longest_pause_cuts_the_others(longest: float, pauses: tuple[float, ...]) -> None:
    """No pause before the next try of a webhook is longer."""
    assert _pauses(longest) == pauses


@pytest.mark.parametrize("is_there", [True, False])
def test_uvloop_runs_it_if_it_is_there(monkeypatch: pytest.MonkeyPatch, is_there: bool) -> None:
    """Without uvloop the standard loop does."""
    uvloop = SimpleNamespace(run=print) if is_there else None
    monkeypatch.setitem(sys.modules, "uvloop", uvloop)
    assert _runner() is (print if is_there else asyncio.run)
