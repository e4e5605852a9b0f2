"""The client of the template management against a server of the test's own: what is repeated, what is not, where the token goes."""

from __future__ import annotations

import json
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from rasa_whatsapp.cloud.providers import business_account
from rasa_whatsapp.cloud.templates.management_errors import Scope
from rasa_whatsapp.templates.account import CallFailed, MediaFile, TemplateAccount

ITEM = {"id": "77", "name": "news", "language": "en", "status": "APPROVED", "category": "UTILITY"}


class Meta:
    """A server that gives the answers it was told, the last one for ever, and remembers what was asked."""

    def __init__(self):
        self.asked = []
        self.answers = []
        meta = self

        class Handler(BaseHTTPRequestHandler):
            def answer(self):
                length = int(self.headers.get("Content-Length") or 0)
                is_file = "file_offset" in self.headers
                read = self.rfile.read(length)
                sent = (self.headers["file_offset"], read) if is_file else json.loads(read) if length else None
                meta.asked.append((self.command, self.path.split("fields=")[0], self.path.partition("after=")[2], sent))
                meta.token = self.headers.get("Authorization")
                status, content, headers = meta.answers.pop(0) if len(meta.answers) > 1 else meta.answers[0]
                if status == 0:
                    self.connection.shutdown(socket.SHUT_RDWR)
                    return
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(json.dumps(content).encode())

            do_GET = do_POST = do_DELETE = answer  # noqa: N815 - the names are the library's

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"

    def answer(self, *answers):
        """Say what is answered, as (status, content) or (status, content, headers)."""
        self.answers = [(*answer, {})[:3] for answer in answers]


@pytest.fixture
def meta():
    """Return the server."""
    meta = Meta()
    yield meta
    meta.server.shutdown()
    meta.server.server_close()


@pytest.fixture
def pauses():
    """Return the list of the pauses that were made."""
    return []


@pytest.fixture
def account(meta, pauses, monkeypatch, tmp_path):
    """Return the client; there is a password for the host in ~/.netrc, which must not take the token's place."""
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login lea password hunter3\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    account = TemplateAccount(
        business_account(account_id="2", access_token="hunter2", graph_url=meta.url, api_version="v26.0", app_id="7"),
        sleep=pauses.append,
    )
    yield account
    account.close()


def page(*names, after=None, following="https://elsewhere.example/steal"):
    """Return a page of the list."""
    paging = {"cursors": {"after": after}, "next": following} if after else {}
    return 200, {"data": [ITEM | {"name": name} for name in names], "paging": paging}


def refusal(code, status=400):
    """Return a refusal."""
    return status, {"error": {"code": code, "message": "no"}}


def test_all_pages_of_the_configured_host(meta, account):
    """The address under `next` is not followed: its host may be anybody's."""
    meta.answer(page("a", after="x1"), page("b", "c", after="x2"), page("d"))
    assert [template.name for template in account.listed()] == ["a", "b", "c", "d"]
    assert [asked[2] for asked in meta.asked] == ["", "x1", "x2"]
    assert {asked[:2] for asked in meta.asked} == {("GET", "/v26.0/2/message_templates?")}
    assert meta.token == "Bearer hunter2"


def test_a_list_without_end(meta, account):
    """A cursor that comes twice ends the listing."""
    meta.answer(page("a", after="x1"))
    with pytest.raises(CallFailed, match="leads back to a page"):
        account.listed()
    assert len(meta.asked) == 2


@pytest.mark.parametrize("answer", [(503, {}), (0, {}), refusal(2, 503), refusal(80007)])
def test_a_listing_is_asked_for_again(meta, account, pauses, answer):
    """After growing pauses."""
    meta.answer(answer, answer, page("a"))
    assert [template.name for template in account.listed()] == ["a"]
    assert pauses == [1.0, 3.0]


def test_a_listing_is_given_up(meta, account, pauses):
    """After three repetitions; the last answer is told."""
    meta.answer(refusal(2, 503))
    with pytest.raises(CallFailed, match="Meta's error 2"):
        account.listed()
    assert (len(meta.asked), pauses) == (4, [1.0, 3.0, 10.0])


def test_a_refused_listing_is_not_repeated(meta, account, pauses):
    """An expired token stays one; it is not told."""
    meta.answer(refusal(190, 401))
    with pytest.raises(CallFailed, match="set a new access_token") as raised:
        account.listed()
    assert "hunter2" not in repr(raised.value)
    assert (len(meta.asked), pauses) == (1, [])


def test_a_stale_cursor_begins_the_list_anew(meta, account):
    """The list changed while it was read."""
    meta.answer(page("a", after="x1"), refusal(131059), page("b", after="x2"), page("c"))
    assert [template.name for template in account.listed()] == ["b", "c"]
    assert [asked[2] for asked in meta.asked] == ["", "x1", "", "x2"]


def test_a_redirect_is_not_followed(meta, account):
    """The token stays with the configured host."""
    meta.answer((302, {}, {"Location": "http://127.0.0.1:1/steal"}))
    with pytest.raises(CallFailed, match="HTTP 302 without an explanation"):
        account.listed()
    assert len(meta.asked) == 1


