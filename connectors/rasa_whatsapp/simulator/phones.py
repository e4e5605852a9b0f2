"""What the customers do: appear, write, tap, open the chat, stop marketing; each told to the bot by webhook."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from rasa_whatsapp.simulator import webhooks
from rasa_whatsapp.simulator.bubbles import from_customer
from rasa_whatsapp.simulator.chat import ChatMessage, Direction
from rasa_whatsapp.simulator.clock import Clock
from rasa_whatsapp.simulator.customers import Customer, latest_message_at, window_at
from rasa_whatsapp.simulator.deliveries import Deliveries
from rasa_whatsapp.simulator.events import Events
from rasa_whatsapp.simulator.identifiers import new_wamid, user_id_of
from rasa_whatsapp.simulator.settings import Settings
from rasa_whatsapp.simulator.storage import Storage
from rasa_whatsapp.simulator.taps import TapRefused, tap


class PhoneRefused(ValueError):
    """Something that a customer cannot do."""


class Phones:
    """All customers' phones."""

    def __init__(
        self, settings: Settings, storage: Storage, events: Events, clock: Clock, deliveries: Deliveries
    ) -> None:
        """Take what is needed."""
        self._settings = settings
        self._storage = storage
        self._events = events
        self._clock = clock
        self._deliveries = deliveries

    def find_or_create(self, wa_id: str) -> Customer:
        """Return the customer with a number, who appears on first use."""
        return self._storage.customer(wa_id) or self.upsert(wa_id, {})

    def upsert(self, wa_id: str, changes: dict[str, Any]) -> Customer:
        """Create a customer or change what is given."""
        customer = self._storage.customer(wa_id) or Customer(
            wa_id=wa_id, name=f"Customer {wa_id[-4:]}", user_id=changes.get("user_id") or user_id_of(wa_id)
        )
        customer = replace(customer, **changes)
        if customer.hide_number and customer.username is None:
            # Only somebody with a username can hide the number (fact sheet 2.6).
            customer = replace(customer, username=f"@customer.{wa_id[-4:]}")
        other = self._storage.customer_by_user_id(customer.user_id)
        if other is not None and other.wa_id != wa_id:
            raise PhoneRefused("another customer has this user_id")
        self._storage.save_customer(customer)
        self._events.tell("customer", {"wa_id": wa_id, "customer": self.shown(customer)})
        return customer

    def shown(self, customer: Customer) -> dict[str, Any]:
        """Return a customer with the care window as the control API shows it."""
        return customer.to_json() | {"window": window_at(customer, self._clock.timestamp()).to_json()}

    def send(self, wa_id: str, content: dict[str, Any], timestamp: int | None = None, wamid: str | None = None) -> str:
        """Let a customer send a message; an id that is known is delivered again and shown once."""
        customer = self.find_or_create(wa_id)
        known = self._storage.message(wamid) if wamid is not None else None
        at = self._moment(timestamp, known)
        message_id = wamid or new_wamid()
        message = webhooks.inbound(customer, message_id, int(at), content)
        if known is None:
            customer = self._store(customer, message, at)
        self._deliveries.send("messages", webhooks.message_value(self._settings, customer, message), wa_id)
        return message_id

    def tap(self, wa_id: str, message_id: str, button: str, **how: Any) -> str:
        """Let a customer tap a button or row of one of the business's messages."""
        message = self._storage.message(message_id)
        if message is None or message.wa_id != wa_id or message.direction is not Direction.OUT:
            raise TapRefused("the customer has no message of the business with this message_id")
        if message.status == "failed":
            raise TapRefused("the message failed, the customer never got it")
        customer = self.find_or_create(wa_id)
        # `from` is the author of the quoted message; it may be absent for a customer who hides the number.
        author = {} if customer.hide_number else {"from": self._settings.display_phone_number}
        return self.send(wa_id, {"context": {**author, "id": message_id}, **tap(message, button)}, **how)

    def choose_marketing(self, wa_id: str, choice: str) -> Customer:
        """Let a customer stop or resume marketing messages in the app's own settings."""
        customer = self.upsert(wa_id, {"marketing": choice})
        value = webhooks.preference_value(self._settings, customer, int(self._clock.timestamp()))
        self._deliveries.send("user_preferences", value, wa_id)
        return customer

    def _moment(self, timestamp: int | None, known: ChatMessage | None) -> float:
        if timestamp is None:
            return known.at if known is not None else self._clock.timestamp()
        if timestamp > self._clock.timestamp():
            raise PhoneRefused("timestamp lies in the future of the simulated time")
        return float(timestamp)

    def _store(self, customer: Customer, message: dict[str, Any], at: float) -> Customer:
        stored = ChatMessage(
            id=message["id"],
            wa_id=customer.wa_id,
            direction=Direction.IN,
            at=at,
            type=str(message.get("type")),
            bubble=from_customer(message).to_json(),
            payload=message,
            status="delivered",
        )
        self._storage.add_message(stored)
        self._events.tell("message", {"wa_id": customer.wa_id, "message": stored.to_json()})
        return self.upsert(customer.wa_id, {"last_message_at": latest_message_at(customer, stored.type, int(at))})
