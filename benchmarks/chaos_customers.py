"""Hundreds of simulated customers, who write through a simulator's control API in a thread of their own.

A patient customer waits for the answer; a hasty one writes on as soon as WhatsApp has handed over the message before, so that the
order of the answers is put to the test.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

import requests
from chaos_judge import ANSWERS, REMINDER, Line

_TICK_SECONDS = 0.3
_PAGE = 10_000
_LATEST_DELIVERIES = 400  # more than there are between two looks
_HASTY_ONE_IN = 3


@dataclass
class Customer:
    """One customer: what is still to be written, and what is waited for."""

    wa_id: str
    texts: list[str]
    is_hasty: bool
    latest: str | None = None  # the id of the latest message
    owed: int = 0


@dataclass
class Customers:
    """All of them. `url` is the simulator's; `pause` keeps them silent while it is set."""

    url: str
    seed: int
    count: int
    turns: int
    record: list[Line] = field(default_factory=list)
    sent: int = 0
    pause: threading.Event = field(default_factory=threading.Event)
    problem: BaseException | None = None

    def __post_init__(self) -> None:
        """Decide who writes what."""
        random = Random(self.seed)
        self._session = requests.Session()
        self._cursor = 0
        self._handed_over: set[str] = set()
        self._answered: dict[str, int] = {}
        self._expected: dict[str, int] = {}
        self._whole = 0
        self.all = [self._customer(random, number) for number in range(self.count)]
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        """Let them write."""
        self._thread.start()

    def stop(self) -> None:
        """Let them be silent for good."""
        self._ended.set()
        self._thread.join()

    @property
    def answered(self) -> int:
        """Return how many messages have all of their answers."""
        return self._whole

    @property
    def is_over(self) -> bool:
        """Tell whether all is written."""
        return all(not customer.texts for customer in self.all)

    def reminders(self) -> dict[str, int]:
        """Return who is to be reminded, and how often: a name stands for one reminder."""
        return {line["wa_id"]: 1 for line in self._asked() if line["text"] == REMINDER}

    def read_on(self) -> None:
        """Read what has been recorded since."""
        while True:
            query = {"after": self._cursor, "limit": _PAGE}
            answer = self._session.get(f"{self.url}/control/record", params=query, timeout=60)
            lines = [requests.models.complexjson.loads(line) for line in answer.text.splitlines() if line]
            for line in lines:
                self._note(line)
            if len(lines) < _PAGE:
                return

    def read_again(self) -> Sequence[Line]:
        """Return the whole record with the states as they are now."""
        self._cursor, self.record, self._answered, self._whole = 0, [], {}, 0
        self.read_on()
        return self.record

    def _customer(self, random: Random, number: int) -> Customer:
        each = self.turns // self.count + (number < self.turns % self.count)
        others = [text for text in ANSWERS if text != REMINDER]
        texts = [random.choice(others) for _ in range(max(each - 2, 0))]
        # at the end all have an order, and a reminder of it
        texts += ["Where is order 1002?", REMINDER][-each:] if each else []
        return Customer(f"49151{number:08}", texts, is_hasty=random.randrange(_HASTY_ONE_IN) == 0)

    def _asked(self) -> list[Line]:
        return [line for line in self.record if line["direction"] == "in"]

    def _note(self, line: Line) -> None:
        self._cursor = line["cursor"]
        self.record.append(line)
        if line["direction"] == "out" and line["callback_data"]:
            cause = line["callback_data"].rpartition("#")[0]
            self._answered[cause] = self._answered.get(cause, 0) + 1
            self._whole += self._answered[cause] == self._expected.get(cause)
        elif line["direction"] == "in":
            self._expected[line["wamid"]] = ANSWERS[line["text"]]

    def _run(self) -> None:
        try:
            while not self._ended.is_set():
                self.read_on()
                self._look_at_deliveries()
                if not self.pause.is_set():
                    self._write()
                time.sleep(_TICK_SECONDS)
        except BaseException as problem:
            self.problem = problem
            raise

    def _look_at_deliveries(self) -> None:
        answer = self._session.get(f"{self.url}/control/deliveries", params={"limit": _LATEST_DELIVERIES}, timeout=60)
        for delivery in answer.json()["deliveries"]:
            if delivery["delivered"]:
                self._handed_over.update(_message_ids(delivery["body"]))

    def _write(self) -> None:
        ready = [customer for customer in self.all if customer.texts and self._may_write(customer)]
        if not ready:
            return
        messages = [{"wa_id": customer.wa_id, "type": "text", "text": customer.texts[0]} for customer in ready]
        answer = self._session.post(f"{self.url}/control/messages", json={"messages": messages}, timeout=60)
        answer.raise_for_status()
        for customer, message_id in zip(ready, answer.json()["ids"], strict=True):
            customer.latest, customer.owed = message_id, ANSWERS[customer.texts.pop(0)]
        self.sent += len(ready)

    def _may_write(self, customer: Customer) -> bool:
        if customer.latest is None:
            return True
        if customer.is_hasty and customer.latest in self._handed_over:
            return True
        return self._answered.get(customer.latest, 0) >= customer.owed


def _message_ids(body: Any) -> list[str]:
    return [
        message["id"]
        for entry in body.get("entry", [])
        for change in entry.get("changes", [])
        for message in change.get("value", {}).get("messages", [])
    ]
