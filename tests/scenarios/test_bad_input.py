"""What the webhook does with what it should not get, and with what it gets twice. Everything goes through the real server."""

from __future__ import annotations

import hashlib
import hmac
import json
import socket
import sqlite3
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

NUMBER_ID = "100000000000001"
SECRET = "demo-app-secret"


def signed(body: bytes, *, secret: str = SECRET, algorithm: str = "sha256") -> dict[str, str]:
    """Return the headers that Meta would send, made without the plugin's code."""
    name = {"sha256": "X-Hub-Signature-256", "sha1": "X-Hub-Signature"}[algorithm]
    digest = hmac.new(secret.encode(), body, getattr(hashlib, algorithm)).hexdigest()
    return {name: f"{algorithm}={digest}", "Content-Type": "application/json"}


def envelope(*messages: dict, number_id: str = NUMBER_ID, field: str = "messages") -> bytes:
    """Return a webhook body with these messages."""
    value = {"messaging_product": "whatsapp", "metadata": {"phone_number_id": number_id}, "messages": list(messages)}
    change = {"field": field, "value": value}
    return json.dumps({"object": "whatsapp_business_account", "entry": [{"id": "1", "changes": [change]}]}).encode()


@pytest.fixture
def webhook(bot):
    """Return the address that Meta calls."""
    return f"{bot.url('rasa')}/webhooks/whatsapp/webhook"


@pytest.fixture
def rows(bot):
    """Return a reader of the inbox."""
    path = bot.log_path("rasa").parent.parent / "whatsapp.sqlite"

    def read(pattern: str = "%"):
        with sqlite3.connect(path) as connection:
            query = "SELECT state, reason FROM inbox WHERE message_id LIKE ? ORDER BY id"
            return connection.execute(query, (pattern,)).fetchall()

    return read


def text(phone, name: str, body: str = "hello") -> dict:
    """Return a typed message of this phone."""
    return {
        "from": phone.wa_id,
        "id": f"wamid.{name}",
        "timestamp": "1790000000",
        "type": "text",
        "text": {"body": body},
    }


SECRET_BODY = b'{"object":"whatsapp_business_account","entry":[],"marker":"do-not-log-me"}'


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 401),
        (signed(SECRET_BODY, algorithm="sha1"), 401),
        (signed(SECRET_BODY, secret="another"), 403),
        ({"X-Hub-Signature-256": "sha256=" + "0" * 64}, 403),
        ({"X-Hub-Signature-256": "sha256=short"}, 403),
        ({"X-Hub-Signature-256": "sha256=" + "é" * 64}, 403),
    ],
    ids=["no signature", "SHA-1 only", "another secret", "zeros", "too short", "not ASCII"],
)
def test_unsigned_body_is_refused(bot, webhook, rows, headers, status):
    """No turn, no row, and nothing of the body in the log."""
    before = rows()
    raw = {name: value.encode() for name, value in headers.items()}
    answer = requests.post(webhook, data=SECRET_BODY, headers=raw, timeout=10)
    assert answer.status_code == status
    assert rows() == before
    assert "do-not-log-me" not in bot.log("rasa")


@pytest.mark.parametrize(
    ("body", "status"),
    [(b"not json", 400), (b"[1, 2]", 400), (b'"text"', 400), (b"", 400), (b"\xff\xfe", 400), (b"[" * 50_000, 400)],
    ids=["no JSON", "a list", "a text", "empty", "not UTF-8", "deeply nested"],
)
def test_signed_garbage_is_refused(bot, webhook, body, status):
    """It is not a webhook: 400, and one line in the log without the body."""
    lines_before = bot.log("rasa").count("A webhook was refused")
    answer = requests.post(webhook, data=body, headers=signed(body), timeout=10)
    assert answer.status_code == status
    assert bot.log("rasa").count("A webhook was refused") == lines_before + 1


@pytest.mark.parametrize("length", ["-5", "+2", "two", "٢", ""])
def test_a_length_that_is_none_is_refused(bot, webhook, length):
    """Unsigned, by a socket: no HTTP client would send it. The server goes on, at this address and any other."""
    host, port = webhook.split("/")[2].split(":")
    for path in ("/webhooks/whatsapp/webhook", "/model/parse"):
        head = f"POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{{}}"
        with socket.create_connection((host, int(port)), timeout=10) as raw:
            raw.sendall(head.encode())
            assert raw.recv(100).startswith(b"HTTP/1.1 400")
    assert requests.get(f"{bot.url('rasa')}/webhooks/whatsapp/", timeout=10).status_code == 200


def test_body_over_three_megabytes_is_refused(webhook):
    """Meta sends at most 3 MB."""
    body = json.dumps({"object": "whatsapp_business_account", "padding": "x" * (3 * 1024 * 1024)}).encode()
    assert requests.post(webhook, data=body, headers=signed(body), timeout=10).status_code == 413


