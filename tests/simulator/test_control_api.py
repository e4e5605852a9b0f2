"""The control API: its description against its routes and answers, its refusals, its guard, its events."""

from __future__ import annotations

import json
from typing import Any

import pytest

from rasa_whatsapp.simulator.composing import COMPOSERS
from rasa_whatsapp.simulator.control_routes import ROUTES
from rasa_whatsapp.simulator.faults import FIELDS
from rasa_whatsapp.simulator.openapi import description

from .conftest import AUTHORISED, LEA, NUMBER, Bot, Simulator, Start, eventually

CHAT = {"wa_id": "4915112345678", "number_id": "100000000000001"}
METHODS = {"get", "post", "put", "delete", "patch"}
TYPES: dict[str, Any] = {
    "object": dict,
    "array": list,
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "null": type(None),
}


def problems(schema: dict[str, Any], value: Any, path: str = "$") -> list[str]:
    """Return where a value breaks a schema: type, enum, required, properties, items; unknown keys too."""
    if "$ref" in schema:
        return problems(resolve(schema["$ref"]), value, path)
    wanted = schema.get("type", [])
    names = [wanted] if isinstance(wanted, str) else wanted
    if names and not any(isinstance(value, TYPES[name]) for name in names):
        return [f"{path} is no {wanted}"]
    found = [f"{path} is not in {schema['enum']}"] if "enum" in schema and value not in schema["enum"] else []
    if isinstance(value, dict):
        found += [f"{path}.{name} is missing" for name in schema.get("required", []) if name not in value]
        if "properties" in schema:
            found += [f"{path}.{name} is not described" for name in value if name not in schema["properties"]]
            for name, inner in schema["properties"].items():
                found += problems(inner, value[name], f"{path}.{name}") if name in value else []
    if isinstance(value, list) and "items" in schema:
        for index, item in enumerate(value):
            found += problems(schema["items"], item, f"{path}[{index}]")
    return found


def resolve(reference: str) -> Any:
    """Follow a local reference."""
    found: Any = description()
    for name in reference.removeprefix("#/").split("/"):
        found = found[name]
    return found


def described(method: str, path: str, status: int) -> dict[str, Any]:
    """Return the schema of an answer."""
    answer = description()["paths"][path][method]["responses"][str(status)]
    answer = resolve(answer["$ref"]) if "$ref" in answer else answer
    schema: dict[str, Any] = answer["content"]["application/json"]["schema"]
    return schema


def test_description_equals_routes() -> None:
    """Every route is described, and nothing else."""
    routes = {(method.lower(), path) for method, path, _ in ROUTES}
    listed = {(method, path) for path, item in description()["paths"].items() for method in item if method in METHODS}
    assert listed == routes


def test_description_knows_every_fault() -> None:
    """The enumeration of faults is the simulator's."""
    assert set(description()["components"]["schemas"]["Fault"]["properties"]["kind"]["enum"]) == set(FIELDS)


def test_description_knows_every_kind_of_message() -> None:
    """The enumeration of what a customer can send is the simulator's."""
    kinds = description()["components"]["schemas"]["Written"]["properties"]["type"]["enum"]
    assert set(kinds) == {*COMPOSERS, "tap", "raw"}


def test_references_lead_somewhere() -> None:
    """No dangling reference."""
    for reference in set(json.dumps(description()).split('"$ref": "')[1:]):
        assert resolve(reference.split('"')[0])


