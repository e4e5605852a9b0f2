"""Throughput of a number and pair rate to a customer, as tables over time and at the door."""

from __future__ import annotations

import pytest

from rasa_whatsapp.simulator.limits import Limits
from rasa_whatsapp.simulator.refusals import Refused

from .conftest import LEA, Simulator, Start

ONE, TWO = "100000000000001", "222"


def sends(limits: Limits, count: int, now: float, *, number: str = ONE, wa_id: str | None = None) -> list[int]:
    """Send to strangers, or to one customer; return how many were accepted and the codes of the refused."""
    codes, accepted = set(), 0
    for place in range(count):
        try:
            limits.send(number, wa_id or f"49151{place:08d}", now)
            accepted += 1
        except Refused as refused:
            codes.add(refused.code)
    return [accepted, *sorted(codes)]


@pytest.mark.parametrize(
    ("throughput", "waits", "expected"),
    [
        pytest.param(80, [0.0], [[80, 130429]], id="one second's messages at once"),
        pytest.param(80, [0.0, 0.5], [[80, 130429], [40, 130429]], id="half of them after half a second"),
        pytest.param(80, [0.0, 60.0], [[80, 130429], [80, 130429]], id="what is not sent is not saved"),
        pytest.param(1000, [0.0], [[500]], id="a fast number"),
        pytest.param(0, [0.0, 0.0], [[500], [500]], id="no limit"),
    ],
)
def test_throughput(throughput: int, waits: list[float], expected: list[list[int]]) -> None:
    """So many pass after each wait."""
    limits, now, accepted = Limits(throughput, pair_rate=False), 1_795_341_600.0, []
    for wait in waits:
        now += wait
        accepted.append(sends(limits, 500, now))
    assert accepted == expected


def test_steady_rate_is_never_refused() -> None:
    """Who sends at exactly the rate after a burst is not refused by a rounding error."""
    limits, now = Limits(80, pair_rate=True), 1_795_341_600.0
    assert sends(limits, 80, now) == [80]
    for place in range(2000):
        assert sends(limits, 1, now + (place + 1) / 80, wa_id=f"49152{place:08d}") == [1]


def test_numbers_do_not_share() -> None:
    """Each number has its own throughput and its own pairs."""
    limits = Limits(80, pair_rate=True)
    assert sends(limits, 60, 0.0, wa_id=LEA) == [45, 131056]
    assert sends(limits, 60, 0.0, wa_id=LEA, number=TWO) == [45, 131056]


def test_what_comes_in_counts_and_is_never_refused() -> None:
    """In and out share the throughput; more than that coming in leaves no debt."""
    limits = Limits(80, pair_rate=False)
    for _ in range(50):
        limits.receive(ONE, 0.0)
    assert sends(limits, 80, 0.0) == [30, 130429]
    for _ in range(500):
        limits.receive(ONE, 0.0)
    assert sends(limits, 80, 0.5) == [40, 130429]


@pytest.mark.parametrize(
    ("waits", "expected"),
    [
        pytest.param([0.0], [[45, 131056]], id="a burst of 45"),
        pytest.param([0.0, 5.9], [[45, 131056], [0, 131056]], id="too early for the next"),
        pytest.param([0.0, 6.0], [[45, 131056], [1, 131056]], id="one after six seconds"),
        pytest.param([0.0, 60.0], [[45, 131056], [10, 131056]], id="ten after a minute"),
        pytest.param([0.0, 270.0], [[45, 131056], [45, 131056]], id="a burst again after four and a half minutes"),
    ],
)
def test_pair_rate(waits: list[float], expected: list[list[int]]) -> None:
    """So many reach one customer after each wait."""
    limits, now, accepted = Limits(0, pair_rate=True), 1_795_341_600.0, []
    for wait in waits:
        now += wait
        accepted.append(sends(limits, 50, now, wa_id=LEA))
    assert accepted == expected


def test_refused_messages_do_not_count() -> None:
    """What the pair rate refuses leaves the number's throughput alone."""
    limits = Limits(80, pair_rate=True)
    assert sends(limits, 500, 0.0, wa_id=LEA) == [45, 131056]
    assert sends(limits, 500, 0.0) == [35, 130429]


def test_old_pairs_are_forgotten() -> None:
    """Pairs that are back at a full burst do not pile up; one that is not is kept."""
    limits = Limits(0, pair_rate=True)
    sends(limits, 9_999, 0.0)
    sends(limits, 45, 20.0, wa_id=LEA)
    sends(limits, 1, 21.0, wa_id="4915200000000")
    assert len(limits._pairs) == 2
    assert sends(limits, 1, 21.0, wa_id=LEA) == [0, 131056]


async def send(simulator: Simulator, wa_id: str) -> tuple[int, int | None]:
    """Send a text; return status and code."""
    body = {"messaging_product": "whatsapp", "to": f"+{wa_id}", "type": "text", "text": {"body": "Hello"}}
    status, answer = await simulator.graph(body)
    return status, answer.get("error", {}).get("code")


@pytest.mark.asyncio
async def test_pair_rate_at_the_door(simulator: Simulator) -> None:
    """The 46th is refused and not in the chat; receipts pass; the simulated clock helps; the counts tell."""
    received = await simulator.write()
    assert [await send(simulator, LEA) for _ in range(45)] == [(200, None)] * 45
    assert await send(simulator, LEA) == (400, 131056)
    assert len(await simulator.chat()) == 46
    receipt = {"messaging_product": "whatsapp", "status": "read", "message_id": received}
    assert (await simulator.graph(receipt))[0] == 200
    await simulator.post("clock", {"advance_seconds": 6})
    assert await send(simulator, LEA) == (200, None)
    counts = await simulator.get("counts")
    assert (counts["refused"], counts["messages"]) == ({"131056": 1}, {"in": 1, "out": 46})


@pytest.mark.asyncio
async def test_throughput_at_the_door(start: Start) -> None:
    """A message too many is refused with 130429; a reset begins anew."""
    simulator = await start(throughput=1)
    assert await send(simulator, LEA) == (200, None)
    assert await send(simulator, "4915187654321") == (400, 130429)
    await simulator.post("reset")
    assert await send(simulator, LEA) == (200, None)


@pytest.mark.asyncio
async def test_limits_can_be_switched_off(start: Start) -> None:
    """Without them any number of messages passes."""
    simulator = await start(throughput=0, pair_rate=False)
    assert [await send(simulator, LEA) for _ in range(100)] == [(200, None)] * 100
