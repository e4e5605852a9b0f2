"""The record, the counts, and customers who write in bulk."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from typing import Any

import pytest

from rasa_whatsapp.simulator.settings import Number

from .conftest import LEA, Bot, Simulator, Start, eventually
from .test_control_api import problems, resolve

pytestmark = pytest.mark.asyncio

MAX = "4915187654321"
TEMPLATE = {"name": "spring_sale", "language": {"code": "pt_BR"}}


async def record(simulator: Simulator, query: str = "") -> list[dict[str, Any]]:
    """Read the record."""
    async with simulator.http.get(simulator.url(f"/control/record{query}")) as answer:
        assert (answer.status, answer.content_type) == (200, "application/x-ndjson")
        return [json.loads(line) for line in (await answer.text()).splitlines()]


async def test_a_line_says_everything(simulator: Simulator, bot: Bot) -> None:
    """What came in and what was sent, with the window before each, both clocks, and how far it came."""
    await simulator.post("clock", {"advance_seconds": 86_400 * 30})
    before = datetime.now(timezone.utc)
    received = await simulator.write("Hi")
    wamid = await simulator.send_text("Hello", biz_opaque_callback_data="turn#1", context={"message_id": received})
    await eventually(lambda: len(bot.statuses(wamid)) == 2, "both statuses")
    came, sent = await record(simulator)
    times = [datetime.fromisoformat(line.pop(name)) for line in (came, sent) for name in ("sent_at", "accepted_at")]
    assert [(moment - before).days for moment in times] == [30, 0, 30, 0]
    common = {"number_id": "100000000000001", "wa_id": LEA, "type": "text", "template": None, "error_code": None}
    assert came == common | {
        "cursor": 1,
        "direction": "in",
        "wamid": received,
        "text": "Hi",
        "callback_data": None,
        "state": "delivered",
        "window_open": False,
        "context_id": None,
    }
    assert sent == common | {
        "cursor": 2,
        "direction": "out",
        "wamid": wamid,
        "text": "Hello",
        "callback_data": "turn#1",
        "state": "delivered",
        "window_open": True,
        "context_id": received,
    }


async def test_lines_are_as_described(simulator: Simulator) -> None:
    """Every line keeps to its schema; a template has its name, a failure its code, a closed window is told."""
    await simulator.send_text("too late")
    await simulator.send({"type": "template", "template": TEMPLATE})
    lines = await record(simulator)
    schema = resolve("#/components/schemas/Recorded")
    assert [problem for line in lines for problem in problems(schema, line)] == []
    told = [(line["template"], line["error_code"], line["window_open"]) for line in lines]
    assert told == [(None, 131047, False), ("spring_sale", None, False)]


async def test_pages_join_without_gap(simulator: Simulator) -> None:
    """Page after page, all customers mixed, in the order in which it happened; the last page is empty."""
    for text in range(7):
        await simulator.write(str(text), wa_id=(LEA, MAX)[text % 2])
    texts, after = [], 0
    while page := await record(simulator, f"?after={after}&limit=3"):
        assert len(page) <= 3
        texts += [line["text"] for line in page]
        after = page[-1]["cursor"]
    assert texts == ["0", "1", "2", "3", "4", "5", "6"]


async def test_a_long_page_is_whole(simulator: Simulator) -> None:
    """A page of more lines than are written at once has every line."""
    messages = [{"wa_id": LEA, "type": "text", "text": str(text)} for text in range(300)]
    await simulator.post("messages", {"messages": messages}, 201)
    assert [line["text"] for line in await record(simulator, "?limit=299")] == [str(text) for text in range(299)]


@pytest.mark.parametrize("query", ["?after=x", "?after=-1", "?limit=0", "?limit=10001", f"?after={'9' * 30}"])
async def test_bad_page_is_refused(simulator: Simulator, query: str) -> None:
    """A sentence says what a page is."""
    await simulator.call("GET", f"record{query}", None, 400)


async def test_record_outlives_a_restart(start: Start, tmp_path: Any) -> None:
    """With a file the lines are there again; the counts begin anew."""
    before = await start(database_path=tmp_path / "simulator.db")
    await before.write()
    lines = await record(before)
    await before.stop()
    after = await start(database_path=tmp_path / "simulator.db")
    assert await record(after) == lines
    assert (await after.get("counts"))["messages"] == {"in": 0, "out": 0}


async def test_duplicate_is_no_line_of_its_own(simulator: Simulator) -> None:
    """A message that is delivered again is one message."""
    wamid = await simulator.write()
    await simulator.write(id=wamid)
    assert len(await record(simulator)) == 1


async def test_counts_add_up(simulator: Simulator, bot: Bot) -> None:
    """Each number tells of what it is named after."""
    bot.answers = [500]
    await simulator.write()
    wamid = await simulator.send_text()
    await simulator.graph({"messaging_product": "whatsapp", "to": f"+{LEA}", "text": {"body": ""}})
    await simulator.put("faults", {"faults": [{"kind": "http_error", "code": 131016, "times": 1}]})
    await simulator.graph({"messaging_product": "whatsapp", "to": f"+{LEA}", "text": {"body": "Hello"}})
    await eventually(lambda: len(bot.statuses(wamid)) == 2, "both statuses")

    async def all_delivered() -> Any:
        counts = await simulator.get("counts")
        return counts["webhooks"]["waiting"] == 0 and counts

    counts = await eventually(all_delivered, "nothing waits")
    assert counts == {
        "messages": {"in": 1, "out": 1},
        "statuses": {"sent": 1, "delivered": 1, "read": 0, "failed": 0},
        "refused": {"100": 1, "131016": 1},
        "webhooks": {"waiting": 0, "delivered": 3, "given_up": 0, "copies": 0, "failed_tries": 1},
        "connections_broken": 0,
    }
    await simulator.post("reset")
    assert (await simulator.get("counts"))["messages"] == {"in": 0, "out": 0}


async def test_counts_tell_what_waits(start: Start) -> None:
    """Without a bot everything waits, and tries fail."""
    simulator = await start(webhook_url="http://127.0.0.1:9/webhook")
    await simulator.write()
    await simulator.write()

    async def tried() -> Any:
        counts = (await simulator.get("counts"))["webhooks"]
        return counts["failed_tries"] >= 3 and counts

    counts = await eventually(tried, "three tries")
    assert (counts["waiting"], counts["delivered"]) == (2, 0)


async def test_many_write_at_once(start: Start, bot: Bot) -> None:
    """The ids come in the order of the messages, each customer's messages in theirs; any kind, any number."""
    simulator = await start()
    await simulator.write()
    asked = await simulator.send(
        {
            "type": "interactive",
            "interactive": {
                "type": "button",
                "body": {"text": "?"},
                "action": {"buttons": [{"type": "reply", "reply": {"id": "yes", "title": "Yes"}}]},
            },
        }
    )
    entries = [
        {"wa_id": LEA, "type": "text", "text": "one"},
        {"wa_id": f"+{MAX}", "type": "location", "latitude": 1, "longitude": 2},
        {"wa_id": LEA, "type": "tap", "message_id": asked, "button": "yes"},
        {"wa_id": LEA, "type": "text", "text": "two", "id": "wamid.two"},
    ]
    ids = (await simulator.post("messages", {"messages": entries}, 201))["ids"]
    assert ids[3] == "wamid.two"
    await eventually(lambda: set(ids) <= {message["id"] for message in bot.messages()}, "all")
    from_lea = [message["id"] for message in bot.messages() if message["from"] == LEA]
    assert from_lea[1:] == [ids[0], ids[2], ids[3]]


