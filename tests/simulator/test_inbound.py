"""What customers do, as the bot's webhook sees it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from .conftest import LEA, Bot, Simulator, eventually

pytestmark = pytest.mark.asyncio

BUTTONS: dict[str, Any] = {
    "type": "interactive",
    "interactive": {
        "type": "button",
        "body": {"text": "Well?"},
        "action": {"buttons": [{"type": "reply", "reply": {"id": "/affirm", "title": "Yes"}}]},
    },
}
MENU: dict[str, Any] = {
    "type": "interactive",
    "interactive": {
        "type": "list",
        "body": {"text": "Which?"},
        "action": {
            "button": "Choose",
            "sections": [
                {"rows": [{"id": "o1", "title": "Order 1002", "description": "late"}, {"id": "o2", "title": "X"}]}
            ],
        },
    },
}
TEMPLATE: dict[str, Any] = {
    "type": "template",
    "template": {
        "name": "order_follow_up",
        "language": {"code": "en"},
        "components": [
            {"type": "body", "parameters": [{"type": "text", "parameter_name": "order_id", "text": "1002"}]},
            {
                "type": "button",
                "sub_type": "quick_reply",
                "index": "0",
                "parameters": [{"type": "payload", "payload": "/affirm"}],
            },
        ],
    },
}


async def received(bot: Bot, count: int) -> list[dict[str, Any]]:
    """Wait for a number of inbound messages."""
    await eventually(lambda: len(bot.messages()) >= count, f"{count} messages")
    return bot.messages()


async def tap(simulator: Simulator, wamid: str, button: str, status: int = 201) -> dict[str, Any]:
    """Let Lea tap something."""
    body = {"type": "tap", "message_id": wamid, "button": button}
    return await simulator.post(f"customers/{LEA}/messages", body, status)


async def test_text_arrives_as_meta_sends_it(simulator: Simulator, bot: Bot) -> None:
    """Envelope, metadata, contacts, ids and the string timestamp; escaped bytes under the signature."""
    await simulator.post("customers", {"wa_id": LEA, "name": "Léa", "user_id": "DE.Lea1"})
    wamid = await simulator.write("Grüße/Hi")
    await received(bot, 1)
    timestamp = bot.messages()[0]["timestamp"]
    assert bot.bodies == [
        {
            "object": "whatsapp_business_account",
            "entry": [
                {
                    "id": "200000000000001",
                    "changes": [
                        {
                            "field": "messages",
                            "value": {
                                "messaging_product": "whatsapp",
                                "metadata": {
                                    "display_phone_number": "4930901820000",
                                    "phone_number_id": "100000000000001",
                                },
                                "contacts": [
                                    {"profile": {"name": "Léa"}, "wa_id": "4915112345678", "user_id": "DE.Lea1"}
                                ],
                                "messages": [
                                    {
                                        "from": "4915112345678",
                                        "from_user_id": "DE.Lea1",
                                        "id": wamid,
                                        "timestamp": timestamp,
                                        "type": "text",
                                        "text": {"body": "Grüße/Hi"},
                                    }
                                ],
                            },
                        }
                    ],
                }
            ],
        }
    ]
    assert isinstance(timestamp, str)
    assert b"Gr\\u00fc\\u00dfe\\/Hi" in bot.raw[0]


async def test_timestamp_is_the_simulated_time(simulator: Simulator, bot: Bot) -> None:
    """The inbound timestamp follows the moved clock."""
    before = (await simulator.post("clock", {"advance_seconds": 1_000_000}))["now"]
    await simulator.write()
    (message,) = await received(bot, 1)
    shown = (await simulator.chat())[0]["timestamp"]
    assert before <= shown
    assert (await simulator.get(f"customers/{LEA}/chat"))["customer"]["last_message_at"] == int(message["timestamp"])


async def test_hidden_number_is_absent_not_empty(simulator: Simulator, bot: Bot) -> None:
    """Without number: user id and user name alone."""
    await simulator.post("customers", {"wa_id": LEA, "name": "Lea", "user_id": "DE.Lea1", "hide_number": True})
    await simulator.write()
    (message,) = await received(bot, 1)
    (contact,) = bot.values()[0]["contacts"]
    assert ("from" in message, message["from_user_id"]) == (False, "DE.Lea1")
    assert contact == {"profile": {"name": "Lea", "username": "@customer.5678"}, "user_id": "DE.Lea1"}


async def test_tap_on_a_reply_button(simulator: Simulator, bot: Bot) -> None:
    """A session button answers as interactive with context."""
    await simulator.write()
    wamid = await simulator.send(BUTTONS)
    await tap(simulator, wamid, "/affirm")
    message = (await received(bot, 2))[1]
    assert {key: message[key] for key in ("type", "context", "interactive")} == {
        "type": "interactive",
        "context": {"from": "4930901820000", "id": wamid},
        "interactive": {"type": "button_reply", "button_reply": {"id": "/affirm", "title": "Yes"}},
    }


@pytest.mark.parametrize(
    ("row", "reply"),
    [
        pytest.param("o1", {"id": "o1", "title": "Order 1002", "description": "late"}, id="with description"),
        pytest.param("o2", {"id": "o2", "title": "X"}, id="without description"),
    ],
)
async def test_tap_on_a_list_row(simulator: Simulator, bot: Bot, row: str, reply: dict[str, str]) -> None:
    """A row answers with its id, title and description."""
    await simulator.write()
    await tap(simulator, await simulator.send(MENU), row)
    assert (await received(bot, 2))[1]["interactive"] == {"type": "list_reply", "list_reply": reply}


@pytest.mark.parametrize(
    ("name", "payload", "text"),
    [
        pytest.param("0", "/affirm", "Yes", id="by index"),
        pytest.param("Yes", "/affirm", "Yes", id="by text"),
        pytest.param("/affirm", "/affirm", "Yes", id="by payload"),
        pytest.param("1", "No", "No", id="without payload the label"),
    ],
)
async def test_tap_on_a_template_button(simulator: Simulator, bot: Bot, name: str, payload: str, text: str) -> None:
    """A template's quick reply answers as button with payload and text, also outside the window."""
    wamid = await simulator.send(TEMPLATE)
    await tap(simulator, wamid, name)
    (message,) = await received(bot, 1)
    assert (message["type"], message["button"]) == ("button", {"payload": payload, "text": text})
    assert message["context"] == {"from": "4930901820000", "id": wamid}


