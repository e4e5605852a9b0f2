"""One customer's text message as Meta posts it: the body's bytes and their signature."""

from __future__ import annotations

import hashlib
import hmac
import json
import time

NUMBER_ID = "100000000000001"
HEADER = "X-Hub-Signature-256"


def text_message(sender: str, message_id: str, text: str, secret: str) -> tuple[bytes, str]:
    """Return the body and the value of the signature header."""
    message = {"from": sender, "id": message_id, "timestamp": str(int(time.time())), "type": "text"}
    value = {
        "messaging_product": "whatsapp",
        "metadata": {"display_phone_number": "4930901820000", "phone_number_id": NUMBER_ID},
        "contacts": [{"profile": {"name": "Lea"}, "wa_id": sender}],
        "messages": [{**message, "text": {"body": text}}],
    }
    entry = {"id": "200000000000001", "changes": [{"field": "messages", "value": value}]}
    body = json.dumps({"object": "whatsapp_business_account", "entry": [entry]}).encode()
    return body, "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
