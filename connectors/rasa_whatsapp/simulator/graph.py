"""What Meta does with a request to `/{phone-number-id}/messages`: refuse it, or accept it and let it go its way.

Accepted is not delivered: a closed window and a customer's stop to marketing show later, as a failed status.
"""

from __future__ import annotations

from typing import Any

from rasa_whatsapp.simulator.bubbles import Bubble
from rasa_whatsapp.simulator.chat import ChatMessage, Direction
from rasa_whatsapp.simulator.clock import Clock
from rasa_whatsapp.simulator.customers import Customer, window_at
from rasa_whatsapp.simulator.direct_send import TEMPLATE_ID, DirectSend
from rasa_whatsapp.simulator.events import Events
from rasa_whatsapp.simulator.faults import Faults
from rasa_whatsapp.simulator.identifiers import new_wamid
from rasa_whatsapp.simulator.kinds import SendContext, fields, read_content
from rasa_whatsapp.simulator.limits import Limits
from rasa_whatsapp.simulator.media import Library
from rasa_whatsapp.simulator.phones import Phones
from rasa_whatsapp.simulator.pricing import pricing
from rasa_whatsapp.simulator.quotes import can_react, quoted
from rasa_whatsapp.simulator.recipients import Recipient, read_recipient
from rasa_whatsapp.simulator.refusals import Refused, to_status_error
from rasa_whatsapp.simulator.settings import Number, Settings, WindowErrors
from rasa_whatsapp.simulator.statuses import Statuses
from rasa_whatsapp.simulator.storage import Storage
from rasa_whatsapp.simulator.templates import Templates

CALLBACK_DATA = 512
TYPING_SECONDS = 25


