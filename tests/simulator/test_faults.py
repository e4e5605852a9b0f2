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
        pytest.param({"kind": "drop_before", "probability": 1.1}, id="more than certain"),
        pytest.param({"kind": "drop_before", "probability": "often"}, id="probability in words"),
        pytest.param({"kind": "reorder_webhooks", "seconds": -1}, id="earlier than now"),
        pytest.param({"kind": "drop_before", "seed": 1}, id="seed of one fault"),
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
    faults.replace(
        [
            {"kind": "http_error"},
            {"kind": "http_error", "code": 130429},
            {"kind": "failed_status"},
            {"kind": "accepted_error"},
            {"kind": "reorder_webhooks", "probability": 0.5},
        ]
    )
    assert faults.to_json() == [
        {"kind": "http_error", "code": 131000, "status": 500, "times": None},
        {"kind": "http_error", "code": 130429, "status": 400, "times": None},
        {"kind": "failed_status", "code": 131026, "times": None},
        {"kind": "accepted_error", "code": 131000, "status": 500, "times": None},
        {"kind": "reorder_webhooks", "seconds": 2, "probability": 0.5, "times": None},
    ]


def test_times_run_out() -> None:
    """A counted fault strikes that often, then the next one of its kind."""
    faults = Faults()
    faults.replace([{"kind": "failed_status", "code": 1, "times": 2}, {"kind": "failed_status", "code": 2}])
    assert [fault.settings["code"] for _ in range(4) if (fault := faults.strike("failed_status"))] == [1, 1, 2, 2]


HALF = {"kind": "drop_after", "probability": 0.5}


def struck(faults: Faults, kind: str, times: int = 40) -> list[bool]:
    """Ask a fault some times whether it strikes."""
    return [faults.strike(kind) is not None for _ in range(times)]


def test_probability_is_how_often_it_strikes() -> None:
    """Never, always, and about as often as asked for; only what strikes is counted down."""
    faults = Faults()
    faults.replace(
        [{"kind": "drop_before", "probability": 0}, HALF, {**HALF, "kind": "slow_answer", "times": 3}], seed=1
    )
    assert struck(faults, "drop_before") == [False] * 40
    assert 450 < sum(struck(faults, "drop_after", 1000)) < 550
    assert sum(struck(faults, "slow_answer")) == 3


def test_a_seed_repeats_a_run() -> None:
    """The same seed draws the same lots, another one others, whatever another fault was asked meanwhile."""
    faults, other = Faults(), {"kind": "drop_before", "probability": 0.5}
    faults.replace([HALF, other], seed=7)
    first = struck(faults, "drop_after")
    faults.replace([HALF, other], seed=7)
    struck(faults, "drop_before")
    assert struck(faults, "drop_after") == first
    faults.replace([HALF, other], seed=8)
    assert struck(faults, "drop_after") != first


def test_delay_lies_between_nothing_and_the_seconds() -> None:
    """Delays are drawn, and repeat with the seed."""
    drawn = []
    for _ in range(2):
        faults = Faults()
        faults.replace([{"kind": "reorder_webhooks", "seconds": 3}], seed=7)
        drawn.append([faults.delay("reorder_webhooks") or 0.0 for _ in range(100)])
    assert drawn[0] == drawn[1]
    assert min(drawn[0]) >= 0
    assert 2 < max(drawn[0]) <= 3
    assert faults.delay("delay_statuses") is None


async def switch(simulator: Simulator, **fault: Any) -> None:
    """Switch on one fault."""
    await simulator.put("faults", {"faults": [fault]})


TEXT = {"messaging_product": "whatsapp", "to": f"+{LEA}", "text": {"body": "Hello"}}
TESTED: set[str] = set()


def covers(kind: str) -> pytest.MarkDecorator:
    """Mark a test as the one for a fault."""
    TESTED.add(kind)
    return pytest.mark.asyncio


@pytest.mark.asyncio
@pytest.mark.parametrize("seed", [-1, 1.5, "x", True])
async def test_bad_seed_is_refused(simulator: Simulator, seed: Any) -> None:
    """A seed is a whole number."""
    await simulator.call("PUT", "faults", {"faults": [], "seed": seed}, 400)


@pytest.mark.asyncio
async def test_seed_is_shown(simulator: Simulator) -> None:
    """The seed goes with the faults; without one there is none."""
    fault = {"kind": "drop_after", "probability": 0.25, "times": None}
    assert await simulator.put("faults", {"faults": [fault], "seed": 7}) == {"faults": [fault], "seed": 7}
    assert await simulator.get("faults") == {"faults": [fault], "seed": 7}
    assert await simulator.put("faults", {"faults": []}) == {"faults": []}


@covers("unreachable")
async def test_unreachable(simulator: Simulator) -> None:
    """Sends, receipts, look-ups and media all break and nothing was accepted; the control API goes on."""
    received = await simulator.write()
    await switch(simulator, kind="unreachable")
    receipt = {"messaging_product": "whatsapp", "status": "read", "message_id": received}
    for body in (TEXT, receipt):
        with pytest.raises(aiohttp.ClientError):
            await simulator.graph(body)
    for path in ("/v26.0/100000000000001", "/media-bytes/x"):
        with pytest.raises(aiohttp.ClientError):
            await simulator.http.get(simulator.url(path))
    assert [message["status"] for message in await simulator.chat()] == ["delivered"]
    assert (await simulator.get("counts"))["connections_broken"] >= 4
    await simulator.put("faults", {"faults": []})
    assert (await simulator.graph(TEXT))[0] == 200


