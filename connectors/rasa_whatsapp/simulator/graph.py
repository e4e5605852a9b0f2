"""What Meta does with a request to `/{phone-number-id}/messages`: refuse it, or accept it and let it go its way.

Accepted is not delivered: a closed window and a customer's stop to marketing show later, as a failed status.
"""

from __future__ import annotations

from typing import Any

from rasa_whatsapp.simulator.bubbles import Bubble
from rasa_whatsapp.simulator.chat import ChatMessage, Direction
from rasa_whatsapp.simulator.clock import Clock
from rasa_whatsapp.simulator.customers import Customer, window_at
from rasa_whatsapp.simulator.events import Events
from rasa_whatsapp.simulator.faults import Faults
from rasa_whatsapp.simulator.identifiers import is_user_id, new_wamid, to_wa_id
from rasa_whatsapp.simulator.kinds import SendContext, fields, read_content
from rasa_whatsapp.simulator.phones import Phones
from rasa_whatsapp.simulator.pricing import pricing
from rasa_whatsapp.simulator.refusals import Refused, to_status_error
from rasa_whatsapp.simulator.settings import Settings, WindowErrors
from rasa_whatsapp.simulator.statuses import Statuses
from rasa_whatsapp.simulator.storage import Storage
from rasa_whatsapp.simulator.templates import Templates

CALLBACK_DATA = 512
TYPING_SECONDS = 25


class Graph:
    """The business's side of one phone number."""

    def __init__(
        self,
        settings: Settings,
        storage: Storage,
        events: Events,
        faults: Faults,
        clock: Clock,
        templates: Templates,
        phones: Phones,
        statuses: Statuses,
    ) -> None:
        """Take what is needed."""
        self._settings = settings
        self._storage = storage
        self._events = events
        self._faults = faults
        self._clock = clock
        self._templates = templates
        self._phones = phones
        self._statuses = statuses

    def is_receipt(self, body: Any) -> bool:
        """Tell whether a request marks a message as read, rather than sends one."""
        return isinstance(body, dict) and "status" in body and "type" not in body

    def receipt(self, body: dict[str, Any]) -> dict[str, Any]:
        """Mark a customer's message and the earlier ones as read, and show that the business is typing."""
        _check_product(body)
        if body["status"] != "read":
            raise Refused(100, "Param status must be one of {READ}.")
        message = self._storage.message(fields.string_at(body, "message_id", "messages"))
        if message is None or message.direction is not Direction.IN:
            raise Refused(131009, "message_id names no message that was received")
        self._mark_read(message)
        if body.get("typing_indicator") is not None:
            self._show_typing(body, message.wa_id)
        return {"success": True}

    async def send(self, body: dict[str, Any]) -> dict[str, Any]:
        """Check a message, accept it, and return Meta's answer."""
        kind, bubble, context = self._read(body)
        customer = self._recipient(body)
        error = self._later_error(customer, bubble)
        if error == 131047 and self._settings.window_errors is WindowErrors.HTTP:
            raise Refused(error, to_status_error(error)["error_data"]["details"])
        message = self._accept(body, kind, bubble, customer, error, to_user_id=context.to_user_id)
        await self._hand_to_statuses(message)
        return _answer(body, customer, message, context.to_user_id)

    def _read(self, body: dict[str, Any]) -> tuple[str, Bubble, SendContext]:
        _check_product(body)
        if body.get("recipient_type", "individual") != "individual":
            raise Refused(131051, "The simulator plays messages to individuals only")
        context = SendContext(to_user_id=_is_to_user_id(body), find_template=self._templates.find)
        _check_extras(body)
        kind = body.get("type", "text")
        return str(kind), read_content(kind, body, context), context

    def _recipient(self, body: dict[str, Any]) -> Customer:
        if _is_to_user_id(body):
            customer = self._storage.customer_by_user_id(body["recipient"])
            if customer is None:
                raise Refused(131009, "recipient is no user id that this business has met")
            return customer
        wa_id = to_wa_id(body["to"])
        if wa_id is None:
            raise Refused(131009, "Param to is not a phone number with its country code")
        if wa_id == self._settings.display_phone_number:
            raise Refused(131021, "Recipient and sender are the same phone number")
        return self._phones.find_or_create(wa_id)

    def _later_error(self, customer: Customer, bubble: Bubble) -> int | None:
        fault = self._faults.strike("failed_status")
        if fault is not None:
            return int(fault.settings["code"])
        if bubble.template is None:
            return None if window_at(customer, self._clock.timestamp()).is_open else 131047
        stopped = bubble.template["category"] == "MARKETING" and customer.marketing == "stop"
        return 131050 if stopped else None

    def _accept(
        self,
        body: dict[str, Any],
        kind: str,
        bubble: Bubble,
        customer: Customer,
        error: int | None,
        *,
        to_user_id: bool,
    ) -> ChatMessage:
        now = self._clock.timestamp()
        window = window_at(customer, now)
        category = bubble.template["category"] if bubble.template is not None else None
        message = ChatMessage(
            id=new_wamid(),
            wa_id=customer.wa_id,
            direction=Direction.OUT,
            at=now,
            type=kind,
            bubble=bubble.to_json(),
            payload=body,
            status="accepted",
            errors=[] if error is None else [to_status_error(error)],
            callback_data=body.get("biz_opaque_callback_data"),
            to_user_id=to_user_id,
            pricing=pricing(category, window.is_open, now),
        )
        self._storage.add_message(message)
        self._events.tell("message", {"wa_id": customer.wa_id, "message": message.to_json()})
        return message

    async def _hand_to_statuses(self, message: ChatMessage) -> None:
        if not message.errors and self._faults.strike("status_first"):
            told = self._statuses.move(message.id, "sent")
            if told is not None:
                await told.wait()
        self._statuses.begin(message.id)

    def _mark_read(self, message: ChatMessage) -> None:
        unread = self._storage.messages_with_status(message.wa_id, Direction.IN, "delivered")
        for earlier in unread:
            self._storage.change_message(earlier, status="read")
            self._events.tell("status", {"wa_id": earlier.wa_id, "id": earlier.id, "status": "read"})
            if earlier.id == message.id:
                return

    def _show_typing(self, body: dict[str, Any], wa_id: str) -> None:
        indicator = fields.object_at(body, "typing_indicator", "messages")
        if indicator.get("type") != "text":
            raise Refused(100, "Param typing_indicator['type'] must be one of {TEXT}.")
        self._events.tell("typing", {"wa_id": wa_id, "seconds": TYPING_SECONDS})


