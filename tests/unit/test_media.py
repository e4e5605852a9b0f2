"""Media for custom actions: a file is kept only if it is what was announced, and the token goes nowhere else."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import stat
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import pytest_asyncio
from aiohttp import web
from aiohttp.test_utils import TestServer

from rasa_whatsapp import media
from rasa_whatsapp.cloud.media import Reference, file_name
from rasa_whatsapp.errors import ConfigInvalid, MediaRefused, MediaUnavailable

TOKEN = "hunter2-token"
JPEG = b"\xff\xd8\xff\xe0 the bytes of a photo"
SHA = hashlib.sha256(JPEG)
PHOTO = {"id": "77", "kind": "image", "mime_type": "image/jpeg"}


class Place:
    """A server on this machine; `answers` holds a handler for each path, every request is remembered."""

    def __init__(self):
        self.seen = []
        self.answers = {}

    async def handle(self, request):
        """Answer by the path."""
        self.seen.append((request.path, request.headers.get("Authorization"), request.headers.get("D360-API-KEY")))
        handler = self.answers[request.path]
        return await handler(request) if asyncio.iscoroutinefunction(handler) else handler(request)

    @property
    def paths(self):
        """Return the paths that were asked for."""
        return [path for path, *_ in self.seen]


@pytest_asyncio.fixture
async def places():
    """Return two servers: Graph with its media, and one that is not trusted."""
    servers, made = [], []
    for _ in range(2):
        place = Place()
        app = web.Application()
        app.router.add_get("/{path:.*}", place.handle)
        server = TestServer(app)
        await server.start_server()
        place.url = str(server.make_url("")).rstrip("/")
        servers.append(server)
        made.append(place)
    yield made
    for server in servers:
        await server.close()


@pytest.fixture
def graph(places):
    """Return Graph, which has the photo: an address for its id, and the bytes there."""
    place = places[0]
    place.resolved = {"url": f"{place.url}/bytes?mid=1", "mime_type": "image/jpeg", "sha256": SHA.hexdigest()}
    place.answers["/v26.0/77"] = lambda request: web.json_response(
        {key: value for key, value in place.resolved.items() if value is not None}
    )
    place.answers["/bytes"] = lambda request: web.Response(body=JPEG, content_type="image/jpeg")
    return place


@pytest.fixture
def stranger(places):
    """Return a server that no setting names."""
    return places[1]


@pytest.fixture
def bot(tmp_path, graph, monkeypatch):
    """Return a bot's folder with its credentials; tests run in it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("WHATSAPP_ACCESS_TOKEN", TOKEN)
    monkeypatch.delenv("RASA_WHATSAPP_CREDENTIALS", raising=False)
    write_credentials(tmp_path, graph_url=graph.url)
    return tmp_path


def write_credentials(folder, **changes):
    """Write a credentials file."""
    plain = {
        "phone_number_id": "1000",
        "access_token": "${WHATSAPP_ACCESS_TOKEN}",
        "app_secret": "s",
        "verify_token": "v",
    }
    lines = [f'  {key}: "{value}"' for key, value in (plain | changes).items() if isinstance(value, str)]
    lines += [f"  {key}: {value}" for key, value in changes.items() if not isinstance(value, str)]
    (folder / "credentials.yml").write_text("\n".join(["rasa_whatsapp.WhatsAppInput:", *lines]) + "\n")


def files_in(folder):
    """Return what is in a folder, hidden files too."""
    return list(folder.iterdir()) if folder.exists() else []


async def refusal(error, reference=PHOTO, **more):
    """Return why the download failed; nothing is left of it, and the text tells no secret and no query."""
    folder = Path("photos")
    with pytest.raises(error) as problem:
        await media.download(reference, to=folder, **more)
    assert files_in(folder) == []
    assert TOKEN not in str(problem.value)
    assert "mid=" not in str(problem.value)
    return str(problem.value)


@pytest.mark.asyncio
async def test_a_photo(bot, graph):
    """It ends as a file that only its owner reads, under a name made of kind and id; the token went to Graph alone."""
    stored = await media.download(PHOTO, to=Path("a/photos"))
    assert stored == media.StoredFile(
        path=Path("a/photos/image-a88a7902cb4ef697.jpg"),
        mime_type="image/jpeg",
        sha256=SHA.hexdigest(),
        size=len(JPEG),
    )
    assert stored.path.read_bytes() == JPEG
    assert stat.S_IMODE(stored.path.stat().st_mode) == 0o600
    assert files_in(stored.path.parent) == [stored.path]
    assert graph.seen == [("/v26.0/77", f"Bearer {TOKEN}", None), ("/bytes", f"Bearer {TOKEN}", None)]


