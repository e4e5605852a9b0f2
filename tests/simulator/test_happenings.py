"""Calls, changes of number and user id, hidden numbers, answers from the app: webhooks, windows, chats."""

from __future__ import annotations

from typing import Any

import pytest

from rasa_whatsapp.simulator.settings import Number

from .conftest import LEA, Bot, Simulator, Start, eventually

pytestmark = pytest.mark.asyncio

NEW = "4915100000001"
METADATA = {"display_phone_number": "4930901820000", "phone_number_id": "100000000000001"}


async def known(simulator: Simulator, bot: Bot, **more: Any) -> str:
    """Let Lea be there with a chat; return her message's id."""
    await simulator.post("customers", {"wa_id": LEA, "name": "Lea", "user_id": "DE.Lea1", **more})
    wamid = await simulator.write("Hi")
    await eventually(bot.messages, "the message")
    return wamid


async def changed(bot: Bot) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Wait for the new user id; return the system messages' values and that of the update."""
    (update,) = await eventually(lambda: bot.values("user_id_update"), "user_id_update")
    systems = [value for value in bot.values() if value.get("messages", [{}])[0].get("type") == "system"]
    for value in systems:
        value["messages"][0].pop("id")
        value["messages"][0].pop("timestamp")
    timestamp = update["user_id_update"][0].pop("timestamp")
    assert isinstance(timestamp, str)
    return systems, update


async def test_change_of_number(simulator: Simulator, bot: Bot) -> None:
    """The old number tells the new one; the user id is made anew; chat and window follow."""
    wamid = await known(simulator, bot)
    before = await simulator.get(f"customers/{LEA}/chat")
    after = await simulator.post(f"customers/{LEA}/number", {"new_wa_id": f"+{NEW}", "user_id": "DE.Lea2"})
    assert (after["wa_id"], after["user_id"], after["window"]["expires_at"]) == (
        NEW,
        "DE.Lea2",
        before["window"]["expires_at"],
    )
    systems, update = await changed(bot)
    product = {"messaging_product": "whatsapp", "metadata": METADATA}
    number = {
        "body": "User Lea changed from 4915112345678 to 4915100000001",
        "wa_id": NEW,
        "user_id": "DE.Lea2",
        "type": "user_changed_number",
    }
    user_id = {
        "body": "User Lea changed from DE.Lea1 to DE.Lea2",
        "wa_id": NEW,
        "user_id": "DE.Lea2",
        "previous_user_id": "DE.Lea1",
        "type": "user_changed_user_id",
    }
    assert systems == [
        {**product, "messages": [{"from": LEA, "type": "system", "system": number}]},
        {**product, "messages": [{"type": "system", "system": user_id}]},
    ]
    assert update == {
        **product,
        "contacts": [{"profile": {"name": "Lea"}, "wa_id": NEW}],
        "user_id_update": [
            {
                "wa_id": NEW,
                "detail": "User id for Lea has been updated.",
                "user_id": {"previous": "DE.Lea1", "current": "DE.Lea2"},
            }
        ],
    }
    chat = await simulator.chat(NEW)
    assert (chat[0]["id"], [message["type"] for message in chat]) == (wamid, ["text", "system", "system"])
    assert chat[1]["system"] == number
    await simulator.get(f"customers/{LEA}/chat", 404)


async def test_change_is_told_after_what_came_before(simulator: Simulator, bot: Bot) -> None:
    """A bot that is slow hears of the change when it has heard the messages before it."""
    bot.delay_seconds = 0.05
    for text in ("one", "two", "three"):
        await simulator.write(text)
    await simulator.post(f"customers/{LEA}/number", {"new_wa_id": NEW})
    await eventually(lambda: len(bot.messages()) == 5, "all messages")
    assert [message["type"] for message in bot.messages()] == ["text", "text", "text", "system", "system"]


async def test_messages_after_the_change_come_from_the_new_number(simulator: Simulator, bot: Bot) -> None:
    """The person goes on with the new ids; the old number is free for somebody else with another user id."""
    await known(simulator, bot)
    after = await simulator.post(f"customers/{LEA}/number", {"new_wa_id": NEW})
    await simulator.write("Still me", NEW)
    await simulator.write("Somebody else", LEA)
    await eventually(lambda: len(bot.messages()) == 5, "all messages")
    me, other = (
        next(message for message in bot.messages() if message.get("text") == {"body": words})
        for words in ("Still me", "Somebody else")
    )
    assert (me["from"], me["from_user_id"]) == (NEW, after["user_id"])
    assert other["from"] == LEA
    assert len({me["from_user_id"], other["from_user_id"], "DE.Lea1"}) == 3


