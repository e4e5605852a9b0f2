"""Media at the Graph API's door: upload, look-up, bytes, deletion, ages; what can be sent by id; what the page gets."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientResponse, FormData

from rasa_whatsapp.simulator.media_kinds import can_be_sent_as, is_animated, kind_of, size_problem
from rasa_whatsapp.simulator.settings import Number

from .conftest import AUTHORISED, LEA, NUMBER, Bot, Simulator, Start, eventually

PNG = b"\x89PNG tiny"
PNG_HASH = "c980ae083b8422bb6fb08e2f014340d63511a4e065ae2022510d16eb19def9aa"  # sha256sum
READER = AUTHORISED | {"User-Agent": "care-bot/1.0"}
MIB = 1024 * 1024
STILL = b"RIFF\0\0\0\0WEBPVP8 " + b"\0" * 20
MOVING = b"RIFF\0\0\0\0WEBPVP8X\x0a\0\0\0\x02" + b"\0" * 20


def padded(head: bytes, size: int) -> bytes:
    """Return bytes of an exact length."""
    return head + b"\0" * (size - len(head))


@pytest.mark.parametrize(
    ("mime_type", "kind"),
    [
        ("audio/ogg; codecs=opus", "audio"),
        ("audio/amr", "audio"),
        ("application/pdf", "document"),
        ("TEXT/PLAIN", "document"),
        ("image/jpeg", "image"),
        ("image/webp", "sticker"),
        ("video/3gpp", "video"),
        ("image/gif", None),
        ("text/html", None),
        ("", None),
    ],
)
def test_kind_of_a_type(mime_type: str, kind: str | None) -> None:
    """The part before the semicolon counts, in any case of letters."""
    assert kind_of(mime_type) == kind


@pytest.mark.parametrize(
    ("mime_type", "data", "fits"),
    [
        pytest.param("image/png", padded(PNG, 5 * MIB), True, id="picture of 5 MiB"),
        pytest.param("image/png", padded(PNG, 5 * MIB + 1), False, id="picture of a byte more"),
        pytest.param("audio/ogg", padded(b"", 16 * MIB), True, id="recording of 16 MiB"),
        pytest.param("audio/ogg", padded(b"", 16 * MIB + 1), False, id="recording of a byte more"),
        pytest.param("video/mp4", padded(b"", 16 * MIB + 1), False, id="video of a byte more"),
        pytest.param("application/pdf", padded(b"", 16 * MIB + 1), True, id="document above 16 MiB"),
        pytest.param("image/webp", padded(STILL, 100 * 1024), True, id="still sticker of 100 KiB"),
        pytest.param("image/webp", padded(STILL, 100 * 1024 + 1), False, id="still sticker of a byte more"),
        pytest.param("image/webp", padded(MOVING, 500 * 1024), True, id="moving sticker of 500 KiB"),
        pytest.param("image/webp", padded(MOVING, 500 * 1024 + 1), False, id="moving sticker of a byte more"),
        pytest.param("image/png", b"", False, id="empty file"),
    ],
)
def test_sizes(mime_type: str, data: bytes, fits: bool) -> None:
    """Each kind has its own limit; moving stickers may be bigger than still ones."""
    assert (size_problem(mime_type, data) is None) is fits


def test_animated_stickers_are_told_by_their_flags() -> None:
    """The file says whether it moves."""
    assert (is_animated(MOVING), is_animated(STILL), is_animated(MOVING[:18])) == (True, False, False)


@pytest.mark.parametrize(
    ("kind", "mime_type", "can"),
    [
        ("image", "image/png", True),
        ("image", "image/webp", False),
        ("sticker", "image/webp", True),
        ("audio", "video/mp4", False),
        ("document", "image/png", True),
        ("document", "application/zip", True),
    ],
)
def test_what_can_be_sent_as_what(kind: str, mime_type: str, can: bool) -> None:
    """A file goes as its own kind, and any file as a document."""
    assert can_be_sent_as(kind, mime_type) is can


def form(data: bytes = PNG, mime_type: str = "image/png", **fields: str | None) -> FormData:
    """Return an upload; a field of None is left out."""
    made = FormData()
    for name, value in {"messaging_product": "whatsapp", "type": mime_type, **fields}.items():
        if value is not None:
            made.add_field(name, value)
    made.add_field("file", data, filename="a.png", content_type=mime_type)
    return made


async def upload(simulator: Simulator, data: FormData | None = None, path: str = NUMBER) -> tuple[int, dict[str, Any]]:
    """Upload a file."""
    url = simulator.url(f"{path}/media")
    async with simulator.http.post(url, data=data or form(), headers=AUTHORISED) as answer:
        return answer.status, await answer.json()


async def uploaded(simulator: Simulator, data: FormData | None = None) -> str:
    """Upload a file that is accepted; return its id."""
    status, answer = await upload(simulator, data)
    assert status == 200, answer
    return str(answer["id"])


async def node(simulator: Simulator, media_id: str, method: str = "GET") -> tuple[int, dict[str, Any]]:
    """Look a file up, or delete it."""
    async with simulator.http.request(method, simulator.url(f"/v26.0/{media_id}"), headers=AUTHORISED) as answer:
        return answer.status, await answer.json()


async def fetch(simulator: Simulator, url: str, headers: dict[str, str] = READER) -> ClientResponse:
    """Fetch a file's bytes."""
    answer = await simulator.http.get(url, headers=headers)
    await answer.read()
    return answer