@pytest.mark.asyncio
async def test_again(bot):
    """The same media is the same file; another file of that name is not overwritten."""
    first = await media.download(PHOTO, to=bot)
    assert await media.download(PHOTO, to=bot) == first
    first.path.write_bytes(b"somebody else's")
    second = await media.download(PHOTO, to=bot)
    assert second.path.name == f"{first.path.stem}-2.jpg"
    assert first.path.read_bytes() == b"somebody else's"
    assert second.path.read_bytes() == JPEG


@pytest.mark.asyncio
async def test_without_hard_links(bot, monkeypatch):
    """A file system without them stores it all the same, and overwrites nothing."""

    def refuse(*_):
        raise PermissionError("no links here")

    monkeypatch.setattr("os.link", refuse)
    first = await media.download(PHOTO, to=bot)
    first.path.write_bytes(b"somebody else's")
    second = await media.download(PHOTO, to=bot)
    assert (first.path.read_bytes(), second.path.read_bytes()) == (b"somebody else's", JPEG)


@pytest.mark.asyncio
async def test_a_name_that_points_elsewhere(bot):
    """A symbolic link in the file's place is neither followed nor replaced."""
    first = await media.download(PHOTO, to=bot)
    first.path.rename(bot / "original.jpg")
    first.path.symlink_to(bot / "original.jpg")
    second = await media.download(PHOTO, to=bot)
    assert second.path != first.path
    assert first.path.is_symlink()


@pytest.mark.asyncio
@pytest.mark.parametrize("sha256", [SHA.hexdigest(), SHA.hexdigest().upper(), base64.b64encode(SHA.digest()).decode()])
async def test_forms_of_the_hash(bot, graph, sha256):
    """Webhooks give it as base64, Graph as hex; either is read in both places."""
    graph.resolved["sha256"] = sha256
    stored = await media.download(PHOTO | {"sha256": sha256}, to=bot)
    assert stored.sha256 == SHA.hexdigest()


@pytest.mark.asyncio
@pytest.mark.parametrize("size", [len(JPEG), str(len(JPEG)), None, "unknown"])
async def test_forms_of_the_size(bot, graph, size):
    """Graph gives the size as a number or as a text, or not at all."""
    graph.resolved["file_size"] = size
    assert (await media.download(PHOTO, to=bot)).size == len(JPEG)


OTHER = hashlib.sha256(b"other bytes")


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("resolved", "reference", "reason"),
    [
        ({"sha256": OTHER.hexdigest()}, {}, "SHA-256 is not the one that the provider gives"),
        ({}, {"sha256": base64.b64encode(OTHER.digest()).decode()}, "SHA-256 is not the one that the webhook gives"),
        ({"sha256": "md5:77"}, {}, "sha256: neither"),
        ({}, {"sha256": ["77"]}, "sha256: neither"),
        ({"mime_type": "image/png"}, {"mime_type": None}, "served as image/jpeg, but the provider says image/png"),
        ({}, {"mime_type": "application/pdf"}, "served as image/jpeg, but the webhook says application/pdf"),
        ({"mime_type": "x\nWARNING forged"}, {}, "but the provider says something that is no type"),
        ({"file_size": len(JPEG) - 1}, {}, f"it has {len(JPEG)} bytes, but {len(JPEG) - 1} were announced"),
        ({"file_size": 150 * 1024 * 1024}, {}, "it has 157286400 bytes; at most 104857600 are allowed"),
        ({}, {"id": "../../me?fields=id"}, "id: it is missing or not of the form"),
        ({}, {"id": None}, "id: it is missing"),
        ({}, {"id": 77}, "id: it is missing"),
    ],
    ids=[
        "Graph's hash",
        "the webhook's hash",
        "a hash of no known form",
        "a hash that is no text",
        "Graph's type",
        "the webhook's type",
        "a type that forges a line of the log",
        "the size",
        "150 MB announced",
        "an id that is a path",
        "no id",
        "an id that is no text",
    ],
)
async def test_not_what_was_announced(bot, graph, resolved, reference, reason):
    """A file that is not what webhook and Graph say is refused, and nothing of it stays."""
    graph.resolved |= resolved
    assert reason in await refusal(MediaRefused, PHOTO | reference)


