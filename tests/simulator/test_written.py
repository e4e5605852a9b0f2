"""What customers send, kind by kind: from the control API to Meta's webhook and to the bubble on the phone."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from .conftest import LEA, Bot, Simulator, eventually
from .test_control_api import described, problems

pytestmark = pytest.mark.asyncio

DATA = base64.b64encode(b"tiny").decode()
HASH = "iVCr/ae3J2MHYN01vPXD2qdjGv8iOpD3cowNJSHd4Qw="  # of b"tiny": openssl dgst -sha256 -binary | base64
CARD = {"name": {"formatted_name": "Ann", "first_name": "Ann"}}
ITEMS = [{"product_retailer_id": "sku-1", "quantity": 2, "item_price": 9.5, "currency": "EUR"}]
PRODUCT = {"catalog_id": "c1", "product_retailer_id": "sku-1"}
AD = {"source_url": "https://fb.example/1", "source_id": "1", "source_type": "ad", "ctwa_clid": "abc"}
UNSUPPORTED = {"code": 131051, "title": "Message type unknown", "message": "Message type unknown"}


def interactive(kind: str, action: dict[str, Any]) -> dict[str, Any]:
    """Return an interactive message of the business."""
    return {"type": "interactive", "interactive": {"type": kind, "body": {"text": "Well?"}, "action": action}}


FLOW = {"flow_message_version": "3", "flow_id": "f1", "flow_cta": "Book", "flow_token": "token-7"}
QUICK = {"buttons": [{"type": "quick_reply", "quick_reply": {"id": "/buy", "title": "Buy"}}]}
CARDS = [
    {
        "card_index": index,
        "type": "cta_url",
        "header": {"type": "image", "image": {"link": "https://shop.example/a.png"}},
        "action": QUICK,
    }
    for index in (0, 1)
]
LINK = {"name": "cta_url", "parameters": {"display_text": "Shop", "url": "https://shop.example/"}}


async def sent(simulator: Simulator, bot: Bot, wa_id: str = LEA, **body: Any) -> dict[str, Any]:
    """Let a customer send something; return what the bot gets, without sender and time."""
    wamid = (await simulator.post(f"customers/{wa_id}/messages", body, 201))["id"]

    def arrived() -> list[dict[str, Any]]:
        return [message for message in bot.messages() if message["id"] == wamid]

    (message,) = await eventually(arrived, "the webhook")
    return {name: value for name, value in message.items() if name not in ("id", "from", "from_user_id", "timestamp")}


async def last(simulator: Simulator) -> dict[str, Any]:
    """Return Lea's latest bubble, held against its description."""
    chat = await simulator.get(f"customers/{LEA}/chat")
    assert problems(described("get", "/control/customers/{wa_id}/chat", 200), chat) == []
    shown: dict[str, Any] = chat["messages"][-1]
    return shown


@pytest.mark.parametrize(
    ("body", "content", "bubble"),
    [
        pytest.param(
            {"type": "location", "latitude": 52.5, "longitude": 13.4, "name": "Shop", "address": "Street 1"},
            {
                "type": "location",
                "location": {"latitude": 52.5, "longitude": 13.4, "name": "Shop", "address": "Street 1"},
            },
            {
                "text": "Shop\nStreet 1\n52.5, 13.4",
                "location": {"latitude": 52.5, "longitude": 13.4, "name": "Shop", "address": "Street 1"},
            },
            id="location",
        ),
        pytest.param(
            {"type": "contacts", "contacts": [CARD]},
            {"type": "contacts", "contacts": [{"origin": "other", **CARD}]},
            {"text": "Ann", "contacts": [{"origin": "other", **CARD}]},
            id="contacts",
        ),
        pytest.param(
            {"type": "order", "catalog_id": "c1", "product_items": ITEMS, "text": "Soon please"},
            {"type": "order", "order": {"catalog_id": "c1", "text": "Soon please", "product_items": ITEMS}},
            {"text": "Soon please", "order": {"catalog_id": "c1", "text": "Soon please", "product_items": ITEMS}},
            id="order",
        ),
        pytest.param(
            {"type": "unsupported", "of": "poll_creation"},
            {
                "type": "unsupported",
                "errors": [{**UNSUPPORTED, "error_data": {"details": "Message type is currently not supported."}}],
                "unsupported": {"type": "poll_creation"},
            },
            {"text": "[unsupported: poll_creation]"},
            id="unsupported",
        ),
        pytest.param(
            {"type": "request_welcome"}, {"type": "request_welcome"}, {"text": "[opened the chat]"}, id="welcome"
        ),
        pytest.param(
            {"type": "text", "text": "Look", "forwarded": True},
            {"context": {"forwarded": True}, "type": "text", "text": {"body": "Look"}},
            {"text": "Look", "forwarded": True},
            id="forwarded",
        ),
        pytest.param(
            {"type": "text", "text": "Look", "forwarded": "frequently"},
            {"context": {"frequently_forwarded": True}, "type": "text", "text": {"body": "Look"}},
            {"text": "Look", "forwarded": True},
            id="forwarded by many",
        ),
        pytest.param(
            {"type": "text", "text": "Hi", "referral": AD},
            {"referral": AD, "type": "text", "text": {"body": "Hi"}},
            {"text": "Hi", "referral": AD},
            id="from an ad",
        ),
    ],
)
async def test_kinds(
    simulator: Simulator, bot: Bot, body: dict[str, Any], content: dict[str, Any], bubble: dict[str, Any]
) -> None:
    """Each kind has Meta's shape in the webhook, and the phone shows it."""
    assert await sent(simulator, bot, **body) == content
    shown = await last(simulator)
    assert {name: shown[name] for name in bubble} == bubble