@covers("accepted_error")
async def test_accepted_error(simulator: Simulator, bot: Bot) -> None:
    """The answer is an error, and yet the message is accepted and delivered."""
    await simulator.write()
    await switch(simulator, kind="accepted_error", code=133004, times=1)
    status, answer = await simulator.graph(TEXT)
    assert (status, answer["error"]["code"]) == (503, 133004)
    await eventually(lambda: len(bot.statuses()) == 2, "both statuses")
    assert (await simulator.get("counts"))["refused"] == {}
    assert (await simulator.graph(TEXT))[0] == 200


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


@pytest.mark.asyncio
async def test_hold_only_some_statuses(simulator: Simulator, bot: Bot) -> None:
    """With a probability the others are told; what is held comes when the fault is taken away."""
    await simulator.write()
    await simulator.put("faults", {"faults": [{"kind": "hold_statuses", "probability": 0.5}], "seed": 1})
    wamids = [await simulator.send_text() for _ in range(20)]
    await eventually(lambda: 5 < len({status["id"] for status in bot.statuses()}) < 20, "some")
    await simulator.put("faults", {"faults": []})
    await eventually(lambda: len(bot.statuses()) == 40, "all")
    assert {status["id"] for status in bot.statuses()} == set(wamids)


# With this seed the first delay of a fault with 2 seconds is more than one second.
SEED = 1


@covers("reorder_webhooks")
async def test_reorder_webhooks(simulator: Simulator, bot: Bot) -> None:
    """A later webhook of the same customer overtakes the one that is held back."""
    await simulator.put("faults", {"faults": [{"kind": "reorder_webhooks", "times": 1}], "seed": SEED})
    for text in ("one", "two"):
        await simulator.write(text)
    await eventually(lambda: len(bot.raw) == 2, "both")
    assert [message["text"]["body"] for message in bot.messages()] == ["two", "one"]


@covers("delay_statuses")
async def test_delay_statuses(simulator: Simulator, bot: Bot) -> None:
    """Messages pass, the status that is held back comes after the next one."""
    await simulator.put("faults", {"faults": [{"kind": "delay_statuses", "times": 1}], "seed": SEED})
    await simulator.write()
    await eventually(bot.messages, "the message")
    wamid = await simulator.send_text()
    await eventually(lambda: len(bot.statuses(wamid)) == 2, "both statuses")
    assert [status["status"] for status in bot.statuses(wamid)] == ["delivered", "sent"]


@pytest.mark.asyncio
async def test_copy_comes_while_the_first_is_unanswered(simulator: Simulator, bot: Bot) -> None:
    """A slow bot has both in its hands at the same time."""
    bot.delay_seconds = 1.5
    await switch(simulator, kind="duplicate_webhooks", times=1)
    await simulator.write()
    await eventually(lambda: len(bot.raw) == 2, "both", seconds=1)
    assert (await simulator.get("counts"))["webhooks"]["delivered"] == 0


@pytest.mark.asyncio
async def test_copy_comes_later(simulator: Simulator, bot: Bot) -> None:
    """With seconds the copy comes after the first was taken."""
    fault = {"kind": "duplicate_webhooks", "seconds": 2, "times": 1}
    await simulator.put("faults", {"faults": [fault], "seed": SEED})
    await simulator.write()
    await simulator.write("next")
    await eventually(lambda: len(bot.raw) == 3, "all")
    assert bot.raw[0] == bot.raw[2] != bot.raw[1]


@pytest.mark.asyncio
async def test_some_webhooks_come_twice(simulator: Simulator, bot: Bot) -> None:
    """With a probability some are doubled, and the counts say how many."""
    await simulator.put("faults", {"faults": [{"kind": "duplicate_webhooks", "probability": 0.5}], "seed": 1})
    for text in range(20):
        await simulator.write(str(text))

    async def all_came() -> bool:
        counts = (await simulator.get("counts"))["webhooks"]
        return bool(counts["delivered"] == 20 and len(bot.raw) == 20 + counts["copies"])

    await eventually(all_came, "all and their copies")
    assert 25 < len(bot.raw) < 35
    assert len(set(bot.raw)) == 20


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


@covers("cut_upload")
async def test_cut_upload(simulator: Simulator) -> None:
    """The connection breaks in the middle; what has come is told, and counts."""
    query = {"file_name": "a.png", "file_length": "16", "file_type": "image/png"}
    headers = {"Authorization": "OAuth demo-access-token"}
    async with simulator.http.post(
        simulator.url("/v26.0/300000000000001/uploads"), params=query, headers=headers
    ) as answer:
        address = simulator.url(f"/v26.0/{(await answer.json())['id']}")
    await switch(simulator, kind="cut_upload", times=1)
    with pytest.raises(aiohttp.ClientError):
        await simulator.http.post(address, data=b"\x89PNG" + b"x" * 12, headers=headers | {"file_offset": "0"})
    async with simulator.http.get(address, headers=headers) as answer:
        assert (await answer.json())["file_offset"] == 8
    async with simulator.http.post(address, data=b"x" * 8, headers=headers | {"file_offset": "8"}) as answer:
        assert list(await answer.json()) == ["h"]


def test_every_fault_has_its_test() -> None:
    """No fault without a test in this file."""
    assert set(FIELDS) == TESTED