@pytest.mark.parametrize(
    ("call", "asked"),
    [
        (lambda account: account.create({"name": "news"}), ("POST", "/v26.0/2/message_templates", "", {"name": "news"})),
        (lambda account: account.edit("77", {"category": "UTILITY"}), ("POST", "/v26.0/77", "", {"category": "UTILITY"})),
        (lambda account: account.delete("news"), ("DELETE", "/v26.0/2/message_templates?name=news", "", None)),
        (lambda account: account.delete("news", "77"), ("DELETE", "/v26.0/2/message_templates?name=news&hsm_id=77", "", None)),
    ],
    ids=["create", "edit", "delete", "delete a translation"],
)  # fmt: skip
def test_what_changes_something_is_done_once(meta, account, pauses, call, asked):
    """Whatever the answer is, it is not repeated: it may have been done."""
    meta.answer((200, {"id": "77", "success": True}))
    call(account)
    assert meta.asked == [asked]
    for answer, scope in [((0, {}), Scope.UNCERTAIN), ((502, {}), Scope.UNCERTAIN), (refusal(80007), Scope.ACCOUNT)]:
        meta.asked.clear()
        meta.answer(answer)
        with pytest.raises(CallFailed) as raised:
            call(account)
        assert (raised.value.failure.scope, len(meta.asked), pauses) == (scope, 1, [])


def test_nobody_there(pauses):
    """What never left was surely not done."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, but nobody listens
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        account = TemplateAccount(
            business_account(account_id="2", access_token="hunter2", graph_url=url), sleep=pauses.append
        )
        with pytest.raises(CallFailed, match="cannot be reached") as raised:
            account.create({"name": "news"})
        account.close()
    assert raised.value.failure.scope is Scope.ACCOUNT
    assert pauses == []


FILE = MediaFile("a b.png", "image/png", b"0123456789")
BEGIN = ("POST", "/v26.0/7/uploads?file_name=a+b.png&file_length=10&file_type=image%2Fpng", None)
SESSION = "upload:MTp=?sig=AR-z"
BEGUN, HANDLE = (200, {"id": SESSION}), (200, {"h": "4::aW"})


def piece(offset, data):
    """Return the call that uploads these bytes."""
    return "POST", f"/v26.0/{SESSION}", (offset, data)


STATE = ("GET", f"/v26.0/{SESSION}", None)
WHOLE = piece("0", b"0123456789")


def state(offset):
    """Return the answer that tells from where to go on."""
    return 200, {"id": SESSION, "file_offset": offset}


@pytest.mark.parametrize(
    ("answers", "asked", "paused"),
    [
        ([BEGUN, HANDLE], [BEGIN, WHOLE], []),
        ([(503, {}), BEGUN, HANDLE], [BEGIN, BEGIN, WHOLE], [1.0]),
        ([BEGUN, (0, {}), state(4), HANDLE], [BEGIN, WHOLE, STATE, piece("4", b"456789")], [1.0]),
        ([BEGUN, (503, {}), state("0"), HANDLE], [BEGIN, WHOLE, STATE, WHOLE], [1.0]),
        ([BEGUN, refusal(2, 503), (0, {}), state(4), (0, {}), state(7), HANDLE],
         [BEGIN, WHOLE, STATE, STATE, piece("4", b"456789"), STATE, piece("7", b"789")], [1.0, 1.0, 3.0]),
        ([BEGUN, (200, {"file_offset": 4}), state(4), HANDLE], [BEGIN, WHOLE, STATE, piece("4", b"456789")], [1.0]),
        ([BEGUN, (0, {}), state(10), BEGUN, HANDLE], [BEGIN, WHOLE, STATE, BEGIN, WHOLE], [1.0]),
    ],
    ids=["at once", "announced again", "a broken connection", "nothing arrived", "broken three times", "a part is taken", "the handle was lost"],
)  # fmt: skip
def test_an_upload(meta, account, pauses, answers, asked, paused):
    """One that broke goes on where Meta says; the token follows the word that uploads want."""
    meta.answer(*answers)
    assert account.upload(FILE) == "4::aW"
    assert [(method, path, sent) for method, path, _, sent in meta.asked] == asked
    assert meta.token == "OAuth hunter2"
    assert pauses == paused


@pytest.mark.parametrize(
    ("answers", "scope", "told", "calls"),
    [
        ([refusal(100)], Scope.TEMPLATE, "does not accept a field", 1),
        ([BEGUN, refusal(100)], Scope.TEMPLATE, "does not accept a field", 2),
        ([BEGUN, refusal(190, 401)], Scope.ACCOUNT, "set a new access_token", 2),
        ([(400, {"error": {"code": 100, "error_subcode": 33}})], Scope.ACCOUNT, "check app_id", 1),
        ([(200, {"id": "77"})], Scope.ACCOUNT, "id is none of an upload", 1),
        ([BEGUN, (0, {}), state(4), (0, {}), state(4), (0, {}), state(4), (0, {})], Scope.ACCOUNT, "the connection broke", 8),
    ],
    ids=["the announcement", "the bytes", "an expired token", "another app", "no session", "it breaks again and again"],
)  # fmt: skip
def test_an_upload_that_fails(meta, account, answers, scope, told, calls):
    """It says which file; nothing is left that may have been done to a template."""
    meta.answer(*answers)
    with pytest.raises(CallFailed) as raised:
        account.upload(FILE)
    assert raised.value.failure.scope is scope
    assert str(raised.value).startswith("the sample a b.png is not uploaded: ")
    assert told in str(raised.value)
    assert (len(meta.asked), "hunter2" in str(raised.value)) == (calls, False)