@pytest.mark.parametrize(
    ("body", "content"),
    [
        pytest.param({"type": "image", "caption": "Look"}, {"caption": "Look"}, id="image"),
        pytest.param({"type": "video"}, {}, id="video"),
        pytest.param({"type": "audio", "voice": True}, {"voice": True}, id="voice note"),
        pytest.param({"type": "audio"}, {"voice": False}, id="audio file"),
        pytest.param({"type": "document", "filename": "a.pdf", "caption": "x"}, {"filename": "a.pdf", "caption": "x"}, id="document"),
        pytest.param({"type": "sticker", "animated": True}, {"animated": True}, id="sticker"),
    ],
)  # fmt: skip
async def test_media(simulator: Simulator, bot: Bot, body: dict[str, Any], content: dict[str, Any]) -> None:
    """Media come with id, type and base64 hash, without an address; the page can fetch them."""
    message = await sent(simulator, bot, **body, data=DATA, mime_type="audio/ogg; codecs=opus")
    kind = body["type"]
    media_id = message[kind]["id"]
    assert message == {
        "type": kind,
        kind: {**content, "id": media_id, "mime_type": "audio/ogg; codecs=opus", "sha256": HASH},
    }
    shown = await last(simulator)
    assert shown["text"] == body.get("caption", "")
    assert (shown["media"]["kind"], shown["media"]["size"]) == (kind, 4)
    async with simulator.http.get(simulator.url(shown["media"]["url"])) as answer:
        assert await answer.read() == b"tiny"


async def test_file_name_that_is_no_unicode(simulator: Simulator, bot: Bot) -> None:
    """The webhook has it as it was sent; the page gets one that can be written."""
    body = {"type": "document", "data": DATA, "mime_type": "text/plain", "filename": "\ud83d.txt"}
    assert (await sent(simulator, bot, **body))["document"]["filename"] == "\ud83d.txt"
    async with simulator.http.get(simulator.url((await last(simulator))["media"]["url"])) as answer:
        assert answer.headers["Content-Disposition"] == 'attachment; filename="_.txt"'


async def test_quoting(simulator: Simulator, bot: Bot) -> None:
    """The author of the quoted message is the business or the customer; a hidden number names nobody."""
    first = await simulator.write("Hi")
    answer = await simulator.send_text("Hello")
    message = await sent(simulator, bot, type="text", text="That", quoting=answer)
    assert message["context"] == {"from": "4930901820000", "id": answer}
    assert (await last(simulator))["quoting"] == answer
    message = await sent(simulator, bot, type="text", text="And that", quoting=first)
    assert message["context"] == {"from": "4915112345678", "id": first}
    await simulator.post("customers", {"wa_id": LEA, "hide_number": True})
    message = await sent(simulator, bot, type="text", text="Again", quoting=answer)
    assert message["context"] == {"id": answer}


async def test_asking_about_a_product(simulator: Simulator, bot: Bot) -> None:
    """The product stands in the context, beside the message that showed it."""
    await simulator.write()
    shown = await simulator.send(interactive("product", PRODUCT))
    message = await sent(simulator, bot, type="text", text="In red?", quoting=shown, referred_product=PRODUCT)
    assert message["context"] == {"from": "4930901820000", "id": shown, "referred_product": PRODUCT}
    assert (await last(simulator))["referred_product"] == PRODUCT