@pytest.mark.asyncio
@pytest.mark.parametrize("content_type", ["audio/ogg; codecs=opus", "AUDIO/OGG", "audio/ogg"])
async def test_parameters_of_a_type(bot, graph, content_type):
    """What follows the type's name is not compared."""
    graph.resolved["mime_type"] = "audio/ogg"
    graph.answers["/bytes"] = lambda request: web.Response(body=JPEG, headers={"Content-Type": content_type})
    stored = await media.download({"id": "77", "kind": "audio", "mime_type": "audio/ogg; codecs=opus"}, to=bot)
    assert (stored.mime_type, stored.path.suffix) == ("audio/ogg", ".ogg")


@pytest.mark.asyncio
async def test_the_size_lies(bot, graph):
    """The cap holds while the bytes come, whatever was announced."""
    sent = []

    async def endless(request):
        response = web.StreamResponse(headers={"Content-Type": "image/jpeg"})
        await response.prepare(request)
        while len(sent) < 1000:
            sent.append(1)
            await response.write(b"x" * 100_000)
        return response

    graph.answers["/bytes"] = endless
    graph.resolved["file_size"] = 10
    assert "larger than the 1000000 bytes" in await refusal(MediaRefused, most_bytes=1_000_000)
    assert len(sent) < 900


@pytest.mark.asyncio
async def test_a_long_answer(bot, graph):
    """An answer that names a length over the cap is refused before its bytes come."""
    done = asyncio.Event()

    async def announce(request):
        response = web.StreamResponse(headers={"Content-Type": "image/jpeg", "Content-Length": "157286400"})
        await response.prepare(request)
        await asyncio.wait_for(done.wait(), 5)
        return response

    graph.answers["/bytes"] = announce
    assert "larger than the 104857600 bytes" in await refusal(MediaRefused, timeout_seconds=4)
    done.set()


@pytest.mark.asyncio
async def test_packed_bytes(bot, graph):
    """Compressed bytes are not taken: they would be counted and hashed as others than they become."""
    graph.answers["/bytes"] = lambda request: web.Response(
        body=b"\x1f\x8b" + b"x" * 10, headers={"Content-Type": "image/jpeg", "Content-Encoding": "gzip"}
    )
    assert "packed" in await refusal(MediaRefused)


@pytest.mark.asyncio
async def test_a_slow_drip(bot, graph):
    """The time-out is for all of it: a byte now and then does not lengthen it."""

    async def drip(request):
        response = web.StreamResponse(headers={"Content-Type": "image/jpeg"})
        await response.prepare(request)
        for _ in range(1000):
            await response.write(b"x")
            await asyncio.sleep(0.02)
        return response

    graph.answers["/bytes"] = drip
    reason = await asyncio.wait_for(refusal(MediaUnavailable, timeout_seconds=0.3), 5)
    assert "try again later" in reason


@pytest.mark.asyncio
async def test_the_time_for_all(bot, graph):
    """The time-out holds for all requests together."""

    async def late_and_gone(request):
        await asyncio.sleep(0.2)
        return web.Response(status=404)

    graph.answers["/bytes"] = late_and_gone
    assert "did not come within 0.5 seconds" in await refusal(MediaUnavailable, timeout_seconds=0.5)


@pytest.mark.asyncio
@pytest.mark.parametrize(
    "url",
    [
        "{stranger}/bytes?mid=1",
        "http://user@{place}/bytes?mid=1",
        "ftp://{place}/bytes?mid=1",
        "file:///etc/passwd",
        "http://localhost:{port}/bytes?mid=1",
        "//{place}/bytes?mid=1",
        "bytes?mid=1",
        "",
    ],
)
async def test_an_address_that_is_not_trusted(bot, graph, stranger, url):
    """Whatever address Graph's answer names: it is asked only if it is Graph's own or a media host's."""
    place = graph.url.removeprefix("http://")
    graph.resolved["url"] = url.format(stranger=stranger.url, place=place, port=place.split(":")[1])
    stranger.answers["/bytes"] = graph.answers["/bytes"]
    assert "address is not allowed" in await refusal(MediaRefused)
    assert (graph.paths, stranger.seen) == (["/v26.0/77"], [])


