"""Every kind of message on the phone page, in a real browser: sent with one click, shown, answered."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
import pytest_asyncio
from aiohttp import web
from aiohttp.test_utils import TestServer

from rasa_whatsapp.simulator.app import STATIC

from .browser import Tab, running_chromium
from .conftest import Bot, Simulator
from .phone_page import LAST, arrived, holds, interactive, open_page, shown

FLOW = {"flow_message_version": "3", "flow_id": "7", "flow_cta": "Book", "flow_token": "t-1"}
SCREEN = {"flow_action": "navigate", "flow_action_payload": {"screen": "A", "data": {"seats": 2}}}
ROWS = [{"id": "one", "title": "One"}, {"id": "rasa-whatsapp/more", "title": "More"}]
OPTION, SUBMIT = "#sheet .option", "#sheet form [type=submit]"


def card(index: int) -> dict[str, Any]:
    """Return one media card with a quick reply."""
    return {
        "card_index": index,
        "type": "cta_url",
        "header": {"type": "image", "image": {"link": "https://cdn.example.com/mug.jpg"}},
        "body": {"text": f"Mug {index}"},
        "action": {"buttons": [{"type": "quick_reply", "quick_reply": {"id": f"mug-{index}", "title": "This"}}]},
    }


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
@pytest.mark.parametrize(
    ("name", "kind", "sent", "seen"),
    [
        ("Photo", "image", {"mime_type": "image/jpeg", "caption": "Look"}, ".querySelector('.photo img').naturalWidth"),
        ("Video", "video", {"mime_type": "video/mp4", "caption": "Look"}, ".querySelector('video').duration > 0.5"),
        ("Voice note", "audio", {"voice": True}, ".querySelector('.sound audio').duration > 0.5"),
        (
            "Document",
            "document",
            {"filename": "receipt-1002.pdf"},
            ".querySelector('a.file').download.endsWith('.pdf')",
        ),
        ("Sticker", "sticker", {"mime_type": "image/webp"}, ".querySelector('img.sticker').naturalWidth"),
        ("Location", "location", {"latitude": 52.5163, "longitude": 13.3777}, ".querySelector('.map')"),
        (
            "Contact",
            "contacts",
            [{"name": {"formatted_name": "Jonas Weber"}, "phones": [{"wa_id": "4915123456789"}]}],
            ".textContent.includes('Jonas Weber+49 151 23456789')",
        ),
        ("Order", "order", {"catalog_id": "300000000000001"}, ".textContent.includes('2 × MUG-01, 9.9 EUR')"),
        ("Poll", "unsupported", {"type": "poll_creation"}, ".querySelector('.notice')"),
    ],
    ids=["photo", "video", "voice_note", "document", "sticker", "location", "contact", "order", "poll"],
)
async def test_samples_are_sent_with_one_click(bot: Bot, tab: Tab, name: str, kind: str, sent: Any, seen: str) -> None:
    """Each kind goes out as on the wire, and the phone shows it; what was typed is the caption of media that take one."""
    await tab.fill("#text", "Look")
    await tab.click("#attach")
    await tab.click(f'[aria-label="Send a sample: {name}"]')
    message = await arrived(bot, kind)
    assert holds(message[kind], sent)
    await tab.until(f"document.querySelector('{LAST}'){seen}")


@pytest.mark.asyncio
async def test_voice_note_is_recorded_as_a_phone_does(simulator: Simulator, bot: Bot, tab: Tab) -> None:
    """The microphone's sound is OGG with Opus, whatever the browser's own recorder makes."""
    await tab.click("#attach")
    await tab.click('[aria-label="Record: Voice note"]')
    await tab.until("document.getElementById('recorded').textContent === '1 s'")
    await tab.click("#sheet-body .row button")
    audio = (await arrived(bot, "audio"))["audio"]
    assert (audio["mime_type"], audio["voice"]) == ("audio/ogg; codecs=opus", True)
    async with simulator.http.get(simulator.url(f"/control/media/{audio['id']}")) as answer:
        content = await answer.read()
    assert (content[:4], content[28:36]) == (b"OggS", b"OpusHead")


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("content", "clicks", "kind", "answer"),
    [
        pytest.param(
            interactive("button", {"buttons": [{"type": "reply", "reply": {"id": "yes", "title": "Yes"}}]}),
            [],
            "interactive",
            {"type": "button_reply", "button_reply": {"id": "yes", "title": "Yes"}},
            id="reply_button",
        ),
        pytest.param(
            interactive("list", {"button": "Options", "sections": [{"title": "All", "rows": ROWS}]}),
            [f"{OPTION}:last-child"],
            "interactive",
            {"type": "list_reply", "list_reply": {"id": "rasa-whatsapp/more", "title": "More"}},
            id="list_row_more",
        ),
        pytest.param(
            interactive("location_request_message", {"name": "send_location"}),
            [OPTION],
            "location",
            {"name": "Brandenburg Gate"},
            id="location_request",
        ),
        pytest.param(
            interactive("contact_request", {"name": "request_contact_info"}),
            [],
            "contacts",
            [{"origin": "contact_request"}],
            id="contact_request",
        ),
        pytest.param(
            interactive("call_permission_request", {"name": "call_permission_request"}),
            [],
            "interactive",
            {"type": "call_permission_reply", "call_permission_reply": {"response": "accept"}},
            id="call_permission",
        ),
        pytest.param(
            interactive("flow", {"name": "flow", "parameters": FLOW | SCREEN}),
            [SUBMIT],
            "interactive",
            {"type": "nfm_reply", "nfm_reply": {"response_json": '{"flow_token": "t-1", "seats": 2}'}},
            id="flow",
        ),
        pytest.param(
            interactive("product", {"catalog_id": "9", "product_retailer_id": "MUG-7"}),
            [SUBMIT],
            "order",
            {"catalog_id": "9", "product_items": [{"product_retailer_id": "MUG-7", "quantity": 2, "currency": "EUR"}]},
            id="product",
        ),
        pytest.param(
            interactive("carousel", {"cards": [card(0), card(1)]}),
            [],
            "interactive",
            {"type": "button_reply", "button_reply": {"id": "mug-0", "title": "This"}},
            id="carousel_quick_reply",
        ),
    ],
)
async def test_what_the_bot_asks_for_can_be_given(
    simulator: Simulator, bot: Bot, tab: Tab, content: dict[str, Any], clicks: list[str], kind: str, answer: Any
) -> None:
    """The first choice below a message, and what it opens, send the answer that a phone sends."""
    wamid = await shown(simulator, tab, content)
    for selector in [f"{LAST} .choices button", *clicks]:
        await tab.click(selector)
    message = await arrived(bot, kind)
    assert kind == "order" or message["context"]["id"] == wamid
    assert holds(message[kind], answer), message[kind]


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("content", "seen"),
    [
        pytest.param(
            {"type": "image", "image": {"link": "https://cdn.example.com/blue%20mug.jpg", "caption": "Blue"}},
            "textContent.includes('blue mug.jpgPhoto on cdn.example.comBlue') && !last.querySelector('img')",
            id="photo_elsewhere_is_not_loaded",
        ),
        pytest.param(
            {"type": "document", "document": {"link": "https://cdn.example.com/a", "filename": "Receipt.pdf"}},
            "textContent.includes('Receipt.pdfDocument on cdn.example.com')",
            id="document_elsewhere",
        ),
        pytest.param(
            {
                "type": "contacts",
                "contacts": [{"name": {"formatted_name": "Jo", "first_name": "Jo"}, "phones": [{"phone": "+491"}]}],
            },
            "querySelector('.contacts').textContent === 'JJo+491'",
            id="contact",
        ),
        pytest.param(
            interactive(
                "cta_url", {"name": "cta_url", "parameters": {"display_text": "Open", "url": "https://example.com/x"}}
            ),
            "querySelector('.choices a[target=_blank][rel=\"noopener noreferrer\"]').href === 'https://example.com/x'",
            id="link_button",
        ),
        pytest.param(
            interactive("carousel", {"cards": [card(0), card(1), card(2)]}),
            "querySelector('.carousel').scrollWidth > last.querySelector('.carousel').clientWidth",
            id="carousel_scrolls",
        ),
        pytest.param(
            {"type": "text", "text": {"body": "*a* _b_ ~c~ `d`\n> e"}},
            "querySelector('.text').innerHTML === '<strong>a</strong> <em>b</em> <del>c</del> <code>d</code>\\n<span class=\"cited\">e</span>'",
            id="markup",
        ),
    ],
)
async def test_phone_shows(simulator: Simulator, tab: Tab, content: dict[str, Any], seen: str) -> None:
    """What the business sends looks as on a phone, and nothing is fetched from other hosts."""
    await shown(simulator, tab, content)
    await tab.until(f"(last => last.{seen})(document.querySelector('{LAST}'))")


@pytest.mark.asyncio
async def test_photo_from_this_machine_is_shown(simulator: Simulator, tab: Tab) -> None:
    """A bot's own file server on loopback is no stranger."""

    async def photo(request: web.Request) -> web.StreamResponse:
        return web.FileResponse(STATIC / "icon.svg")

    app = web.Application()
    app.router.add_get("/mug.svg", photo)
    async with TestServer(app) as files:
        link = str(files.make_url("/mug.svg"))
        await shown(simulator, tab, {"type": "image", "image": {"link": link}})
        await tab.until(f"document.querySelector('{LAST} img[src=\"{link}\"]').complete")


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("address", "opens"),
    [
        ("https://example.com/x", True),
        ("http://example.com", True),
        ("javascript:alert(1)", False),
        ("data:text/html,x", False),
        ("blob:http://example.com/1", False),
        ("/relative", False),
    ],
)
async def test_only_web_addresses_are_opened(tab: Tab, address: str, opens: bool) -> None:
    """A link of any other scheme is no link on the page."""
    read = f"import('/static/links.js').then(links => links.webAddress('{address}') !== null)"
    assert await tab.run(read) is opens