async def test_hidden_number_changes_unseen(simulator: Simulator, bot: Bot) -> None:
    """Of a hidden number neither the old nor the new one is told, only the user ids."""
    await known(simulator, bot, hide_number=True)
    await simulator.post(f"customers/{LEA}/number", {"new_wa_id": NEW})
    systems, update = await changed(bot)
    (system,) = systems
    assert system["messages"][0]["system"]["type"] == "user_changed_user_id"
    told = "".join(raw.decode() for raw in bot.raw)
    assert (LEA in told, NEW in told) == (False, False)
    assert update["user_id_update"][0]["user_id"]["previous"] == "DE.Lea1"


async def test_new_user_id(simulator: Simulator, bot: Bot) -> None:
    """A user id that is made anew differs each time and keeps its country."""
    await known(simulator, bot)
    first = (await simulator.post(f"customers/{LEA}/user_id"))["user_id"]
    systems, update = await changed(bot)
    assert [value["messages"][0]["system"]["type"] for value in systems] == ["user_changed_user_id"]
    assert update["user_id_update"][0]["user_id"] == {"previous": "DE.Lea1", "current": first}
    second = (await simulator.post(f"customers/{LEA}/user_id"))["user_id"]
    assert len({"DE.Lea1", first, second}) == 3
    assert first.startswith("DE.")


async def test_every_number_that_knows_the_customer_tells(start: Start, bot: Bot) -> None:
    """Each business number with a chat tells of the change in its own name; the others do not."""
    more = tuple(Number(id=f"{index}", display=f"493090182000{index}", token="demo-access-token") for index in (2, 3))
    simulator = await start(more_numbers=more)
    await simulator.write("Hi")
    await simulator.write("Hi", number_id="3")
    await simulator.post(f"customers/{LEA}/user_id")
    await eventually(lambda: len(bot.values("user_id_update")) == 2, "both updates")
    told = [value["metadata"]["phone_number_id"] for value in bot.values("user_id_update")]
    assert sorted(told) == ["100000000000001", "3"]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        pytest.param("number", {"new_wa_id": "4915187654321"}, id="number of somebody else"),
        pytest.param("number", {"new_wa_id": LEA}, id="the same number"),
        pytest.param("number", {}, id="no number"),
        pytest.param("number", {"new_wa_id": NEW, "user_id": "DE.Max"}, id="user id of somebody else"),
        pytest.param("user_id", {"user_id": "DE.Max"}, id="somebody else's user id"),
        pytest.param("user_id", {"user_id": "DE.Lea1"}, id="the same user id"),
        pytest.param("user_id", {"user_id": "Lea"}, id="no user id"),
        pytest.param("call", {"seconds": -1}, id="call of negative length"),
        pytest.param("echo", {}, id="echo without text"),
        pytest.param("echo", {"text": "x", "number_id": "999"}, id="echo from an unknown number"),
    ],
)
async def test_what_cannot_happen(simulator: Simulator, bot: Bot, path: str, body: dict[str, Any]) -> None:
    """It is refused with a sentence, and nothing changes."""
    await known(simulator, bot)
    await simulator.post("customers", {"wa_id": "4915187654321", "user_id": "DE.Max"})
    assert (await simulator.post(f"customers/{LEA}/{path}", body, 400))["error"]
    assert (await simulator.get(f"customers/{LEA}/chat"))["customer"]["user_id"] == "DE.Lea1"
    assert len(bot.raw) == 1


@pytest.mark.parametrize(
    ("seconds", "end", "text"),
    [
        pytest.param(0, {"status": "FAILED"}, "Missed call", id="nobody answers"),
        pytest.param(60, {"status": "COMPLETED", "duration": 60}, "Call, 60 s", id="a minute"),
    ],
)
async def test_call(simulator: Simulator, bot: Bot, seconds: int, end: dict[str, Any], text: str) -> None:
    """A call is told twice, opens the window, and stands in the chat."""
    await simulator.post("customers", {"wa_id": LEA, "name": "Lea", "user_id": "DE.Lea1"})
    call_id = (await simulator.post(f"customers/{LEA}/call", {"seconds": seconds}, 201))["id"]
    await eventually(lambda: len(bot.values("calls")) == 2, "both events")
    connect, terminate = bot.values("calls")
    (call,), (over,) = connect["calls"], terminate["calls"]
    assert connect["metadata"] == METADATA
    assert connect["contacts"] == [{"profile": {"name": "Lea"}, "wa_id": LEA, "user_id": "DE.Lea1"}]
    assert (call["session"].pop("sdp_type"), bool(call.pop("session")["sdp"])) == ("offer", True)
    assert call == {
        "id": call_id,
        "from": LEA,
        "from_user_id": "DE.Lea1",
        "to": "4930901820000",
        "direction": "USER_INITIATED",
        "event": "connect",
        "timestamp": call["timestamp"],
    }
    assert (over["event"], int(over["timestamp"]) - int(call["timestamp"])) == ("terminate", seconds)
    assert {name: over[name] for name in end} == end
    chat = await simulator.get(f"customers/{LEA}/chat")
    assert chat["window"]["open"] is True
    (shown,) = chat["messages"]
    assert (shown["type"], shown["text"], shown["call"]) == ("call", text, {"seconds": seconds})