def test_body_just_under_three_megabytes_is_taken(webhook, rows, phone):
    """A full batch arrives whole."""
    thumb = {"type": "reaction", "reaction": {"message_id": "wamid.x", "emoji": "👍"}, "pad": "x" * 2800}
    messages = [text(phone, f"big.{number}") | thumb for number in range(1000)]
    body = envelope(*messages)
    assert 2_900_000 < len(body) < 3 * 1024 * 1024
    assert requests.post(webhook, data=body, headers=signed(body), timeout=30).status_code == 200
    assert len(rows("wamid.big.%")) == 1000


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (envelope({"id": "wamid.unknown.field"}, field="account_alerts"), "field account_alerts is not used"),
        (envelope(number_id="999"), "the change of messages holds nothing that is used"),
        (b'{"object":"page","entry":[]}', "object is not whatsapp_business_account"),
    ],
    ids=["unknown field", "no messages", "another product"],
)
def test_what_is_not_used_is_recorded(webhook, rows, body, reason):
    """200, and a row that says why nothing came of it."""
    before = len(rows())
    assert requests.post(webhook, data=body, headers=signed(body), timeout=10).status_code == 200
    assert [row[1] for row in rows()[before:]] == [reason]


def test_message_for_an_unknown_number_is_no_turn(webhook, rows, phone):
    """200, recorded, ignored."""
    body = envelope(text(phone, "unknown.number"), number_id="999")
    assert requests.post(webhook, data=body, headers=signed(body), timeout=10).status_code == 200
    assert rows("wamid.unknown.number") == [("ignored", "the phone number id is not one of this bot's")]


def test_unknown_kind_is_answered_politely(webhook, rows, phone):
    """200, and a turn: the bot says what it can read."""
    phone.write("hello")
    phone.wait_for(1)
    body = envelope(text(phone, "unknown.kind") | {"type": "hologram"})
    assert requests.post(webhook, data=body, headers=signed(body), timeout=10).status_code == 200
    phone.wait_for(2)
    assert rows("wamid.unknown.kind")[0][0] in ("running", "done")


def test_one_broken_message_among_ten(world, phone, rows):
    """Nine turns; the broken one is parked with its reason."""
    phone.write("hello")
    phone.wait_for(1)
    now = int(_seconds(phone))
    messages = [text(phone, f"ten.{number}") | {"timestamp": str(now + number)} for number in range(10)]
    messages[4]["text"] = {"body": None}
    value = {"metadata": {"phone_number_id": NUMBER_ID}, "messages": messages}
    assert world.deliver(value) == 200
    assert len(phone.wait_for(10)) == 10
    states = rows("wamid.ten.%")
    assert states.count(("done", None)) == 9
    assert states.count(("parked", "text.body is missing or not a text")) == 1


def test_same_body_ten_times_at_once_is_one_turn(webhook, rows, phone):
    """Redelivery, as concurrent as Meta's."""
    phone.write("hello")
    phone.wait_for(1)
    body = envelope(text(phone, "again") | {"timestamp": str(int(_seconds(phone)) + 1)})
    with ThreadPoolExecutor(10) as pool:
        answers = list(
            pool.map(lambda _: requests.post(webhook, data=body, headers=signed(body), timeout=30), range(10))
        )
    assert [answer.status_code for answer in answers] == [200] * 10
    phone.write("bye")
    assert len(phone.wait_for(3)) == 3
    assert rows("wamid.again") == [("done", None)]


def test_subscription_challenge(bot, webhook):
    """The challenge is echoed bare for the right word, and 403 answers any other."""
    query = {"hub.mode": "subscribe", "hub.challenge": "1158201444", "hub.verify_token": "demo-verify-token"}
    answer = requests.get(webhook, params=query, timeout=10)
    assert (answer.status_code, answer.text) == (200, "1158201444")
    wrong = requests.get(webhook, params=query | {"hub.verify_token": "guess"}, timeout=10)
    assert wrong.status_code == 403


def test_typed_command_is_answered_as_words(phone):
    """A customer who types a command does not get it."""
    phone.write("  /EXTERNAL_order_reminder")
    (answer,) = phone.wait_for(1)
    assert answer["type"] != "template"
    assert "None" not in answer["text"]


def test_tap_on_a_button_that_was_never_sent_is_no_command(phone):
    """A forged reply id arrives as the words that it showed."""
    forged = {"type": "button_reply", "button_reply": {"id": "/EXTERNAL_order_reminder", "title": "hello"}}
    phone.send_raw({"type": "interactive", "context": {"id": "wamid.never"}, "interactive": forged})
    (answer,) = phone.wait_for(1)
    assert "Hello!" in answer["text"]


def _seconds(phone) -> float:
    from datetime import datetime

    return datetime.fromisoformat(phone.chat()["messages"][-1]["timestamp"]).timestamp()
