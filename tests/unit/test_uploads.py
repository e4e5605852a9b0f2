"""Uploads: a link at one of our own hosts becomes a media id; nobody else's host is ever asked."""

from __future__ import annotations

import asyncio

import pytest
import pytest_asyncio
from aiohttp import web
from aiohttp.test_utils import TestServer

from rasa_whatsapp.cloud.answers import Refused
from rasa_whatsapp.cloud.graph_errors import Disposition
from rasa_whatsapp.cloud.media_links import MediaLink
from rasa_whatsapp.errors import UploadFailed
from rasa_whatsapp.uploads import Uploads

pytestmark = pytest.mark.asyncio

PNG = b"\x89PNG a picture"


class Shop:
    """A file server on this machine; `answers` holds a handler for each path."""

    def __init__(self):
        self.seen = []
        self.answers = {}

    async def handle(self, request):
        """Remember and answer."""
        self.seen.append(request.path)
        handler = self.answers[request.path]
        return await handler(request) if asyncio.iscoroutinefunction(handler) else handler(request)


class Meta:
    """Takes uploads and remembers them."""

    def __init__(self):
        self.taken = []
        self.answer = "77"

    async def upload(self, number_id, file, *, mime_type):
        """Remember the file, answer as told."""
        self.taken.append((number_id, file.name, mime_type, file.read_bytes()))
        return self.answer


@pytest_asyncio.fixture
async def shops():
    """Return two file servers; the first is an upload host."""
    servers, made = [], []
    for _ in range(2):
        shop = Shop()
        app = web.Application()
        app.router.add_get("/{path:.*}", shop.handle)
        server = TestServer(app)
        await server.start_server()
        shop.place = str(server.make_url("")).rstrip("/").removeprefix("http://")
        shop.url = f"http://{shop.place}"
        servers.append(server)
        made.append(shop)
    yield made
    for server in servers:
        await server.close()


@pytest.fixture
def meta():
    """Return Meta's double."""
    return Meta()


@pytest.fixture
def uploads(shops, meta):
    """Return uploads from the first server."""
    return Uploads(meta, [shops[0].place], timeout_seconds=5)


def served(body=PNG, content_type="image/png", **more):
    """Return a handler that serves a file."""
    headers = {"Content-Type": content_type} if content_type else {}
    return lambda request: web.Response(body=body, headers=headers, **more)


@pytest.mark.parametrize(
    ("kind", "path", "content_type", "uploaded_as"),
    [
        ("image", "/a.png", "image/png", ("image.png", "image/png")),
        ("image", "/a", "image/JPEG; charset=binary", ("image.jpg", "image/jpeg")),
        ("image", "/a.jpeg", "application/octet-stream", ("image.jpg", "image/jpeg")),
        ("image", "/a.png", "binary/octet-stream", ("image.png", "image/png")),
        ("document", "/a.PDF", "application/octet-stream", ("document.pdf", "application/pdf")),
        ("audio", "/a.ogg", "audio/ogg", ("audio.ogg", "audio/ogg")),
        ("sticker", "/a.webp", "image/webp", ("sticker.webp", "image/webp")),
    ],
)
async def test_an_upload(uploads, shops, meta, kind, path, content_type, uploaded_as):
    """It goes up under its number, with a name by its type; where the server knows no type, the extension tells it."""
    shops[0].answers[path] = served(content_type=content_type)
    assert await uploads.upload("1000", MediaLink(kind, f"{shops[0].url}{path}?v=1", "secret name.png")) == "77"
    assert meta.taken == [("1000", *uploaded_as, PNG)]


@pytest.mark.parametrize(
    "link",
    [
        "http://{stranger}/a.png",
        "http://{host}@{stranger}/a.png",
        "http://user@{host}/a.png",
        "ftp://{host}/a.png",
        "file:///etc/passwd",
        "http://localhost:{port}/a.png",
        "http://127.0.0.1/a.png",
        "a.png",
    ],
)
async def test_hosts_that_are_not_ours(uploads, shops, meta, link):
    """Nobody is asked for a link that is not at an upload host."""
    given = link.format(host=shops[0].place, stranger=shops[1].place, port=shops[0].place.split(":")[1])
    with pytest.raises(UploadFailed, match="address is not allowed"):
        await uploads.upload("1000", MediaLink("image", given))
    assert (shops[0].seen, shops[1].seen, meta.taken) == ([], [], [])


