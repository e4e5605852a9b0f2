"""How messages fare after they were accepted: the ladder, the window, consent, and what the webhooks say."""

from __future__ import annotations

from typing import Any

import pytest

from .conftest import LEA, Bot, Simulator, eventually

pytestmark = pytest.mark.asyncio

SALE: dict[str, Any] = {"type": "template", "template": {"name": "spring_sale", "language": {"code": "pt_BR"}}}
GERMAN_ORDER: dict[str, Any] = {
    "type": "template",
    "template": {
        "name": "order_follow_up",
        "language": {"code": "de"},
        "components": [
            {"type": "body", "parameters": [{"type": "text", "parameter_name": "order_id", "text": "1002"}]}
        ],
    },
}


async def ladder(bot: Bot, wamid: str, last: str) -> list[dict[str, Any]]:
    """Wait for a message's last status and return all of them."""
    await eventually(lambda: last in [status["status"] for status in bot.statuses(wamid)], f"{last} of a message")
    return bot.statuses(wamid)


async def test_sent_then_delivered_with_everything_in_it(simulator: Simulator, bot: Bot) -> None:
    """Both statuses have Meta's shape: string timestamp, pricing, callback data, ids, contacts."""
    await simulator.post("customers", {"wa_id": LEA, "name": "Lea", "user_id": "DE.Lea1", "username": "@lea"})
    await simulator.write()
    wamid = await simulator.send_text(biz_opaque_callback_data="turn-42")
    sent, delivered = await ladder(bot, wamid, "delivered")
    assert sent == {
        "id": wamid,
        "status": "sent",
        "timestamp": sent["timestamp"],
        "recipient_id": "4915112345678",
        "recipient_user_id": "DE.Lea1",
        "biz_opaque_callback_data": "turn-42",
        "pricing": sent["pricing"],
    }
    assert sent["timestamp"].isdecimal()
    assert sorted(sent["pricing"]) == ["billable", "category", "pricing_model", "type"]
    assert delivered["status"] == "delivered"
    first, second = [value["contacts"] for value in bot.values() if "statuses" in value]
    assert first == [{"profile": {"name": "Lea"}, "wa_id": "4915112345678", "user_id": "DE.Lea1"}]
    assert second[0]["profile"] == {"name": "Lea", "username": "@lea"}


async def test_flag_reads_at_once(simulator: Simulator, bot: Bot) -> None:
    """A customer who reads at once adds `read`, without pricing: `delivered` had it."""
    await simulator.post("customers", {"wa_id": LEA, "reads_at_once": True})
    await simulator.write()
    statuses = await ladder(bot, await simulator.send_text(), "read")
    assert [status["status"] for status in statuses] == ["sent", "delivered", "read"]
    assert ["pricing" in status for status in statuses] == [True, True, False]


async def test_opening_the_chat_reads_what_was_delivered(simulator: Simulator, bot: Bot) -> None:
    """The read endpoint turns delivered messages into read ones."""
    await simulator.write()
    wamid = await simulator.send_text()
    await ladder(bot, wamid, "delivered")
    await simulator.post(f"customers/{LEA}/read")
    await ladder(bot, wamid, "read")
    assert await simulator.status_of(wamid) == "read"


async def test_open_chat_skips_delivered(simulator: Simulator, bot: Bot) -> None:
    """While the chat is on screen, read comes without delivered and has the pricing."""
    await simulator.write()
    async with simulator.http.get(simulator.url(f"/control/events?open={LEA}")) as stream:
        await stream.content.readuntil(b"\n\n")
        statuses = await ladder(bot, await simulator.send_text(), "read")
    assert [(status["status"], "pricing" in status) for status in statuses] == [("sent", True), ("read", True)]


