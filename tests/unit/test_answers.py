"""Graph's answers: accepted, or refused with what to do; a strange answer is never an exception."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rasa_whatsapp.cloud.answers import Accepted, Refused, read, read_upload
from rasa_whatsapp.cloud.graph_errors import CODES, Disposition

RETRY, UNCERTAIN, GIVE_UP = Disposition.RETRY, Disposition.UNCERTAIN, Disposition.GIVE_UP
STOP_SENDING = Disposition.STOP_SENDING


@pytest.mark.parametrize(
    ("content", "answer"),
    [
        pytest.param(
            {"messages": [{"id": "wamid.1"}], "contacts": [{"input": "+5511912345678", "wa_id": "551112345678"}]},
            Accepted("wamid.1", wa_id="551112345678"),
            id="to a number",
        ),
        pytest.param(
            {"messages": [{"id": "wamid.1", "message_status": "accepted"}], "contacts": [{"user_id": "DE.1"}]},
            Accepted("wamid.1"),
            id="to a business-scoped user id",
        ),
        pytest.param({"messages": [{"id": "wamid.1"}]}, Accepted("wamid.1"), id="without contacts"),
        pytest.param(
            {"messages": [{"id": "wamid.1"}], "contacts": [{"wa_id": "+49"}]}, Accepted("wamid.1"), id="no wa_id at all"
        ),
        pytest.param({"messages": [{"id": "wamid.1"}], "contacts": {"wa_id": "49"}}, Accepted("wamid.1"), id="no list"),
        pytest.param({"messages": [{"id": "wamid.1"}], "contacts": []}, Accepted("wamid.1"), id="with empty contacts"),
    ],
)
def test_accepted(content, answer):
    """A 200 with a message id is a receipt."""
    assert read(200, json.dumps(content).encode()) == answer


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"{}",
        b"[]",
        b"null",
        b'{"messages":[]}',
        b'{"messages":[{"id":""}]}',
        b'{"messages":[{"id":7}]}',
    ],
)
def test_a_200_that_tells_nothing(body):
    """It may have been sent: nothing may send it again before a status had its time."""
    answer = read(200, body)
    assert isinstance(answer, Refused)
    assert answer.disposition is UNCERTAIN


@pytest.mark.parametrize(
    ("http_status", "body", "outcome"),
    [
        (200, b'{"id":"77"}', "77"),
        (201, b'{"id":"77"}', "77"),
        (200, b'{"id":77}', Refused(RETRY, 0, "HTTP 200 without a media id")),
        (200, b"<html>", Refused(RETRY, 0, "HTTP 200 without a media id")),
        (200, b'["77"]', Refused(RETRY, 0, "HTTP 200 without a media id")),
        (
            400,
            b'{"error":{"code":131053}}',
            Refused(GIVE_UP, 131053, "Meta's error 131053: Meta could not process the media: check kind and size"),
        ),
        (429, b"", Refused(RETRY, 0, "HTTP 429: too many requests: it slows down")),
        (400, b'{"id":"77"}', Refused(GIVE_UP, 0, "HTTP 400: see Meta's list of error codes")),
    ],
)
def test_uploads(http_status, body, outcome):
    """An upload gets an id, or a refusal as a message does."""
    assert read_upload(http_status, body) == outcome


def error(code, **more):
    """Return an error body as Graph writes it."""
    return json.dumps({"error": {"message": f"(#{code}) x", "code": code, "fbtrace_id": "A"} | more}).encode()


@pytest.mark.parametrize(
    ("http_status", "code", "disposition"),
    [
        (400, 131047, Disposition.NEEDS_TEMPLATE),
        (400, 131050, Disposition.STOP_CONTACTING),
        (400, 130429, RETRY),
        (429, 130429, RETRY),
        (400, 131056, RETRY),
        (400, 80007, RETRY),
        (503, 2, RETRY),
        (400, 4, RETRY),
        (500, 131016, RETRY),
        (500, 131057, RETRY),
        (500, 131000, UNCERTAIN),
        (503, 133004, UNCERTAIN),
        (400, 100, GIVE_UP),
        (400, 131009, GIVE_UP),
        (401, 190, STOP_SENDING),
        (401, 0, STOP_SENDING),
        (403, 10, STOP_SENDING),
        (403, 200, STOP_SENDING),
        (403, 299, STOP_SENDING),
        (400, 131026, GIVE_UP),
        (400, 131049, GIVE_UP),
        (403, 131031, STOP_SENDING),
        (400, 130472, GIVE_UP),
        (403, 368, STOP_SENDING),
        (400, 131048, GIVE_UP),
        (404, 132001, GIVE_UP),
        (400, 132015, GIVE_UP),
        (400, 131064, GIVE_UP),
        (400, 139200, GIVE_UP),
        (400, 999999, GIVE_UP),
        (429, 999999, RETRY),
    ],
)
def test_codes(http_status, code, disposition):
    """Each code has its disposition, whatever the HTTP status; an unknown one goes by the status."""
    answer = read(http_status, error(code))
    assert isinstance(answer, Refused)
    assert (answer.disposition, answer.code) == (disposition, code)
    assert answer.explanation.startswith(f"Meta's error {code}: ")


def test_details_are_told():
    """Meta's details say which field is wrong."""
    answer = read(400, error(131009, error_data={"details": "Button title too long"}))
    assert isinstance(answer, Refused)
    assert (
        answer.explanation
        == "Meta's error 131009: a field's value is not valid: see its details (Button title too long)"
    )


@pytest.mark.parametrize(
    ("http_status", "body", "retried"),
    [
        (500, b"", True),
        (502, b"<html>Bad Gateway</html>", True),
        (503, b'{"error":"no object"}', True),
        (500, b'{"error":{"code":"text"}}', True),
        (429, b"", True),
        (404, b"<html>", False),
        (302, b"", False),
        (400, b'{"error":{"error_data":"a text"}}', False),
        (400, b"[1]", False),
    ],
)
def test_answers_of_gateways(http_status, body, retried):
    """HTML, nothing or half an error: server trouble is tried again, the rest is not; no token is blamed for it."""
    answer = read(http_status, body)
    assert isinstance(answer, Refused)
    assert (answer.disposition in (RETRY, UNCERTAIN)) is retried
    assert answer.explanation.startswith(f"HTTP {http_status}: ")


@settings(max_examples=100, deadline=None)
@given(
    st.integers(100, 599),
    st.binary(max_size=30)
    | st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=2)
            | st.dictionaries(st.sampled_from(["error", "messages", "contacts", "id", "code", "error_data"]), inner)
        ),
        max_leaves=6,
    ).map(lambda content: json.dumps(content).encode()),
)
def test_any_answer(http_status, body):
    """Whatever comes back is accepted or refused."""
    assert isinstance(read(http_status, body), (Accepted, Refused))


def test_every_code_has_a_remedy():
    """Each row of the table tells the operator something."""
    assert all(len(remedy) > 15 for _, remedy in CODES.values())