async def received(simulator: Simulator, bot: Bot, **more: Any) -> dict[str, Any]:
    """Let Lea send a picture; return its object in the webhook."""
    body = {"type": "image", "data": base64.b64encode(PNG).decode(), "mime_type": "image/png", **more}
    await simulator.post(f"customers/{LEA}/messages", body, 201)
    (message,) = await eventually(bot.messages, "the webhook")
    image: dict[str, Any] = message["image"]
    return image


@pytest.mark.asyncio
async def test_upload_look_up_fetch_delete(simulator: Simulator) -> None:
    """The whole life of a file."""
    media_id = await uploaded(simulator)
    status, found = await node(simulator, media_id)
    assert media_id.isdecimal()
    assert (status, found) == (
        200,
        {
            "messaging_product": "whatsapp",
            "url": found["url"],
            "mime_type": "image/png",
            "sha256": PNG_HASH,
            "file_size": "9",
            "id": media_id,
        },
    )
    assert found["url"].startswith(simulator.url("/media-bytes/"))
    answer = await fetch(simulator, found["url"])
    assert (answer.status, answer.headers["Content-Type"], await answer.read()) == (200, "image/png", PNG)
    assert await node(simulator, media_id, "DELETE") == (200, {"success": True})
    assert (await node(simulator, media_id))[1]["error"]["error_subcode"] == 33
    assert (await fetch(simulator, found["url"])).status == 404


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("data", "code"),
    [
        pytest.param(form(messaging_product=None), 100, id="no product"),
        pytest.param(form(messaging_product="sms"), 100, id="another product"),
        pytest.param(form(type=None), 100, id="no type"),
        pytest.param(form(type="image/jpeg"), 100, id="type differs from the file's"),
        pytest.param(form(mime_type="image/gif"), 100, id="type that WhatsApp takes not"),
        pytest.param(form(mime_type="text/html"), 100, id="web page"),
        pytest.param(form(b""), 131053, id="empty file"),
        pytest.param(form(padded(PNG, 5 * MIB + 1)), 131053, id="too big"),
        pytest.param(FormData({"messaging_product": "whatsapp", "type": "image/png"}), 100, id="no form with parts"),
    ],
)
async def test_uploads_that_are_refused(simulator: Simulator, data: FormData, code: int) -> None:
    """Types are refused with 100, sizes with 131053, and nothing is kept."""
    status, answer = await upload(simulator, data)
    assert (status, answer["error"]["code"]) == (400, code)


@pytest.mark.asyncio
async def test_big_document_is_taken(simulator: Simulator) -> None:
    """An upload is not held to the size of other bodies."""
    await uploaded(simulator, form(padded(b"%PDF", 30 * MIB), "application/pdf"))


@pytest.mark.asyncio
async def test_journal_names_the_file_and_not_its_bytes(simulator: Simulator) -> None:
    """An upload stands in the journal with name, type and size."""
    await uploaded(simulator)
    (entry,) = (await simulator.get("requests"))["requests"]
    assert (entry["status"], entry["body"]) == (200, {"filename": "a.png", "type": "image/png", "size": 9})


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("headers", "status"),
    [
        pytest.param(READER, 200, id="token and name"),
        pytest.param({"D360-API-KEY": "demo-access-token", "User-Agent": "care-bot/1.0"}, 200, id="key and name"),
        pytest.param({"User-Agent": "care-bot/1.0"}, 401, id="no token"),
        pytest.param({"Authorization": "Bearer x", "User-Agent": "care-bot/1.0"}, 401, id="wrong token"),
        pytest.param(AUTHORISED, 403, id="library's own name"),
        pytest.param(AUTHORISED | {"User-Agent": "python-requests/2.31"}, 403, id="another library's name"),
        pytest.param(AUTHORISED | {"User-Agent": ""}, 403, id="no name"),
    ],
)
async def test_who_gets_the_bytes(simulator: Simulator, headers: dict[str, str], status: int) -> None:
    """Only a client with the token and a name of its own."""
    _, found = await node(simulator, await uploaded(simulator))
    assert (await fetch(simulator, found["url"], headers)).status == status


