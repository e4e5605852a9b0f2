"""Sign and verify webhook bodies; answer the subscription challenge.

The bytes from the socket are hashed, before anything decodes them: Meta escapes some characters and signs the escaped form.
https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/create-webhook-endpoint
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping

from rasa_whatsapp.errors import SignatureInvalid, SignatureMissing

HEADER = "X-Hub-Signature-256"
_PREFIX = "sha256="
_HEADER_LENGTH = len(_PREFIX) + 64


def sign(body: bytes, app_secret: str) -> str:
    """Return the header value that Meta would send with these bytes."""
    return _PREFIX + hmac.digest(app_secret.encode(), body, "sha256").hex()


def verify(body: bytes, header: str | None, *app_secrets: str) -> None:
    """Accept the body or raise SignatureMissing or SignatureInvalid; compares in constant time.

    Each app that is subscribed signs with its own secret: any of them will do.
    """
    if not header:
        raise SignatureMissing(f"the header {HEADER} is missing")
    if len(header) != _HEADER_LENGTH or not header.startswith(_PREFIX):
        raise SignatureInvalid(f"the header {HEADER} is not of the form sha256=<64 hex digits>")
    given = header.encode("utf-8", "replace")
    if not any(hmac.compare_digest(sign(body, secret).encode(), given) for secret in app_secrets):
        raise SignatureInvalid(f"the header {HEADER} does not fit the body: check app_secret")


def verify_secret(header: str | None, secret: str) -> None:
    """Accept a webhook for the secret that it carries, or raise SignatureMissing or SignatureInvalid.

    For providers that do not sign (360dialog); compares in constant time, whatever the length.
    """
    if not header:
        raise SignatureMissing("the header with the shared secret is missing: see webhook_secret_header")
    given, expected = (hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest() for text in (header, secret))
    if not hmac.compare_digest(given, expected):
        raise SignatureInvalid("the shared secret in the header is another one: check webhook_secret")


def answer_challenge(query: Mapping[str, str], verify_token: str) -> str | None:
    """Return the challenge to echo, or None when the subscription request must be refused."""
    if query.get("hub.mode") != "subscribe" or not query.get("hub.challenge"):
        return None
    given = query.get("hub.verify_token", "").encode("utf-8", "replace")
    return query["hub.challenge"] if hmac.compare_digest(given, verify_token.encode()) else None
