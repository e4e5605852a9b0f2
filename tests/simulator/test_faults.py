"""Every fault, and the ranges of their settings."""

from __future__ import annotations

import asyncio
from typing import Any

import aiohttp
import pytest

from rasa_whatsapp.simulator.faults import FIELDS, FaultRefused, Faults

from .conftest import LEA, Bot, Simulator, eventually

LINK = {"display_text": "Shop", "url": "https://shop.example/"}


@pytest.mark.parametrize(
    "entry",
    [
        pytest.param("http_error", id="no object"),
        pytest.param({}, id="no kind"),
        pytest.param({"kind": "meteor"}, id="unknown kind"),
        pytest.param({"kind": "http_error", "status": 200}, id="status that is no error"),
        pytest.param({"kind": "http_error", "status": 600}, id="status too high"),
        pytest.param({"kind": "http_error", "status": "500"}, id="status as text"),
        pytest.param({"kind": "http_error", "code": -1}, id="negative code"),
        pytest.param({"kind": "http_error", "times": 0}, id="never"),
        pytest.param({"kind": "http_error", "times": 1.5}, id="one and a half times"),
        pytest.param({"kind": "http_error", "times": True}, id="times as boolean"),
        pytest.param({"kind": "slow_answer", "seconds": 121}, id="too slow"),
        pytest.param({"kind": "drop_before", "status": 500}, id="setting of another fault"),
        pytest.param({"kind": "hold_statuses", "times": 1}, id="hold a number of times"),
    ],
)
def test_bad_fault_is_refused_and_changes_nothing(entry: Any) -> None:
    """One bad entry refuses the whole list; what was on stays on."""
    faults = Faults()
    faults.replace([{"kind": "drop_after"}])
    with pytest.raises(FaultRefused):
        faults.replace([{"kind": "drop_before"}, entry])
    assert faults.to_json() == [{"kind": "drop_after", "times": None}]


def test_defaults() -> None:
    """The HTTP status of a fault follows Meta's table."""
    faults = Faults()
    faults.replace([{"kind": "http_error"}, {"kind": "http_error", "code": 130429}, {"kind": "failed_status"}])
    assert faults.to_json() == [
        {"kind": "http_error", "code": 131000, "status": 500, "times": None},
        {"kind": "http_error", "code": 130429, "status": 400, "times": None},
        {"kind": "failed_status", "code": 131026, "times": None},
    ]


def test_times_run_out() -> None:
    """A counted fault strikes that often, then the next one of its kind."""
    faults = Faults()
    faults.replace([{"kind": "failed_status", "code": 1, "times": 2}, {"kind": "failed_status", "code": 2}])
    assert [fault.settings["code"] for _ in range(4) if (fault := faults.strike("failed_status"))] == [1, 1, 2, 2]


async def switch(simulator: Simulator, **fault: Any) -> None:
    """Switch on one fault."""
    await simulator.put("faults", {"faults": [fault]})


TEXT = {"messaging_product": "whatsapp", "to": f"+{LEA}", "text": {"body": "Hello"}}
TESTED: set[str] = set()


def covers(kind: str) -> pytest.MarkDecorator:
    """Mark a test as the one for a fault."""
    TESTED.add(kind)
    return pytest.mark.asyncio


@covers("http_error")
async def test_http_error(simulator: Simulator) -> None:
    """Sends are refused as asked, read receipts are not, and then all is well."""
    received = await simulator.write()
    await switch(simulator, kind="http_error", status=503, code=131016, times=2)
    receipt = {"messaging_product": "whatsapp", "status": "read", "message_id": received}
    assert (await simulator.graph(receipt))[0] == 200
    for expected in (503, 503, 200):
        status, answer = await simulator.graph(TEXT)
        assert status == expected
        assert answer.get("error", {}).get("code") == (131016 if expected == 503 else None)
    assert await simulator.get("faults") == {"faults": []}


@covers("drop_before")
async def test_drop_before(simulator: Simulator) -> None:
    """The connection breaks and nothing was accepted."""
    await simulator.write()
    await switch(simulator, kind="drop_before", times=1)
    with pytest.raises(aiohttp.ClientError):
        await simulator.graph(TEXT)
    assert [message["direction"] for message in await simulator.chat()] == ["in"]
    assert (await simulator.get("requests"))["requests"][-1]["status"] is None


@covers("drop_after")
async def test_drop_after(simulator: Simulator) -> None:
    """The connection breaks although the message was accepted."""
    await simulator.write()
    await switch(simulator, kind="drop_after", times=1)
    with pytest.raises(aiohttp.ClientError):
        await simulator.graph(TEXT)
    assert [message["direction"] for message in await simulator.chat()] == ["in", "out"]