@pytest.mark.asyncio
async def test_a_media_host(bot, graph, stranger):
    """A host that the settings name gets the token and is asked for the bytes."""
    write_credentials(bot, graph_url=graph.url, media_hosts=[stranger.url.removeprefix("http://")])
    graph.resolved["url"] = f"{stranger.url}/bytes?mid=1"
    stranger.answers["/bytes"] = graph.answers["/bytes"]
    await media.download(PHOTO, to=bot)
    assert stranger.seen == [("/bytes", f"Bearer {TOKEN}", None)]


def redirect(to):
    """Return a handler that sends on."""
    return lambda request: web.Response(status=302, headers={"Location": to})


@pytest.mark.asyncio
@pytest.mark.parametrize("location", ["{stranger}/bytes", "http:///bytes", "http://[", "file:///etc/passwd"])
async def test_a_redirect_elsewhere(bot, graph, stranger, location):
    """It is not followed to a place that is not trusted."""
    graph.answers["/bytes"] = redirect(location.format(stranger=stranger.url))
    stranger.answers["/bytes"] = lambda request: web.Response(body=JPEG, content_type="image/jpeg")
    await refusal((MediaRefused, MediaUnavailable))
    assert stranger.seen == []


@pytest.mark.asyncio
async def test_a_redirect_within(bot, graph):
    """Within the trusted hosts it is followed, without the token."""
    graph.answers["/elsewhere"] = graph.answers["/bytes"]
    graph.answers["/bytes"] = redirect("/elsewhere?mid=2")
    assert (await media.download(PHOTO, to=bot)).size == len(JPEG)
    assert graph.seen[1:] == [("/bytes", f"Bearer {TOKEN}", None), ("/elsewhere", None, None)]


@pytest.mark.asyncio
async def test_redirects_without_end(bot, graph):
    """After the third it is enough."""
    graph.answers["/bytes"] = redirect("/bytes")
    assert "redirected more than 3 times" in await refusal(MediaRefused)
    assert graph.paths == ["/v26.0/77", "/bytes", "/bytes", "/bytes", "/bytes"]


@pytest.mark.asyncio
async def test_graph_does_not_redirect(bot, graph, stranger):
    """The question for the address carries the token: it is not sent on at all, not even within Graph."""
    graph.answers["/v26.0/77"] = redirect("/v26.0/78")
    assert "redirected" in await refusal(MediaRefused)
    assert graph.paths == ["/v26.0/77"]


@pytest.mark.asyncio
@pytest.mark.parametrize("status", [404, 410])
async def test_an_expired_address(bot, graph, status):
    """It is resolved again, and the new address is used."""
    expired = [status]
    fresh = graph.answers["/bytes"]
    graph.answers["/bytes"] = lambda request: (
        web.Response(status=expired.pop(), text="gone " * 100) if expired else fresh(request)
    )
    assert (await media.download(PHOTO, to=bot, most_bytes=len(JPEG))).size == len(JPEG)
    assert graph.paths == ["/v26.0/77", "/bytes"] * 2


@pytest.mark.asyncio
async def test_an_address_that_always_expires(bot, graph):
    """After the third it is given up."""
    graph.answers["/bytes"] = lambda request: web.Response(status=404)
    assert "it is gone" in await refusal(MediaUnavailable)
    assert graph.paths == ["/v26.0/77", "/bytes"] * 3


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (lambda: web.json_response({"error": {"code": 100, "error_subcode": 33}}, status=400), "kept for 7 days"),
        (lambda: web.Response(status=404), "kept for 7 days"),
        (lambda: web.json_response({"error": {"code": 190}}, status=401), "set a new access_token"),
        (lambda: web.json_response({"error": {"code": 190}}, status=400), "set a new access_token"),
        (lambda: web.json_response({"error": {"code": 4}}, status=400), "Meta's error 4"),
        (lambda: web.Response(status=502, text="<html>"), "HTTP 502"),
        (lambda: web.Response(text="<html>"), "cannot be read"),
        (lambda: web.json_response(["a"]), "cannot be read"),
        (lambda: web.json_response({"id": "77"}), "cannot be read"),
        (lambda: web.json_response({"url": 7}), "cannot be read"),
    ],
    ids=[
        "gone",
        "not found",
        "token",
        "token with 400",
        "rate",
        "gateway",
        "no JSON",
        "a list",
        "no address",
        "an address that is a number",
    ],
)
async def test_no_address_for_the_id(bot, graph, answer, reason):
    """The text says whether to ask the customer again, to mend the token or to try later."""
    graph.answers["/v26.0/77"] = lambda request: answer()
    assert reason in await refusal(MediaUnavailable)
    assert graph.paths == ["/v26.0/77"]


