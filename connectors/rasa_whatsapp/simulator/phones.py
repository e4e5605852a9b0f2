"""What the customers do: appear, write, tap, stop marketing; each told to the bot by webhook."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

from rasa_whatsapp.simulator import customers, webhooks
from rasa_whatsapp.simulator.chat import ChatMessage, Direction
from rasa_whatsapp.simulator.clock import Clock
from rasa_whatsapp.simulator.composing import Desk, compose, quote
from rasa_whatsapp.simulator.control_bodies import When
from rasa_whatsapp.simulator.counts import Counts
from rasa_whatsapp.simulator.customer_bubbles import from_customer
from rasa_whatsapp.simulator.customers import Customer
from rasa_whatsapp.simulator.deliveries import Deliveries
from rasa_whatsapp.simulator.events import Events
from rasa_whatsapp.simulator.identifiers import new_wamid, user_id_of
from rasa_whatsapp.simulator.limits import Limits
from rasa_whatsapp.simulator.media import Library
from rasa_whatsapp.simulator.settings import Number, Settings
from rasa_whatsapp.simulator.storage import Storage
from rasa_whatsapp.simulator.taps import TapRefused, tap


class PhoneRefused(ValueError):
    """Something that a customer cannot do."""


class Phones:
    """All customers' phones."""

    def __init__(
        self,
        settings: Settings,
        storage: Storage,
        events: Events,
        clock: Clock,
        deliveries: Deliveries,
        library: Library,
        counts: Counts,
        limits: Limits,
    ) -> None:
        """Take what is needed."""
        self._settings = settings
        self._storage = storage
        self._events = events
        self._clock = clock
        self._deliveries = deliveries
        self._library = library
        self._counts = counts
        self._limits = limits

    def find_or_create(self, wa_id: str) -> Customer:
        """Return the customer with a number, who appears on first use."""
        return self._storage.customers.find(wa_id) or self.upsert(wa_id, {})

    def upsert(self, wa_id: str, changes: dict[str, Any]) -> Customer:
        """Create a customer or change what is given."""
        customer = self._storage.customers.find(wa_id) or Customer(
            wa_id=wa_id, name=f"Customer {wa_id[-4:]}", user_id=changes.get("user_id") or user_id_of(wa_id)
        )
        customer = replace(customer, **changes)
        if customer.hide_number and customer.username is None:
            # Only somebody with a username can hide the number (fact sheet 2.6).
            customer = replace(customer, username=f"@customer.{wa_id[-4:]}")
        self.check_user_id(customer)
        self._storage.customers.save(customer)
        self._events.tell("customer", lambda: {"wa_id": wa_id, "customer": self.shown(customer)})
        return customer

    def check_user_id(self, customer: Customer) -> None:
        """Refuse a user id that another customer has."""
        other = self._storage.customers.by_user_id(customer.user_id)
        if other is not None and other.wa_id != customer.wa_id:
            raise PhoneRefused("another customer has this user_id")

    def shown(self, customer: Customer, number: Number | None = None) -> dict[str, Any]:
        """Return a customer as the control API shows it, with the window of a business number."""
        number_id = (number or self._settings.first_number).id
        return customers.shown(customer, number_id, self._clock.timestamp())

    def write(self, wa_id: str, number: Number, body: dict[str, Any], when: When, *, host: str) -> Callable[[], str]:
        """Return what lets a customer send what a control body says; `host` is where addresses of media lead."""
        customer = self.find_or_create(wa_id)
        return self._sender(wa_id, number, compose(body, self._desk(customer, number, host)), when)

    def send(
        self,
        wa_id: str,
        number: Number,
        content: dict[str, Any],
        timestamp: int | None = None,
        wamid: str | None = None,
    ) -> str:
        """Let a customer send a message; an id that is known is delivered again and shown once."""
        customer = self.find_or_create(wa_id)
        self._limits.receive(number.id, self._clock.timestamp())
        known = self._storage.messages.find(wamid) if wamid is not None else None
        at = self._moment(timestamp, known)
        message_id = wamid or new_wamid()
        message = webhooks.inbound(customer, message_id, int(at), content)
        if known is None:
            self.store(customer, number, message, at)
            if customers.opens_window(message):
                customer = self.open_window(customer, number, int(at))
        self._deliveries.send("messages", webhooks.message_value(number, customer, message), wa_id)
        return message_id

    def tap(self, wa_id: str, message_id: str, button: str, when: When) -> Callable[[], str]:
        """Return what lets a customer tap a button or row of one of the business's messages."""
        message = self._storage.messages.find(message_id)
        if message is None or message.wa_id != wa_id or message.direction is not Direction.OUT:
            raise TapRefused("the customer has no message of the business with this message_id")
        if message.status == "failed":
            raise TapRefused("the message failed, the customer never got it")
        number = self._settings.number(message.number_id)
        if number is None:
            raise TapRefused("the message is from a business number that is no longer played")
        customer = self.find_or_create(wa_id)
        context = quote(message, customer, number.display)
        return self._sender(wa_id, number, {"context": context, **tap(message, button, customer)}, when)

    def choose_marketing(self, wa_id: str, number: Number, choice: str) -> Customer:
        """Let a customer stop or resume marketing messages in the app's own settings."""
        customer = self.upsert(wa_id, {"marketing": choice})
        value = webhooks.preference_value(number, customer, int(self._clock.timestamp()))
        self._deliveries.send("user_preferences", value, wa_id)
        return customer

    def open_window(self, customer: Customer, number: Number, timestamp: int) -> Customer:
        """Open or renew the customer's window with a business number."""
        return self.upsert(customer.wa_id, {"opened_at": customers.opened(customer, number.id, timestamp)})

    def store(self, customer: Customer, number: Number, message: dict[str, Any], at: float) -> None:
        """Put a customer's message into the chat."""
        stored = ChatMessage(
            id=message["id"],
            wa_id=customer.wa_id,
            number_id=number.id,
            direction=Direction.IN,
            at=at,
            type=str(message.get("type")),
            bubble=from_customer(message, self._library.on_phone),
            payload=message,
            status="delivered",
            accepted_at=self._clock.real_timestamp(),
            window_open=customers.window_at(customer, number.id, self._clock.timestamp()).is_open,
        )
        self.show(stored)

    def show(self, message: ChatMessage) -> None:
        """Add a message to its chat and tell the watchers."""
        self._storage.messages.add(message)
        self._counts.messages[message.direction] += 1
        self._events.tell(
            "message",
            lambda: {"wa_id": message.wa_id, "number_id": message.number_id, "message": message.to_json()},
        )

    def _sender(self, wa_id: str, number: Number, content: dict[str, Any], when: When) -> Callable[[], str]:
        if when.timestamp is not None and when.timestamp > self._clock.timestamp():
            raise PhoneRefused("timestamp lies in the future of the simulated time")
        return partial(self.send, wa_id, number, content, when.timestamp, when.wamid)

    def _moment(self, timestamp: int | None, known: ChatMessage | None) -> float:
        if timestamp is not None:
            return float(timestamp)
        return known.at if known is not None else self._clock.timestamp()

    def _desk(self, customer: Customer, number: Number, host: str) -> Desk:
        def find(message_id: str) -> ChatMessage | None:
            message = self._storage.messages.find(message_id)
            here = message is not None and (message.wa_id, message.number_id) == (customer.wa_id, number.id)
            return message if here else None

        def keep(data: bytes, mime_type: str, filename: str | None) -> Any:
            return self._library.keep(data, number_id=number.id, uploaded=False, mime_type=mime_type, filename=filename)

        return Desk(
            customer=customer,
            display_number=number.display,
            now=self._clock.timestamp(),
            find=find,
            keep_media=keep,
            address_of=lambda media: host + self._library.new_address(media),
        )
