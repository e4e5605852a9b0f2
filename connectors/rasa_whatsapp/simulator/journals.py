"""Two journals: what was asked at the Graph doors, and the webhooks with what became of each.

Older entries are forgotten, or a simulator that is kept open for weeks would grow for ever; a webhook that still has
to be delivered is not.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from rasa_whatsapp.simulator.clock import to_iso
from rasa_whatsapp.simulator.database import Database

ROWS = 10_000
# Forgetting costs a look at everything old, so it is done now and then only.
FORGET_EVERY = 1000


@dataclass(slots=True)
class NewDelivery:
    """A delivery that is not written yet, and what became of it meanwhile."""

    wa_id: str | None
    body: bytes
    created_at: float
    attempts: int = 0
    last_status: int | None = None
    last_error: str | None = None
    delivered: int = 0

    def row(self) -> tuple[Any, ...]:
        """Return the values in the order of the fields."""
        came = (self.wa_id, self.body, self.created_at)
        return (*came, self.attempts, self.last_status, self.last_error, self.delivered)


class Journals:
    """The requests and the deliveries."""

    def __init__(self, db: Database) -> None:
        """Use a database whose tables exist."""
        self._db = db
        self._new_requests: list[dict[str, Any]] = []
        self._new_deliveries: dict[int, NewDelivery] = {}
        self._attempts: list[tuple[int | None, str | None, int, int]] = []
        self.read_again()
        db.ask(self._write_changes)

    def read_again(self) -> None:
        """Take from the database where its numbers end."""
        self._latest_delivery: int = self._db.read("select coalesce(max(id), 0) from deliveries").fetchone()[0]

    def add_request(self, entry: dict[str, Any]) -> None:
        """Append to the journal of Graph requests."""
        self._new_requests.append(entry)
        self._db.changed()

    def requests(self, limit: int) -> list[dict[str, Any]]:
        """Return the latest Graph requests, oldest first."""
        rows = self._db.read("select id, value from requests order by id desc limit ?", (limit,)).fetchall()
        return [{"id": row[0], **json.loads(row[1])} for row in reversed(rows)]

    def add_delivery(self, wa_id: str | None, body: bytes, created_at: float) -> int:
        """Append a webhook body that must reach the bot; return its number."""
        self._latest_delivery += 1
        number = self._latest_delivery
        self._new_deliveries[number] = NewDelivery(wa_id, body, created_at)
        self._db.changed()
        return number

    def record_attempt(self, delivery: int, status: int | None, error: str | None, delivered: bool) -> None:
        """Record one attempt at a delivery."""
        new = self._new_deliveries.get(delivery)
        if new is not None:
            new.attempts += 1
            new.last_status, new.last_error, new.delivered = status, error, int(delivered)
        else:
            self._attempts.append((status, error, int(delivered), delivery))
        self._db.changed()

    def give_up(self, delivery: int) -> None:
        """Drop a delivery without having delivered it."""
        self._db.flush()
        self._db.write("update deliveries set delivered = -1 where id = ?", (delivery,))

    def pending_deliveries(self) -> list[tuple[int, str | None, bytes, int, float]]:
        """Return number, customer, body, attempts and birth of what has not reached the bot, oldest first."""
        query = "select id, wa_id, body, attempts, created_at from deliveries where delivered = 0 order by id"
        return self._db.read(query).fetchall()

    def delivery(self, delivery: int) -> dict[str, Any] | None:
        """Return one delivery as the control API shows it."""
        row = self._db.read("select * from shown_deliveries where id = ?", (delivery,)).fetchone()
        return _shown_delivery(*row) if row else None

    def deliveries(self, limit: int) -> list[dict[str, Any]]:
        """Return the latest deliveries, oldest first."""
        query = "select * from shown_deliveries order by id desc limit ?"
        return [_shown_delivery(*row) for row in self._db.read(query, (limit,))][::-1]

    def _write_changes(self) -> None:
        requests, deliveries, attempts = self._new_requests, self._new_deliveries, self._attempts
        self._new_requests, self._new_deliveries, self._attempts = [], {}, []
        self._db.write_many("insert into requests (value) values (?)", [(json.dumps(entry),) for entry in requests])
        self._db.write_many(
            "insert into deliveries (id, wa_id, body, created_at, attempts, last_status, last_error, delivered)"
            " values (?, ?, ?, ?, ?, ?, ?, ?)",
            [(number, *delivery.row()) for number, delivery in deliveries.items()],
        )
        self._db.write_many(
            "update deliveries set attempts = attempts + 1, last_status = ?, last_error = ?, delivered = ? where id = ?",
            attempts,
        )
        self._db.write("delete from requests where id <= (select max(id) from requests) - ?", (ROWS,))
        if any(number % FORGET_EVERY == 0 for number in deliveries):
            old = self._latest_delivery - ROWS
            self._db.write("delete from deliveries where id <= ? and delivered <> 0", (old,))


def _shown_delivery(
    number: int, attempts: int, status: int | None, error: str | None, delivered: int, created_at: float, body: bytes
) -> dict[str, Any]:
    return {
        "id": number,
        "attempts": attempts,
        "last_status": status,
        "last_error": error,
        "delivered": delivered == 1,
        "given_up": delivered == -1,
        "created_at": to_iso(created_at),
        "body": json.loads(body),
    }