async def test_reaction_and_its_removal(simulator: Simulator, bot: Bot) -> None:
    """A reaction that is taken back has no emoji at all."""
    await simulator.write()
    wamid = await simulator.send_text()
    message = await sent(simulator, bot, type="reaction", message_id=wamid, emoji="\U0001f44d")
    assert message == {"type": "reaction", "reaction": {"message_id": wamid, "emoji": "\U0001f44d"}}
    assert (await last(simulator))["reaction"] == {"message_id": wamid, "emoji": "\U0001f44d"}
    message = await sent(simulator, bot, type="reaction", message_id=wamid, emoji=None)
    assert message == {"type": "reaction", "reaction": {"message_id": wamid}}
    assert (await last(simulator))["reaction"] == {"message_id": wamid, "emoji": None}


async def test_flow_reply(simulator: Simulator, bot: Bot) -> None:
    """The answer of a flow is JSON in a text, with the flow's token, quoting the flow."""
    await simulator.write()
    wamid = await simulator.send(interactive("flow", {"name": "flow", "parameters": FLOW}))
    message = await sent(simulator, bot, type="flow_reply", message_id=wamid, data={"day": "Monday"})
    reply = message["interactive"]["nfm_reply"]
    assert message["context"] == {"from": "4930901820000", "id": wamid}
    assert (message["interactive"]["type"], reply["name"], reply["body"]) == ("nfm_reply", "flow", "Sent")
    assert json.loads(reply["response_json"]) == {"flow_token": "token-7", "day": "Monday"}
    shown = (await last(simulator))["flow_reply"]
    assert shown == {"name": "flow", "data": {"flow_token": "token-7", "day": "Monday"}}


async def test_address_reply(start: Any, bot: Bot) -> None:
    """The answer to a request for an address has the same shape under another name."""
    simulator = await start(display_phone_number="911123456789")
    await simulator.write(wa_id="919812345678")
    body = interactive("address_message", {"name": "address_message", "parameters": {"country": "IN"}})
    _, answer = await simulator.graph({"messaging_product": "whatsapp", "to": "+919812345678", **body})
    values = {"values": {"name": "Asha", "in_pin_code": "400063"}}
    wamid = answer["messages"][0]["id"]
    message = await sent(simulator, bot, "919812345678", type="flow_reply", message_id=wamid, data=values)
    reply = message["interactive"]["nfm_reply"]
    assert (reply["name"], json.loads(reply["response_json"])) == ("address_message", values)


async def test_contact_request_is_answered_with_ones_own_card(simulator: Simulator, bot: Bot) -> None:
    """A tap, or a card that quotes the request, has the request as its origin and no vcard."""
    await simulator.post("customers", {"wa_id": LEA, "name": "Lea", "hide_number": True})
    await simulator.write()
    wamid = await simulator.send(interactive("contact_request", {"name": "request_contact_info"}))
    own = {
        "name": {"formatted_name": "Lea", "first_name": "Lea"},
        "phones": [{"phone": "+4915112345678", "wa_id": "4915112345678", "type": "CELL"}],
        "origin": "contact_request",
    }
    expected = {"context": {"id": wamid}, "type": "contacts", "contacts": [own]}
    assert await sent(simulator, bot, type="tap", message_id=wamid, button="0") == expected
    assert await sent(simulator, bot, type="contacts", quoting=wamid) == expected
    message = await sent(simulator, bot, type="contacts", quoting=wamid, contacts=[CARD])
    assert message["contacts"] == [{**CARD, "origin": "contact_request"}]


@pytest.mark.parametrize(
    ("message", "button", "answer"),
    [
        pytest.param(
            interactive("carousel", {"cards": CARDS}),
            "/buy",
            {"type": "button_reply", "button_reply": {"id": "/buy", "title": "Buy"}},
            id="quick reply of a card",
        ),
        pytest.param(
            interactive("call_permission_request", {"name": "call_permission_request"}),
            "accept",
            {
                "type": "call_permission_reply",
                "call_permission_reply": {"response": "accept", "is_permanent": True, "response_source": "user_action"},
            },
            id="call permission given",
        ),
        pytest.param(
            interactive("call_permission_request", {"name": "call_permission_request"}),
            "reject",
            {
                "type": "call_permission_reply",
                "call_permission_reply": {"response": "reject", "response_source": "user_action"},
            },
            id="call permission refused",
        ),
    ],
)
async def test_taps(
    simulator: Simulator, bot: Bot, message: dict[str, Any], button: str, answer: dict[str, Any]
) -> None:
    """What can be tapped answers with Meta's shape and quotes its message."""
    await simulator.write()
    wamid = await simulator.send(message)
    received = await sent(simulator, bot, type="tap", message_id=wamid, button=button)
    assert (received["interactive"], received["context"]["id"]) == (answer, wamid)


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        pytest.param(interactive("cta_url", LINK), "a tap on a url button sends no message", id="link"),
        pytest.param(
            interactive("location_request_message", {"name": "send_location"}), "send a location", id="location"
        ),
        pytest.param(interactive("flow", {"name": "flow", "parameters": FLOW}), "send a flow_reply", id="flow"),
        pytest.param(interactive("voice_call", {"name": "voice_call"}), "call the business", id="call"),
        pytest.param(interactive("product", PRODUCT), "a tap on a product button sends no message", id="product"),
    ],
)
async def test_taps_that_send_nothing(simulator: Simulator, bot: Bot, message: dict[str, Any], reason: str) -> None:
    """A tap that opens something tells the business nothing."""
    await simulator.write()
    await eventually(lambda: len(bot.messages()) == 1, "the message before the tap")
    tap = {"type": "tap", "message_id": await simulator.send(message), "button": "0"}
    assert reason in (await simulator.post(f"customers/{LEA}/messages", tap, 400))["error"]
    assert len(bot.messages()) == 1


