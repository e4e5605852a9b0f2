"""The phone page: its headers everywhere, and a conversation on it in a real browser, where Chromium is installed."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio

from rasa_whatsapp.simulator.app import STATIC
from rasa_whatsapp.simulator.settings import Number

from .browser import Tab, running_chromium
from .conftest import AUTHORISED, LEA, Bot, Simulator, Start, eventually
from .phone_page import HOSTILE, LAST, arrived, interactive, open_page, shown

SECOND = "100000000000002"


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """One Chromium for all tests here; each has a tab of its own, and a simulator at another address."""
    with running_chromium(tmp_path_factory.mktemp("profile")) as port:
        yield port


@pytest_asyncio.fixture
async def tab(browser: int, simulator: Simulator) -> AsyncIterator[Tab]:
    """The page, live."""
    async with open_page(browser, simulator) as page:
        yield page


@pytest.mark.asyncio
@pytest.mark.parametrize("path", ["/", "/templates", *(f"/static/{path.name}" for path in sorted(STATIC.iterdir()))])
async def test_page_is_served_with_a_strict_policy(simulator: Simulator, path: str) -> None:
    """Nothing from elsewhere, nothing inline, no frames."""
    async with simulator.http.get(simulator.url(path)) as answer:
        assert answer.status == 200
        policy = answer.headers["Content-Security-Policy"]
        assert (policy.startswith("default-src 'none'"), "unsafe" in policy) == (True, False)
        assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_page_needs_nothing_from_elsewhere() -> None:
    """No foreign address but the sample ad's, no inline script or style, no HTML made from text."""
    for path in STATIC.iterdir():
        text = path.read_text(encoding="utf-8")
        foreign = re.findall(r"https?://[\w.]+", text)
        assert set(foreign) <= {"http://www.w3.org", "https://example.com"}, path.name
        assert not re.search(
            r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|\sstyle=|\son\w+=", text
        ), path.name


@pytest.mark.asyncio
async def test_a_chat_in_a_browser(simulator: Simulator, bot: Bot, tab: Tab) -> None:
    """Written text is shown as text, templates are marked, buttons can be tapped, the window counts down and closes."""
    await tab.fill("#text", HOSTILE)
    await tab.click("#composer [type=submit]")
    await tab.until(f"document.querySelector('.message.in .text').textContent === '{HOSTILE}'")
    assert await tab.run("[document.querySelectorAll('#chat img').length, typeof hacked]") == [0, "undefined"]
    await tab.until("document.getElementById('window').textContent === 'Care window open: 23 h 59 min'")

    template = {
        "name": "order_follow_up",
        "language": {"code": "en"},
        "components": [
            {"type": "body", "parameters": [{"type": "text", "parameter_name": "order_id", "text": "1002"}]}
        ],
    }
    wamid = await simulator.send({"type": "template", "template": template})
    await tab.until("document.querySelector('.label').textContent === 'Templateorder_follow_up · en · utility'")
    await tab.until("document.querySelector('.message.template .ticks.read')")
    assert [status["status"] for status in bot.statuses(wamid)] == ["sent", "read"]

    await tab.click(".choices button")
    assert (await arrived(bot, "button"))["button"] == {"payload": "Yes", "text": "Yes"}

    await tab.click('[data-advance="90000"]')
    await tab.until("document.getElementById('window').textContent === 'Care window closed: only templates'")
    await simulator.send_text("too late")
    await tab.until("document.querySelector('.message.failed .error').textContent.includes('131047')")