@pytest.mark.asyncio
async def test_address_lives_five_minutes(simulator: Simulator) -> None:
    """By the simulated clock; another look-up gives a fresh one."""
    media_id = await uploaded(simulator)
    _, found = await node(simulator, media_id)
    await simulator.post("clock", {"advance_seconds": 290})
    assert (await fetch(simulator, found["url"])).status == 200
    await simulator.post("clock", {"advance_seconds": 11})
    assert (await fetch(simulator, found["url"])).status == 404
    _, again = await node(simulator, media_id)
    assert (await fetch(simulator, again["url"])).status == 200


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("inbound", "days"), [pytest.param(False, 30, id="upload"), pytest.param(True, 7, id="webhook")]
)
async def test_ids_expire(simulator: Simulator, bot: Bot, inbound: bool, days: int) -> None:
    """An upload lives 30 days, what a customer sent 7."""
    media_id = (await received(simulator, bot))["id"] if inbound else await uploaded(simulator)
    await simulator.post("clock", {"advance_seconds": days * 86_400 - 60})
    assert (await node(simulator, media_id))[0] == 200
    await simulator.post("clock", {"advance_seconds": 61})
    assert (await node(simulator, media_id))[0] == 400


@pytest.mark.asyncio
async def test_customers_media_can_be_fetched(simulator: Simulator, bot: Bot) -> None:
    """By the id of the webhook, or by the address that is in it when asked for."""
    image = await received(simulator, bot, with_url=True)
    _, found = await node(simulator, image["id"])
    assert base64.b64decode(image["sha256"]).hex() == found["sha256"]
    for url in (image["url"], found["url"]):
        assert await (await fetch(simulator, url)).read() == PNG


@pytest.mark.asyncio
async def test_media_belong_to_their_number(start: Start) -> None:
    """Another number can neither look a file up, when it says which number it is, nor send it."""
    simulator = await start(more_numbers=(Number(id="222", display="4930901820001", token="demo-access-token"),))
    media_id = await uploaded(simulator)
    assert (await node(simulator, f"{media_id}?phone_number_id=100000000000001"))[0] == 200
    assert (await node(simulator, f"{media_id}?phone_number_id=222"))[0] == 400
    body = {"messaging_product": "whatsapp", "to": f"+{LEA}", "type": "image", "image": {"id": media_id}}
    async with simulator.http.post(simulator.url("/v26.0/222/messages"), json=body, headers=AUTHORISED) as answer:
        assert (answer.status, (await answer.json())["error"]["code"]) == (400, 131009)


@pytest.mark.asyncio
async def test_sending_by_id(simulator: Simulator) -> None:
    """A stored file is shown with its address for the page; also above buttons."""
    await simulator.write()
    media_id = await uploaded(simulator)
    await simulator.send({"type": "image", "image": {"id": media_id, "caption": "Look"}})
    await simulator.send({"type": "document", "document": {"id": media_id, "filename": "b.png"}})
    buttons = {"buttons": [{"type": "reply", "reply": {"id": "a", "title": "A"}}]}
    header = {"type": "image", "image": {"id": media_id}}
    interactive = {"type": "button", "header": header, "body": {"text": "?"}, "action": buttons}
    await simulator.send({"type": "interactive", "interactive": interactive})
    _, image, document, question = await simulator.chat()
    stored = {"id": media_id, "url": f"/control/media/{media_id}", "mime_type": "image/png", "size": 9}
    assert (image["text"], image["media"]) == ("Look", {"kind": "image", "filename": "a.png", **stored})
    assert document["media"] == {"kind": "document", "filename": "b.png", **stored}
    assert question["media"] == {"kind": "image", "filename": "a.png", **stored}


@pytest.mark.asyncio
async def test_customers_media_can_be_sent_back(simulator: Simulator, bot: Bot) -> None:
    """The id of a webhook is one of the number's, too."""
    image = await received(simulator, bot)
    await simulator.send({"type": "image", "image": {"id": image["id"]}})


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("content", "code"),
    [
        pytest.param({"type": "image", "image": {"id": "12345"}}, 131009, id="unknown id"),
        pytest.param({"type": "image", "image": {"id": 12345}}, 100, id="id that is a number"),
        pytest.param({"type": "audio", "audio": {"id": "MEDIA"}}, 131053, id="picture as a recording"),
        pytest.param({"type": "sticker", "sticker": {"id": "MEDIA"}}, 131053, id="PNG as a sticker"),
        pytest.param({"type": "sticker", "sticker": {"link": "https://a.example", "caption": "x"}}, 100, id="caption"),
        pytest.param({"type": "image", "image": {"id": "MEDIA", "filename": "x"}}, 100, id="file name of a picture"),
        pytest.param({"type": "image", "image": {"id": "MEDIA", "caption": "x" * 1025}}, 131009, id="long caption"),
        pytest.param({"type": "audio", "audio": {"id": "MP3", "voice": True}}, 131053, id="voice that is no Opus"),
    ],
)
async def test_what_cannot_be_sent(simulator: Simulator, content: dict[str, Any], code: int) -> None:
    """Unknown ids and files of another kind are refused."""
    await simulator.write()
    ids = {"MEDIA": await uploaded(simulator), "MP3": await uploaded(simulator, form(b"ID3", "audio/mpeg"))}
    media = content[content["type"]]
    changed = {
        **content,
        content["type"]: {**media, **({"id": ids.get(media["id"], media["id"])} if "id" in media else {})},
    }
    status, answer = await simulator.graph({"messaging_product": "whatsapp", "to": f"+{LEA}", **changed})
    assert (status, answer["error"]["code"]) == (400, code)


