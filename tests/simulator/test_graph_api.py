"""The Graph side over HTTP: token, addresses, answers and error bodies as Meta gives them."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from rasa_whatsapp.simulator.settings import WindowErrors

from .conftest import AUTHORISED, LEA, NUMBER, Bot, Simulator, Start, eventually

pytestmark = pytest.mark.asyncio

TEXT = {"messaging_product": "whatsapp", "to": f"+{LEA}", "type": "text", "text": {"body": "Hello"}}
STATIC = {"name": "spring_sale", "language": {"code": "pt_BR"}}


async def test_answer_to_a_text(simulator: Simulator) -> None:
    """The answer names the number as given and as known, and the message; no message_status."""
    status, answer = await simulator.graph({**TEXT, "to": "+49 (151) 1234-5678"})
    wamid = answer["messages"][0]["id"]
    assert (status, answer) == (
        200,
        {
            "messaging_product": "whatsapp",
            "contacts": [{"input": "+49 (151) 1234-5678", "wa_id": "4915112345678"}],
            "messages": [{"id": wamid}],
        },
    )
    assert wamid.startswith("wamid.")


async def test_answer_to_a_template_has_a_status(simulator: Simulator) -> None:
    """Only templates are answered with message_status."""
    _, answer = await simulator.graph({**TEXT, "type": "template", "template": STATIC})
    assert answer["messages"][0]["message_status"] == "accepted"


async def test_type_defaults_to_text(simulator: Simulator) -> None:
    """A body without type is a text; the number may lack its plus."""
    status, _ = await simulator.graph({"messaging_product": "whatsapp", "to": LEA, "text": {"body": "Hello"}})
    assert status == 200


async def test_sends_to_a_user_id(simulator: Simulator) -> None:
    """`recipient` takes a business-scoped user id and answers without a number."""
    await simulator.post("customers", {"wa_id": LEA, "user_id": "DE.Lea1", "hide_number": True})
    body = {"messaging_product": "whatsapp", "recipient": "DE.Lea1", "text": {"body": "Hello"}}
    status, answer = await simulator.graph(body)
    assert (status, answer["contacts"]) == (200, [{"input": "DE.Lea1", "user_id": "DE.Lea1"}])


async def test_number_wins_over_user_id(simulator: Simulator) -> None:
    """With both given, `to` wins."""
    await simulator.post("customers", {"wa_id": "4915187654321", "user_id": "DE.Jonas"})
    _, answer = await simulator.graph({**TEXT, "recipient": "DE.Jonas"})
    assert answer["contacts"] == [{"input": "+4915112345678", "wa_id": "4915112345678"}]


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        pytest.param([], 400, 100, id="no object"),
        pytest.param({}, 400, 100, id="empty"),
        pytest.param({**TEXT, "messaging_product": "sms"}, 400, 100, id="another product"),
        pytest.param({**TEXT, "to": None}, 400, 100, id="no recipient"),
        pytest.param({**TEXT, "to": 4915112345678}, 400, 100, id="number as a number"),
        pytest.param({**TEXT, "to": "Lea"}, 400, 131009, id="no phone number"),
        pytest.param({**TEXT, "to": "DE.Lea1"}, 400, 131009, id="user id in the wrong field"),
        pytest.param({**TEXT, "to": "+4930901820000"}, 400, 131021, id="to itself"),
        pytest.param({**TEXT, "to": None, "recipient": "Lea"}, 400, 131009, id="no user id"),
        pytest.param({**TEXT, "to": None, "recipient": "DE.Stranger"}, 400, 131009, id="user id never met"),
        pytest.param({**TEXT, "type": "poll"}, 400, 100, id="unknown type"),
        pytest.param({**TEXT, "type": ["text"]}, 400, 100, id="type that is a list"),
        pytest.param({**TEXT, "recipient_type": "group"}, 400, 131051, id="group"),
        pytest.param({**TEXT, "biz_opaque_callback_data": "x" * 513}, 400, 100, id="callback data of 513"),
        pytest.param({**TEXT, "context": {}}, 400, 100, id="quote of nothing"),
        pytest.param(
            {**TEXT, "type": "template", "template": {**STATIC, "name": "nowhere"}}, 404, 132001, id="unknown template"
        ),
    ],
)
async def test_refuses_with_code_and_http_status(simulator: Simulator, body: Any, status: int, code: int) -> None:
    """A body that Meta would not take is refused with its code and HTTP status, and nobody gets anything."""
    answered, answer = await simulator.graph(body)
    assert (answered, answer["error"]["code"]) == (status, code)
    assert await simulator.get("customers") == {"customers": []}


async def test_error_body_has_metas_shape(simulator: Simulator) -> None:
    """Message, type, code, details and trace id."""
    _, answer = await simulator.graph({**TEXT, "text": {"body": "x" * 4097}})
    trace = answer["error"]["fbtrace_id"]
    assert answer == {
        "error": {
            "message": "(#100) Invalid parameter",
            "type": "OAuthException",
            "code": 100,
            "error_data": {
                "messaging_product": "whatsapp",
                "details": "Param text['body'] must be at most 4096 characters long.",
            },
            "fbtrace_id": trace,
        }
    }
    assert isinstance(trace, str)


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({"Authorization": "Bearer something-else"}, id="wrong token"),
        pytest.param({"Authorization": "demo-access-token-and-more"}, id="longer token"),
        pytest.param({"Authorization": ""}, id="no token"),
        pytest.param({"Authorization": "demo-access-token"}, id="token without its scheme"),
        pytest.param({"Authorization": "Basic demo-access-token"}, id="another scheme"),
    ],
)
async def test_wrong_token_is_190(simulator: Simulator, headers: dict[str, str]) -> None:
    """Without the right token nothing is looked at."""
    status, answer = await simulator.graph(TEXT, **headers)
    assert (status, answer["error"]["code"]) == (401, 190)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        pytest.param("POST", "/v26.0/999/messages", id="unknown number"),
        pytest.param("POST", "/v26.0/100000000000001/register", id="address not played"),
        pytest.param("POST", "/v26.0/999/media", id="upload for an unknown number"),
        pytest.param("GET", "/v26.0/100000000000001/media", id="method not played"),
        pytest.param("GET", "/v26.0/999", id="unknown node"),
        pytest.param("GET", "/v26.0/100000000000001/message_templates", id="templates of a number"),
        pytest.param("DELETE", "/v26.0/100000000000001", id="deletion of a number"),
    ],
)
async def test_unknown_address_is_100_with_subcode_33(simulator: Simulator, method: str, path: str) -> None:
    """What does not exist is answered as the Graph API does."""
    json = TEXT if method == "POST" else None
    async with simulator.http.request(method, simulator.url(path), json=json, headers=AUTHORISED) as answer:
        error = (await answer.json())["error"]
    assert (answer.status, error["code"], error["error_subcode"]) == (400, 100, 33)


async def test_any_version_unless_one_is_demanded(start: Start) -> None:
    """Any vNN.N is taken; with a demanded version only that."""
    for only, path, expected in ((None, "/v19.0", 200), ("v25.0", "/v25.0", 200), ("v25.0", "/v26.0", 400)):
        simulator = await start(api_version=only)
        url = simulator.url(f"{path}/100000000000001/messages")
        async with simulator.http.post(url, json=TEXT, headers=AUTHORISED) as answer:
            assert answer.status == expected, (only, path)


async def test_body_that_is_not_json(simulator: Simulator) -> None:
    """Broken JSON gets code 100."""
    headers = AUTHORISED | {"Content-Type": "application/json"}
    async with simulator.http.post(simulator.url(f"{NUMBER}/messages"), data=b"{", headers=headers) as answer:
        assert (answer.status, (await answer.json())["error"]["code"]) == (400, 100)


async def test_phone_number_node(simulator: Simulator) -> None:
    """The number answers with the fields asked for."""
    url = simulator.url(f"{NUMBER}?fields=display_phone_number,status")
    async with simulator.http.get(url, headers=AUTHORISED) as answer:
        assert await answer.json() == {
            "id": "100000000000001",
            "display_phone_number": "4930901820000",
            "status": "CONNECTED",
        }


async def test_templates_are_listed_by_pages(simulator: Simulator) -> None:
    """Pages follow the cursor until `next` is missing; filters narrow the list."""
    url = simulator.url("/v26.0/200000000000001/message_templates")
    async with simulator.http.get(url, params={"limit": "9"}, headers=AUTHORISED) as answer:
        first = await answer.json()
    after = {"limit": "9", "after": first["paging"]["cursors"]["after"]}
    async with simulator.http.get(url, params=after, headers=AUTHORISED) as answer:
        second = await answer.json()
    names = [entry["name"] for entry in first["data"] + second["data"]]
    assert (len(first["data"]), len(names), names[-1]) == (9, 10, "free_text")
    assert ("next" in first["paging"], "next" in second["paging"]) == (True, False)
    query = {"name": "order_follow_up", "language": "de", "fields": "name,status"}
    async with simulator.http.get(url, params=query, headers=AUTHORISED) as answer:
        (found,) = (await answer.json())["data"]
    assert (found["name"], found["status"], sorted(found)) == ("order_follow_up", "APPROVED", ["id", "name", "status"])


async def test_stale_cursor_is_131059(simulator: Simulator) -> None:
    """A cursor that the simulator did not give is refused."""
    url = simulator.url("/v26.0/200000000000001/message_templates?after=xyz")
    async with simulator.http.get(url, headers=AUTHORISED) as answer:
        assert (answer.status, (await answer.json())["error"]["code"]) == (400, 131059)


async def test_read_receipt_marks_this_and_earlier_messages(simulator: Simulator) -> None:
    """A receipt is answered with success, reaches back, and not forward."""
    first, second, third = [await simulator.write(text) for text in ("one", "two", "three")]
    body = {
        "messaging_product": "whatsapp",
        "status": "read",
        "message_id": second,
        "typing_indicator": {"type": "text"},
    }
    assert await simulator.graph(body) == (200, {"success": True})
    states = {message["id"]: message["status"] for message in await simulator.chat()}
    assert states == {first: "read", second: "read", third: "delivered"}


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        pytest.param({"message_id": "wamid.unknown"}, 131009, id="unknown message"),
        pytest.param({"message_id": "\ud83d"}, 131009, id="no text"),
        pytest.param({"status": "seen"}, 100, id="unknown status"),
        pytest.param({"message_id": None}, 100, id="no message"),
        pytest.param({"messaging_product": None}, 100, id="no product"),
        pytest.param({"typing_indicator": {"type": "voice"}}, 100, id="unknown typing"),
    ],
)
async def test_bad_read_receipt(simulator: Simulator, changes: dict[str, Any], code: int) -> None:
    """A receipt for nothing is refused."""
    body = {"messaging_product": "whatsapp", "status": "read", "message_id": await simulator.write()}
    status, answer = await simulator.graph(body | changes)
    assert (status, answer["error"]["code"]) == (400, code)


async def test_window_errors_by_http(start: Start) -> None:
    """With --window-errors http a closed window is refused at once, and templates still pass."""
    simulator = await start(window_errors=WindowErrors.HTTP)
    status, answer = await simulator.graph(TEXT)
    assert (status, answer["error"]["code"]) == (400, 131047)
    status, _ = await simulator.graph({**TEXT, "type": "template", "template": STATIC})
    assert status == 200


async def test_status_change_of_a_template(simulator: Simulator, bot: Bot) -> None:
    """A paused template is refused with 132015 from then on, and the bot is told."""
    await simulator.put("templates/spring_sale/pt_BR", {"status": "PAUSED"})
    status, answer = await simulator.graph({**TEXT, "type": "template", "template": STATIC})
    assert (status, answer["error"]["code"]) == (400, 132015)
    (value,) = await eventually(lambda: bot.values("message_template_status_update"), "the bot is told")
    assert (value["event"], value["message_template_name"], value["message_template_language"]) == (
        "PAUSED",
        "spring_sale",
        "pt-BR",
    )
    assert isinstance(value["message_template_id"], int)


async def test_journal_holds_every_request_without_token(simulator: Simulator) -> None:
    """The journal shows what was asked and answered, and no token anywhere."""
    await simulator.graph(TEXT)
    await simulator.graph(TEXT, Authorization="Bearer wrong-token")
    async with simulator.http.get(
        simulator.url(f"{NUMBER}?access_token=demo-access-token"), headers=AUTHORISED
    ) as answer:
        assert answer.status == 200
    journal = (await simulator.get("requests"))["requests"]
    assert [(entry["method"], entry["path"], entry["status"]) for entry in journal] == [
        ("POST", "/v26.0/100000000000001/messages", 200),
        ("POST", "/v26.0/100000000000001/messages", 401),
        ("GET", "/v26.0/100000000000001", 200),
    ]
    assert journal[0]["body"] == TEXT
    assert "token" not in str(journal)


@pytest.mark.parametrize("path", [f"{NUMBER}/messages", f"{NUMBER}/media"])
async def test_who_dies_while_it_asks(simulator: Simulator, caplog: pytest.LogCaptureFixture, path: str) -> None:
    """A bot that is killed in the middle of a request is no failure of the simulator; the journal tells of it."""
    kind = "application/json" if path.endswith("messages") else "multipart/form-data; boundary=x"
    _, writer = await asyncio.open_connection(simulator.server.host, simulator.server.port)
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer demo-access-token\r\nContent-Type: {kind}\r\n"
    writer.write(f'{head}Content-Length: 1000\r\n\r\n{{"type":'.encode())
    await writer.drain()
    server = simulator.server.runner.server
    server.handler_cancellation = False  # as the command serves; a TestServer would cancel the handler
    await eventually(lambda: any(each._current_request for each in server.connections), "the request has begun")
    writer.transport.abort()

    async def is_noted() -> bool:
        return bool((await simulator.get("requests"))["requests"])

    await eventually(is_noted, "the request is in the journal")
    (noted,) = (await simulator.get("requests"))["requests"]
    assert (noted["path"], noted["status"]) == (path, None)
    assert "Traceback" not in caplog.text