@pytest.mark.asyncio
async def test_an_answer_without_end(bot, graph):
    """Graph's answer about an id is read up to a limit too."""
    graph.answers["/v26.0/77"] = lambda request: web.Response(body=b" " * 100_000)
    assert "larger than" in await refusal(MediaRefused)


@pytest.mark.asyncio
@pytest.mark.parametrize(("status", "times"), [(401, 1), (403, 1), (500, 1)])
async def test_no_bytes(bot, graph, status, times):
    """Other answers than 200 are no file, and no reason to resolve again."""
    graph.answers["/bytes"] = lambda request: web.Response(status=status, body=b"not a photo")
    assert f"HTTP {status}" in await refusal(MediaUnavailable)
    assert graph.paths == ["/v26.0/77", "/bytes"]


@pytest.mark.asyncio
async def test_nobody_there(bot, graph):
    """A connection that cannot be made is told by its kind, without its address."""
    write_credentials(bot, graph_url="http://127.0.0.1:9")
    assert "connection failed (ClientConnectorError)" in await refusal(MediaUnavailable)


@pytest.mark.asyncio
async def test_cut_off(bot, graph):
    """A file that ends too early is none."""

    async def cut(request):
        response = web.StreamResponse(headers={"Content-Type": "image/jpeg", "Content-Length": "5000"})
        await response.prepare(request)
        await response.write(JPEG)
        request.transport.close()
        return response

    graph.answers["/bytes"] = cut
    assert "connection failed" in await refusal(MediaUnavailable)


@pytest.mark.asyncio
async def test_360dialog(bot, graph):
    """The bytes are fetched at the provider in the place of Meta's media host; the key goes there and nowhere else."""
    write_credentials(
        bot, provider="360dialog", graph_url=graph.url, webhook_secret="w", app_secret=None, verify_token=None
    )
    graph.resolved["url"] = "https://lookaside.fbsbx.com/bytes?mid=1"
    graph.answers["/77"] = graph.answers["/v26.0/77"]
    assert (await media.download(PHOTO, to=bot)).size == len(JPEG)
    assert graph.seen == [("/77", None, TOKEN), ("/bytes", None, TOKEN)]


NUMBERS = '[{phone_number_id: "1000"}, {phone_number_id: "2000", access_token: second}]'


class Literal:
    """A value that is written into YAML as it is."""

    def __init__(self, text):
        self.text = text

    def __str__(self):
        return self.text


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("of_media", "given", "token"),
    [({"number_id": "2000"}, None, "second"), ({}, "2000", "second"), ({"number_id": "2000"}, "1000", TOKEN)],
    ids=["named by the message", "given", "given and named"],
)
async def test_several_numbers(bot, graph, of_media, given, token):
    """The number that received the media is the one that asks for it."""
    write_credentials(bot, graph_url=graph.url, numbers=Literal(NUMBERS))
    await media.download(PHOTO | of_media, to=bot, number_id=given)
    assert {authorization for _, authorization, _ in graph.seen} == {f"Bearer {token}"}


@pytest.mark.asyncio
@pytest.mark.parametrize("number_id", [None, "3000"])
async def test_which_number(bot, graph, number_id):
    """It is not guessed."""
    write_credentials(bot, graph_url=graph.url, numbers=Literal(NUMBERS))
    assert "number_id" in await refusal(ConfigInvalid, number_id=number_id)
    assert graph.seen == []


@pytest.mark.asyncio
async def test_no_credentials(bot):
    """Credentials that cannot be used are told before anything is asked for."""
    (bot / "credentials.yml").unlink()
    assert "cannot be read" in await refusal(ConfigInvalid)


@pytest.mark.asyncio
async def test_credentials_elsewhere(bot, graph, monkeypatch):
    """The environment may name the file, and an argument another one."""
    (bot / "credentials.yml").rename(bot / "other.yml")
    await media.download(PHOTO, to=bot, credentials=bot / "other.yml")
    monkeypatch.setenv("RASA_WHATSAPP_CREDENTIALS", str(bot / "other.yml"))
    await media.download(PHOTO, to=bot)
    assert graph.paths == ["/v26.0/77", "/bytes"] * 2


