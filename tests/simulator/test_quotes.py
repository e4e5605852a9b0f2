"""Messages that point at others: quotes that are shown, hidden or refused, and reactions that fail."""

from __future__ import annotations

from typing import Any

import pytest

from .conftest import LEA, Bot, Simulator, eventually

pytestmark = pytest.mark.asyncio

MONTH = 30 * 24 * 3600
STATIC = {"type": "template", "template": {"name": "spring_sale", "language": {"code": "pt_BR"}}}


async def body(simulator: Simulator, **content: Any) -> tuple[int, dict[str, Any]]:
    """Send to Lea."""
    return await simulator.graph({"messaging_product": "whatsapp", "to": f"+{LEA}", **content})


async def shown(simulator: Simulator, wamid: str) -> dict[str, Any]:
    """Return a bubble."""
    return next(message for message in await simulator.chat() if message["id"] == wamid)


async def test_quote_of_either_side_is_shown(simulator: Simulator) -> None:
    """The business quotes the customer or itself."""
    theirs = await simulator.write()
    ours = await simulator.send_text(context={"message_id": theirs})
    again = await simulator.send_text(context={"message_id": ours})
    assert (await shown(simulator, ours))["quoting"] == theirs
    assert (await shown(simulator, again))["quoting"] == ours


async def test_quote_is_not_shown(simulator: Simulator) -> None:
    """A template shows no quote; nor does a message that was deleted or is older than 30 days have one."""
    first = await simulator.write("first")
    second = await simulator.write("second")
    await simulator.post(f"customers/{LEA}/messages", {"type": "revoke", "message_id": second}, 201)
    template = await simulator.send(STATIC, context={"message_id": first})
    deleted = await simulator.send_text(context={"message_id": second})
    await simulator.post("clock", {"advance_seconds": MONTH + 1})
    await simulator.write("third")
    old = await simulator.send_text(context={"message_id": first})
    assert [("quoting" in await shown(simulator, wamid)) for wamid in (template, deleted, old)] == [False] * 3


async def test_quote_of_another_chat_is_refused(simulator: Simulator) -> None:
    """Neither an unknown id nor one of another customer's chat is taken."""
    await simulator.write()
    other = await simulator.write(wa_id="4915187654321")
    for wamid in ("wamid.unknown", other):
        text = {"type": "text", "text": {"body": "x"}, "context": {"message_id": wamid}}
        status, answer = await body(simulator, **text)
        assert (status, answer["error"]["code"]) == (400, 131009)


async def test_reaction_quotes_nothing(simulator: Simulator) -> None:
    """A reaction with context is refused."""
    wamid = await simulator.write()
    reaction = {"type": "reaction", "reaction": {"message_id": wamid, "emoji": "x"}, "context": {"message_id": wamid}}
    status, answer = await body(simulator, **reaction)
    assert (status, answer["error"]["code"]) == (400, 131009)


async def reacted(simulator: Simulator, bot: Bot, wamid: str) -> str:
    """React, and return the status that follows."""
    sent = await simulator.send({"type": "reaction", "reaction": {"message_id": wamid, "emoji": "\u2764"}})
    (status,) = await eventually(lambda: bot.statuses(sent), "the status")
    assert status["status"] == "sent" or status["errors"][0]["code"] == 131009
    return str(status["status"])


async def test_reactions_to_what_can_be_reacted_to(simulator: Simulator, bot: Bot) -> None:
    """Unknown, deleted, old messages and reactions are no targets: that fails later."""
    first = await simulator.write("first")
    second = await simulator.write("second")
    reaction = {"type": "reaction", "message_id": first, "emoji": "x"}
    third = (await simulator.post(f"customers/{LEA}/messages", reaction, 201))["id"]
    await simulator.post(f"customers/{LEA}/messages", {"type": "revoke", "message_id": second}, 201)
    assert await reacted(simulator, bot, first) == "sent"
    assert await reacted(simulator, bot, second) == "failed"
    assert await reacted(simulator, bot, third) == "failed"
    assert await reacted(simulator, bot, "wamid.unknown") == "failed"
    await simulator.post("clock", {"advance_seconds": MONTH + 1})
    await simulator.write("fourth")
    assert await reacted(simulator, bot, first) == "failed"
