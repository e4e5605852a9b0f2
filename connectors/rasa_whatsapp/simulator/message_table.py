"""The messages of all chats, in the order in which they came to be; the latest are at hand, for their statuses follow.

The status stands in a column of its own, so a message that climbs is not written anew.
"""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import replace

from rasa_whatsapp.simulator.chat import ChatMessage, Direction, from_row
from rasa_whatsapp.simulator.database import Database

AT_HAND = 20_000


class MessageTable:
    """Every message, by id, by chat, by how far it has come, by its place."""

    def __init__(self, db: Database) -> None:
        """Use a database whose table exists."""
        self._db = db
        self._latest: OrderedDict[str, ChatMessage] = OrderedDict()
        self._new: dict[str, ChatMessage] = {}
        self._moved: dict[str, str] = {}
        db.ask(self._write_changes)

    def forget_latest(self) -> None:
        """Look everything up again."""
        self._latest.clear()

    def add(self, message: ChatMessage) -> None:
        """Append a message to its chat."""
        self._new[message.id] = message
        self._db.changed()
        self._keep(message)

    def change_status(self, message: ChatMessage, status: str) -> ChatMessage:
        """Store how far a message has come, and return it."""
        changed = replace(message, status=status)
        if message.id in self._new:
            self._new[message.id] = changed
        else:
            self._moved[message.id] = status
        self._db.changed()
        self._keep(changed)
        return changed

    def move(self, before: str, after: str) -> None:
        """Let the chats of a customer with another number follow."""
        rows = self._db.read("select status, value from messages where wa_id = ?", (before,))
        moved = [replace(message, wa_id=after) for message in _read(rows)]
        values = [(after, json.dumps(message.to_row()), message.id) for message in moved]
        self._db.write_many("update messages set wa_id = ?, value = ? where id = ?", values)
        self.forget_latest()

    def find(self, message_id: str) -> ChatMessage | None:
        """Return a message by its wamid; what is not ASCII is none, and might not even be storable text."""
        at_hand = self._latest.get(message_id)
        if at_hand is not None or not message_id.isascii():
            return at_hand
        query = "select status, value from messages where id = ?"
        return next(iter(_read(self._db.read(query, (message_id,)))), None)

    def chat(self, wa_id: str, number_id: str) -> list[ChatMessage]:
        """Return a customer's chat with one business number, oldest first."""
        query = "select status, value from messages where wa_id = ? and number_id = ? order by seq"
        return _read(self._db.read(query, (wa_id, number_id)))

    def numbers_met(self, wa_id: str) -> set[str]:
        """Return the business numbers that a customer has a chat with."""
        query = "select distinct number_id from messages where wa_id = ?"
        return {number for (number,) in self._db.read(query, (wa_id,))}

    def with_status(self, wa_id: str, number_id: str, direction: Direction, status: str) -> list[ChatMessage]:
        """Return the messages of a chat in one direction that have a status, oldest first."""
        query = (
            "select status, value from messages where wa_id = ? and number_id = ? and direction = ? and status = ?"
            " order by seq"
        )
        return _read(self._db.read(query, (wa_id, number_id, direction.value, status)))

    def under_way(self) -> list[ChatMessage]:
        """Return the business's messages that were accepted or sent and not yet delivered, oldest first."""
        query = (
            "select status, value from messages where direction = 'out' and status in ('accepted', 'sent') order by seq"
        )
        return _read(self._db.read(query))

    def after(self, place: int, limit: int) -> list[tuple[int, ChatMessage]]:
        """Return messages of all chats that came after a place, with their places, oldest first."""
        query = "select seq, status, value from messages where seq > ? order by seq limit ?"
        return [(seq, _message(status, value)) for seq, status, value in self._db.read(query, (place, limit))]

    def _write_changes(self) -> None:
        new, moved = list(self._new.values()), [(status, message) for message, status in self._moved.items()]
        self._new.clear()
        self._moved.clear()
        self._db.write_many(
            "insert into messages (id, wa_id, number_id, direction, status, value) values (?, ?, ?, ?, ?, ?)",
            [_row(message) for message in new],
        )
        self._db.write_many("update messages set status = ? where id = ?", moved)

    def _keep(self, message: ChatMessage) -> None:
        self._latest[message.id] = message
        if len(self._latest) > AT_HAND:
            self._latest.popitem(last=False)


def _row(message: ChatMessage) -> tuple[str, str, str, str, str, str]:
    value = json.dumps(message.to_row())
    return (message.id, message.wa_id, message.number_id, message.direction.value, message.status, value)


def _read(rows: Iterable[tuple[str, str]]) -> list[ChatMessage]:
    return [_message(status, value) for status, value in rows]


def _message(status: str, value: str) -> ChatMessage:
    return from_row(json.loads(value) | {"status": status})