@pytest.mark.asyncio
async def test_an_action_server_has_less(bot, graph):
    """The secrets of the webhook and the settings of the channel are not needed, nor files that they name."""
    write_credentials(
        bot,
        graph_url=graph.url,
        app_secret="${NO_SUCH_SECRET}",
        verify_token=None,
        database_url="${NO_SUCH_DATABASE}",
        templates="no-such-file.yml",
        numbers=Literal('[{phone_number_id: "1000", app_secret: "${NO_SUCH_SECRET}"}]'),
    )
    assert (await media.download(PHOTO, to=bot)).size == len(JPEG)


@pytest.mark.asyncio
async def test_no_token(bot, graph, monkeypatch):
    """The token is: a missing variable is named."""
    monkeypatch.delenv("WHATSAPP_ACCESS_TOKEN")
    assert "WHATSAPP_ACCESS_TOKEN is not set" in await refusal(ConfigInvalid)
    assert graph.seen == []


@pytest.mark.parametrize(
    ("name", "mime_type", "expected"),
    [
        (None, "application/pdf", ".pdf"),
        ("Rechnung Mai.pdf", "application/pdf", "-Rechnung_Mai.pdf"),
        ("invoice.pdf.exe", "application/pdf", "-invoice_pdf.pdf"),
        ("page.html", "text/html", "-page.bin"),
        ("logo.svg", "image/svg+xml", "-logo.bin"),
        ("../../etc/passwd", "text/plain", "-passwd.txt"),
        ("C:\\Windows\\system32\\evil.txt", "text/plain", "-evil.txt"),
        (".htaccess", "text/plain", "-htaccess.txt"),
        ("..", "text/plain", ".txt"),
        ("/", "text/plain", ".txt"),
        ("a\x00b\nc\x1b[2J.txt", "text/plain", "-a_b_c_2J.txt"),
        ("photo\u202egpj.exe", "text/plain", "-photo_gpj.txt"),
        ("$(rm -rf ~);'\"`|&.txt", "text/plain", "-rm_-rf.txt"),
        ("-rf.txt", "text/plain", "-rf.txt"),
        ("CON.txt", "text/plain", "-CON.txt"),
        ("Übergröße 東京.txt", "text/plain", "-Übergröße_東京.txt"),
        ("U\u0308ber.txt", "text/plain", "-Über.txt"),
        ("\ud800.txt", "text/plain", ".txt"),
        ("🙂.txt", "text/plain", ".txt"),
    ],
)
def test_file_names(name, mime_type, expected):
    """Kind and a digest of the id, then what is harmless of the sender's name, then the one extension of the type."""
    reference = Reference(media_id="77", kind="document", mime_type=None, sha256=None, file_name=name)
    # printf 77 | sha256sum
    assert file_name(reference, mime_type) == f"document-a88a7902cb4ef697{expected}"


@pytest.mark.parametrize("name", ["x" * 300 + ".txt", "東" * 300 + ".txt", "é" * 300, "a." * 300])
def test_long_file_names(name):
    """A name stays within what file systems take, and is cut between letters."""
    reference = Reference(media_id="77", kind="document", mime_type=None, sha256=None, file_name=name)
    made = file_name(reference, "text/plain")
    assert 90 <= len(made.encode()) <= 96
    assert made.endswith(".txt")


@pytest.mark.asyncio
async def test_kinds_that_are_none(bot):
    """The kind is a part of the name only if it is one of Meta's."""
    stored = await media.download(PHOTO | {"kind": "../x"}, to=bot)
    assert stored.path.parent == bot
    assert stored.path.name.startswith("media-")


@pytest.mark.parametrize(
    ("latest", "expected"),
    [
        ({"metadata": {"whatsapp": {"media": PHOTO, "number_id": "1000"}}}, PHOTO | {"number_id": "1000"}),
        ({"metadata": {"whatsapp": {"number_id": "1000"}}}, None),
        ({"metadata": {"whatsapp": None}}, None),
        ({"metadata": None}, None),
        ({}, None),
        (None, None),
    ],
    ids=["a photo", "a text", "another channel", "no metadata", "nothing", "no message"],
)
def test_media_of(latest, expected):
    """What an action reads of the latest message."""
    assert media.media_of(SimpleNamespace(latest_message=latest)) == expected


def test_it_loads_no_rasa():
    """An action server imports it without Rasa and what comes with it."""
    program = "import sys, rasa_whatsapp.media; print(*{name.split('.')[0] for name in sys.modules})"
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert set(run.stdout.split()) & {"rasa", "rasa_sdk", "sanic", "tensorflow", "numpy"} == set()