async def test_taps_that_cannot_be(simulator: Simulator) -> None:
    """Unknown buttons, unknown or foreign messages are refused with a sentence."""
    await simulator.write()
    wamid = await simulator.send(BUTTONS)
    assert "no button or row" in (await tap(simulator, wamid, "maybe", 400))["error"]
    assert "no message of the business" in (await tap(simulator, "wamid.unknown", "x", 400))["error"]
    body = {"type": "tap", "message_id": wamid, "button": "/affirm"}
    await simulator.post("customers/4915187654321/messages", body, 400)


async def test_raw_message_of_any_kind(simulator: Simulator, bot: Bot) -> None:
    """Any object goes out with id, sender and timestamp filled in; a system message has no contacts."""
    path = f"customers/{LEA}/messages"
    await simulator.post(
        path, {"type": "raw", "message": {"type": "image", "image": {"id": "1", "caption": "Look"}}}, 201
    )
    await simulator.post(
        path, {"type": "raw", "message": {"type": "system", "system": {"type": "user_changed_number"}}}, 201
    )
    image, system = await received(bot, 2)
    assert (image["image"], image["from"]) == ({"id": "1", "caption": "Look"}, "4915112345678")
    assert (system["type"], "contacts" in bot.values()[1]) == ("system", False)
    assert (await simulator.chat())[0]["text"] == "Look"


async def test_known_id_is_delivered_again_and_shown_once(simulator: Simulator, bot: Bot) -> None:
    """The same id twice is a duplicate, byte for byte."""
    wamid = await simulator.write("Hi")
    await received(bot, 1)
    assert await simulator.write("Hi", id=wamid) == wamid
    await received(bot, 2)
    assert bot.raw[0] == bot.raw[1]
    assert len(await simulator.chat()) == 1


async def test_late_message_keeps_its_timestamp(simulator: Simulator, bot: Bot) -> None:
    """A message that comes late has its own time and shortens no window."""
    await simulator.write("now")
    window = (await simulator.get(f"customers/{LEA}/chat"))["window"]
    await simulator.write("late", timestamp=1_700_000_000)
    assert [message["timestamp"] for message in await received(bot, 2)][1] == "1700000000"
    assert (await simulator.get(f"customers/{LEA}/chat"))["window"]["expires_at"] == window["expires_at"]


async def test_late_message_alone_opens_no_window(simulator: Simulator) -> None:
    """The window counts from the message's own time, not from its arrival."""
    await simulator.write("late", timestamp=1_700_000_000)
    window = (await simulator.get(f"customers/{LEA}/chat"))["window"]
    assert (window["open"], window["expires_at"]) == (False, "2023-11-15T22:13:20.000000+00:00")


async def test_lone_surrogates_do_no_harm(simulator: Simulator) -> None:
    """A text that is no valid Unicode is kept and delivered."""
    headers = {"Content-Type": "application/json"}
    body = json.dumps({"type": "text", "text": "\ud83d"}).encode()
    url = simulator.url(f"/control/customers/{LEA}/messages")
    async with simulator.http.post(url, data=body, headers=headers) as answer:
        assert answer.status == 201
    assert (await simulator.chat())[0]["text"] == "\ud83d"