async def test_free_form_after_24_hours_fails_later(simulator: Simulator, bot: Bot) -> None:
    """Outside the window: accepted with 200, then failed 131047 without contacts and user id."""
    await simulator.write()
    await simulator.post("clock", {"advance_seconds": 86_401})
    wamid = await simulator.send_text(biz_opaque_callback_data="turn-43")
    (failed,) = await ladder(bot, wamid, "failed")
    assert failed == {
        "id": wamid,
        "status": "failed",
        "timestamp": failed["timestamp"],
        "recipient_id": "4915112345678",
        "biz_opaque_callback_data": "turn-43",
        "errors": [
            {
                "code": 131047,
                "title": "Re-engagement message",
                "message": "Re-engagement message",
                "error_data": {
                    "details": "Message failed to send because more than 24 hours have passed since the customer last"
                    " replied to this number."
                },
                "href": "https://developers.facebook.com/documentation/business-messaging/whatsapp/support/error-codes",
            }
        ],
    }
    assert "contacts" not in next(value for value in bot.values() if "statuses" in value)
    assert await simulator.status_of(wamid) == "failed"


async def test_free_form_to_a_stranger_fails(simulator: Simulator, bot: Bot) -> None:
    """Who never wrote has no window."""
    (failed,) = await ladder(bot, await simulator.send_text(), "failed")
    assert failed["errors"][0]["code"] == 131047


async def test_template_passes_a_closed_window_and_its_button_opens_it(simulator: Simulator, bot: Bot) -> None:
    """A template arrives at any time; the customer's answer opens the window again."""
    await simulator.write()
    await simulator.post("clock", {"advance_seconds": 90_000})
    wamid = await simulator.send(GERMAN_ORDER)
    await ladder(bot, wamid, "delivered")
    assert (await simulator.get(f"customers/{LEA}/chat"))["window"]["open"] is False
    await simulator.write("Ja")
    assert (await simulator.get(f"customers/{LEA}/chat"))["window"]["open"] is True


async def test_marketing_after_a_stop_fails_with_131050(simulator: Simulator, bot: Bot) -> None:
    """The stop is told by user_preferences; marketing then fails, utility does not; resuming mends it."""
    await simulator.post("customers", {"wa_id": LEA, "name": "Lea", "user_id": "DE.Lea1"})
    await simulator.put(f"customers/{LEA}/marketing", {"value": "stop"})
    (value,) = await eventually(lambda: bot.values("user_preferences"), "user_preferences")
    (preference,) = value["user_preferences"]
    assert preference == {
        "wa_id": "4915112345678",
        "user_id": "DE.Lea1",
        "detail": "User requested to stop marketing messages",
        "category": "marketing_messages",
        "value": "stop",
        "timestamp": preference["timestamp"],
    }
    assert isinstance(preference["timestamp"], int)
    assert value["contacts"] == [{"profile": {"name": "Lea"}, "wa_id": "4915112345678", "user_id": "DE.Lea1"}]
    (failed,) = await ladder(bot, await simulator.send(SALE), "failed")
    assert failed["errors"][0]["code"] == 131050
    await ladder(bot, await simulator.send(GERMAN_ORDER), "delivered")
    await simulator.put(f"customers/{LEA}/marketing", {"value": "resume"})
    await ladder(bot, await simulator.send(SALE), "delivered")


async def test_hidden_number_is_left_out_of_statuses(simulator: Simulator, bot: Bot) -> None:
    """A send to a user id is reported by user id alone, failures included."""
    await simulator.post("customers", {"wa_id": LEA, "user_id": "DE.Lea1", "hide_number": True})
    body = {"messaging_product": "whatsapp", "recipient": "DE.Lea1", "text": {"body": "Hello"}}
    _, answer = await simulator.graph(body)
    (failed,) = await ladder(bot, answer["messages"][0]["id"], "failed")
    assert "recipient_id" not in failed
    assert failed["recipient_user_id"] == "DE.Lea1"


async def test_reaction_is_only_sent(simulator: Simulator, bot: Bot) -> None:
    """A reaction of ours gets no status beyond sent."""
    received = await simulator.write()
    wamid = await simulator.send({"type": "reaction", "reaction": {"message_id": received, "emoji": "x"}})
    await ladder(bot, wamid, "sent")
    later = await simulator.send_text()
    await ladder(bot, later, "delivered")
    assert [status["status"] for status in bot.statuses(wamid)] == ["sent"]