@pytest.mark.asyncio
async def test_answers_are_as_described(simulator: Simulator, bot: Bot) -> None:
    """Real answers of a small story keep to their schemas."""
    tap = {"type": "tap", "message_id": "wamid.x", "button": "y"}
    steps: list[tuple[str, str, Any, int, str]] = [
        ("get", "health", None, 200, "health"),
        ("get", "settings", None, 200, "settings"),
        ("get", "clock", None, 200, "clock"),
        ("post", "clock", {"advance_seconds": 60}, 200, "clock"),
        ("post", "clock", {"advance_seconds": -1}, 400, "clock"),
        ("post", "customers", {"wa_id": LEA}, 200, "customers"),
        ("post", "customers", {"wa_id": "x"}, 400, "customers"),
        ("get", "customers", None, 200, "customers"),
        ("post", f"customers/{LEA}/messages", {"type": "text", "text": "Hi"}, 201, "customers/{wa_id}/messages"),
        ("post", f"customers/{LEA}/messages", tap, 400, "customers/{wa_id}/messages"),
        ("post", f"customers/{LEA}/call", {}, 201, "customers/{wa_id}/call"),
        ("post", f"customers/{LEA}/call", {"seconds": "long"}, 400, "customers/{wa_id}/call"),
        ("post", f"customers/{LEA}/echo", {"text": "Ann here"}, 201, "customers/{wa_id}/echo"),
        ("post", "customers/4915100000000/echo", {"text": "x"}, 404, "customers/{wa_id}/echo"),
        ("post", f"customers/{LEA}/user_id", {}, 200, "customers/{wa_id}/user_id"),
        ("post", "customers/4915100000000/user_id", {}, 404, "customers/{wa_id}/user_id"),
        ("post", f"customers/{LEA}/number", {"new_wa_id": "4915100000009"}, 200, "customers/{wa_id}/number"),
        ("post", f"customers/{LEA}/number", {"new_wa_id": "4915100000008"}, 404, "customers/{wa_id}/number"),
        ("post", "customers/4915100000009/number", {"new_wa_id": LEA}, 200, "customers/{wa_id}/number"),
        ("get", "media/1", None, 404, "media/{id}"),
        ("get", f"customers/{LEA}/chat", None, 200, "customers/{wa_id}/chat"),
        ("get", "customers/4915100000000/chat", None, 404, "customers/{wa_id}/chat"),
        ("post", f"customers/{LEA}/read", {}, 200, "customers/{wa_id}/read"),
        ("put", f"customers/{LEA}/marketing", {"value": "stop"}, 200, "customers/{wa_id}/marketing"),
        ("put", f"customers/{LEA}/marketing", {"value": "maybe"}, 400, "customers/{wa_id}/marketing"),
        ("get", "requests", None, 200, "requests"),
        ("get", "requests?limit=0", None, 400, "requests"),
        ("get", "deliveries?limit=5", None, 200, "deliveries"),
        ("post", "webhooks", {"field": "flows", "value": {}}, 202, "webhooks"),
        ("post", "webhooks?wait=true", {"field": "flows", "value": {}}, 200, "webhooks"),
        ("post", "webhooks", {"field": "flows"}, 400, "webhooks"),
        ("post", "subscription", {}, 200, "subscription"),
        ("get", "templates", None, 200, "templates"),
        ("put", "templates/paused/en", {"status": "APPROVED"}, 200, "templates/{name}/{language}"),
        ("put", "templates/paused/en", {"quality": "RED"}, 200, "templates/{name}/{language}"),
        ("put", "templates/paused/en", {"category": "MARKETING"}, 200, "templates/{name}/{language}"),
        ("put", "templates/paused/en", {"category": "UTILITY", "announced": True}, 200, "templates/{name}/{language}"),
        ("get", "templates", None, 200, "templates"),
        ("put", "templates/paused/en", {"status": "GREAT"}, 400, "templates/{name}/{language}"),
        ("put", "templates/nowhere/en", {"status": "PAUSED"}, 404, "templates/{name}/{language}"),
        ("get", "faults", None, 200, "faults"),
        ("put", "faults", {"faults": [{"kind": "http_error"}]}, 200, "faults"),
        ("put", "faults", {"faults": [{}]}, 400, "faults"),
        ("get", "direct_send", None, 200, "direct_send"),
        ("put", "direct_send", {"access": "enabled"}, 200, "direct_send"),
        ("put", "direct_send", {"access": True}, 400, "direct_send"),
        ("get", "openapi.json", None, 200, "openapi.json"),
        ("post", "reset", {}, 200, "reset"),
    ]
    for method, path, body, status, template in steps:
        answer = await simulator.call(method.upper(), path, body, status)
        assert problems(described(method, f"/control/{template}", status), answer) == [], (method, path)


