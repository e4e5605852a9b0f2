"""Several business numbers: windows, chats, tokens and webhooks of their own."""

from __future__ import annotations

from typing import Any

import pytest
import pytest_asyncio

from rasa_whatsapp.simulator.settings import Number

from .conftest import AUTHORISED, LEA, Bot, Simulator, Start, eventually

pytestmark = pytest.mark.asyncio

FIRST, SECOND, THIRD = "100000000000001", "100000000000002", "100000000000003"
MORE = (
    Number(id=SECOND, display="4930901820001", token="demo-access-token"),
    Number(id=THIRD, display="4930901820002", token="third-token"),
)
TEXT = {"messaging_product": "whatsapp", "to": f"+{LEA}", "type": "text", "text": {"body": "Hello"}}


@pytest_asyncio.fixture
async def simulator(start: Start) -> Simulator:
    """A simulator with three numbers, two of them behind one token."""
    return await start(more_numbers=MORE)


async def send(simulator: Simulator, number: str, token: str = "demo-access-token", **changes: Any) -> tuple[int, Any]:
    """Send from a number."""
    path = simulator.url(f"/v26.0/{number}/messages")
    headers = {"Authorization": f"Bearer {token}"}
    async with simulator.http.post(path, json=TEXT | changes, headers=headers) as answer:
        return answer.status, await answer.json()


async def test_settings_name_the_numbers(simulator: Simulator) -> None:
    """The first one stands first; no tokens."""
    assert (await simulator.get("settings"))["numbers"] == [
        {"phone_number_id": FIRST, "display_phone_number": "4930901820000"},
        {"phone_number_id": SECOND, "display_phone_number": "4930901820001"},
        {"phone_number_id": THIRD, "display_phone_number": "4930901820002"},
    ]


async def test_windows_and_chats_are_separate(simulator: Simulator, bot: Bot) -> None:
    """A message to one number opens that number's window and stands in that chat."""
    await simulator.write("Hi, two", number_id=SECOND)
    await eventually(bot.values, "the webhook")
    assert bot.values()[0]["metadata"] == {"display_phone_number": "4930901820001", "phone_number_id": SECOND}
    second = await simulator.get(f"customers/{LEA}/chat?number_id={SECOND}")
    first = await simulator.get(f"customers/{LEA}/chat")
    assert ([message["text"] for message in second["messages"]], second["window"]["open"]) == (["Hi, two"], True)
    assert (first["messages"], first["window"]["open"]) == ([], False)
    assert list(first["customer"]["windows"]) == [SECOND]
    await simulator.get(f"customers/{LEA}/chat?number_id=999", 400)


async def test_statuses_tell_their_number(simulator: Simulator, bot: Bot) -> None:
    """The number that sent is the number that hears of it; outside its own window it fails."""
    await simulator.write("Hi, two", number_id=SECOND)
    accepted = (await send(simulator, SECOND))[1]["messages"][0]["id"]
    refused = (await send(simulator, FIRST))[1]["messages"][0]["id"]
    await eventually(lambda: len(bot.statuses(accepted)) == 2 and bot.statuses(refused), "the statuses")
    told = {
        (value["metadata"]["phone_number_id"], status["id"], status["status"])
        for value in bot.values()
        for status in value.get("statuses", [])
    }
    assert told == {(SECOND, accepted, "sent"), (SECOND, accepted, "delivered"), (FIRST, refused, "failed")}


@pytest.mark.parametrize(
    ("number", "token", "status"),
    [
        pytest.param(FIRST, "demo-access-token", 200, id="common token, first number"),
        pytest.param(SECOND, "demo-access-token", 200, id="common token, second number"),
        pytest.param(THIRD, "third-token", 200, id="own token"),
        pytest.param(THIRD, "demo-access-token", 400, id="common token, number with its own"),
        pytest.param(FIRST, "third-token", 400, id="another number's token"),
        pytest.param(FIRST, "nobody's", 401, id="nobody's token"),
    ],
)
async def test_tokens_open_their_numbers(simulator: Simulator, number: str, token: str, status: int) -> None:
    """A token opens its own numbers; for another one it is as if that did not exist."""
    await simulator.write(number_id=number)
    assert (await send(simulator, number, token))[0] == status


async def test_messages_belong_to_their_number(simulator: Simulator) -> None:
    """Another number can neither quote a message nor mark it as read."""
    wamid = await simulator.write(number_id=SECOND)
    await simulator.write()
    status, answer = await send(simulator, FIRST, context={"message_id": wamid})
    assert (status, answer["error"]["code"]) == (400, 131009)
    receipt = {"messaging_product": "whatsapp", "status": "read", "message_id": wamid}
    status, answer = await simulator.graph(receipt)
    assert (status, answer["error"]["code"]) == (400, 131009)


async def test_reading_one_chat_leaves_the_other(simulator: Simulator, bot: Bot) -> None:
    """A chat that is opened is read with one number only."""
    for number in (FIRST, SECOND):
        await simulator.write(number_id=number)
        await send(simulator, number)
    await eventually(lambda: len(bot.statuses()) == 4, "both delivered")
    await simulator.post(f"customers/{LEA}/read", {"number_id": SECOND})
    (read,) = await eventually(lambda: [s for s in bot.statuses() if s["status"] == "read"], "read")
    second = (await simulator.get(f"customers/{LEA}/chat?number_id={SECOND}"))["messages"]
    assert read["id"] == second[-1]["id"]


async def test_open_chat_is_one_numbers(simulator: Simulator, bot: Bot) -> None:
    """A chat on screen reads that number's messages; another number's are only delivered."""
    for number in (FIRST, SECOND):
        await simulator.write(number_id=number)
    address = simulator.url(f"/control/events?open={LEA}&number_id={SECOND}")
    async with simulator.http.get(address) as stream:
        await stream.content.readuntil(b"\n\n")
        first, second = [(await send(simulator, number))[1]["messages"][0]["id"] for number in (FIRST, SECOND)]
        await eventually(lambda: len(bot.statuses()) == 4, "all statuses")
    assert {status["status"] for status in bot.statuses(first)} == {"sent", "delivered"}
    assert {status["status"] for status in bot.statuses(second)} == {"sent", "read"}


async def test_tap_goes_to_the_number_that_sent(simulator: Simulator, bot: Bot) -> None:
    """The answer to a button comes to the number whose message it was."""
    await simulator.write(number_id=SECOND)
    action = {"buttons": [{"type": "reply", "reply": {"id": "/yes", "title": "Yes"}}]}
    question = {"type": "button", "body": {"text": "?"}, "action": action}
    wamid = (await send(simulator, SECOND, type="interactive", interactive=question))[1]["messages"][0]["id"]
    await simulator.post(f"customers/{LEA}/messages", {"type": "tap", "message_id": wamid, "button": "/yes"}, 201)
    await eventually(lambda: len(bot.messages()) == 2, "the tap")
    value = next(value for value in bot.values() if value.get("messages", [{}])[0].get("type") == "interactive")
    assert value["metadata"]["phone_number_id"] == SECOND
    assert value["messages"][0]["context"] == {"from": "4930901820001", "id": wamid}


async def test_number_describes_itself(simulator: Simulator) -> None:
    """Each number has its own address."""
    async with simulator.http.get(simulator.url(f"/v26.0/{SECOND}"), headers=AUTHORISED) as answer:
        assert (await answer.json())["display_phone_number"] == "4930901820001"
