"""Meta pauses a template in the middle of a campaign of follow-ups: the bot hears of it and goes by it, and so does its operator."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import requests

from .conftest import Phone, eventually

# In Spain, where a German translation serves nobody.
CUSTOMERS = ("34600000001", "34600000002", "34600000003", "34600000004")


@pytest.fixture
def campaign(world) -> Iterator[list[Phone]]:
    """Return the phones of customers who asked for a reminder, one an hour; the template is approved afterwards."""
    phones = [Phone(world.url, number) for number in CUSTOMERS]
    for phone in phones:
        phone.write("Hi")
        phone.wait_for(1)
        phone.write("Remind me tomorrow about order 1002")
        phone.wait_for(2)
        world.advance(hours=1)
    yield phones
    decide(world, "APPROVED")


def decide(world, status):
    """Let Meta give the template of the reminder another status."""
    url = f"{world.url}/control/templates/order_reminder/en"
    answer = requests.put(url, json={"status": status}, timeout=10)
    assert answer.ok, answer.text


def templates_on(phone):
    """Return the names of the templates that the phone got."""
    return [message["template"]["name"] for message in phone.received() if message.get("template")]


def test_a_template_is_paused_in_the_middle_of_a_campaign(bot, world, campaign, store):
    """Before: it goes. Meanwhile: refused before Meta is asked, with the reason, and an alarm. After: the next one goes, by the same server."""
    ready = f"{bot.url('rasa')}/webhooks/whatsapp/ready"
    alarms = lambda: requests.get(ready, timeout=10).json()["alarms"]  # noqa: E731
    assert alarms() == []
    first, _, _, fourth = campaign
    world.advance(hours=20.2)  # the first asked 24.2 hours ago
    eventually(lambda: templates_on(first), lambda: "the first reminder as its template")
    decide(world, "PAUSED")
    eventually(alarms, lambda: "an alarm")
    (alarm,) = alarms()
    assert alarm.startswith("template order_reminder (en): it is PAUSED since ")
    tried = len(world.requests())
    world.advance(hours=1)
    reasons = "SELECT reason FROM outbox WHERE state = 'refused' AND reason LIKE '%order_reminder%'"
    eventually(lambda: len(store(reasons)) == 1, lambda: "the second reminder refused")
    world.advance(hours=1)
    eventually(lambda: len(store(reasons)) == 2, lambda: "the third reminder refused")
    assert all(reason.endswith("; it has de (en is PAUSED)") for (reason,) in store(reasons))
    assert len(world.requests()) == tried
    decide(world, "APPROVED")
    eventually(lambda: alarms() == [], lambda: "no alarm")
    world.advance(hours=1)
    eventually(lambda: templates_on(fourth), lambda: "the fourth reminder as its template")
    assert [templates_on(phone) for phone in campaign] == [["order_reminder"], [], [], ["order_reminder"]]