@pytest.mark.asyncio
async def test_chat_shows_messages_as_described(simulator: Simulator) -> None:
    """Text, list, template and failed messages keep to the schema of a message."""
    await simulator.write()
    rows = [{"id": "a", "title": "A"}]
    action = {"button": "Choose", "sections": [{"rows": rows}]}
    await simulator.send(
        {"type": "interactive", "interactive": {"type": "list", "body": {"text": "?"}, "action": action}}
    )
    await simulator.send({"type": "template", "template": {"name": "spring_sale", "language": {"code": "pt_BR"}}})
    await simulator.put("faults", {"faults": [{"kind": "failed_status"}]})
    failed = await simulator.send_text()

    async def has_failed() -> bool:
        return await simulator.status_of(failed) == "failed"

    await eventually(has_failed, "the message fails")
    chat = await simulator.get(f"customers/{LEA}/chat")
    assert problems(described("get", "/control/customers/{wa_id}/chat", 200), chat) == []
    assert [message["type"] for message in chat["messages"]] == ["text", "interactive", "template", "text"]
    assert chat["messages"][3]["errors"][0]["code"] == 131026
    assert chat["messages"][2]["template"] == {"name": "spring_sale", "language": "pt_BR", "category": "MARKETING"}


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        pytest.param("POST", "clock", {}, id="clock without a word"),
        pytest.param("POST", "clock", {"advance_seconds": 1, "now": "2030-01-01T00:00:00Z"}, id="clock with both"),
        pytest.param("POST", "clock", {"now": "2020-01-01T00:00:00+00:00"}, id="clock into the past"),
        pytest.param("POST", "clock", {"now": "2099-01-01T00:00:00"}, id="clock without offset"),
        pytest.param("POST", "clock", {"now": "tomorrow"}, id="clock in words"),
        pytest.param("POST", "clock", {"advance_seconds": "60"}, id="seconds as text"),
        pytest.param("POST", "clock", [], id="no object"),
        pytest.param("POST", "customers", {"wa_id": LEA, "user_id": "Lea"}, id="bad user id"),
        pytest.param("POST", "customers", {"wa_id": LEA, "hide_number": "yes"}, id="flag as text"),
        pytest.param("POST", "customers", {"wa_id": LEA, "hidden": True}, id="unknown setting"),
        pytest.param("POST", "customers/Lea/messages", {"type": "text", "text": "Hi"}, id="name for a number"),
        pytest.param("POST", f"customers/{LEA}/messages", {"type": "text", "text": ""}, id="empty text"),
        pytest.param("POST", f"customers/{LEA}/messages", {"type": "shout", "text": "Hi"}, id="unknown type"),
        pytest.param("POST", f"customers/{LEA}/messages", {"type": "raw", "message": {}}, id="raw without type"),
        pytest.param(
            "POST", f"customers/{LEA}/messages", {"type": "text", "text": "x", "timestamp": 99999999999}, id="future"
        ),
        pytest.param("POST", f"customers/{LEA}/messages", {"type": "text", "text": "x", "id": "é"}, id="odd id"),
    ],
)
async def test_refuses_with_a_sentence(simulator: Simulator, method: str, path: str, body: Any) -> None:
    """Bad control requests get 400 and a reason."""
    assert (await simulator.call(method, path, body, 400))["error"]


@pytest.mark.asyncio
@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"{", id="broken"),
        pytest.param(b'{"advance_seconds": NaN}', id="no number"),
        pytest.param(b"[" * 100_000, id="nested beyond measure"),
        pytest.param(b'{"now": "\xff"}', id="no text"),
    ],
)
async def test_body_that_is_not_json(simulator: Simulator, body: bytes) -> None:
    """Neither the control API nor the Graph API stumbles over it."""
    headers = {"Content-Type": "application/json"}
    async with simulator.http.post(simulator.url("/control/clock"), data=body, headers=headers) as answer:
        assert (answer.status, await answer.json()) == (400, {"error": "the body is not JSON"})
    url = simulator.url(f"{NUMBER}/messages")
    async with simulator.http.post(url, data=body, headers=headers | AUTHORISED) as answer:
        assert (answer.status, (await answer.json())["error"]["code"]) == (400, 100)


@pytest.mark.asyncio
async def test_two_customers_never_share_a_user_id(simulator: Simulator) -> None:
    """A user id belongs to one number."""
    await simulator.post("customers", {"wa_id": LEA, "user_id": "DE.Lea1"})
    await simulator.post("customers", {"wa_id": "4915187654321", "user_id": "DE.Lea1"}, 400)


@pytest.mark.asyncio
async def test_user_id_is_the_same_after_a_reset(simulator: Simulator) -> None:
    """A customer who appears again is the same person to the business."""
    first = await simulator.post("customers", {"wa_id": LEA})
    await simulator.post("reset")
    again = await simulator.post("customers", {"wa_id": LEA})
    assert first["user_id"] == again["user_id"]
    assert first["user_id"].startswith("DE.")


