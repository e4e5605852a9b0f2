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
    for name in ("order_reminder", "open_question"):
        world.decide(name, "en", "APPROVED")


def templates_on(phone):
    """Return the names of the templates that the phone got."""
    return [message["template"]["name"] for message in phone.received() if message.get("template")]


def test_templates_are_paused_in_the_middle_of_a_campaign(bot, world, campaign, store):
    """The first goes. When it is paused, the response's second one does; when both are, the words are parked, with the reason.

    Meta is asked for neither of what it paused, and each loss raises an alarm. When the first is approved again it goes, by the same server.
    """
    ready = f"{bot.url('rasa')}/webhooks/whatsapp/ready"
    alarms = lambda: requests.get(ready, timeout=10).json()["alarms"]  # noqa: E731
    assert alarms() == []
    first, second, third, fourth = campaign
    world.advance(hours=20.2)  # the first asked 24.2 hours ago
    eventually(lambda: templates_on(first), lambda: "the first reminder as its template")
    world.decide("order_reminder", "en", "PAUSED")
    eventually(alarms, lambda: "an alarm")
    (alarm,) = alarms()
    assert alarm.startswith("template order_reminder (en): it is PAUSED since ")
    tried = len(world.requests())
    world.advance(hours=1)
    eventually(lambda: templates_on(second), lambda: "the second reminder as the other template")
    world.decide("open_question", "en", "PAUSED")
    eventually(lambda: len(alarms()) == 2, lambda: "a second alarm")
    world.advance(hours=1)
    eventually(lambda: templates_on(third), lambda: "the third customer asked to write")
    ((reason,),) = store("SELECT reason FROM outbox WHERE state = 'parked' AND reason LIKE '%order_reminder%'")
    assert [part.rpartition("; it has ")[2] for part in reason.split("; template ")] == ["de (en is PAUSED)"] * 2
    asked_for = [(made["body"] or {}).get("template", {}).get("name") for made in world.requests()[tried:]]
    assert [name for name in asked_for if name] == ["open_question", "news_waiting"]
    world.decide("order_reminder", "en", "APPROVED")
    eventually(lambda: len(alarms()) == 1, lambda: "one alarm less")
    world.advance(hours=1)
    eventually(lambda: templates_on(fourth), lambda: "the fourth reminder as its template")
    assert [templates_on(phone) for phone in campaign] == [
        ["order_reminder"],
        ["open_question"],
        ["news_waiting"],
        ["order_reminder"],
    ]