@pytest.mark.asyncio
async def test_marks_lie_on_the_message_they_name(simulator: Simulator, bot: Bot, tab: Tab) -> None:
    """A reaction of either side is a badge, an edit new words, a deletion a line; each is taken from the message's menu."""
    wamid = await simulator.write("tomorow")
    await simulator.send({"type": "reaction", "reaction": {"message_id": wamid, "emoji": "👍"}})
    menu = ".message .mini[aria-haspopup]"
    await tab.click(menu)
    await tab.click('[aria-label="Heart"]')
    await tab.until("document.querySelector('.reactions').ariaLabel === '👍 by the business, ❤️ by you'")
    await tab.click(menu)
    await tab.click('[aria-label="Take back Heart"]')
    await tab.until("document.querySelector('.reactions').ariaLabel === '👍 by the business'")

    await tab.click(menu)
    await tab.click("#sheet .option:nth-of-type(2)")
    await tab.until("document.getElementById('text').value === 'tomorow'")
    await tab.fill("#text", "tomorrow")
    await tab.click("#composer [type=submit]")
    await tab.until("document.querySelector('.message .text').textContent === 'tomorrow'")
    assert await tab.run("document.querySelector('.edited').textContent") == "edited"
    assert (await arrived(bot, "edit"))["edit"]["original_message_id"] == wamid

    await tab.click(menu)
    await tab.click("#sheet .option:nth-of-type(3)")
    await tab.until("document.querySelector('.message').textContent.includes('You deleted this message')")
    assert (await arrived(bot, "revoke"))["revoke"] == {"original_message_id": wamid}
    assert await tab.run("document.querySelectorAll('.message').length") == 1


@pytest.mark.asyncio
async def test_reply_quotes_and_marks_are_used_once(simulator: Simulator, bot: Bot, tab: Tab) -> None:
    """A reply carries the quoted message, is shown below it, and the next message is an ordinary one."""
    wamid = await shown(simulator, tab, {"type": "text", "text": {"body": "Which one?"}})
    await tab.click(f"{LAST} .mini[aria-haspopup]")
    await tab.click("#sheet .option")
    for words in ("The blue one", "Look at this", "Thanks"):
        await tab.fill("#text", words)
        await tab.click("#composer [type=submit]")
        await tab.until(f"document.querySelector('{LAST} .text').textContent === '{words}'")
        if words == "The blue one":
            await tab.click("#forwarded")
    await eventually(lambda: len(bot.messages()) == 4, "all messages")
    reply, forwarded, plain = (message.get("context") for message in bot.messages()[1:])
    assert (reply["id"], forwarded, plain) == (wamid, {"forwarded": True}, None)
    assert await tab.run("document.querySelector('.quote').textContent") == "The businessWhich one?"


@pytest.mark.asyncio
async def test_operator_changes_who_the_customer_is(bot: Bot, tab: Tab) -> None:
    """A number is hidden, then changed; a human answers; a call: the bot is told of each, the chat goes on."""
    await tab.click("#hide-number")
    await tab.until("document.querySelector('.person .quiet').textContent === '@customer.5678'")
    await tab.fill("#text", "Hi")
    await tab.click("#composer [type=submit]")
    assert "from" not in await arrived(bot, "text")

    await tab.fill("#new-number", "+49 160 5550000")
    await tab.click("#number-form button")
    await eventually(lambda: bot.values("user_id_update"), "user_id_update")
    await tab.until("document.getElementById('facts').textContent.includes('+491605550000')")
    assert await tab.run("document.querySelectorAll('.person').length") == 1
    assert await tab.run("document.querySelector('.message .text').textContent") == "Hi"

    await tab.fill("#echo", "A human here")
    await tab.click("#echo-form button")
    await tab.until("document.querySelector('.label.app').textContent === 'From the appa human answered'")
    await eventually(lambda: bot.values("smb_message_echoes"), "the echo")

    await tab.click("#call")
    await tab.click("#sheet .option")
    await eventually(lambda: bot.values("calls"), "the call")


