"""The bytes of a webhook: Meta's escapes, and the signature over exactly these bytes."""

from __future__ import annotations

import json

from rasa_whatsapp.simulator.webhooks import encode, signature


def test_bytes_are_ascii_with_escapes() -> None:
    """Umlauts and emoji are escaped in lower case, slashes with a backslash."""
    assert encode({"body": "Grüße/\U0001f600"}) == b'{"body":"Gr\\u00fc\\u00dfe\\/\\ud83d\\ude00"}'


def test_escapes_mean_the_same_text() -> None:
    """Whoever decodes the bytes gets the text back, backslashes before slashes included."""
    assert json.loads(encode({"body": "a\\/b \\u00e9"})) == {"body": "a\\/b \\u00e9"}


def test_signature_is_hmac_sha256_of_the_bytes() -> None:
    """A known value, computed with openssl."""
    assert signature(b'{"a":1}', "demo-app-secret") == (
        "sha256=1d0528560300d385b5983e7becf69c035f2d7003aca7f267765862a91208b2af"
    )
