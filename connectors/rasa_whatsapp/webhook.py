"""What a webhook is answered, whoever serves it: Rasa's server or the intake of its own. Nothing of HTTP's machinery is known here.

A body is verified on its raw bytes and made durable, and only then answered with 200.
https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/create-webhook-endpoint
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.exc import SQLAlchemyError

from rasa_whatsapp import credentials
from rasa_whatsapp.cloud import limits, signature
from rasa_whatsapp.config import Settings
from rasa_whatsapp.errors import (
    BacklogFull,
    NotRunning,
    SignatureInvalid,
    SignatureMissing,
    WebhookMalformed,
    WhatsAppError,
)
from rasa_whatsapp.logs import Failures
from rasa_whatsapp.reception import Reception

logger = logging.getLogger(__name__)
failures = Failures(logger)

SUBSCRIPTION_KEYS = ("hub.mode", "hub.challenge", "hub.verify_token")


@dataclass(frozen=True, slots=True)
class Reply:
    """What is answered: a text, or a JSON object."""

    status: int
    content: str | dict[str, Any]


OK = Reply(200, "ok")
HEALTHY = Reply(200, {"status": "ok"})

# first that fits -> (action in the log and answer's text, HTTP status)
_REFUSALS: dict[type[WhatsAppError], tuple[str, int]] = {
    SignatureMissing: ("signature_missing", 401),
    SignatureInvalid: ("signature_invalid", 403),
    WebhookMalformed: ("webhook_malformed", 400),
    BacklogFull: ("backlog_full", 503),
    NotRunning: ("not_started", 503),
}


class Webhook:
    """The webhook of a bot; the reception is None while the server starts or stops."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._app_secrets = credentials.app_secrets(settings)
        self._is_dialog360 = credentials.is_dialog360(settings)

    def subscribe(self, query: Mapping[str, str]) -> Reply:
        """Answer the challenge by which Meta asks whether this webhook is ours."""
        if self._is_dialog360:
            return Reply(404, "not found")  # 360dialog asks no challenge
        challenge = signature.answer_challenge(query, self._settings["verify_token"])
        if challenge is None:
            logger.warning("A subscription was refused: check verify_token.", extra={"action": "subscribe_refused"})
            return Reply(403, "forbidden")
        return Reply(200, challenge)

    async def receive(self, body: bytes, headers: Mapping[str, str], reception: Reception | None) -> Reply:
        """Answer a body when it is durable, or say why it is not taken."""
        if len(body) > limits.WEBHOOK_BYTES:
            return _refused("body_too_large", 413, f"more than {limits.WEBHOOK_BYTES} bytes, the most that Meta sends")
        try:
            self._verify(body, headers)
            await _running(reception).receive(body)
        except tuple(_REFUSALS) as problem:
            action, status = next(answer for kind, answer in _REFUSALS.items() if isinstance(problem, kind))
            return _refused(action, status, str(problem))
        except SQLAlchemyError as problem:
            failures.error(
                "A webhook could not be stored; Meta delivers it again: %s", problem=problem, action="not_stored"
            )
            return Reply(503, "not_stored")
        return OK

    def readiness(self, reception: Reception | None, alarms: Sequence[str]) -> Reply:
        """Tell whether webhooks are taken now, and if not, why."""
        try:
            running = _running(reception)
            running.check()
        except (NotRunning, BacklogFull) as problem:
            return _not_ready(str(problem))
        if running.problem is not None:
            return _not_ready(running.problem)
        return Reply(200, {"status": "ready", "alarms": list(alarms)})

    def _verify(self, body: bytes, headers: Mapping[str, str]) -> None:
        if self._is_dialog360:
            name, secret = self._settings["webhook_secret_header"], self._settings["webhook_secret"]
            signature.verify_secret(headers.get(name), secret)
        else:
            signature.verify(body, headers.get(signature.HEADER), *self._app_secrets)


def _running(reception: Reception | None) -> Reception:
    if reception is None:
        raise NotRunning("the server is starting or stopping")
    return reception


def _not_ready(reason: str) -> Reply:
    return Reply(503, {"status": "not ready", "reason": reason})


def _refused(action: str, status: int, reason: str) -> Reply:
    logger.warning("A webhook was refused: %s.", reason, extra={"action": action})
    return Reply(status, action)
