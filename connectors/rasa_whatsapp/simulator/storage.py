"""What outlives a restart, in one SQLite file or in memory: customers, messages, both journals, a few values.

Calls are synchronous on purpose: each is one small statement on a local file (tens of microseconds, no fsync), and a
simulator whose machine loses power may forget its last second. Values are stored as ASCII JSON.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from rasa_whatsapp.simulator.chat import ChatMessage, Direction, from_row
from rasa_whatsapp.simulator.clock import to_iso
from rasa_whatsapp.simulator.customers import Customer
from rasa_whatsapp.simulator.media_table import MediaTable
from rasa_whatsapp.simulator.migrations import migrate

# Older entries of the two journals are forgotten, or a simulator that is kept open for weeks would grow for ever.
JOURNAL_ROWS = 10_000

# As the first release made it; what came later is in migrations.py.
SCHEMA = """
create table if not exists keep (name text primary key, value text not null);
create table if not exists customers (wa_id text primary key, user_id text not null unique, value text not null);
create table if not exists messages (
  seq integer primary key, id text not null unique, wa_id text not null, direction text not null,
  status text not null, value text not null);
create index if not exists messages_under_way on messages (status) where status in ('accepted', 'sent');
create table if not exists requests (id integer primary key, value text not null);
create table if not exists deliveries (
  id integer primary key, wa_id text, body blob not null, attempts integer not null default 0,
  last_status integer, last_error text, delivered integer not null default 0, created_at real not null);
create index if not exists deliveries_pending on deliveries (id) where delivered = 0;
create view if not exists shown_deliveries as
  select id, attempts, last_status, last_error, delivered, created_at, body from deliveries;
