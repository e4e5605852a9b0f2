"""What outlives a restart, in one SQLite file or in memory: customers, messages, media, templates, journals, some values.

Calls are synchronous on purpose: what is asked for often is at hand, everything else is one small statement on a local
file (tens of microseconds, no fsync). Values are stored as ASCII JSON.
"""

from __future__ import annotations

import asyncio
import json
import sqlite3
from pathlib import Path
from typing import Any

from rasa_whatsapp.simulator.customer_table import CustomerTable
from rasa_whatsapp.simulator.customers import Customer
from rasa_whatsapp.simulator.database import PRAGMAS, Database
from rasa_whatsapp.simulator.journals import Journals
from rasa_whatsapp.simulator.media_table import MediaTable
from rasa_whatsapp.simulator.message_table import MessageTable
from rasa_whatsapp.simulator.migrations import migrate
from rasa_whatsapp.simulator.template_table import TemplateTable

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
delete from media; delete from media_addresses; delete from templates;
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
            self._db = Database(path)
            self._db.run(PRAGMAS + SCHEMA)
            migrate(self._db.connection, first_number)
            self.customers = CustomerTable(self._db)
        except sqlite3.Error as error:
            raise StorageUnusable(
                f"{path}: {error}. Give the path of a file that can be written, or a new one."
            ) from None
        self.messages = MessageTable(self._db)
        self.journals = Journals(self._db)
        self.media = MediaTable(self._db)
        self.templates = TemplateTable(self._db)

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """Write what changes every now and then."""
        self._db.start(loop)

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def clear(self) -> None:
        """Forget everything."""
        self._db.run(CLEAR)
        self.customers.read_again()
        self.messages.forget_latest()
        self.journals.read_again()

    def keep(self, name: str, value: Any) -> None:
        """Remember one named value."""
        self._db.write("insert or replace into keep values (?, ?)", (name, json.dumps(value)))

    def kept(self, name: str, default: Any) -> Any:
        """Return a remembered value."""
        row = self._db.read("select value from keep where name = ?", (name,)).fetchone()
        return json.loads(row[0]) if row else default

    def renumber_customer(self, customer: Customer, before: str) -> None:
        """Replace a customer who had another number, and let the chats follow."""
        self.messages.move(before, customer.wa_id)
        self.customers.renumber(customer, before)
