"""The clock: the system's, or the simulator's when the environment names it."""

from __future__ import annotations

import json
import threading
from datetime import datetime, timedelta, timezone
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from rasa_whatsapp.clock import SharedClock, SimulatedClock, SystemClock, from_environment
from rasa_whatsapp.config import read_settings
from rasa_whatsapp.serving import Intake


@pytest.fixture
def simulator():
    """Serve what `answer` holds, as the simulator's clock does."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.end_headers()
            self.wfile.write(self.server.answer)

        def log_message(self, *_):
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    server.answer = json.dumps({"offset_seconds": 90000.0}).encode()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    server.url = f"http://127.0.0.1:{server.server_port}/control/clock"
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def offset_of(clock):
    """Return how far a clock is ahead of the system's, in whole seconds."""
    return round((clock.now() - datetime.now(timezone.utc)).total_seconds())


def test_the_system_clock_is_aware():
    """UTC."""
    assert SystemClock().now().utcoffset() == timedelta(0)


@pytest.mark.parametrize("value", [None, "", "  "])
def test_no_simulator(monkeypatch, value):
    """Unset or empty is the system's clock."""
    monkeypatch.delenv("RASA_WHATSAPP_CLOCK_URL", raising=False)
    if value is not None:
        monkeypatch.setenv("RASA_WHATSAPP_CLOCK_URL", value)
    assert isinstance(from_environment(), SystemClock)


@pytest.mark.parametrize("value", ["127.0.0.1:8090", "file:///etc/passwd", "ftp://x"])
def test_no_address(monkeypatch, value):
    """What is no http address is refused with the variable's name."""
    monkeypatch.setenv("RASA_WHATSAPP_CLOCK_URL", value)
    with pytest.raises(ValueError, match="RASA_WHATSAPP_CLOCK_URL"):
        from_environment()


def test_the_simulators_offset(simulator, monkeypatch):
    """A clock that was moved by 25 hours is 25 hours ahead."""
    monkeypatch.setenv("RASA_WHATSAPP_CLOCK_URL", simulator.url)
    clock = from_environment()
    assert offset_of(clock) == 90000
    assert clock.now().tzinfo is timezone.utc


def test_a_moved_clock_is_noticed(simulator):
    """The offset is asked for again."""
    clock = SimulatedClock(simulator.url)
    assert offset_of(clock) == 90000
    simulator.answer = b'{"offset_seconds": 0}'
    assert offset_of(clock) == 0


@pytest.mark.parametrize(
    "answer", [b"", b"<html>", b"[]", b"{}", b'{"offset_seconds": null}', b'{"offset_seconds": "x"}']
)
def test_a_strange_answer_keeps_the_last_offset(simulator, answer, caplog):
    """Time does not jump because a simulator stumbles; the log says so."""
    clock = SimulatedClock(simulator.url)
    clock.now()
    simulator.answer = answer
    assert offset_of(clock) == 90000
    assert "No simulator's clock answers" in caplog.text


def test_a_simulator_that_is_away():
    """Then the system's time stands."""
    assert offset_of(SimulatedClock("http://127.0.0.1:9/")) == 0


GOOD = {
    "phone_number_id": "100000000000001",
    "access_token": "EAAG-x",
    "app_secret": "demo-app-secret",
    "verify_token": "demo",
}
TEN = datetime(2026, 11, 22, 10, 0, tzinfo=timezone.utc)


@pytest.mark.parametrize(
    ("measured", "ahead"),
    [
        ([], 0.0),
        ([(-0.02, 0.03)], 0.0),  # it may be right: a request takes some time
        ([(2.9, 3.1)], 3.0),
        ([(-3.1, -2.9)], -3.0),
        ([(2.9, 3.1), (2.95, 3.2)], 3.0),  # what may be so stays, else moments would go back
        ([(2.9, 3.1), (3.05, 3.15)], 3.1),
        ([(2.9, 3.1), (-0.1, 0.1)], 0.0),
    ],
)
def test_a_clock_that_goes_by_another(clock, measured, ahead):
    """It is put right as far as the measurements prove it wrong."""
    shared = SharedClock(clock)
    for least, most in measured:
        shared.put_right(timedelta(seconds=least), timedelta(seconds=most))
    assert shared.now() == TEN + timedelta(seconds=ahead)


@pytest.fixture
def hurried(monkeypatch):
    """Let this machine's clock be five seconds ahead."""
    own = SystemClock.now
    monkeypatch.setattr(SystemClock, "now", lambda self: own(self) + timedelta(seconds=5))


@pytest.mark.asyncio
@pytest.mark.on("postgresql")
@pytest.mark.usefixtures("hurried")
async def test_a_server_whose_clock_is_ahead_goes_by_the_stores(stage, clock):
    """Its lanes are ready, and its follow-ups due, when they are for all others."""
    await stage.start()
    assert timedelta(seconds=4) < clock.now() - stage.gateway._clock.now() < timedelta(seconds=6)


@pytest.mark.asyncio
@pytest.mark.on("postgresql")
@pytest.mark.usefixtures("hurried")
async def test_an_intake_whose_clock_is_ahead_goes_by_the_stores(database, clock):
    """What it writes down has come when it came for the servers."""
    intake = Intake(read_settings(GOOD), database, clock)
    await intake._begin()
    assert timedelta(seconds=4) < clock.now() - intake._reception.clock.now() < timedelta(seconds=6)
    await intake._end()
