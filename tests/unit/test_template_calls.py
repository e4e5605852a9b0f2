"""The calls of Meta's template management, what their answers say, and what its refusals mean."""

from __future__ import annotations

import json

import pytest

from rasa_whatsapp.cloud.templates.calls import (
    Created,
    Page,
    creation,
    deletion,
    edit,
    listing,
    read_created,
    read_handle,
    read_offset,
    read_page,
    read_session,
    upload,
    upload_session,
    upload_state,
)
from rasa_whatsapp.cloud.templates.management_errors import Scope, read_failure
from rasa_whatsapp.cloud.wire import MalformedField

FIELDS = "id,name,language,status,category,parameter_format,components,message_send_ttl_seconds,quality_score,rejected_reason"
ITEM = {"id": "77", "name": "news", "language": "en_US", "status": "REJECTED", "category": "UTILITY"}


def body(value):
    """Return a value as the bytes of an answer."""
    return json.dumps(value).encode()


def test_a_listing_goes_on_by_its_cursor():
    """The fields that Meta leaves out by itself are asked for."""
    assert (listing("2").method, listing("2").path, listing("2").is_safe) == ("GET", "2/message_templates", True)
    assert listing("2").query == {"fields": FIELDS, "limit": "100"}
    assert listing("2", "abc").query == {"fields": FIELDS, "limit": "100", "after": "abc"}


def test_a_creation_sends_what_meta_knows():
    """What is the catalogue's alone stays here."""
    declared = {"name": "news", "language": "en", "category": "UTILITY", "components": [], "parameter_format": None}
    call = creation(
        "2",
        declared | {"status": "APPROVED", "message_send_ttl_seconds": 60, "response": "utter_news", "parameters": {}},
    )
    assert (call.method, call.path, call.is_safe) == ("POST", "2/message_templates", False)
    assert call.body == {
        "name": "news",
        "language": "en",
        "category": "UTILITY",
        "components": [],
        "message_send_ttl_seconds": 60,
    }


def test_edits_and_deletions():
    """A translation has an id; a deletion without it takes all languages."""
    assert (edit("77", {"category": "UTILITY"}).path, edit("77", {"category": "UTILITY"}).body) == (
        "77",
        {"category": "UTILITY"},
    )
    assert deletion("2", "news").query == {"name": "news"}
    assert deletion("2", "news", "77").query == {"name": "news", "hsm_id": "77"}
    assert (deletion("2", "news").method, deletion("2", "news").path) == ("DELETE", "2/message_templates")


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({}, ("en_US", "REJECTED", None, None)),
        (
            {"quality_score": {"score": "GREEN", "date": 1}, "rejected_reason": "NONE"},
            ("en_US", "REJECTED", "GREEN", None),
        ),
        ({"language": "en-US", "status": "approved"}, ("en_US", "APPROVED", None, None)),
        ({"rejected_reason": "INVALID_FORMAT", "id": 77}, ("en_US", "REJECTED", None, "INVALID_FORMAT")),
    ],
)
def test_templates_of_a_page(more, expected):
    """Quality and reason may be missing; the language is written as the API takes it."""
    (template,) = read_page(body({"data": [ITEM | more]})).templates
    assert (template.language, template.status, template.quality, template.rejected_reason) == expected
    assert (template.id, template.key) == ("77", ("news", "en_US"))


@pytest.mark.parametrize(
    ("paging", "after"),
    [
        ({}, None),
        ({"paging": {"cursors": {"before": "a", "after": "b"}}}, None),
        ({"paging": {"cursors": {"after": "b"}, "next": "https://elsewhere.example/x"}}, "b"),
    ],
)
def test_the_last_page_has_no_next(paging, after):
    """The cursor is taken; the address is not."""
    assert read_page(body({"data": []} | paging)) == Page((), after)


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (b"<html>", "the answer is no JSON"),
        (b"[]", "the answer is not an object"),
        (b"{}", "data is missing or not a list"),
        (body({"data": [1]}), "data is not an object"),
        (body({"data": [{"id": "1"}]}), "language is missing or not a text"),
        (body({"data": [], "paging": {"next": "x"}}), "paging.cursors is not an object"),
        (body({"data": [], "paging": {"next": "x", "cursors": {}}}), "after is missing or not a text"),
    ],
)
def test_answers_that_are_none(answer, problem):
    """The field is named, never its value."""
    with pytest.raises(MalformedField) as raised:
        read_page(answer)
    assert str(raised.value) in (problem, "name is missing or not a text")


def test_what_became_of_a_creation():
    """Meta may give it another category."""
    assert read_created(body({"id": "77", "status": "APPROVED", "category": "MARKETING"})) == Created(
        "77", "APPROVED", "MARKETING"
    )
    assert read_created(body({"id": 77})) == Created("77", "PENDING", None)