class Graph:
    """The business's side of its phone numbers."""

    def __init__(
        self,
        settings: Settings,
        storage: Storage,
        events: Events,
        faults: Faults,
        clock: Clock,
        templates: Templates,
        library: Library,
        phones: Phones,
        statuses: Statuses,
        limits: Limits,
        direct_send: DirectSend,
    ) -> None:
        """Take what is needed."""
        self._settings = settings
        self._storage = storage
        self._events = events
        self._faults = faults
        self._clock = clock
        self._templates = templates
        self._library = library
        self._phones = phones
        self._statuses = statuses
        self._limits = limits
        self._direct_send = direct_send

    def is_receipt(self, body: Any) -> bool:
        """Tell whether a request marks a message as read, rather than sends one."""
        return isinstance(body, dict) and "status" in body and "type" not in body

    def receipt(self, body: dict[str, Any], number: Number) -> dict[str, Any]:
        """Mark a customer's message and the earlier ones as read, and show that the business is typing."""
        _check_product(body)
        if body["status"] != "read":
            raise Refused(100, "Param status must be one of {READ}.")
        message = self._storage.messages.find(fields.string_at(body, "message_id", "messages"))
        if message is None or message.direction is not Direction.IN or message.number_id != number.id:
            raise Refused(131009, "message_id names no message that was received")
        self._mark_read(message)
        if body.get("typing_indicator") is not None:
            self._show_typing(body, message)
        return {"success": True}

    async def send(self, body: dict[str, Any], number: Number) -> dict[str, Any]:
        """Check a message, accept it, and return Meta's answer."""
        _check_product(body)
        _check_extras(body)
        recipient = read_recipient(body, number, self._storage)
        kind = body.get("type", "text")
        bubble = read_content(kind, body, self._context(number, recipient))
        category = self._direct_send.category_of(body, kind)
        quoting = quoted(body, kind, recipient.wa_id, number.id, self._storage, self._clock.timestamp())
        self._limits.send(number.id, recipient.wa_id, self._clock.timestamp())
        customer = self._phones.find_or_create(recipient.wa_id)
        error = self._later_error(customer, bubble, number, is_direct=category is not None)
        if error == 131047 and self._settings.window_errors is WindowErrors.HTTP:
            raise Refused(error, to_status_error(error)["error_data"]["details"])
        message = self._accept(
            body,
            bubble,
            customer,
            number=number,
            error=error,
            quoting=quoting,
            to_user_id=recipient.by_user_id,
            direct_category=category,
        )
        await self._hand_to_statuses(message)
        return _answer(recipient, customer, message)

    def _context(self, number: Number, recipient: Recipient) -> SendContext:
        return SendContext(
            sender=number.display,
            recipient=recipient.wa_id,
            to_user_id=recipient.by_user_id,
            find_template=self._templates.find,
            find_media=lambda media_id: self._library.find(media_id, number.id),
        )

    def _later_error(self, customer: Customer, bubble: Bubble, number: Number, *, is_direct: bool) -> int | None:
        fault = self._faults.strike("failed_status")
        if fault is not None:
            return int(fault.settings["code"])
        now = self._clock.timestamp()
        if bubble.template is None and not is_direct and not window_at(customer, number.id, now).is_open:
            return 131047
        if bubble.template is not None and bubble.template["category"] == "MARKETING" and customer.marketing == "stop":
            return 131050
        if bubble.links and self._faults.strike("media_unreachable"):
            return 131053
        reaction = bubble.parts.get("reaction")
        if reaction is not None and not can_react(
            reaction["message_id"], customer.wa_id, number.id, self._storage, now
        ):
            return 131009
        return None

    def _accept(
        self,
        body: dict[str, Any],
        bubble: Bubble,
        customer: Customer,
        *,
        number: Number,
        error: int | None,
        quoting: str | None,
        to_user_id: bool,
        direct_category: str | None,
    ) -> ChatMessage:
        now = self._clock.timestamp()
        is_open = window_at(customer, number.id, now).is_open
        category = bubble.template["category"] if bubble.template is not None else direct_category
        message = ChatMessage(
            id=new_wamid(),
            wa_id=customer.wa_id,
            number_id=number.id,
            direction=Direction.OUT,
            at=now,
            type=str(body.get("type", "text")),
            bubble=bubble.to_json() | ({"quoting": quoting} if quoting is not None else {}),
            payload=body,
            status="accepted",
            errors=[] if error is None else [to_status_error(error)],
            callback_data=body.get("biz_opaque_callback_data"),
            to_user_id=to_user_id,
            pricing=pricing(category, is_open, now),
            accepted_at=self._clock.real_timestamp(),
            window_open=is_open,
            template_id=TEMPLATE_ID if direct_category is not None else None,
        )
        self._phones.show(message)
        return message

    async def _hand_to_statuses(self, message: ChatMessage) -> None:
        if not message.errors and self._faults.strike("status_first"):
            told = self._statuses.move(message.id, "sent")
            if told is not None:
                await told.wait()
        self._statuses.begin(message)

    def _mark_read(self, message: ChatMessage) -> None:
        unread = self._storage.messages.with_status(message.wa_id, message.number_id, Direction.IN, "delivered")
        for earlier in unread:
            self._storage.messages.change_status(earlier, "read")
            told = {"wa_id": earlier.wa_id, "number_id": earlier.number_id, "id": earlier.id, "status": "read"}
            self._events.tell("status", lambda told=told: told)  # type: ignore[misc]
            if earlier.id == message.id:
                return

    def _show_typing(self, body: dict[str, Any], message: ChatMessage) -> None:
        indicator = fields.object_at(body, "typing_indicator", "messages")
        if indicator.get("type") != "text":
            raise Refused(100, "Param typing_indicator['type'] must be one of {TEXT}.")
        told = {"wa_id": message.wa_id, "number_id": message.number_id, "seconds": TYPING_SECONDS}
        self._events.tell("typing", lambda: told)


def _check_product(body: dict[str, Any]) -> None:
    if body.get("messaging_product") != "whatsapp":
        raise Refused(100, "The parameter messaging_product is required.")


def _check_extras(body: dict[str, Any]) -> None:
    data = body.get("biz_opaque_callback_data")
    if data is not None and (not isinstance(data, str) or fields.units(data) > CALLBACK_DATA):
        raise Refused(100, f"Param biz_opaque_callback_data must be a string of at most {CALLBACK_DATA} characters.")


def _answer(recipient: Recipient, customer: Customer, message: ChatMessage) -> dict[str, Any]:
    known = {"user_id": recipient.named} if recipient.by_user_id else {"wa_id": customer.wa_id}
    accepted = {"message_status": "accepted"} if message.type == "template" else {}
    return {
        "messaging_product": "whatsapp",
        "contacts": [{"input": recipient.named, **known}],
        "messages": [{"id": message.id, **accepted}],
    }