@covers("slow_answer")
async def test_slow_answer(simulator: Simulator) -> None:
    """The message is accepted long before the answer comes."""
    await simulator.write()
    await switch(simulator, kind="slow_answer", seconds=60, times=1)
    with pytest.raises(asyncio.TimeoutError):
        await asyncio.wait_for(simulator.graph(TEXT), 0.2)
    assert [message["direction"] for message in await simulator.chat()] == ["in", "out"]


@covers("failed_status")
async def test_failed_status(simulator: Simulator, bot: Bot) -> None:
    """An accepted message fails with the code asked for."""
    await simulator.write()
    await switch(simulator, kind="failed_status", code=131049, times=1)
    wamid = await simulator.send_text()
    (failed,) = await eventually(lambda: bot.statuses(wamid), "the failed status")
    assert (failed["status"], failed["errors"][0]["code"]) == ("failed", 131049)


@covers("status_first")
async def test_status_first(simulator: Simulator, bot: Bot) -> None:
    """The bot hears `sent` before it has the answer to its request."""
    await simulator.write()
    await switch(simulator, kind="status_first", times=1)
    wamid = await simulator.send_text()
    assert [status["status"] for status in bot.statuses(wamid)][:1] == ["sent"]


@covers("hold_statuses")
async def test_hold_statuses(simulator: Simulator, bot: Bot) -> None:
    """Statuses wait until the fault is taken away."""
    await simulator.write()
    await switch(simulator, kind="hold_statuses")
    wamid = await simulator.send_text()
    await asyncio.sleep(0.05)
    assert bot.statuses() == []
    await simulator.put("faults", {"faults": []})
    await eventually(lambda: len(bot.statuses(wamid)) == 2, "both statuses")


@covers("skip_delivered")
async def test_skip_delivered(simulator: Simulator, bot: Bot) -> None:
    """`read` follows `sent` at once."""
    await simulator.post("customers", {"wa_id": LEA, "reads_at_once": True})
    await simulator.write()
    await switch(simulator, kind="skip_delivered", times=1)
    wamid = await simulator.send_text()
    await eventually(lambda: len(bot.statuses(wamid)) == 2, "both statuses")
    assert [status["status"] for status in bot.statuses(wamid)] == ["sent", "read"]


@covers("duplicate_webhooks")
async def test_duplicate_webhooks(simulator: Simulator, bot: Bot) -> None:
    """A webhook that was taken comes once more, byte for byte."""
    await switch(simulator, kind="duplicate_webhooks", times=1)
    await simulator.write()
    await eventually(lambda: len(bot.raw) == 2, "the duplicate")
    assert bot.raw[0] == bot.raw[1]
    (delivery,) = (await simulator.get("deliveries"))["deliveries"]
    assert delivery["delivered"] is True


@covers("media_unreachable")
async def test_media_unreachable(simulator: Simulator, bot: Bot) -> None:
    """A message with a link fails later, whatever carries the link; texts and media by id arrive."""
    picture = {"link": "https://shop.example/a.png"}
    action = {"buttons": [{"type": "reply", "reply": {"id": "a", "title": "A"}}]}
    header = {"type": "image", "image": picture}
    question = {"type": "button", "header": header, "body": {"text": "?"}, "action": action}
    card = {"type": "cta_url", "header": header, "action": {"name": "cta_url", "parameters": LINK}}
    cards = {"cards": [{"card_index": 0, **card}, {"card_index": 1, **card}]}
    carousel = {"type": "carousel", "body": {"text": "?"}, "action": cards}
    await simulator.write()
    await switch(simulator, kind="media_unreachable", times=3)
    text = await simulator.send_text()
    failing = [
        await simulator.send({"type": "image", "image": picture}),
        await simulator.send({"type": "interactive", "interactive": question}),
        await simulator.send({"type": "interactive", "interactive": carousel}),
    ]
    arriving = await simulator.send({"type": "image", "image": picture})
    for wamid in failing:
        (status,) = await eventually(lambda wamid=wamid: bot.statuses(wamid), "the status")
        assert (status["status"], status["errors"][0]["code"]) == ("failed", 131053)
    for wamid in (text, arriving):
        assert (await eventually(lambda wamid=wamid: bot.statuses(wamid), "the status"))[0]["status"] == "sent"


def test_every_fault_has_its_test() -> None:
    """No fault without a test in this file."""
    assert set(FIELDS) == TESTED