"""
CLEAR = """
delete from keep; delete from customers; delete from messages; delete from requests; delete from deliveries;
delete from media; delete from media_addresses;
"""


class StorageUnusable(Exception):
    """The database file cannot be used."""


class Storage:
    """All tables behind one connection; use from one thread."""

    def __init__(self, path: Path | None, first_number: str = "") -> None:
        """Open, create or bring up to date the file; None keeps everything in memory.

        `first_number` is the business number that the messages of a file without numbers belong to.
        """
        try:
            self._db = sqlite3.connect(path or ":memory:", isolation_level=None)
            self._db.executescript("pragma journal_mode = wal; pragma synchronous = off;" + SCHEMA)
            migrate(self._db, first_number)
        except sqlite3.Error as error:
            raise StorageUnusable(
                f"{path}: {error}. Give the path of a file that can be written, or a new one."
            ) from None
        self.media = MediaTable(self._db)

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def clear(self) -> None:
        """Forget everything."""
        self._db.executescript(CLEAR)

    def keep(self, name: str, value: Any) -> None:
        """Remember one named value."""
        self._db.execute("insert or replace into keep values (?, ?)", (name, json.dumps(value)))

    def kept(self, name: str, default: Any) -> Any:
        """Return a remembered value."""
        row = self._db.execute("select value from keep where name = ?", (name,)).fetchone()
        return json.loads(row[0]) if row else default

    def save_customer(self, customer: Customer) -> None:
        """Insert or replace a customer."""
        row = (customer.wa_id, customer.user_id, json.dumps(customer.to_json()))
        self._db.execute(
            "insert into customers values (?, ?, ?)"
            " on conflict (wa_id) do update set user_id = excluded.user_id, value = excluded.value",
            row,
        )

    def customer(self, wa_id: str) -> Customer | None:
        """Return the customer with a number."""
        return _customer(self._db.execute("select value from customers where wa_id = ?", (wa_id,)))

    def customer_by_user_id(self, user_id: str) -> Customer | None:
        """Return the customer with a business-scoped user id."""
        return _customer(self._db.execute("select value from customers where user_id = ?", (user_id,)))

    def customer_by_parent_user_id(self, parent_user_id: str) -> Customer | None:
        """Return the customer with a parent user id."""
        return next((known for known in self.customers() if known.parent_user_id == parent_user_id), None)

    def customers(self) -> list[Customer]:
        """Return all customers, first come first."""
        return [
            Customer(**json.loads(row[0])) for row in self._db.execute("select value from customers order by rowid")
        ]

    def renumber_customer(self, customer: Customer, before: str) -> None:
        """Replace a customer who had another number, and let the chats follow, all at once."""
        chats = list(_messages(self._db.execute("select value from messages where wa_id = ?", (before,))))
        moved = [replace(message, wa_id=customer.wa_id) for message in chats]
        row = (customer.wa_id, customer.user_id, json.dumps(customer.to_json()), before)
        self._db.execute("begin immediate")
        with self._db:  # commits, or takes all of it back
            self._db.execute("update customers set wa_id = ?, user_id = ?, value = ? where wa_id = ?", row)
            self._db.executemany(
                "update messages set wa_id = ?, value = ? where id = ?",
                [(message.wa_id, json.dumps(message.to_row()), message.id) for message in moved],
            )

    def add_message(self, message: ChatMessage) -> None:
        """Append a message to its chat."""
        self._db.execute(
            "insert into messages (id, wa_id, number_id, direction, status, value) values (?, ?, ?, ?, ?, ?)",
            (
                message.id,
                message.wa_id,
                message.number_id,
                message.direction.value,
                message.status,
                json.dumps(message.to_row()),
            ),
        )

    def change_message(self, message: ChatMessage, **changes: Any) -> ChatMessage:
        """Store a changed message and return it."""
        changed = replace(message, **changes)
        self._db.execute(
            "update messages set status = ?, value = ? where id = ?",
            (changed.status, json.dumps(changed.to_row()), changed.id),
        )
        return changed

    def message(self, message_id: str) -> ChatMessage | None:
        """Return a message by its wamid; what is not ASCII is none, and might not even be storable text."""
        if not message_id.isascii():
            return None
        row = self._db.execute("select value from messages where id = ?", (message_id,)).fetchone()
        return from_row(json.loads(row[0])) if row else None

    def chat(self, wa_id: str, number_id: str) -> list[ChatMessage]:
        """Return a customer's chat with one business number, oldest first."""
        query = "select value from messages where wa_id = ? and number_id = ? order by seq"
        return _messages(self._db.execute(query, (wa_id, number_id)))

    def numbers_met(self, wa_id: str) -> set[str]:
        """Return the business numbers that a customer has a chat with."""
        query = "select distinct number_id from messages where wa_id = ?"
        return {number for (number,) in self._db.execute(query, (wa_id,))}

    def messages_with_status(self, wa_id: str, number_id: str, direction: Direction, status: str) -> list[ChatMessage]:
        """Return the messages of a chat in one direction that have a status, oldest first."""
        query = (
            "select value from messages where wa_id = ? and number_id = ? and direction = ? and status = ? order by seq"
        )
        return _messages(self._db.execute(query, (wa_id, number_id, direction.value, status)))

    def messages_under_way(self) -> list[ChatMessage]:
        """Return the business's messages that were accepted or sent and not yet delivered, oldest first."""
        query = "select value from messages where direction = 'out' and status in ('accepted', 'sent') order by seq"
        return _messages(self._db.execute(query))

    def add_request(self, entry: dict[str, Any]) -> None:
        """Append to the journal of Graph requests."""
        row = self._db.execute("insert into requests (value) values (?)", (json.dumps(entry),)).lastrowid
        self._db.execute("delete from requests where id <= ?", ((row or 0) - JOURNAL_ROWS,))

    def requests(self, limit: int) -> list[dict[str, Any]]:
        """Return the latest Graph requests, oldest first."""
        rows = self._db.execute("select id, value from requests order by id desc limit ?", (limit,)).fetchall()
        return [{"id": row[0], **json.loads(row[1])} for row in reversed(rows)]

    def add_delivery(self, wa_id: str | None, body: bytes, created_at: float) -> int:
        """Append a webhook body that must reach the bot; return its number."""
        row = self._db.execute(
            "insert into deliveries (wa_id, body, created_at) values (?, ?, ?)", (wa_id, body, created_at)
        ).lastrowid
        assert row is not None
        self._db.execute("delete from deliveries where id <= ? and delivered <> 0", (row - JOURNAL_ROWS,))
        return row

    def record_attempt(self, delivery: int, status: int | None, error: str | None, delivered: bool) -> None:
        """Record one attempt at a delivery."""
        self._db.execute(
            "update deliveries set attempts = attempts + 1, last_status = ?, last_error = ?, delivered = ? where id = ?",
            (status, error, int(delivered), delivery),
        )

    def give_up(self, delivery: int) -> None:
        """Drop a delivery without having delivered it."""
        self._db.execute("update deliveries set delivered = -1 where id = ?", (delivery,))

    def pending_deliveries(self) -> list[tuple[int, str | None, bytes, int, float]]:
        """Return number, customer, body, attempts and birth of what has not reached the bot, oldest first."""
        query = "select id, wa_id, body, attempts, created_at from deliveries where delivered = 0 order by id"
        return self._db.execute(query).fetchall()

    def delivery(self, delivery: int) -> dict[str, Any] | None:
        """Return one delivery as the control API shows it."""
        row = self._db.execute("select * from shown_deliveries where id = ?", (delivery,)).fetchone()
        return _shown_delivery(*row) if row else None

    def deliveries(self, limit: int) -> list[dict[str, Any]]:
        """Return the latest deliveries, oldest first."""
        query = "select * from shown_deliveries order by id desc limit ?"
        return [_shown_delivery(*row) for row in self._db.execute(query, (limit,))][::-1]


def _customer(rows: sqlite3.Cursor) -> Customer | None:
    row = rows.fetchone()
    return Customer(**json.loads(row[0])) if row else None


def _messages(rows: Iterable[tuple[str]]) -> list[ChatMessage]:
    return [from_row(json.loads(value)) for (value,) in rows]


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
