"""Direct Send: utility messages without a template, for an account that has it; refusals, statuses, prices."""

from __future__ import annotations

from typing import Any

import pytest

from .conftest import LEA, Bot, Simulator, Start, eventually

pytestmark = pytest.mark.asyncio

TEXT = {"type": "text", "text": {"body": "Your order is on its way."}}
LINK = {"name": "cta_url", "parameters": {"display_text": "Track", "url": "https://example.org"}}
REPLY = {"buttons": [{"type": "reply", "reply": {"id": "y", "title": "Yes"}}]}
LIST = {"button": "Choose", "sections": [{"rows": [{"id": "y", "title": "Yes"}]}]}
IMAGE = {"type": "image", "image": {"link": "https://example.org/a.png"}}


def interactive(kind: str, action: dict[str, Any], text: str = "News") -> dict[str, Any]:
    """Return an interactive message."""
    return {"type": "interactive", "interactive": {"type": kind, "body": {"text": text}, "action": action}}


async def answered(simulator: Simulator, content: dict[str, Any], category: Any = "utility") -> int:
    """Send to Lea; return the code of the refusal, 0 for none."""
    whom = {"messaging_product": "whatsapp", "to": f"+{LEA}"}
    _, answer = await simulator.graph({**whom, **content, "category": category})
    return int(answer.get("error", {}).get("code", 0))


async def reached(simulator: Simulator, bot: Bot, wamid: str, status: str) -> dict[str, Any]:
    """Return a status of a message, once it came."""
    found = await eventually(lambda: [told for told in bot.statuses(wamid) if told["status"] == status], status)
    return dict(found[0])


@pytest.mark.parametrize(
    "content",
    [TEXT, interactive("button", REPLY), interactive("cta_url", LINK)],
    ids=["text", "reply button", "link button"],
)
async def test_it_goes_outside_the_window(simulator: Simulator, bot: Bot, content: dict[str, Any]) -> None:
    """With the template that Meta took in each status, and the price of a utility template."""
    await simulator.put("direct_send", {"access": "enabled"})
    wamid = await simulator.send(content, category="utility")
    delivered = await reached(simulator, bot, wamid, "delivered")
    assert delivered["template_id"] == "900000000000001"
    told = {"billable": True, "pricing_model": "PMP", "type": "regular", "category": "utility"}
    assert delivered["pricing"] == told


async def test_ordinary_messages_stay_what_they_are(simulator: Simulator, bot: Bot) -> None:
    """Without a category, or as service, the window counts, and no template is told."""
    await simulator.put("direct_send", {"access": "enabled"})
    for extras in ({}, {"category": "service"}):
        wamid = await simulator.send(TEXT, **extras)
        failed = await reached(simulator, bot, wamid, "failed")
        assert failed["errors"][0]["code"] == 131047
    await simulator.write()
    assert "template_id" not in await reached(simulator, bot, await simulator.send(TEXT), "sent")


@pytest.mark.parametrize(("access", "code"), [("not_enabled", 100), ("blocked", 139200)])
@pytest.mark.parametrize("is_open", [False, True], ids=["outside", "inside the window"])
async def test_an_account_that_may_not(simulator: Simulator, access: str, code: int, is_open: bool) -> None:
    """It is refused at once, whatever the window says."""
    await simulator.put("direct_send", {"access": access})
    if is_open:
        await simulator.write()
    assert await answered(simulator, TEXT) == code


async def test_no_account_has_it_at_first(simulator: Simulator) -> None:
    """Meta's words for that are what a bot has to go by."""
    assert await simulator.get("direct_send") == {"access": "not_enabled"}
    whom = {"messaging_product": "whatsapp", "to": f"+{LEA}"}
    status, answer = await simulator.graph({**whom, **TEXT, "category": "utility"})
    details = answer["error"]["error_data"]["details"]
    assert (status, "requires Direct Send, which isn't enabled for this account" in details) == (400, True)


@pytest.mark.parametrize(
    ("content", "category"),
    [
        (interactive("list", LIST), "utility"),
        (IMAGE, "utility"),
        ({"type": "text", "text": {"body": "x" * 1025}}, "utility"),
        (TEXT, "marketing"),
        (TEXT, "authentication"),
        (TEXT, 7),
        (TEXT, ["utility"]),
    ],
    ids=["list", "picture", "too long", "marketing", "authentication", "no text", "a list"],
)
async def test_what_it_does_not_carry(simulator: Simulator, content: dict[str, Any], category: Any) -> None:
    """Refused with 100."""
    await simulator.put("direct_send", {"access": "enabled"})
    assert await answered(simulator, content, category) == 100


async def test_a_category_on_a_template_says_nothing(simulator: Simulator) -> None:
    """A template has its own."""
    template = {"type": "template", "template": {"name": "spring_sale", "language": {"code": "pt_BR"}}}
    assert await answered(simulator, template) == 0


async def test_the_access_outlives_a_restart(start: Start, tmp_path: Any) -> None:
    """It is kept with everything else."""
    path = tmp_path / "simulator.sqlite"
    first = await start(database_path=path)
    await first.put("direct_send", {"access": "blocked"})
    await first.stop()
    assert await (await start(database_path=path)).get("direct_send") == {"access": "blocked"}
