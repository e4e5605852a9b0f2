"""What the gateway needs from outside: someone who answers, someone who carries out requests, someone who uploads media."""

from __future__ import annotations

from typing import Protocol

from rasa_whatsapp.cloud.answers import Answer
from rasa_whatsapp.cloud.media_links import MediaLink
from rasa_whatsapp.cloud.outbound import GraphRequest
from rasa_whatsapp.turn import Turn


class Dialogue(Protocol):
    """Whoever answers: Rasa in production. All of it raises DialogueUnavailable if no dialogue is there at the moment."""

    async def has_taken(self, turn: Turn) -> bool:
        """Tell whether the dialogue holds this turn, so that an interrupted run of it had come to its end."""

    async def take(self, turn: Turn) -> bool:
        """Take a turn; return False if it has become pointless."""

    async def unlock(self, contact_id: str) -> None:
        """Free a conversation that a server kept locked which died in the middle of a turn."""

    async def join(self, contact_id: str, merged: str) -> None:
        """Make the conversation of a contact who turned out to be this one a part of this one's."""


class GraphApi(Protocol):
    """Whoever carries out Graph requests."""

    async def post(self, request: GraphRequest) -> Answer:
        """Return what became of the request."""


class MediaUploads(Protocol):
    """Whoever gives media to Meta that it could not, or need not, fetch itself."""

    async def upload(self, number_id: str, media: MediaLink) -> str:
        """Return the media's id at Meta; raises UploadFailed."""
