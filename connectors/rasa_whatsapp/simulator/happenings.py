"""What happens beside messages: a customer calls or changes number or user id, a human answers from the business's app.

Shapes: fact sheet 2.2.2, 2.6, 4.4. A change of identity is told by every business number that knows the customer.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from rasa_whatsapp.simulator import webhooks
from rasa_whatsapp.simulator.bubbles import Bubble
from rasa_whatsapp.simulator.chat import ChatMessage, Direction
from rasa_whatsapp.simulator.clock import Clock
from rasa_whatsapp.simulator.customers import Customer, window_at
from rasa_whatsapp.simulator.deliveries import Deliveries
from rasa_whatsapp.simulator.events import Events
from rasa_whatsapp.simulator.identifiers import new_call_id, new_wamid, next_user_id, user_id_of
from rasa_whatsapp.simulator.phones import PhoneRefused, Phones
from rasa_whatsapp.simulator.settings import Number, Settings
from rasa_whatsapp.simulator.storage import Storage

# Enough of a session description to look like one; nobody is going to answer it.
SDP = "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\n"


class Happenings:
    """Calls, changes of identity, echoes."""

    def __init__(
        self,
        settings: Settings,
        storage: Storage,
        events: Events,
        clock: Clock,
        deliveries: Deliveries,
        phones: Phones,
    ) -> None:
        """Take what is needed."""
        self._settings = settings
        self._storage = storage
        self._events = events
        self._clock = clock
        self._deliveries = deliveries
        self._phones = phones

    def call(self, wa_id: str, number: Number, seconds: int) -> str:
        """Let a customer call for some seconds, 0 if nobody answers; a call opens the window either way."""
        customer, now = self._phones.find_or_create(wa_id), self._clock.timestamp()
        call_id, at = new_call_id(), int(now)
        words = f"Call, {seconds} s" if seconds else "Missed call"
        bubble = Bubble(text=words, parts={"call": {"seconds": seconds}})
        connect = {
            "id": call_id,
            "event": "connect",
            "session": {"sdp_type": "offer", "sdp": SDP},
            "timestamp": str(at),
        }
        message = self._message(customer, number, bubble, connect, "call", Direction.IN)
        self._phones.show(message)
        customer = self._phones.open_window(customer, number, at)
        spoken = {"start_time": str(at), "end_time": str(at + seconds), "duration": seconds} if seconds else {}
        status = "COMPLETED" if seconds else "FAILED"
        end = {"id": call_id, "event": "terminate", "timestamp": str(at + seconds), "status": status, **spoken}
        for event in (connect, end):
            self._deliveries.send("calls", webhooks.call_value(number, customer, event), wa_id)
        return call_id

    def echo(self, customer: Customer, number: Number, text: str) -> str:
        """Let a human answer from the app; that is outside the API's rules and opens no window."""
        content = {"type": "text", "text": {"body": text}}
        message = {"id": new_wamid(), "timestamp": str(int(self._clock.timestamp())), **content}
        bubble = Bubble(text=text, parts={"from_app": True})
        self._phones.show(self._message(customer, number, bubble, message, "text", Direction.OUT))
        self._deliveries.send("smb_message_echoes", webhooks.echo_value(number, customer, message), customer.wa_id)
        return str(message["id"])

    def change_number(self, customer: Customer, new_wa_id: str, user_id: str | None) -> Customer:
        """Let a customer move to another number, with chats, windows and all; the user id is made anew."""
        if self._storage.customers.find(new_wa_id) is not None:
            raise PhoneRefused("another customer has this number")
        changed = replace(customer, wa_id=new_wa_id, user_id=user_id or user_id_of(new_wa_id))
        self._check(customer, changed)
        self._storage.renumber_customer(changed, customer.wa_id)
        self._deliveries.follow(customer.wa_id, new_wa_id)
        self._announce(changed, customer.wa_id)
        if not customer.hide_number:
            body = f"User {changed.name} changed from {customer.wa_id} to {new_wa_id}"
            system = {"body": body, "wa_id": new_wa_id, "user_id": changed.user_id, "type": "user_changed_number"}
            self._tell_system(changed, {"from": customer.wa_id}, system)
        self._tell_user_id(changed, customer.user_id)
        return changed

    def change_user_id(self, customer: Customer, user_id: str | None) -> Customer:
        """Give a customer a new user id."""
        changed = replace(customer, user_id=user_id or next_user_id(customer.wa_id, customer.user_id))
        self._check(customer, changed)
        self._storage.customers.save(changed)
        self._announce(changed, customer.wa_id)
        self._tell_user_id(changed, customer.user_id)
        return changed

    def _check(self, before: Customer, after: Customer) -> None:
        other = self._storage.customers.by_user_id(after.user_id)
        if other is not None:
            whose = "the customer has this user_id already" if other == before else "another customer has this user_id"
            raise PhoneRefused(whose)

    def _announce(self, customer: Customer, previous_wa_id: str) -> None:
        moved = {} if customer.wa_id == previous_wa_id else {"previous_wa_id": previous_wa_id}
        self._events.tell(
            "customer", lambda: {"wa_id": customer.wa_id, "customer": self._phones.shown(customer), **moved}
        )

    def _tell_user_id(self, customer: Customer, previous: str) -> None:
        # Observed: no sender of its own, only the new id and the previous one.
        system = {
            "body": f"User {customer.name} changed from {previous} to {customer.user_id}",
            **({} if customer.hide_number else {"wa_id": customer.wa_id}),
            "user_id": customer.user_id,
            "previous_user_id": previous,
            "type": "user_changed_user_id",
        }
        self._tell_system(customer, {}, system)
        for number in self._numbers(customer):
            value = webhooks.user_id_update_value(number, customer, previous, int(self._clock.timestamp()))
            self._deliveries.send("user_id_update", value, customer.wa_id)

    def _tell_system(self, customer: Customer, sender: dict[str, Any], system: dict[str, Any]) -> None:
        for number in self._numbers(customer):
            now = self._clock.timestamp()
            message = {**sender, "id": new_wamid(), "timestamp": str(int(now)), "type": "system", "system": system}
            self._phones.store(customer, number, message, now)
            value = webhooks.message_value(number, customer, message)
            self._deliveries.send("messages", value, customer.wa_id)

    def _numbers(self, customer: Customer) -> list[Number]:
        met = self._storage.messages.numbers_met(customer.wa_id)
        known = [number for number in self._settings.numbers if number.id in met]
        return known or [self._settings.first_number]

    def _message(
        self,
        customer: Customer,
        number: Number,
        bubble: Bubble,
        payload: dict[str, Any],
        kind: str,
        direction: Direction,
    ) -> ChatMessage:
        now = self._clock.timestamp()
        return ChatMessage(
            id=payload["id"],
            wa_id=customer.wa_id,
            number_id=number.id,
            direction=direction,
            at=now,
            type=kind,
            bubble=bubble.to_json(),
            payload=payload,
            # An echo has no ticks that the bot would hear of.
            status="delivered" if direction is Direction.IN else "read",
            accepted_at=self._clock.real_timestamp(),
            window_open=window_at(customer, number.id, now).is_open,
        )
