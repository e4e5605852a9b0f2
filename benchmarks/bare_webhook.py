"""What the intake is held against: a Sanic handler that only verifies and decodes, and keeps nothing. `python bare_webhook.py PORT SECRET`."""

from __future__ import annotations

import hmac
import json
import sys

from sanic import Sanic, response
from sanic.request import Request
from sanic.response import HTTPResponse

app = Sanic("bare_webhook")


@app.get("/webhooks/whatsapp/")
async def health(_: Request) -> HTTPResponse:
    """Tell that it is there."""
    return response.text("ok")


@app.post("/webhooks/whatsapp/webhook")
async def receive(request: Request) -> HTTPResponse:
    """Verify and decode."""
    body = request.body
    expected = "sha256=" + hmac.digest(app.ctx.secret, body, "sha256").hex()
    if not hmac.compare_digest(expected, request.headers.get("x-hub-signature-256", "")):
        return response.text("forbidden", status=403)
    json.loads(body)
    return response.text("ok")


if __name__ == "__main__":
    app.ctx.secret = sys.argv[2].encode()
    app.run(host="127.0.0.1", port=int(sys.argv[1]), access_log=False, motd=False)
