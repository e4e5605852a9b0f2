"""The customers, in the database and all of them at hand: nearly every message asks for one."""

from __future__ import annotations

import json

from rasa_whatsapp.simulator.customers import Customer
from rasa_whatsapp.simulator.database import Database


class CustomerTable:
    """Who there is, first come first."""

    def __init__(self, db: Database) -> None:
        """Read everybody from a database whose table exists."""
        self._db = db
        self._changed: dict[str, Customer] = {}
        self.read_again()
        db.ask(self._write_changes)

    def read_again(self) -> None:
        """Take what the database says now."""
        rows = self._db.read("select value from customers order by rowid")
        known = [Customer(**json.loads(value)) for (value,) in rows]
        self._by_wa_id = {customer.wa_id: customer for customer in known}
        self._by_user_id = {customer.user_id: customer.wa_id for customer in known}

    def save(self, customer: Customer) -> None:
        """Insert or replace a customer."""
        before = self._by_wa_id.get(customer.wa_id)
        if before is not None:
            del self._by_user_id[before.user_id]
        self._by_wa_id[customer.wa_id] = customer
        self._by_user_id[customer.user_id] = customer.wa_id
        self._changed[customer.wa_id] = customer
        self._db.changed()

    def renumber(self, customer: Customer, before: str) -> None:
        """Replace a customer who had another number; the place in the order stays."""
        self._db.flush()
        row = (customer.wa_id, customer.user_id, json.dumps(customer.to_json()), before)
        self._db.write("update customers set wa_id = ?, user_id = ?, value = ? where wa_id = ?", row)
        self.read_again()

    def find(self, wa_id: str) -> Customer | None:
        """Return the customer with a number."""
        return self._by_wa_id.get(wa_id)

    def by_user_id(self, user_id: str) -> Customer | None:
        """Return the customer with a business-scoped user id."""
        wa_id = self._by_user_id.get(user_id)
        return self._by_wa_id[wa_id] if wa_id is not None else None

    def by_parent_user_id(self, parent_user_id: str) -> Customer | None:
        """Return the customer with a parent user id."""
        return next((known for known in self.all() if known.parent_user_id == parent_user_id), None)

    def all(self) -> list[Customer]:
        """Return all customers, first come first."""
        return list(self._by_wa_id.values())

    def _write_changes(self) -> None:
        rows = [(known.wa_id, known.user_id, json.dumps(known.to_json())) for known in self._changed.values()]
        self._changed.clear()
        self._db.write_many(
            "insert into customers values (?, ?, ?)"
            " on conflict (wa_id) do update set user_id = excluded.user_id, value = excluded.value",
            rows,
        )
