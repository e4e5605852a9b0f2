"""Webhooks that do not get through: redelivery, order, duplicates, any value by hand."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from .conftest import LEA, Bot, Simulator, Start, eventually

pytestmark = pytest.mark.asyncio


async def test_redelivers_until_200(simulator: Simulator, bot: Bot, caplog: pytest.LogCaptureFixture) -> None:
    """Everything but 200 is a failure, 202 too; the same bytes come again; numbers and text stay out of the log."""
    bot.answers = [500, 404, 202, 302]
    with caplog.at_level(logging.INFO):
        await simulator.write("a secret")
        await eventually(lambda: len(bot.raw) == 5, "five attempts")
    assert len(set(bot.raw)) == 1
    (delivery,) = (await simulator.get("deliveries"))["deliveries"]
    assert (delivery["attempts"], delivery["last_status"], delivery["delivered"]) == (5, 200, True)
    logged = [record.getMessage() for record in caplog.records if record.name.startswith("rasa_whatsapp")]
    assert logged[0] == "webhook 1: HTTP 500, next attempt in 0 s"
    assert not [line for line in logged if LEA in line or "a secret" in line]


async def test_bot_that_is_down_gets_it_later(start: Start, bot: Bot) -> None:
    """Without a connection the webhook waits and is tried again."""
    simulator = await start(webhook_url="http://127.0.0.1:9/webhook")
    await simulator.write()

    async def failed() -> Any:
        (delivery,) = (await simulator.get("deliveries"))["deliveries"]
        return delivery["attempts"] >= 3 and delivery

    delivery = await eventually(failed, "three attempts")
    assert (delivery["last_status"], delivery["delivered"]) == (None, False)
    assert "no connection" in delivery["last_error"]


async def test_slow_bot_counts_as_failed(start: Start, bot: Bot) -> None:
    """An answer after the deadline is none."""
    bot.delay_seconds = 0.3
    simulator = await start(webhook_timeout_seconds=0.05)
    await simulator.write()
    await eventually(lambda: len(bot.raw) >= 2, "a second attempt")


async def test_messages_of_one_customer_start_in_order(simulator: Simulator, bot: Bot) -> None:
    """Twenty quick messages arrive in the order in which they were written."""
    for number in range(20):
        await simulator.write(str(number))
    await eventually(lambda: len(bot.messages()) == 20, "twenty messages")
    assert [message["text"]["body"] for message in bot.messages()] == [str(number) for number in range(20)]


async def test_slow_answer_does_not_hold_the_next_message_back(start: Start, bot: Bot) -> None:
    """After some patience the next webhook comes while the last one is still unanswered."""
    bot.delay_seconds = 1
    simulator = await start(order_patience_seconds=0.01)
    await simulator.write("one")
    await simulator.write("two")
    await eventually(lambda: len(bot.raw) == 2, "both at once", seconds=0.9)


async def test_any_value_by_hand(simulator: Simulator, bot: Bot) -> None:
    """Field and value go out signed as they are."""
    await simulator.post("webhooks", {"field": "user_id_update", "value": {"x": ["é", None]}}, 202)
    assert await eventually(lambda: bot.values("user_id_update"), "the value") == [{"x": ["é", None]}]


async def test_waiting_tells_the_status_and_does_not_repeat(simulator: Simulator, bot: Bot) -> None:
    """With wait the bot's answer comes back, and a failure is not tried again."""
    bot.answers = [413, 200]
    refused = await simulator.post("webhooks?wait=true", {"field": "messages", "value": {}})
    assert (refused["last_status"], refused["delivered"], refused["given_up"]) == (413, False, True)
    taken = await simulator.post("webhooks?wait=true", {"body": [1, 2]})
    assert (taken["last_status"], taken["delivered"], bot.bodies[1]) == (200, True, [1, 2])
    assert len(bot.raw) == 2


async def test_gives_up_after_seven_days(simulator: Simulator, bot: Bot) -> None:
    """What could not be delivered for a week is dropped."""
    bot.answers = [500] * 10_000
    await simulator.write()
    await eventually(lambda: len(bot.raw) >= 2, "two attempts")
    await simulator.post("clock", {"advance_seconds": 8 * 86_400})

    async def given_up() -> bool:
        (delivery,) = (await simulator.get("deliveries"))["deliveries"]
        return bool(delivery["given_up"])

    await eventually(given_up, "the delivery is dropped")


@pytest.mark.parametrize(("right", "expected"), [(True, (True, 200)), (False, (False, 403))])
async def test_subscription_challenge(simulator: Simulator, bot: Bot, right: bool, expected: tuple[bool, int]) -> None:
    """The bot's answer to the challenge is told."""
    bot.challenge = right
    answer = await simulator.post("subscription")
    assert (answer["verified"], answer["status"]) == expected
