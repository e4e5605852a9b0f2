"""The templates page in a real browser, where Chromium is installed: what it shows, and an operator's decisions on it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
import pytest_asyncio

from .browser import Tab, open_tab, running_chromium
from .conftest import AUTHORISED, Bot, Simulator, Start, eventually
from .phone_page import HOSTILE, open_page

pytestmark = pytest.mark.asyncio

ACCOUNT = "/v26.0/200000000000001/message_templates"
STATUS = "message_template_status_update"


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """One Chromium for all tests here."""
    with running_chromium(tmp_path_factory.mktemp("profile")) as port:
        yield port


@pytest_asyncio.fixture
async def reviewing(start: Start) -> Simulator:
    """A simulator with a template that waits for an operator."""
    simulator = await start(review_seconds=None)
    text = {
        "type": "BODY",
        "text": f"Dear {{{{1}}}}, *thank you* for this: {HOSTILE}",
        "example": {"body_text": [["Lea"]]},
    }
    reply = {"type": "BUTTONS", "buttons": [{"type": "QUICK_REPLY", "text": "Welcome"}]}
    asked = {"name": "thanks", "language": "en_US", "category": "UTILITY", "components": [text, reply]}
    async with simulator.http.post(simulator.url(ACCOUNT), json=asked, headers=AUTHORISED) as answer:
        assert answer.status == 200
    return simulator


@pytest_asyncio.fixture
async def tab(browser: int, reviewing: Simulator) -> AsyncIterator[Tab]:
    """The page, live; nothing may have gone wrong on it in the end."""
    async with open_tab(browser, reviewing.url("/templates")) as page:
        await page.until("document.getElementById('page-state').textContent === 'Live'")
        await page.until(f"{card('thanks', 'en_US')}")
        yield page
        assert page.errors == []


def card(name: str, language: str) -> str:
    """Return JavaScript for one translation on the page."""
    button = json.dumps(f"[aria-label='Category: {name} in {language}']")
    return f"document.querySelector({button})?.closest('.translation')"


def inside(selector: str) -> str:
    """Return JavaScript for an element of the template that waits."""
    return f"{card('thanks', 'en_US')}.querySelector({json.dumps(selector)})"


async def pill(tab: Tab, words: str) -> None:
    """Wait until the template that waits has a status."""
    await tab.until(f"{inside('.pill')}.textContent === '{words}'")


async def told(bot: Bot, field: str) -> dict[str, Any]:
    """Wait for the latest webhook of a field."""
    values = await eventually(lambda: bot.values(field), field)
    value: dict[str, Any] = values[-1]
    return value


async def test_templates_look_as_on_the_phone(tab: Tab) -> None:
    """All languages are there; examples are filled in, markup is shown, text stays text."""
    assert await tab.run("document.querySelectorAll('.translation').length") == 11
    assert await tab.run(f"{inside('.text')}.textContent") == f"Dear Lea, thank you for this: {HOSTILE}"
    assert await tab.run(f"{inside('.text strong')}.textContent") == "thank you"
    assert await tab.run(f"{inside('.choices')}.textContent") == "Welcome"
    assert await tab.run("document.getElementById('count').textContent") == "11 of 11 shown, 2 in review"


async def test_cards_of_a_carousel(tab: Tab, reviewing: Simulator) -> None:
    """They stand below the words, each with its picture, its text and its buttons."""
    words = {"type": "BODY", "text": "Two of our best."}
    parts = [
        {"type": "HEADER", "format": "IMAGE", "example": {"header_handle": ["4::aW1n"]}},
        {"type": "BODY", "text": "A green jacket."},
        {"type": "BUTTONS", "buttons": [{"type": "QUICK_REPLY", "text": "This one"}]},
    ]
    carousel = {"type": "CAROUSEL", "cards": [{"components": parts}, {"components": parts}]}
    asked = {"name": "best", "language": "en", "category": "MARKETING", "components": [words, carousel]}
    async with reviewing.http.post(reviewing.url(ACCOUNT), json=asked, headers=AUTHORISED) as answer:
        assert answer.status == 200, await answer.text()
    await tab.until(f"{card('best', 'en')}")
    cards = f"[...{card('best', 'en')}.querySelectorAll('.carousel li')]"
    one = "Photo, sent with each message|A green jacket.|This one"
    assert await tab.run(f"{cards}.map((each) => [...each.children].map((part) => part.textContent).join('|'))") == [
        one,
        one,
    ]


async def test_operator_decides(tab: Tab, bot: Bot) -> None:
    """Approve, pause, unpause, disable, reinstate: the bot is told of each, the page shows it, the focus stays."""
    decisions = [
        ("Approve", "Approved", "APPROVED"),
        ("Pause", "Paused", "PAUSED"),
        ("Unpause", "Approved", "APPROVED"),
        ("Disable", "Disabled", "DISABLED"),
        ("Reinstate", "Approved", "REINSTATED"),
    ]
    for number, (action, words, event) in enumerate(decisions, start=1):
        await tab.run(f"{inside(f'[data-action={action}]')}.focus()")
        await tab.key("Enter", 13, "\r")
        await pill(tab, words)
        await eventually(lambda number=number: len(bot.values(STATUS)) == number, event)
        assert bot.values(STATUS)[-1]["event"] == event
        assert await tab.run(f"{card('thanks', 'en_US')}.contains(document.activeElement)")


async def test_operator_rejects_with_a_reason(tab: Tab, bot: Bot) -> None:
    """A dialog asks why; Escape leaves everything as it was."""
    reject = f"{inside('[data-action^=Reject]')}.click()"
    await tab.run(reject)
    await tab.until("document.getElementById('reject-dialog').open")
    await tab.key("Escape", 27)
    await tab.until("!document.getElementById('reject-dialog').open")
    await pill(tab, "Pending")
    await tab.run(reject)
    await tab.run("document.querySelector('#reject-form [name=reason]').value = 'SCAM'")
    await tab.fill("#reject-form [name=recommendation]", "Say who you are.")
    await tab.run("document.querySelector('#reject-form [name=recommendation]').focus()")
    await tab.key("Enter", 13, "\r")
    await pill(tab, "Rejected")
    value = await told(bot, STATUS)
    assert (value["event"], value["reason"]) == ("REJECTED", "SCAM")
    assert value["rejection_info"] == {"reason": "Scam", "recommendation": "Say who you are."}
    assert await tab.run(f"{inside('dl')}.textContent.includes('Rejected forScam')")


async def test_operator_changes_quality_and_category(tab: Tab, bot: Bot) -> None:
    """Quality at once; a category announced or at once."""
    quality = inside("[data-action=quality]")
    await tab.run(
        f"(({{ select }}) => {{ select.value = 'RED'; select.dispatchEvent(new Event('change')) }})({{ select: {quality} }})"
    )
    assert (await told(bot, "message_template_quality_update"))["new_quality_score"] == "RED"

    await tab.run(f"{inside('[data-action^=Category]')}.click()")
    await tab.click("#category-form [name=announced]")
    await tab.click("#category-form [value=do]")
    assert (await told(bot, "template_category_update"))["correct_category"] == "MARKETING"
    await tab.until(f"{inside('dl')}.textContent.includes('AnnouncedMarketing from')")


async def test_filter_by_name_and_status(tab: Tab) -> None:
    """Only what matches is shown; the count says of how many."""
    await tab.run(
        "(() => { const name = document.querySelector('#filter [name=name]'); name.value = 'order'; name.dispatchEvent(new Event('input', { bubbles: true })) })()"
    )
    await tab.until("document.querySelectorAll('.translation').length === 2")
    await tab.run(
        "(() => { const status = document.getElementById('status-choice'); status.value = 'PAUSED'; status.dispatchEvent(new Event('input', { bubbles: true })) })()"
    )
    await tab.until("document.getElementById('groups').textContent === 'None of these.'")


async def test_pages_lead_to_each_other(browser: int, simulator: Simulator) -> None:
    """From the phone to the templates and back."""
    async with open_page(browser, simulator) as tab:
        await tab.click("nav a")
        await tab.until("document.title === 'Templates - WhatsApp simulator' && document.querySelector('.translation')")
        await tab.click("nav a")
        await tab.until("document.title === 'WhatsApp simulator' && document.getElementById('composer')")
