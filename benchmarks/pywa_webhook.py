"""What the intake is held against: pywa 4.5.0 under uvicorn, with a handler that does nothing. `python pywa_webhook.py PORT SECRET`.

It runs in an environment of its own: python -m venv V && V/bin/pip install pywa==4.5.0 fastapi uvicorn uvloop httptools
"""

from __future__ import annotations

import sys

import uvicorn
from fastapi import FastAPI
from pywa_async import WhatsApp, types

app = FastAPI()
whatsapp = WhatsApp(
    phone_id="100000000000001",
    token="demo",
    server=app,
    verify_token="demo",
    app_secret=sys.argv[2],
    webhook_endpoint="/webhooks/whatsapp/webhook",
)


@app.get("/webhooks/whatsapp/")
async def health() -> str:
    """Tell that it is there."""
    return "ok"


@whatsapp.on_message
async def message(_: WhatsApp, __: types.Message) -> None:
    """Keep nothing."""


@whatsapp.on_message_status
async def status(_: WhatsApp, __: types.MessageStatus) -> None:
    """Keep nothing."""


if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), access_log=False, log_level="warning")
