"""Database files of earlier releases, brought up to date when they are opened; `pragma user_version` counts the steps.

A step is never changed once released: a new one is appended.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable

Step = Callable[[sqlite3.Connection, str], None]

# Several business numbers, media.
_NUMBERS_AND_MEDIA = """
alter table messages add column number_id text not null default '';
drop index if exists messages_of_customer;
create index messages_of_chat on messages (wa_id, number_id, seq);
create table media (
  id text primary key, number_id text not null, uploaded integer not null, mime_type text not null,
  sha256 text not null, size integer not null, filename text, created_at real not null,
  deleted integer not null, bytes blob not null);
create table media_addresses (token text primary key, media_id text not null, expires_at real not null);
"""


def migrate(db: sqlite3.Connection, first_number: str) -> None:
    """Take every step that a database has not taken; what is older than numbers belongs to the first one."""
    (version,) = db.execute("pragma user_version").fetchone()
    for number, step in enumerate(STEPS[version:], start=version + 1):
        db.execute("begin immediate")
        try:
            step(db, first_number)
            db.execute(f"pragma user_version = {number}")
            db.execute("commit")
        except BaseException:
            db.execute("rollback")
            raise


def _add_numbers_and_media(db: sqlite3.Connection, first_number: str) -> None:
    for statement in _NUMBERS_AND_MEDIA.split(";\n"):
        db.execute(statement)
    for seq, value in db.execute("select seq, value from messages").fetchall():
        message = {**json.loads(value), "number_id": first_number}
        row = (json.dumps(message), first_number, seq)
        db.execute("update messages set value = ?, number_id = ? where seq = ?", row)
    for wa_id, value in db.execute("select wa_id, value from customers").fetchall():
        customer = json.loads(value)
        last = customer.pop("last_message_at", None)
        customer["opened_at"] = {} if last is None else {first_number: last}
        db.execute("update customers set value = ? where wa_id = ?", (json.dumps(customer), wa_id))


def _add_templates(db: sqlite3.Connection, first_number: str) -> None:
    db.execute("create table templates (id text primary key, value text not null)")
    row = db.execute("select value from keep where name = 'template_statuses'").fetchone()
    for template_id, status in json.loads(row[0]).items() if row else ():
        db.execute("insert into templates values (?, ?)", (template_id, json.dumps({"status": status})))
    db.execute("delete from keep where name = 'template_statuses'")


STEPS: tuple[Step, ...] = (_add_numbers_and_media, _add_templates)