async def test_edit_and_revoke(simulator: Simulator, bot: Bot) -> None:
    """Both name the original message; an edit brings the new text."""
    wamid = await simulator.write("Hi")
    assert await sent(simulator, bot, type="edit", message_id=wamid, text="Hello") == {
        "type": "edit",
        "edit": {"original_message_id": wamid, "message": {"type": "text", "text": {"body": "Hello"}}},
    }
    assert (await last(simulator))["edit"] == {"message_id": wamid, "text": "Hello"}
    assert await sent(simulator, bot, type="revoke", message_id=wamid) == {
        "type": "revoke",
        "revoke": {"original_message_id": wamid},
    }
    assert (await last(simulator))["revoke"] == {"message_id": wamid}
    await simulator.post("clock", {"advance_seconds": 901})
    late = {"type": "edit", "message_id": wamid, "text": "Too late"}
    assert "older than 15 minutes" in (await simulator.post(f"customers/{LEA}/messages", late, 400))["error"]


@pytest.mark.parametrize(
    "body",
    [
        pytest.param({"type": "hologram"}, id="unknown type"),
        pytest.param({"type": ["text"]}, id="type that is a list"),
        pytest.param({"type": "image", "mime_type": "image/png"}, id="media without data"),
        pytest.param({"type": "image", "data": "%%%", "mime_type": "image/png"}, id="data that is no base64"),
        pytest.param({"type": "image", "data": DATA, "mime_type": "image/png\r\nX: y"}, id="type that breaks a header"),
        pytest.param({"type": "location", "latitude": "52", "longitude": 13}, id="latitude as text"),
        pytest.param({"type": "contacts", "contacts": []}, id="no contact"),
        pytest.param({"type": "order", "catalog_id": "c1"}, id="order of nothing"),
        pytest.param({"type": "reaction", "message_id": "wamid.unknown", "emoji": "x"}, id="reaction to nothing"),
        pytest.param({"type": "flow_reply", "message_id": "wamid.unknown", "data": {}}, id="answer to no flow"),
        pytest.param({"type": "unsupported", "code": [131051]}, id="code that is a list"),
        pytest.param({"type": "text", "text": "x", "quoting": "wamid.unknown"}, id="quote of nothing"),
        pytest.param({"type": "text", "text": "x", "forwarded": "often"}, id="forwarded often"),
        pytest.param({"type": "text", "text": "x", "referred_product": PRODUCT}, id="product without quote"),
        pytest.param({"type": "text", "text": "x", "referral": "ad"}, id="referral that is no object"),
        pytest.param({"type": "text", "text": "x", "number_id": "999"}, id="unknown business number"),
    ],
)
async def test_what_cannot_be_sent(simulator: Simulator, bot: Bot, body: dict[str, Any]) -> None:
    """A body that makes no message is refused with a sentence, and the bot gets nothing."""
    assert (await simulator.post(f"customers/{LEA}/messages", body, 400))["error"]
    assert bot.raw == []


@pytest.mark.parametrize(
    "message",
    [
        pytest.param({"type": kind, kind: content}, id=f"{kind} {content!r}")
        for kind in (
            "text", "button", "image", "location", "contacts", "order", "reaction", "edit", "revoke", "system",
            "unsupported", "interactive", "request_welcome", "hologram",
        )
        for content in (None, {}, [], "x", {"type": "nfm_reply", "nfm_reply": {"response_json": "["}})
    ],
)  # fmt: skip
async def test_anything_raw_can_be_shown(simulator: Simulator, message: dict[str, Any]) -> None:
    """A message that a test broke on purpose is delivered as it is, and its bubble keeps to its description."""
    await simulator.post(f"customers/{LEA}/messages", {"type": "raw", "message": message}, 201)
    assert (await last(simulator))["payload"][message["type"]] == message[message["type"]]
