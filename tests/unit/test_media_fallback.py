"""Media by link: uploaded when they go out often, uploaded when Meta cannot load them, at last a plain link."""

from __future__ import annotations

import pytest

from rasa_whatsapp.cloud.answers import Refused
from rasa_whatsapp.cloud.graph_errors import Disposition
from rasa_whatsapp.cloud.templates import TemplateBook, read_translation
from rasa_whatsapp.delivery import DeliveryRules

LINK = "https://shop.example/price-list.pdf"
DOCUMENT = {"text": "Our prices", "attachment": {"url": LINK, "filename": "prices.pdf", "type": "document"}}
OURS = DeliveryRules(upload_hosts=("shop.example",))


def sent(stage):
    """Return how each message carried the document."""
    return [
        (body["document"].get("link") or body["document"].get("id")) if body["type"] == "document" else body["type"]
        for body in stage.graph.sent
    ]


async def say(stage, cause, response=DOCUMENT):
    """Let the bot say it."""
    await stage.say(stage.contact_id, cause, 1, response, proactive=False)
    await stage.idle()


@pytest.mark.asyncio
async def test_uploaded_from_the_second_time_on(stage):
    """Then the id is used until it expires, after 29 days, and it is uploaded anew."""
    await stage.start(delivery=OURS)
    await stage.receive(stage.message("Hi"))
    for cause in ("one", "two", "three"):
        await say(stage, cause)
    assert (sent(stage), stage.uploads.links) == ([LINK, "9001", "9001"], [LINK])
    stage.clock.advance(days=29)
    await stage.receive(stage.message("Hi"))
    await say(stage, "four")
    assert (sent(stage)[-1], stage.uploads.links) == ("9002", [LINK, LINK])


@pytest.mark.asyncio
async def test_a_foreign_host_is_never_asked(stage):
    """Only hosts that the configuration names; Meta fetches the rest itself."""
    await stage.start()
    await stage.receive(stage.message("Hi"))
    for cause in ("one", "two", "three"):
        await say(stage, cause)
    assert (sent(stage), stage.uploads.links) == ([LINK, LINK, LINK], [])


@pytest.mark.asyncio
async def test_an_upload_that_fails_is_not_repeated_for_an_hour(stage):
    """The link goes out as before."""
    stage.uploads.failing = True
    await stage.start(delivery=OURS)
    await stage.receive(stage.message("Hi"))
    for cause in ("one", "two", "three"):
        await say(stage, cause)
    assert (sent(stage), len(stage.uploads.links)) == ([LINK, LINK, LINK], 1)
    stage.clock.advance(minutes=61)
    await say(stage, "four")
    assert len(stage.uploads.links) == 2


@pytest.mark.parametrize("code", [131052, 131053])
@pytest.mark.parametrize(
    ("rules", "failing", "way"),
    [
        (OURS, False, [LINK, "9001"]),
        (OURS, True, [LINK, "text"]),
        (DeliveryRules(), False, [LINK, "text"]),
    ],
    ids=["uploaded", "not uploadable either", "a foreign host"],
)
@pytest.mark.asyncio
async def test_meta_could_not_load_it(stage, code, rules, failing, way):
    """A failed status leads to the upload, or to a plain link, once."""
    stage.uploads.failing = failing
    await stage.start(delivery=rules)
    await stage.receive(stage.message("Hi"))
    await say(stage, "one")
    for _ in range(2):
        await stage.receive(stage.status("wamid.OUT1", "failed", code=code))
    assert sent(stage) == way
    if way[-1] == "text":
        assert LINK in stage.graph.sent[-1]["text"]["body"]
        assert "Our prices" in stage.graph.sent[-1]["text"]["body"]


@pytest.mark.asyncio
async def test_the_upload_fails_at_meta_too(stage):
    """Link, id, plain link; and then no more."""
    await stage.start(delivery=OURS)
    await stage.receive(stage.message("Hi"))
    await say(stage, "one")
    for number in (1, 2, 3):
        await stage.receive(stage.status(f"wamid.OUT{number}", "failed", code=131053))
    assert sent(stage) == [LINK, "9001", "text"]


@pytest.mark.asyncio
async def test_an_id_that_meta_no_longer_knows(stage):
    """Refused at once with 131009: uploaded anew."""
    await stage.start(delivery=OURS)
    await stage.receive(stage.message("Hi"))
    for cause in ("one", "two"):
        await say(stage, cause)
    stage.graph.answers = [Refused(Disposition.GIVE_UP, 131009, "x")]
    await say(stage, "three")
    assert sent(stage) == [LINK, "9001", "9001", "9002"]


@pytest.mark.asyncio
async def test_another_mistake_is_no_media_matter(stage):
    """131009 about a link that was never uploaded: the same content would fail again."""
    await stage.start(delivery=OURS)
    await stage.receive(stage.message("Hi"))
    stage.graph.answers = [Refused(Disposition.GIVE_UP, 131009, "x")]
    await say(stage, "one")
    assert (sent(stage), stage.states("outbox")) == ([LINK], ["failed"])


PHOTO = "https://shop.example/a.png"
SHIPPED = {"custom": {"template": {"name": "shipped", "header": {"image": {"link": PHOTO}}}}}
BOOK = TemplateBook(
    (
        read_translation(
            {
                "name": "shipped",
                "language": "en",
                "category": "UTILITY",
                "components": [{"type": "HEADER", "format": "IMAGE"}, {"type": "BODY", "text": "It is on its way."}],
            }
        ),
    )
)


def pictures(stage):
    """Return how each template carried its picture."""
    headers = [body["template"]["components"][0]["parameters"][0]["image"] for body in stage.graph.sent]
    return [image.get("link") or image.get("id") for image in headers]


@pytest.mark.asyncio
async def test_a_templates_picture_is_uploaded_from_the_second_time_on(stage):
    """A campaign needs one upload, and Meta no fetch for each."""
    await stage.start(delivery=DeliveryRules(templates=BOOK, fallback_languages=["en"], upload_hosts=("shop.example",)))
    await stage.receive(stage.message("Hi"))
    for cause in ("one", "two", "three"):
        await say(stage, cause, SHIPPED)
    assert (pictures(stage), stage.uploads.links) == ([PHOTO, "9001", "9001"], [PHOTO])


@pytest.mark.parametrize(
    ("hosts", "failing", "way", "end"),
    [
        (("shop.example",), False, [PHOTO, "9001"], ("accepted", None)),
        (("shop.example",), True, [PHOTO], ("refused", "Meta cannot load the template's media, and they cannot be")),
        ((), False, [PHOTO], ("refused", "Meta cannot load the template's media, and they cannot be")),
    ],
    ids=["uploaded", "not uploadable either", "a foreign host"],
)
@pytest.mark.asyncio
async def test_meta_could_not_load_a_templates_picture(stage, hosts, failing, way, end):
    """It is tried once with an upload; the words of a template are as approved, so there is no plain form."""
    stage.uploads.failing = failing
    await stage.start(delivery=DeliveryRules(templates=BOOK, fallback_languages=["en"], upload_hosts=hosts))
    await stage.receive(stage.message("Hi"))
    await say(stage, "one", SHIPPED)
    await stage.receive(stage.status("wamid.OUT1", "failed", code=131053))
    first, second = stage.rows("outbox")
    assert pictures(stage) == way
    assert (first["state"], second["state"], (second["reason"] or "")[: len(end[1] or "")] or None) == ("failed", *end)
    if way[-1] != PHOTO:
        await stage.receive(stage.status("wamid.OUT2", "failed", code=131053))
    assert (len(stage.rows("outbox")), pictures(stage)) == (2, way)