@pytest.mark.asyncio
async def test_voice_message_is_shown_as_one(simulator: Simulator) -> None:
    """An Opus file with the flag is a voice message."""
    await simulator.write()
    media_id = await uploaded(simulator, form(b"OggS", "audio/ogg; codecs=opus"))
    await simulator.send({"type": "audio", "audio": {"id": media_id, "voice": True}})
    assert (await simulator.chat())[1]["media"]["voice"] is True


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("mime_type", "shown_as", "disposition"),
    [
        pytest.param("image/png", "image/png", None, id="picture"),
        pytest.param("audio/ogg; codecs=opus", "audio/ogg", None, id="recording"),
        pytest.param("text/html", "application/octet-stream", 'attachment; filename="x_y.html"', id="web page"),
        pytest.param("image/svg+xml", "application/octet-stream", 'attachment; filename="x_y.html"', id="drawing with script"),
        pytest.param("application/pdf", "application/octet-stream", 'attachment; filename="x_y.html"', id="document"),
    ],
)  # fmt: skip
async def test_page_gets_nothing_that_runs(
    simulator: Simulator, bot: Bot, mime_type: str, shown_as: str, disposition: str | None
) -> None:
    """The page gets pictures and sound as they are, all else as a download, never guessed at."""
    body = {"type": "document", "data": base64.b64encode(b"<script>").decode(), "mime_type": mime_type}
    await simulator.post(f"customers/{LEA}/messages", {**body, "filename": 'x"\r\n/y.html'}, 201)
    (shown,) = await simulator.chat()
    async with simulator.http.get(simulator.url(shown["media"]["url"])) as answer:
        assert (answer.status, answer.headers["Content-Type"]) == (200, shown_as)
        assert answer.headers.get("Content-Disposition") == disposition
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
    await simulator.get("media/999", 404)


@pytest.mark.asyncio
async def test_media_outlive_a_restart(start: Start, tmp_path: Path) -> None:
    """Files and addresses are in the database."""
    database = tmp_path / "simulator.db"
    before = await start(database_path=database)
    media_id = await uploaded(before)
    _, found = await node(before, media_id)
    await before.stop()
    after = await start(database_path=database)
    token = found["url"].rpartition("/")[2]
    assert await (await fetch(after, after.url(f"/media-bytes/{token}"))).read() == PNG
    assert (await node(after, media_id))[0] == 200


@pytest.mark.asyncio
async def test_deleted_media_stay_on_the_phone(simulator: Simulator) -> None:
    """What the customer got is not taken away."""
    await simulator.write()
    media_id = await uploaded(simulator)
    await simulator.send({"type": "image", "image": {"id": media_id}})
    await node(simulator, media_id, "DELETE")
    url = (await simulator.chat())[1]["media"]["url"]
    async with simulator.http.get(simulator.url(url)) as answer:
        assert await answer.read() == PNG


@pytest.mark.asyncio
async def test_too_large_a_body_is_refused_with_a_sentence(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    """A customer cannot send more than the control API takes."""
    monkeypatch.setattr("rasa_whatsapp.simulator.app.MAX_BODY_BYTES", 1000)
    simulator = await start()
    body = {"type": "video", "data": "A" * 2000, "mime_type": "video/mp4"}
    assert "too large" in (await simulator.post(f"customers/{LEA}/messages", body, 413))["error"]


@pytest.mark.asyncio
async def test_customer_sends_a_big_video(simulator: Simulator) -> None:
    """The biggest video that WhatsApp takes fits into the control API."""
    body = {"type": "video", "data": base64.b64encode(padded(b"", 16 * MIB)).decode(), "mime_type": "video/mp4"}
    await simulator.post(f"customers/{LEA}/messages", body, 201)
    assert (await simulator.chat())[0]["media"]["size"] == 16_777_216
