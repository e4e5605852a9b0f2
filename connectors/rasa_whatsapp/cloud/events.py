"""What a webhook tells, as values: who wrote what, what became of our messages, who somebody is now, what our templates are, and what nobody could use.

Each event names the business number, if it is about one; `raw` is what is kept of it in the store.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Union

from rasa_whatsapp.cloud.content import Content
from rasa_whatsapp.cloud.templates.states import Key, News
from rasa_whatsapp.cloud.wire import JSONDict, digest


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """Who somebody is, by the two identifiers that Meta gives: one of them may be missing, never both.

    `parent_user_id` is the id that linked portfolios of one enterprise share; it names nobody alone.
    """

    wa_id: str | None
    user_id: str | None
    name: str | None = None
    parent_user_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageReceived:
    """A customer's message. `raw` keeps what `read_message` needs to make the same event again.

    `successor` is set if WhatsApp says with it that the sender is somebody else from now on: another number or user id.
    """

    number_id: str
    message_id: str
    sender: Sender
    sent_at: datetime
    content: Content
    context_id: str | None
    raw: JSONDict
    successor: Sender | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphError:
    """An error as webhooks carry it; `code` is None when it is missing or no code at all."""

    code: int | None
    title: str
    details: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusChanged:
    """What became of a message that we sent; `key` is the callback data that we gave it.

    `recipient_number` is the number, in digits, of the person who is told of; None if it is hidden.
    """

    number_id: str
    message_id: str
    status: str
    at: datetime
    key: str | None
    error: GraphError | None
    pricing: JSONDict | None
    recipient_number: str | None
    raw: JSONDict = field(default_factory=dict, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class PreferenceChanged:
    """The customer used WhatsApp's own control over marketing messages: stop, resume or signup."""

    number_id: str
    sender: Sender
    value: str
    at: datetime
    raw: JSONDict = field(default_factory=dict, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentityChanged:
    """A person's user id was made anew. A number that comes along stands in `after`: Meta does not say whose it was before."""

    number_id: str
    message_id: str
    before: Sender
    after: Sender
    at: datetime
    raw: JSONDict


@dataclass(frozen=True, slots=True, kw_only=True)
class EchoSent:
    """A human answered this person from the WhatsApp Business app (coexistence)."""

    number_id: str
    message_id: str
    to: Sender
    at: datetime
    raw: JSONDict


@dataclass(frozen=True, slots=True, kw_only=True)
class Called:
    """A call with this person began, went on or ended; `message_id` is `<call id>/<event>`.

    It opens the care window if the customer called, or took our call.
    """

    number_id: str
    message_id: str
    sender: Sender
    at: datetime
    opens_window: bool
    raw: JSONDict


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateChanged:
    """Meta says something new of a template in one language; `at` is None when it does not say when that was.

    Templates belong to the account, not to a business number. `message_id` names it by its content and its time.
    """

    account_id: str
    message_id: str
    template: Key
    news: tuple[News, ...]
    at: datetime | None
    raw: JSONDict
    number_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Broken:
    """A message, or another part of a webhook, that cannot be read; it is parked with its reason."""

    number_id: str
    message_id: str
    reason: str
    raw: JSONDict


@dataclass(frozen=True, slots=True, kw_only=True)
class Unused:
    """Something that this package has no use for; it is recorded as such."""

    number_id: str
    message_id: str
    reason: str
    raw: JSONDict

    @classmethod
    def of(cls, number_id: str, reason: str, raw: JSONDict) -> Unused:
        """Return what is named by its content, since it has no id of its own."""
        return cls(number_id=number_id, message_id=digest(raw), reason=reason, raw=raw)


Event = Union[
    MessageReceived,
    StatusChanged,
    PreferenceChanged,
    IdentityChanged,
    EchoSent,
    Called,
    TemplateChanged,
    Broken,
    Unused,
]