@pytest.mark.asyncio
async def test_each_business_number_has_a_chat(browser: int, start: Start, bot: Bot) -> None:
    """With several numbers one is chosen on the phone; the other's messages are counted, not mixed in."""
    simulator = await start(more_numbers=(Number(id=SECOND, display="4930901820001", token="demo-access-token"),))
    async with open_page(browser, simulator) as tab:
        await simulator.write("To the second", number_id=SECOND)
        body = {"messaging_product": "whatsapp", "to": f"+{LEA}", "type": "text", "text": {"body": "From the second"}}
        path = simulator.url(f"/v26.0/{SECOND}/messages")
        async with simulator.http.post(path, json=body, headers=AUTHORISED) as answer:
            assert answer.status == 200
        await tab.until(
            f"document.querySelector('option[value=\"{SECOND}\"]').textContent === '+4930901820001 (1 new)'"
        )
        assert await tab.run("document.querySelectorAll('.message').length") == 0
        await tab.run(
            f"document.getElementById('number').value = '{SECOND}';"
            "document.getElementById('number').dispatchEvent(new Event('change'))"
        )
        await tab.until("document.querySelector('.message .text').textContent === 'To the second'")
        await tab.fill("#text", "Once more")
        await tab.click("#composer [type=submit]")
        await eventually(lambda: len(bot.messages()) == 2, "both messages")
        assert {value["metadata"]["phone_number_id"] for value in bot.values()} == {SECOND}


@pytest.mark.asyncio
async def test_sheet_works_by_keyboard(tab: Tab) -> None:
    """Enter opens the menu, the focus moves into it, what lies under it is out of reach, Escape leads back."""
    await tab.run("document.getElementById('attach').focus()")
    await tab.key("Enter", 13, "\r")
    await tab.until("document.activeElement.ariaLabel === 'Send a sample: Photo'")
    assert await tab.run("document.getElementById('composer').inert") is True
    await tab.key("Escape", 27)
    await tab.until("document.activeElement.id === 'attach' && !document.getElementById('sheet').open")


@pytest.mark.asyncio
async def test_page_fits_a_narrow_screen(simulator: Simulator, tab: Tab) -> None:
    """At 360 pixels only a carousel scrolls sideways."""
    await tab.call("Emulation.setDeviceMetricsOverride", width=360, height=740, deviceScaleFactor=1, mobile=False)
    cards = [
        {"card_index": index, "type": "product", "action": {"catalog_id": "9", "product_retailer_id": f"MUG-{index}"}}
        for index in range(3)
    ]
    await shown(simulator, tab, interactive("carousel", {"cards": cards}))
    await tab.click("#attach")
    assert await tab.run("innerWidth") == 360
    assert await tab.run("document.documentElement.scrollWidth") <= 360


@pytest.mark.asyncio
async def test_hostile_contents_stay_text(simulator: Simulator, tab: Tab) -> None:
    """Whatever a customer's message says in any of its fields, it is shown as text and runs nothing."""
    link = "javascript:hacked=1"
    for kind, content in {
        "location": {"latitude": 1, "longitude": 2, "name": HOSTILE, "address": HOSTILE},
        "contacts": [
            {"name": {"formatted_name": HOSTILE}, "phones": [{"phone": HOSTILE}], "emails": [{"email": HOSTILE}]}
        ],
        "order": {
            "catalog_id": HOSTILE,
            "text": HOSTILE,
            "product_items": [{"product_retailer_id": HOSTILE, "quantity": HOSTILE}],
        },
        "document": {"id": HOSTILE, "filename": HOSTILE, "caption": HOSTILE, "link": link},
        "unsupported": {"type": HOSTILE},
        HOSTILE: {HOSTILE: HOSTILE},
    }.items():
        await simulator.post(
            f"customers/{LEA}/messages", {"type": "raw", "message": {"type": kind, kind: content}}, 201
        )
    await tab.until("document.querySelectorAll('.message').length === 6")
    await tab.until("document.querySelector('.place strong').textContent.includes('onerror')")
    hrefs = await tab.run("[...document.querySelectorAll('#chat a')].map(link => link.protocol)")
    assert await tab.run("[document.querySelectorAll('#chat img').length, typeof hacked]") == [0, "undefined"]
    assert set(hrefs) <= {"http:"}