@pytest.mark.parametrize(
    ("status", "error", "scope", "again", "told"),
    [
        (401, {"code": 190, "message": "Error validating"}, Scope.ACCOUNT, False,
         "Meta's error 190: the access token has expired: set a new access_token"),
        (400, {"code": 100, "error_subcode": 33, "message": "Unsupported get request."}, Scope.ACCOUNT, False,
         "Meta's error 100 (33): there is no such account for this token"),
        (403, {"code": 200}, Scope.ACCOUNT, False, "Meta's error 200: the access token lacks a permission"),
        (400, {"code": 100, "error_subcode": 2388299, "error_user_msg": "Variables can't be at the end."}, Scope.TEMPLATE,
         False, "Meta's error 100 (2388299): the text begins or ends with a variable: put a word before and after it. "
         "Meta says: Variables can't be at the end."),
        (400, {"code": 100, "error_subcode": 2388023}, Scope.TEMPLATE, False, "Meta's error 100 (2388023): this name and language"),
        (400, {"code": 100, "error_subcode": 2388318}, Scope.TEMPLATE, False, "Meta's error 100 (2388318): Meta made it for Direct Send"),
        (400, {"code": 100, "error_subcode": 2388330}, Scope.TEMPLATE, False, "Meta's error 100 (2388330): Meta made it for Direct Send"),
        (400, {"code": 100, "error_subcode": 2388019}, Scope.ACCOUNT, False, "Meta's error 100 (2388019): the account has as many"),
        (400, {"code": 100, "message": "m", "error_data": {"details": "name is too long"}}, Scope.TEMPLATE, False,
         "Meta's error 100: Meta does not accept a field: see its words. Meta says: name is too long"),
        (400, {"code": 100, "error_data": "as a text"}, Scope.TEMPLATE, False, "Meta's error 100: Meta does not accept a field"),
        (400, {"code": 80007}, Scope.ACCOUNT, True, "Meta's error 80007: the account's call rate is reached"),
        (503, {"code": 2}, Scope.ACCOUNT, True, "Meta's error 2: Meta is overloaded"),
        (429, {"code": 999999}, Scope.ACCOUNT, True, "Meta's error 999999: too many calls"),
        (500, {"code": 999999}, Scope.UNCERTAIN, True, "Meta's error 999999: Meta answered with a server error"),
        (400, {"code": 999999}, Scope.TEMPLATE, False, "Meta's error 999999: see Meta's list of error codes"),
        (502, None, Scope.UNCERTAIN, True, "HTTP 502: a gateway answered instead of Meta"),
        (302, None, Scope.ACCOUNT, False, "HTTP 302 without an explanation: check graph_url and api_version"),
    ],
)  # fmt: skip
def test_refusals(status, error, scope, again, told):
    """Each tells code, remedy and Meta's words; and whether it is this template's affair or everything's."""
    failure = read_failure(status, b"<html>" if error is None else body({"error": error}))
    assert (failure.scope, failure.again) == (scope, again)
    assert failure.text.startswith(told)


@pytest.mark.parametrize("code", [0, 190])
def test_what_meta_says_of_a_token_is_not_told(code):
    """It quotes a malformed one."""
    failure = read_failure(400, body({"error": {"code": code, "message": "Malformed access token EAAhunter2"}}))
    assert "hunter2" not in failure.text


def test_the_calls_of_an_upload():
    """Bytes go once; announcing a file and asking for its state may be repeated."""
    begin = upload_session("7", name="a b.png", mime_type="image/png", size=9)
    assert (begin.method, begin.path, begin.query) == (
        "POST",
        "7/uploads",
        {"file_name": "a b.png", "file_length": "9", "file_type": "image/png"},
    )
    piece, state = upload("upload:x?sig=y", b"abc", 6), upload_state("upload:x?sig=y")
    assert (piece.method, piece.path, piece.data, piece.offset) == ("POST", "upload:x?sig=y", b"abc", 6)
    assert (state.method, state.path, state.offset) == ("GET", "upload:x?sig=y", None)
    assert [call.uploads for call in (begin, piece, state)] == [True, True, True]
    assert [call.is_safe for call in (begin, piece, state)] == [True, False, True]
    assert "abc" not in repr(piece)


@pytest.mark.parametrize("session", ["upload:MTphd/HRh=?sig=ARZ-_1", "upload:MTphd"])
def test_a_session(session):
    """Its id may end with a signature."""
    assert read_session(body({"id": session})) == session


@pytest.mark.parametrize(
    "answer",
    [
        {"id": "7"},
        {"id": 7},
        {},
        {"id": "upload:"},
        {"id": "upload:a b"},
        {"id": "upload:a#b"},
        {"id": "https://elsewhere.example/upload:a"},
    ],
)
def test_what_is_no_session(answer):
    """The bytes and the token would go somewhere else."""
    with pytest.raises(MalformedField):
        read_session(body(answer))


def test_how_far_an_upload_is():
    """A number, or the digits of one."""
    assert (read_offset(body({"file_offset": 30})), read_offset(body({"file_offset": "30"}))) == (30, 30)
    for wrong in ({}, {"file_offset": -1}, {"file_offset": "x"}, {"file_offset": None}):
        with pytest.raises(MalformedField):
            read_offset(body(wrong))


def test_a_handle():
    """It is a text, and is not read any further."""
    assert read_handle(body({"h": "4::aW1n\n4::b"})) == "4::aW1n\n4::b"
    with pytest.raises(MalformedField):
        read_handle(body({"id": "upload:x", "file_offset": 3}))


def test_what_is_not_there_is_the_app():
    """A call of an upload names no account."""
    refusal = body({"error": {"code": 100, "error_subcode": 33, "message": "Object with ID '7' does not exist"}})
    assert "check app_id" in read_failure(400, refusal, of_upload=True).text
    assert "check business_account_id" in read_failure(400, refusal).text
