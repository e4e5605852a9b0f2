"""The channel and the simulator, which share no line of code, across a real socket: messages, media, webhooks."""

from __future__ import annotations

import asyncio
import base64
import json

import pytest

from rasa_whatsapp import media
from rasa_whatsapp.cloud import signature
from rasa_whatsapp.cloud.answers import Accepted
from rasa_whatsapp.cloud.content import Shared
from rasa_whatsapp.cloud.inbound import MessageReceived, StatusChanged, parse
from rasa_whatsapp.errors import SignatureInvalid
from rasa_whatsapp.simulator.settings import Provider

from .conftest import TOKEN

PDF = b"%PDF-1.4\n% a price list\n"


async def received(door, kind, count=1):
    """Return the events of this kind once there are so many."""
    deadline = asyncio.get_running_loop().time() + 5
    while True:
        events = [event for body, _ in door.webhooks.received for event in parse(body) if isinstance(event, kind)]
        if len(events) >= count:
            return events
        assert asyncio.get_running_loop().time() < deadline, f"{kind.__name__} did not come {count} times"
        await asyncio.sleep(0.005)


@pytest.mark.asyncio
async def test_a_message_and_its_status(door):
    """Accepted under an id, with the number as WhatsApp knows it; the status brings the key back."""
    answer = await door.say({"type": "text", "text": {"body": "Hello"}}, "wamid.IN7#2")
    assert isinstance(answer, Accepted)
    assert answer.wa_id == "4915112345678"
    statuses = await received(door, StatusChanged, 2)
    assert {(status.message_id, status.key) for status in statuses} == {(answer.message_id, "wamid.IN7#2")}


@pytest.mark.asyncio
async def test_webhooks_prove_where_they_come_from(door):
    """Meta's by a signature over the raw bytes, 360dialog's by a header that was agreed on."""
    await received(door, MessageReceived)
    body, headers = door.webhooks.received[0]
    if door.provider is Provider.CLOUD_API:
        signature.verify(body, headers.get(signature.HEADER), "another", "demo-app-secret")
        with pytest.raises(SignatureInvalid):
            signature.verify(body + b" ", headers.get(signature.HEADER), "demo-app-secret")
    else:
        assert signature.HEADER not in headers
        signature.verify_secret(headers.get("X-Webhook-Secret"), "demo-webhook-secret")
        with pytest.raises(SignatureInvalid):
            signature.verify_secret("wrong", "demo-webhook-secret")


@pytest.mark.asyncio
async def test_a_document_comes_and_goes(door, tmp_path):
    """What the customer sends is downloaded byte for byte; what we upload is sent by its id."""
    await door.write(
        type="document", data=base64.b64encode(PDF).decode(), mime_type="application/pdf", filename="a.pdf"
    )
    event = (await received(door, MessageReceived, 2))[-1]
    assert isinstance(event.content, Shared)
    credentials = tmp_path / "credentials.yml"
    credentials.write_text(json.dumps({"rasa_whatsapp.WhatsAppInput": block(door)}), "utf-8")
    stored = await media.download(
        event.content.entities["whatsapp_media"], to=tmp_path / "files", credentials=credentials
    )
    assert (stored.path.read_bytes(), stored.mime_type, stored.path.suffix) == (PDF, "application/pdf", ".pdf")
    media_id = await door.graph.upload("100000000000001", stored.path, mime_type="application/pdf")
    assert isinstance(media_id, str)
    answer = await door.say({"type": "document", "document": {"id": media_id, "filename": "prices.pdf"}})
    assert isinstance(answer, Accepted)


def block(door):
    """Return the credentials of this door."""
    known = {"phone_number_id": "100000000000001", "access_token": TOKEN, "graph_url": door.url}
    if door.provider is Provider.CLOUD_API:
        return {**known, "app_secret": "demo-app-secret", "verify_token": "demo-verify-token"}
    return {**known, "provider": "360dialog", "webhook_secret": "demo-webhook-secret"}
