"""The proxy: webhooks go to the intake, to a Rasa server when that is down, and nothing else goes through."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import requests

from rasa_whatsapp.demo import Stack
from rasa_whatsapp.demo.backing import PROXY_TEMPLATE, proxy_server
from rasa_whatsapp.demo.ports import unused

WEBHOOK = "/webhooks/whatsapp/webhook"


class Upstream:
    """Who takes webhooks, or stands in for it: it counts them, and can refuse, hang up, or be down."""

    def __init__(self, port: int, status: int = 200) -> None:
        self.port = port
        self.status = status
        self.hangs_up = False
        self.bodies: list[bytes] = []
        self._server: ThreadingHTTPServer | None = None

    def start(self) -> None:
        """Listen from now on."""
        upstream = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                upstream.bodies.append(self.rfile.read(int(self.headers.get("Content-Length", 0))))
                if upstream.hangs_up:
                    self.close_connection = True
                    return
                self.send_response(upstream.status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def do_GET(self) -> None:
                self.do_POST()

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def stop(self) -> None:
        """Listen no more."""
        if self._server:
            self._server.shutdown()
            self._server.server_close()
            self._server = None


@pytest.fixture
def upstreams() -> Iterator[list[Upstream]]:
    """Return an intake and two Rasa servers, all up."""
    with ExitStack() as stopping:
        made = [Upstream(port) for port in unused(3)]
        for upstream in made:
            upstream.start()
            stopping.callback(upstream.stop)
        yield made


@pytest.fixture
def proxy(upstreams: list[Upstream], tmp_path: Path) -> Iterator[Stack]:
    """Return the running proxy before them."""
    intake, *rasa = (upstream.port for upstream in upstreams)
    (port,) = unused(1, besides=[intake, *rasa])
    server = proxy_server(tmp_path / "proxy", port, intake=intake, rasa=rasa)
    with Stack([server], folder=tmp_path, logs=tmp_path, limit_seconds=30) as stack:
        stack.start()
        yield stack


def counts(upstreams: list[Upstream]) -> list[int]:
    """Return how many requests reached each."""
    return [len(upstream.bodies) for upstream in upstreams]


def test_intake_gets_all_while_it_is_up(proxy: Stack, upstreams: list[Upstream]) -> None:
    """Rasa servers have better things to do."""
    for number in range(20):
        assert requests.post(proxy.url("proxy") + WEBHOOK, data=b"%d" % number, timeout=10).status_code == 200
    assert counts(upstreams) == [20, 0, 0]
    assert upstreams[0].bodies[7] == b"7"


def test_rasa_servers_take_over(proxy: Stack, upstreams: list[Upstream]) -> None:
    """Each webhook is answered, by any of them; and by the intake again when it is back."""
    intake, first, second = upstreams
    intake.stop()
    for _ in range(10):
        assert requests.post(proxy.url("proxy") + WEBHOOK, data=b"x", timeout=10).status_code == 200
    assert len(first.bodies) + len(second.bodies) == 10
    first.stop()
    for _ in range(10):
        assert requests.post(proxy.url("proxy") + WEBHOOK, data=b"x", timeout=10).status_code == 200
    assert len(first.bodies) + len(second.bodies) == 20


def test_intake_is_asked_again_when_it_is_back(
    proxy: Stack, upstreams: list[Upstream], eventually: Callable[[Callable[[], object]], None]
) -> None:
    """A second after its failure it gets the webhooks again."""
    upstreams[0].stop()
    requests.post(proxy.url("proxy") + WEBHOOK, data=b"x", timeout=10)
    upstreams[0].start()

    def is_back() -> bool:
        requests.post(proxy.url("proxy") + WEBHOOK, data=b"x", timeout=10)
        return bool(upstreams[0].bodies)

    eventually(is_back)


def test_a_webhook_whose_answer_is_lost_goes_to_the_next(proxy: Stack, upstreams: list[Upstream]) -> None:
    """A message counts once by its id, so twice is better than never."""
    upstreams[0].hangs_up = True
    assert requests.post(proxy.url("proxy") + WEBHOOK, data=b"x", timeout=10).status_code == 200
    assert upstreams[0].bodies == [b"x"]
    assert counts(upstreams)[1:] in ([1, 0], [0, 1])


@pytest.mark.parametrize("status", [400, 401, 413, 500, 503])
def test_answers_are_passed_on(proxy: Stack, upstreams: list[Upstream], status: int) -> None:
    """What the intake refuses, a Rasa server would refuse as well; Meta gets the intake's own answer."""
    upstreams[0].status = status
    assert requests.post(proxy.url("proxy") + WEBHOOK, data=b"x", timeout=10).status_code == status
    assert counts(upstreams) == [1, 0, 0]


def test_three_megabytes_go_through(proxy: Stack, upstreams: list[Upstream]) -> None:
    """Meta's largest body arrives as it was sent; what is larger than 4 MB does not."""
    largest = b"x" * (3 * 1024 * 1024)
    assert requests.post(proxy.url("proxy") + WEBHOOK, data=largest, timeout=10).status_code == 200
    assert upstreams[0].bodies == [largest]
    assert requests.post(proxy.url("proxy") + WEBHOOK, data=largest + largest, timeout=10).status_code == 413


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/model/parse",
        "/conversations/1/tracker",
        "/webhooks/rest/webhook",
        "/webhooks/whatsapp/ready",
        "/webhooks/whatsapp/../rest/webhook",
        "/webhooks/whatsapp/webhook/",
        "//model/parse",
    ],
)
def test_nothing_else_goes_through(proxy: Stack, upstreams: list[Upstream], path: str) -> None:
    """Rasa's HTTP API and its other channels are not for the world."""
    request = requests.Request("POST", proxy.url("proxy")).prepare()
    request.url = proxy.url("proxy") + path
    with requests.Session() as session:
        assert session.send(request, timeout=10).status_code == 404
    assert counts(upstreams) == [0, 0, 0]


def test_health_is_for_asking_only(proxy: Stack, upstreams: list[Upstream]) -> None:
    """A load balancer asks whether anybody takes webhooks."""
    assert requests.get(proxy.url("proxy") + "/webhooks/whatsapp/", timeout=10).status_code == 200
    assert requests.post(proxy.url("proxy") + "/webhooks/whatsapp/", timeout=10).status_code == 403
    for upstream in upstreams:
        upstream.stop()
    assert requests.get(proxy.url("proxy") + "/webhooks/whatsapp/", timeout=10).status_code == 502


def test_a_log_around_it_is_replaced() -> None:
    """The image of nginx logs whole requests around our part; a log of the server's own takes its place."""
    around, server = PROXY_TEMPLATE.read_text("utf-8").split("\nserver {")
    assert "access_log" not in around
    assert "access_log /dev/stdout webhooks" in server


def test_verify_token_stays_out_of_the_log(proxy: Stack, eventually: Callable[[Callable[[], object]], None]) -> None:
    """The challenge carries it in its query, which is not logged."""
    requests.get(proxy.url("proxy") + WEBHOOK, params={"hub.verify_token": "hunter2"}, timeout=10)
    eventually(lambda: f"GET {WEBHOOK} 200" in proxy.log("proxy"))
    assert "hunter2" not in proxy.log("proxy")
