"""The turn that the dialogue takes.

Typed text is never a command: a turn says itself whether its text is one, and only the payload of a button that we sent is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from rasa_whatsapp.cloud.wire import JSONDict

CHANNEL_NAME = "whatsapp"  # in a conversation, and as `channel:` of a response
COMMAND_PREFIX = "/"


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One turn for the dialogue to take.

    `cause` is what the keys of its answers begin with. `text` is a command (`/intent{...}`) only if `is_command`. `intents` are set when the channel knows the intent
    itself: the first that the domain declares is taken, and if it declares none, the text is understood as words.
    `owner` is the server that has the contact's lane: what the turn says counts only as long as that is so.
    """

    contact_id: str
    message_id: str
    cause: str
    sent_at: datetime
    text: str
    is_command: bool = False
    intents: Sequence[str] = ()
    follow_up_id: str | None = None
    entities: Mapping[str, Any] = field(default_factory=dict)
    event_entities: Sequence[JSONDict] = ()
    metadata: JSONDict = field(default_factory=dict)
    owner: str | None = None

    @property
    def is_external(self) -> bool:
        """Tell whether a follow-up caused it, and no message of the customer."""
        return self.follow_up_id is not None

    @property
    def customer_message_id(self) -> str | None:
        """Return Meta's id of the customer's message that caused it, or None if another thing did."""
        known = self.metadata.get("whatsapp", {}).get("message_id")
        return None if known is None else str(known)
