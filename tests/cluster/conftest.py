"""The example bot as it is deployed: two Rasa servers and an intake over PostgreSQL and Redis, behind a proxy, started once.

A scenario may kill what it wants; the next one finds everything running again.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import psycopg2
import pytest
import requests

from rasa_whatsapp.demo import Stack, running_cluster

ROOT = Path(__file__).resolve().parents[2]
DEADLINE_SECONDS = 60
_NUMBERS = count(4915200000001)


@pytest.fixture(scope="session")
def running(trained_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Return the running cluster of the example bot."""
    state = tmp_path_factory.mktemp("cluster")
    own = {"ATTACHMENTS_FOLDER": str(state / "received"), "SHOP_DATABASE": str(state / "shop.sqlite")}
    with running_cluster(
        ROOT,
        state=state,
        model=trained_model,
        servers=2,
        settings={"settle_seconds": 8},  # what may have been sent is sent again soon
        environment=own,
        simulator_arguments=("--longest-pause", "2"),
    ) as stack:
        yield stack


@pytest.fixture
def cluster(running: Stack) -> Iterator[Stack]:
    """Return the cluster, all of it running before and after the test."""
    yield running
    running.start()


@dataclass
class Phone:
    """One customer's phone."""

    simulator: str
    wa_id: str

    def write(self, text: str) -> None:
        """Send a text."""
        message = {"type": "text", "text": text}
        sent = requests.post(f"{self.simulator}/control/customers/{self.wa_id}/messages", json=message, timeout=10)
        assert sent.status_code == 201, sent.text

    def answers(self) -> list[str]:
        """Return what the bot has said, oldest first."""
        chat = requests.get(f"{self.simulator}/control/customers/{self.wa_id}/chat", timeout=10)
        chat.raise_for_status()
        return [message["text"] for message in chat.json()["messages"] if message["direction"] == "out"]

    def wait_for(self, number: int) -> list[str]:
        """Return what the bot has said once it has said that much."""
        eventually(lambda: len(self.answers()) >= number, lambda: f"{number} answers, has {self.answers()}")
        return self.answers()


@pytest.fixture
def phone(cluster: Stack) -> Callable[[], Phone]:
    """Return a maker of phones, each of a customer who has never written."""
    return lambda: Phone(cluster.url("simulator"), str(next(_NUMBERS)))


@pytest.fixture
def query(cluster: Stack) -> Callable[[str], list[tuple[Any, ...]]]:
    """Return a reader of the database that the channel and Rasa share."""

    def run(statement: str) -> list[tuple[Any, ...]]:
        connection = psycopg2.connect(cluster.url("postgres"))
        try:
            with connection, connection.cursor() as cursor:
                cursor.execute(statement)
                return cursor.fetchall()
        finally:
            connection.close()

    return run


def eventually(condition: Callable[[], object], expected: Callable[[], str]) -> None:
    """Return when the condition holds; fail with what was expected when it does not in time."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, f"within {DEADLINE_SECONDS} s: {expected()}"
        time.sleep(0.05)


@pytest.fixture
def settled(query: Callable[[str], list[tuple[Any, ...]]]) -> Callable[[], None]:
    """Return a function that waits until nothing is left to do: no message waits for its turn, no answer to be sent."""
    waiting = (
        "SELECT (SELECT count(*) FROM rasa_whatsapp.arrivals)"
        " + (SELECT count(*) FROM rasa_whatsapp.inbox WHERE state IN ('received', 'running'))"
        " + (SELECT count(*) FROM rasa_whatsapp.outbox WHERE state IN ('pending', 'sending', 'unsettled'))"
    )
    return lambda: eventually(lambda: query(waiting) == [(0,)], lambda: f"nothing waits, does {query(waiting)}")


@pytest.fixture
def wait_until_ready(cluster: Stack) -> Callable[..., None]:
    """Return a function that waits until a server says that it is ready; or, with `ready=False`, that it is not."""

    def wait(name: str, *, ready: bool = True) -> None:
        url = cluster.url(name) + "/webhooks/whatsapp/ready"
        expected = 200 if ready else 503
        eventually(lambda: requests.get(url, timeout=10).status_code == expected, lambda: f"{url} answers {expected}")

    return wait
