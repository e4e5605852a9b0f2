"""Describe Graph requests: which number says what to whom, as JSON. No socket here; the transport carries them out.

https://developers.facebook.com/documentation/business-messaging/whatsapp/reference/whatsapp-business-phone-number/message-api
"""

from __future__ import annotations

from dataclasses import dataclass

from rasa_whatsapp.cloud.wire import JSONDict


@dataclass(frozen=True, slots=True)
class GraphRequest:
    """One request of a business number: its node (`messages`), and a JSON body. Where that is, its account knows."""

    number_id: str
    node: str
    body: JSONDict


@dataclass(frozen=True, slots=True)
class Recipient:
    """How Meta can reach a customer; the number wins where both are known."""

    wa_id: str | None
    user_id: str | None

    @property
    def is_known(self) -> bool:
        """Tell whether there is any way to reach the customer."""
        return bool(self.wa_id or self.user_id)

    def address(self) -> JSONDict:
        """Return `to` with a leading + for a number, else `recipient` with the business-scoped user id."""
        if self.wa_id:
            # Without the + Meta may put the business's own country code in front (fact sheet 5.1).
            return {"to": f"+{self.wa_id.lstrip('+')}"}
        return {"recipient": self.user_id}


def message(
    number_id: str, recipient: Recipient, content: JSONDict, key: str, category: str | None = None
) -> GraphRequest:
    """Return the request that sends a message; `key` comes back in its status webhooks, `category` makes it a Direct Send."""
    body: JSONDict = {
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        **recipient.address(),
        **content,
        **({"category": category} if category else {}),
        "biz_opaque_callback_data": key,
    }
    return GraphRequest(number_id, "messages", body)


def read_receipt(number_id: str, message_id: str, *, typing: bool) -> GraphRequest:
    """Return the request that marks a message as read and, with `typing`, shows that an answer is being written."""
    body: JSONDict = {"messaging_product": "whatsapp", "status": "read", "message_id": message_id}
    if typing:
        body["typing_indicator"] = {"type": "text"}
    return GraphRequest(number_id, "messages", body)
