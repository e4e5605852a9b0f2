"""The webhook's door as a Sanic server opens it: who gets in by a signature, who by a shared secret."""

from __future__ import annotations

import hashlib
import hmac
import json
import socket
from datetime import datetime, timezone

import aiohttp
import pytest
from sanic import Sanic

from rasa_whatsapp import intake
from rasa_whatsapp.channel import WhatsAppInput
from rasa_whatsapp.cloud.inbound import parse
from rasa_whatsapp.errors import StoreUnusable
from rasa_whatsapp.intake import IntakeRules
from rasa_whatsapp.storage.database import Database

BODY = b'{"object":"whatsapp_business_account","entry":[]}'
TWO_NUMBERS = {
    "numbers": [
        {"phone_number_id": "1", "access_token": "a", "app_secret": "one"},
        {"phone_number_id": "2", "access_token": "b", "app_secret": "two"},
    ],
    "verify_token": "word",
}
AT_360DIALOG = {"provider": "360dialog", "phone_number_id": "1", "access_token": "key", "webhook_secret": "hunter2"}
CHALLENGE = {"hub.mode": "subscribe", "hub.challenge": "1158201444", "hub.verify_token": "word"}


@pytest.fixture(autouse=True)
def several_servers(monkeypatch):
    """Let one process have several Sanic applications: they would rewrite Sanic's classes each."""
    monkeypatch.setattr(Sanic, "test_mode", True)


def signed(secret):
    """Return the header of a body that was signed with a secret."""
    return {"X-Hub-Signature-256": "sha256=" + hmac.new(secret.encode(), BODY, hashlib.sha256).hexdigest()}


async def answers(folder, block, *requests):
    """Serve the channel on this machine; return status and text of the answer to each request (method, headers, place)."""
    settings = {"database_url": f"sqlite:///{folder / 'store.sqlite'}", "graph_url": "http://127.0.0.1:9"}
    app = Sanic(f"door-{folder.name}".replace("[", "-").replace("]", ""))
    app.blueprint(WhatsAppInput.from_credentials(settings | block).blueprint(None), url_prefix="/webhooks/whatsapp")
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{listening.getsockname()[1]}/webhooks/whatsapp"
        server = await app.create_server(sock=listening, return_asyncio_server=True, access_log=False)
        await server.startup()
        await server.before_start()
        try:
            async with aiohttp.ClientSession() as session:
                return [await _ask(session, url, *request) for request in requests]
        finally:
            await server.before_stop()
            server.close()
            await server.wait_closed()


async def _ask(session, url, method, headers, path="webhook"):
    sent = {"data": BODY} if method == "POST" else {"params": CHALLENGE}
    async with session.request(method, f"{url}/{path}", headers=headers, **sent) as response:
        return response.status, await response.text()


@pytest.mark.asyncio
async def test_any_app_secret(tmp_path):
    """Each number's app signs with its own secret; a shared secret opens nothing here."""
    assert await answers(
        tmp_path,
        TWO_NUMBERS,
        ("GET", {}),
        ("POST", signed("one")),
        ("POST", signed("two")),
        ("POST", signed("three")),
        ("POST", {"X-Webhook-Secret": "one"}),
    ) == [
        (200, "1158201444"),
        (200, "ok"),
        (200, "ok"),
        (403, "signature_invalid"),
        (401, "signature_missing"),
    ]


@pytest.mark.asyncio
async def test_360dialog(tmp_path):
    """A header carries the secret; there is no challenge, and a signature opens nothing."""
    assert await answers(
        tmp_path,
        AT_360DIALOG,
        ("GET", {}),
        ("POST", {"x-webhook-secret": "hunter2"}),
        ("POST", {"X-Webhook-Secret": "hunter3"}),
        ("POST", {}),
        ("POST", signed("hunter2")),
    ) == [
        (404, "not found"),
        (200, "ok"),
        (403, "signature_invalid"),
        (401, "signature_missing"),
        (401, "signature_missing"),
    ]


@pytest.mark.asyncio
async def test_another_header(tmp_path):
    """The header's name is a setting."""
    block = AT_360DIALOG | {"webhook_secret_header": "X-Shop"}
    assert await answers(
        tmp_path, block, ("POST", {"X-Shop": "hunter2"}), ("POST", {"X-Webhook-Secret": "hunter2"})
    ) == [
        (200, "ok"),
        (401, "signature_missing"),
    ]


@pytest.mark.parametrize(
    ("limit", "ready", "webhook"),
    [(2, (200, "ready"), (200, "ok")), (1, (503, "not ready"), (503, "backlog_full"))],
    ids=["there is room", "too much waits"],
)
@pytest.mark.asyncio
async def test_readiness(tmp_path, limit, ready, webhook):
    """One message waits, since no model is loaded: the balancer hears it, and so does Meta."""
    waiting = {"from": "49151", "id": "wamid.A", "timestamp": "1795341600", "type": "text", "text": {"body": "Hi"}}
    value = {"metadata": {"phone_number_id": "1"}, "messages": [waiting]}
    entry = {"id": "2", "changes": [{"field": "messages", "value": value}]}
    body = json.dumps({"object": "whatsapp_business_account", "entry": [entry]}).encode()
    store = Database(f"sqlite:///{tmp_path / 'store.sqlite'}")
    store.upgrade()
    store.run_now(intake.take_in, parse(body), IntakeRules(number_ids=("1",)), datetime.now(timezone.utc))
    store.close()
    told, answered = await answers(
        tmp_path, TWO_NUMBERS | {"backlog_limit": limit}, ("GET", {}, "ready"), ("POST", signed("one"))
    )
    assert (told[0], json.loads(told[1])["status"]) == ready
    assert answered == webhook


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("address", "told"),
    [
        (
            "postgresql://bot:hunter2@127.0.0.1:1/bot",
            "database_url postgresql://bot:***@127.0.0.1:1/bot cannot be used: nobody listens there: start PostgreSQL, or "
            "correct host and port",
        ),
        ("sqlite:////dev/null/x.sqlite", "database_url sqlite:////dev/null/x.sqlite cannot be used: Not a directory (/dev/null/x.sqlite.lock)"),
    ],
    ids=["nobody listens", "no folder"],
)  # fmt: skip
async def test_a_store_that_cannot_be_used_ends_the_start(tmp_path, address, told):
    """With a sentence about the setting, and no driver's text."""
    with pytest.raises(StoreUnusable) as refusal:
        await answers(tmp_path, TWO_NUMBERS | {"database_url": address})
    assert str(refusal.value) == told