async def test_human_answers_from_the_app(simulator: Simulator, bot: Bot) -> None:
    """The answer appears in the chat and is told as an echo; it opens no window and has no statuses."""
    await simulator.post("customers", {"wa_id": LEA, "name": "Lea", "user_id": "DE.Lea1"})
    wamid = (await simulator.post(f"customers/{LEA}/echo", {"text": "Ann here"}, 201))["id"]
    (value,) = await eventually(lambda: bot.values("smb_message_echoes"), "the echo")
    timestamp = value["message_echoes"][0].pop("timestamp")
    assert value == {
        "messaging_product": "whatsapp",
        "metadata": METADATA,
        "contacts": [{"profile": {"name": "Lea"}, "wa_id": LEA, "user_id": "DE.Lea1"}],
        "message_echoes": [
            {
                "from": "4930901820000",
                "to": LEA,
                "to_user_id": "DE.Lea1",
                "id": wamid,
                "type": "text",
                "text": {"body": "Ann here"},
            }
        ],
    }
    assert isinstance(timestamp, str)
    chat = await simulator.get(f"customers/{LEA}/chat")
    (shown,) = chat["messages"]
    assert (shown["direction"], shown["from_app"], shown["text"]) == ("out", True, "Ann here")
    assert chat["window"]["open"] is False
    await simulator.post(f"customers/{LEA}/read")
    # What is told of one customer comes in order, so a status would have come before this message.
    await simulator.write("Thanks")
    await eventually(bot.messages, "the message")
    assert bot.statuses() == []


async def test_hidden_number_is_absent_from_echo_and_call(simulator: Simulator, bot: Bot) -> None:
    """Only the user id names the customer."""
    await simulator.post("customers", {"wa_id": LEA, "hide_number": True, "user_id": "DE.Lea1"})
    await simulator.post(f"customers/{LEA}/echo", {"text": "x"}, 201)
    await simulator.post(f"customers/{LEA}/call", {}, 201)
    await eventually(lambda: len(bot.raw) == 3, "echo and call")
    assert LEA not in "".join(raw.decode() for raw in bot.raw)
    assert bot.values("smb_message_echoes")[0]["message_echoes"][0]["to_user_id"] == "DE.Lea1"
    assert bot.values("calls")[0]["calls"][0]["from_user_id"] == "DE.Lea1"


async def test_parent_user_id_goes_along(simulator: Simulator, bot: Bot) -> None:
    """Where a customer has one, it stands beside the user id, and messages can be sent to it."""
    await simulator.post("customers", {"wa_id": LEA, "user_id": "DE.Lea1", "parent_user_id": "DE.ENT.Lea"})
    await simulator.write()
    await eventually(bot.messages, "the message")
    assert bot.messages()[0]["from_parent_user_id"] == "DE.ENT.Lea"
    assert bot.values()[0]["contacts"][0]["parent_user_id"] == "DE.ENT.Lea"
    body = {"messaging_product": "whatsapp", "recipient": "DE.ENT.Lea", "type": "text", "text": {"body": "Hello"}}
    status, answer = await simulator.graph(body)
    assert (status, answer["contacts"]) == (200, [{"input": "DE.ENT.Lea", "user_id": "DE.ENT.Lea"}])
    (told, *_) = await eventually(bot.statuses, "a status")
    assert (told["recipient_user_id"], told["recipient_parent_user_id"]) == ("DE.Lea1", "DE.ENT.Lea")


async def test_groups_open_no_window(simulator: Simulator, bot: Bot) -> None:
    """A message to a group is delivered with its group and opens nothing between the two."""
    message = {"type": "text", "text": {"body": "Hi all"}, "group_id": "g1"}
    await simulator.post(f"customers/{LEA}/messages", {"type": "raw", "message": message}, 201)
    await eventually(bot.messages, "the message")
    assert bot.messages()[0]["group_id"] == "g1"
    assert (await simulator.get(f"customers/{LEA}/chat"))["window"]["open"] is False