def _check_product(body: dict[str, Any]) -> None:
    if body.get("messaging_product") != "whatsapp":
        raise Refused(100, "The parameter messaging_product is required.")


def _is_to_user_id(body: dict[str, Any]) -> bool:
    """Both given: `to` wins (fact sheet 2.6)."""
    if isinstance(body.get("to"), str) and body["to"]:
        return False
    if body.get("to") is not None:
        raise Refused(100, "Param to must be a string.")
    recipient = body.get("recipient")
    if recipient is None:
        raise Refused(100, "The parameter to is required.")
    if not isinstance(recipient, str) or not is_user_id(recipient):
        raise Refused(131009, "recipient is not a business-scoped user id")
    return True


def _check_extras(body: dict[str, Any]) -> None:
    data = body.get("biz_opaque_callback_data")
    if data is not None and (not isinstance(data, str) or fields.units(data) > CALLBACK_DATA):
        raise Refused(100, f"Param biz_opaque_callback_data must be a string of at most {CALLBACK_DATA} characters.")
    if body.get("context") is not None:
        fields.string_at(fields.object_at(body, "context", "messages"), "message_id", "context")


def _answer(body: dict[str, Any], customer: Customer, message: ChatMessage, to_user_id: bool) -> dict[str, Any]:
    named = {"input": body.get("recipient"), "user_id": customer.user_id}
    dialled = {"input": body.get("to"), "wa_id": customer.wa_id}
    accepted = {"message_status": "accepted"} if message.type == "template" else {}
    return {
        "messaging_product": "whatsapp",
        "contacts": [named if to_user_id else dialled],
        "messages": [{"id": message.id, **accepted}],
    }
