"""Read Graph's answer to a message: accepted, or refused with what to do about it. Never raises on a strange answer.

Gateways answer 5xx with HTML or nothing, so bodies are opened defensively (fact sheet 8.1).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Union

from rasa_whatsapp.cloud.graph_errors import Disposition, disposition_of


@dataclass(frozen=True, slots=True)
class Accepted:
    """Meta took the message; that is not yet delivered.

    `wa_id` is the number that Meta made of ours; in Brazil and Mexico it may differ (fact sheet 5.1).
    """

    message_id: str
    wa_id: str | None = None


@dataclass(frozen=True, slots=True)
class Refused:
    """Meta did not take it, or the answer does not tell."""

    disposition: Disposition
    code: int
    explanation: str


Answer = Union[Accepted, Refused]


def read(http_status: int, body: bytes) -> Answer:
    """Return what Graph's answer means."""
    content = _opened(body)
    if 200 <= http_status < 300:
        return _accepted(content) or Refused(
            Disposition.UNCERTAIN, 0, f"HTTP {http_status} without a message id; it may have been sent"
        )
    return _refused(http_status, content)


def read_upload(http_status: int, body: bytes) -> str | Refused:
    """Return the media id that an upload got, or why it got none."""
    content = _opened(body)
    media_id = content.get("id") if isinstance(content, dict) else None
    if 200 <= http_status < 300:
        if isinstance(media_id, str) and media_id:
            return media_id
        return Refused(Disposition.RETRY, 0, f"HTTP {http_status} without a media id")
    return _refused(http_status, content)


def refusal(http_status: int, error: dict[str, Any]) -> Refused:
    """Return the refusal that an `error` object of the answer describes."""
    given = error.get("code")
    code = given if isinstance(given, int) else -1
    disposition, remedy = disposition_of(code, http_status)
    data = error.get("error_data")
    details = str(data.get("details") or "") if isinstance(data, dict) else ""
    named = f"Meta's error {code}" if code >= 0 else f"HTTP {http_status}"
    return Refused(disposition, max(code, 0), f"{named}: {remedy}" + (f" ({details})" if details else ""))


def _opened(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def _refused(http_status: int, content: Any) -> Refused:
    error = content.get("error") if isinstance(content, dict) else None
    return refusal(http_status, error if isinstance(error, dict) else {})


def _accepted(content: Any) -> Accepted | None:
    try:
        message_id = content["messages"][0]["id"]
    except (KeyError, IndexError, TypeError):
        return None
    if not isinstance(message_id, str) or not message_id:
        return None
    return Accepted(message_id, _wa_id(content.get("contacts")))


def _wa_id(contacts: Any) -> str | None:
    try:
        wa_id = contacts[0]["wa_id"]
    except (KeyError, IndexError, TypeError):
        return None
    return wa_id if isinstance(wa_id, str) and wa_id.isascii() and wa_id.isdigit() else None