async def test_redirects(uploads, shops, meta):
    """Within the upload hosts up to three are followed, elsewhere none."""
    ours, other = shops
    for number in range(1, 5):
        ours.answers[f"/{number}"] = lambda request, to=number - 1: web.Response(
            status=302, headers={"Location": f"/{to}"}
        )
    ours.answers["/0"] = other.answers["/0"] = served()
    assert await uploads.upload("1000", MediaLink("image", f"{ours.url}/3")) == "77"
    with pytest.raises(UploadFailed, match="redirected more than 3 times"):
        await uploads.upload("1000", MediaLink("image", f"{ours.url}/4"))
    ours.answers["/1"] = lambda request: web.Response(status=302, headers={"Location": f"{other.url}/0"})
    with pytest.raises(UploadFailed, match="address is not allowed"):
        await uploads.upload("1000", MediaLink("image", f"{ours.url}/1"))
    assert other.seen == []


@pytest.mark.parametrize(
    ("kind", "path", "handler", "reason"),
    [
        ("image", "/a.png", served(b"x" * (5 * 1024 * 1024 + 1)), "larger than the 5242880 bytes"),
        ("sticker", "/a.webp", served(b"x" * 512_001, "image/webp"), "larger than the 512000 bytes"),
        ("image", "/a.webp", served(content_type="image/webp"), "served as image/webp"),
        ("image", "/login", served(b"<html>", "text/html"), "served as text/html"),
        ("document", "/a.html", served(b"<html>", "application/octet-stream"), "served as application/octet-stream"),
        ("video", "/a.png", served(content_type="image/png"), "none that Meta takes for this kind"),
        ("image", "/a.png", served(status=404), "HTTP 404 from its host"),
        ("image", "/a.png", served(status=500), "HTTP 500 from its host"),
    ],
    ids=[
        "an image over 5 MB",
        "a sticker over 500 KB",
        "a type Meta does not take",
        "a page in the place of a picture",
        "an unknown type and no known extension",
        "another kind",
        "not found",
        "server trouble",
    ],
)
async def test_files_that_meta_would_not_take(uploads, shops, meta, kind, path, handler, reason):
    """The reason is told without the link, and nothing is uploaded."""
    shops[0].answers[path] = handler
    with pytest.raises(UploadFailed, match=reason) as problem:
        await uploads.upload("1000", MediaLink(kind, f"{shops[0].url}{path}?token=hunter2"))
    assert "hunter2" not in str(problem.value)
    assert meta.taken == []


async def test_a_slow_drip(shops, meta):
    """The time-out is for the whole file."""

    async def drip(request):
        response = web.StreamResponse(headers={"Content-Type": "image/png"})
        await response.prepare(request)
        for _ in range(1000):
            await response.write(b"x")
            await asyncio.sleep(0.02)
        return response

    shops[0].answers["/a.png"] = drip
    uploads = Uploads(meta, [shops[0].place], timeout_seconds=0.3)
    with pytest.raises(UploadFailed):
        await asyncio.wait_for(uploads.upload("1000", MediaLink("image", f"{shops[0].url}/a.png")), 5)


async def test_slow_redirects(shops, meta):
    """The time-out is for all requests together."""

    async def late(request):
        await asyncio.sleep(0.2)
        return web.Response(status=302, headers={"Location": f"/{int(request.path[1:]) - 1}"})

    shops[0].answers = {"/3": late, "/2": late, "/1": late, "/0": served()}
    uploads = Uploads(meta, [shops[0].place], timeout_seconds=0.5)
    with pytest.raises(UploadFailed, match=r"did not come in 0\.5 seconds"):
        await uploads.upload("1000", MediaLink("image", f"{shops[0].url}/3"))


async def test_meta_refuses(uploads, shops, meta):
    """Meta's reason is told."""
    shops[0].answers["/a.png"] = served()
    meta.answer = Refused(Disposition.GIVE_UP, 131053, "Meta's error 131053: check kind and size")
    with pytest.raises(UploadFailed, match="was not taken: Meta's error 131053"):
        await uploads.upload("1000", MediaLink("image", f"{shops[0].url}/a.png"))


async def test_nobody_there(meta):
    """A host that does not answer is a reason too."""
    with pytest.raises(UploadFailed, match="connection failed"):
        await Uploads(meta, ["127.0.0.1:9"]).upload("1000", MediaLink("image", "http://127.0.0.1:9/a.png"))


async def test_no_room_on_the_disk(uploads, shops, meta, monkeypatch):
    """What goes wrong on this machine fails the upload and nothing else."""

    def full(*args, **kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("tempfile.mkdtemp", full)
    with pytest.raises(UploadFailed, match="No space left on device"):
        await uploads.upload("1000", MediaLink("image", f"{shops[0].url}/a.png"))