@pytest.mark.parametrize(
    ("entry", "problem"),
    [
        pytest.param({"type": "text", "text": "x"}, "wa_id must be", id="nobody"),
        pytest.param({"wa_id": LEA, "type": "text"}, "text must be", id="nothing"),
        pytest.param({"wa_id": LEA, "type": "shout"}, "type must be", id="unknown type"),
        pytest.param({"wa_id": LEA, "type": "text", "text": "x", "timestamp": 10**11}, "future", id="future"),
        pytest.param(
            {"wa_id": LEA, "type": "tap", "message_id": "x", "button": "y"}, "no message", id="no such button"
        ),
        pytest.param({"wa_id": LEA, "type": "text", "text": "x", "number_id": "3"}, "number_id", id="unknown number"),
    ],
)
async def test_one_bad_message_keeps_all_back(simulator: Simulator, entry: dict[str, Any], problem: str) -> None:
    """The sentence names the place, and nobody has written."""
    good = {"wa_id": LEA, "type": "text", "text": "Hi"}
    refused = await simulator.post("messages", {"messages": [good, entry]}, 400)
    assert refused["error"].startswith("messages[1]: ")
    assert problem in refused["error"]
    assert await record(simulator) == []


@pytest.mark.parametrize("body", [{}, {"messages": []}, {"messages": [1]}, {"messages": [{}] * 10_001}])
async def test_bad_bulk_is_refused(simulator: Simulator, body: Any) -> None:
    """Messages are a list of objects, not too many."""
    await simulator.post("messages", body, 400)


async def test_bulk_reaches_the_right_number(start: Start, bot: Bot) -> None:
    """Each message may name its business number."""
    simulator = await start(more_numbers=(Number(id="222", display="4930901820001", token="second"),))
    entry = {"wa_id": LEA, "type": "text", "text": "Hi", "number_id": "222"}
    await simulator.post("messages", {"messages": [entry]}, 201)
    (value,) = await eventually(bot.values, "the webhook")
    assert value["metadata"]["phone_number_id"] == "222"
