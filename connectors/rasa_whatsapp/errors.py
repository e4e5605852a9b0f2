"""Every exception of the package, by what the caller should do about it.

Texts name the thing, the value and the remedy; they never hold a message body, a secret, a signature or a whole phone number.
"""

from __future__ import annotations

from collections.abc import Sequence


class WhatsAppError(Exception):
    """The root of everything that this package raises."""


class ConfigInvalid(WhatsAppError):
    """The credentials block or a file that it names cannot be used; `problems` lists everything that is wrong."""

    def __init__(self, where: str, problems: Sequence[str]) -> None:
        self.where = where
        self.problems = tuple(problems)
        lines = "".join(f"\n  - {problem}" for problem in self.problems)
        super().__init__(f"{where} cannot be used:{lines}")


class SignatureInvalid(WhatsAppError):
    """A webhook body does not carry the signature that the app secret gives it."""


class SignatureMissing(SignatureInvalid):
    """A webhook body came without the header X-Hub-Signature-256."""


class WebhookMalformed(WhatsAppError):
    """A signed body is no webhook at all: not JSON, or not an object."""


class DraftImpossible(WhatsAppError):
    """A response cannot be said on WhatsApp; the text names the response's key, the limit and the remedy."""


class MediaUnavailable(WhatsAppError):
    """A customer's file cannot be had: it is gone, too old (7 days), or whoever has it does not answer; ask for it again."""


class MediaRefused(WhatsAppError):
    """A file is not taken: its address, size, kind or hash is not what it must be. Trying again changes nothing."""


class UploadFailed(WhatsAppError):
    """A link's file could not be handed to Meta; the text says why. The link can still be sent as text."""


class DialogueUnavailable(WhatsAppError):
    """The dialogue cannot take a turn now (no model is loaded yet); the turn stays in the inbox."""


class BacklogFull(WhatsAppError):
    """More messages wait for their turn than are wanted: Meta is told so, and delivers again."""


class NotRunning(WhatsAppError):
    """The server is starting or stopping: nothing is taken in now."""


class LaneLost(WhatsAppError):
    """A lane was worked on that is not this server's any more: it was taken for dead, and another one goes on."""


class UnknownContact(WhatsAppError):
    """A conversation id that is no contact of this channel was addressed; whoever calls Rasa's HTTP API may try a number."""

    def __init__(self, contact_id: str) -> None:
        hidden = f"…{contact_id[-4:]}" if len(contact_id) > 4 else "it"
        super().__init__(f"{hidden} is no contact of this WhatsApp channel; a conversation id begins with wa-")


class StoreInUse(WhatsAppError):
    """Another server works on the same store."""


class StoreUnusable(WhatsAppError):
    """The store is not there, or must not be used as it has to be; the text says why and what to do."""


class StoreOutdated(StoreUnusable):
    """The database has another schema version than this package."""