@pytest.mark.asyncio
async def test_reset_forgets_all_but_the_clock(simulator: Simulator) -> None:
    """Chats, journals, faults and template changes go; a bot cannot go back in time, so the clock stays."""
    await simulator.write()
    await simulator.send_text()
    await simulator.put("faults", {"faults": [{"kind": "drop_before"}]})
    await simulator.put("templates/paused/en", {"status": "APPROVED"})
    await simulator.put("direct_send", {"access": "enabled"})
    await simulator.post("clock", {"advance_seconds": 3600})
    await simulator.post("reset")
    assert await simulator.get("customers") == {"customers": []}
    assert await simulator.get("requests") == {"requests": []}
    assert await simulator.get("deliveries") == {"deliveries": []}
    assert await simulator.get("faults") == {"faults": []}
    assert await simulator.get("direct_send") == {"access": "not_enabled"}
    paused = next(entry for entry in (await simulator.get("templates"))["templates"] if entry["name"] == "paused")
    assert paused["status"] == "PAUSED"
    assert (await simulator.get("clock"))["offset_seconds"] == 3600


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("method", "path", "headers", "status"),
    [
        pytest.param("GET", "/control/clock", {"Host": "evil.example"}, 403, id="rebound name"),
        pytest.param("GET", "/", {"Host": "evil.example:8090"}, 403, id="rebound name on the page"),
        pytest.param("GET", "/control/clock", {"Host": "127.0.0.1.evil.example"}, 403, id="name that looks local"),
        pytest.param("GET", "/control/clock", {"Host": "localhost:1"}, 200, id="localhost"),
        pytest.param("GET", "/control/clock", {"Host": "[::1]:8090"}, 200, id="loopback of version 6"),
        pytest.param("POST", "/control/reset", {"Origin": "https://evil.example"}, 403, id="foreign origin"),
        pytest.param("POST", "/control/reset", {"Origin": "null"}, 403, id="origin of a sandbox"),
        pytest.param("POST", "/control/reset", {"Sec-Fetch-Site": "cross-site"}, 403, id="foreign page"),
        pytest.param("POST", "/control/reset", {"Content-Type": "text/plain"}, 415, id="form without preflight"),
        pytest.param("PUT", "/control/faults", {"Content-Type": "text/plain"}, 415, id="put that is no JSON"),
    ],
)
async def test_foreign_pages_cannot_drive_it(
    simulator: Simulator, method: str, path: str, headers: dict[str, str], status: int
) -> None:
    """Loopback names, own origin, JSON only."""
    if method != "GET":
        headers = {"Content-Type": "application/json", **headers}
    async with simulator.http.request(method, simulator.url(path), data=b"{}", headers=headers) as answer:
        assert answer.status == status


@pytest.mark.asyncio
async def test_own_page_may_post(simulator: Simulator) -> None:
    """The page's own origin passes."""
    origin = str(simulator.server.make_url("")).rstrip("/")
    headers = {"Origin": origin, "Sec-Fetch-Site": "same-origin"}
    async with simulator.http.post(simulator.url("/control/reset"), json={}, headers=headers) as answer:
        assert answer.status == 200


@pytest.mark.asyncio
async def test_open_to_the_network_any_name_is_right(start: Start) -> None:
    """Bound elsewhere than to loopback, the simulator does not know its names; foreign origins stay out."""
    simulator = await start(loopback_only=False)
    async with simulator.http.get(simulator.url("/control/clock"), headers={"Host": "devbox"}) as answer:
        assert answer.status == 200
    headers = {"Host": "devbox", "Origin": "https://evil.example"}
    async with simulator.http.post(simulator.url("/control/reset"), json={}, headers=headers) as answer:
        assert answer.status == 403


@pytest.mark.asyncio
async def test_events_tell_what_happens(simulator: Simulator) -> None:
    """The first event is the clock; messages, statuses, typing, moves and resets follow."""
    async with simulator.http.get(simulator.url("/control/events")) as stream:
        assert stream.content_type == "text/event-stream"
        assert (await next_event(stream))[0] == "clock"
        received = await simulator.write("Hi")
        told = await event(stream, "message")
        assert (told["wa_id"], told["message"]["id"], told["message"]["text"]) == (LEA, received, "Hi")
        assert (await event(stream, "customer"))["customer"]["window"]["open"] is True
        receipt = {"messaging_product": "whatsapp", "status": "read", "message_id": received}
        await simulator.graph(receipt | {"typing_indicator": {"type": "text"}})
        assert await event(stream, "status") == {**CHAT, "id": received, "status": "read"}
        assert await event(stream, "typing") == {**CHAT, "seconds": 25}
        wamid = await simulator.send_text()
        assert await event(stream, "status") == {**CHAT, "id": wamid, "status": "sent"}
        await simulator.post("clock", {"advance_seconds": 5})
        assert (await event(stream, "clock"))["offset_seconds"] == 5
        await simulator.post("reset")
        assert await event(stream, "reset") == {}


async def next_event(stream: Any) -> tuple[str, Any]:
    """Read one event from a stream."""
    lines = (await stream.content.readuntil(b"\n\n")).decode().strip().split("\n")
    return lines[0].removeprefix("event: "), json.loads(lines[1].removeprefix("data: "))


async def event(stream: Any, name: str) -> Any:
    """Read until an event of a name comes."""
    while True:
        found, data = await next_event(stream)
        if found == name:
            return data
