"""Webhook bodies become events: what is no webhook, large batches, what is kept, and JSON of any shape (the kinds: test_corpus)."""

from __future__ import annotations

import json
from collections import Counter

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from rasa_whatsapp.cloud.content import TextTyped
from rasa_whatsapp.cloud.inbound import (
    Broken,
    MessageReceived,
    PreferenceChanged,
    Sender,
    StatusChanged,
    parse,
)
from rasa_whatsapp.errors import WebhookMalformed


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"null", b"[]", b'"text"', b"1", b"\xff\xfe", b'{"a":', b"NaN", b"[" * 100_000, b"1" * 10_000],
    ids=["empty", "cut off", "null", "a list", "a text", "a number", "no UTF-8", "cut", "NaN", "deep", "a long number"],
)
def test_no_webhook_at_all(body):
    """What is not JSON or not an object is the caller's mistake."""
    with pytest.raises(WebhookMalformed):
        parse(body)


@pytest.mark.parametrize("depth", [60, 64, 65, 500, 900, 950, 970, 980, 985, 990, 995, 5000, 100_000])
def test_deep_nesting(depth):
    """However deep a value lies, its neighbours are read, and what is kept of it can be stored."""
    body = json.dumps(
        _envelope({"from": "1", "id": "wamid.A", "timestamp": "1795341600", "type": "x", "x": "@"}, "messages")
    )
    (event,) = parse(body.replace('"@"', "[" * depth + "]" * depth).encode())
    assert isinstance(event, MessageReceived)
    assert len(json.dumps(event.raw)) < 1000


@pytest.mark.parametrize(
    ("timestamp", "reads"),
    [
        ("1795341600", True),
        (1795341600, True),
        ("0", True),
        ("", False),
        (None, False),
        (True, False),
        (1.5, False),
        ("9" * 30, False),
        ("1795341600000", False),
        ("-1e3", False),
        ([], False),
    ],
)
def test_timestamps(timestamp, reads):
    """Unix seconds are read as text or number; milliseconds and nonsense are broken."""
    message = {"from": "1", "id": "wamid.A", "timestamp": timestamp, "type": "text", "text": {"body": "x"}}
    change = {"field": "messages", "value": {"metadata": {"phone_number_id": "1"}, "messages": [message]}}
    body = json.dumps({"object": "whatsapp_business_account", "entry": [{"changes": [change]}]}).encode()
    assert isinstance(parse(body)[0], MessageReceived if reads else Broken)


@pytest.mark.parametrize("field", ["id", "from"])
def test_a_text_of_nul_alone_is_no_text(field):
    """What is empty once it is cleaned was never there."""
    message = {"from": "1", "id": "wamid.A", "timestamp": "1795341600", "type": "text", "text": {"body": "x"}}
    message[field] = "\x00"
    assert isinstance(parse(json.dumps(_envelope(message, "messages")).encode())[0], Broken)


def test_a_thousand_updates_over_three_numbers():
    """Of a batch of 1,000, each is told once, in order, with its own business number and sender."""
    events = parse(json.dumps(_batch_of_a_thousand()).encode())
    assert Counter((type(event), event.number_id) for event in events) == {
        (MessageReceived, "100000000000001"): 200,
        (StatusChanged, "100000000000001"): 134,
        (MessageReceived, "100000000000002"): 200,
        (StatusChanged, "100000000000002"): 133,
        (MessageReceived, "100000000000003"): 200,
        (StatusChanged, "100000000000003"): 133,
    }
    messages = [event for event in events if isinstance(event, MessageReceived)]
    assert len({event.message_id for event in messages}) == 600
    assert [event.message_id for event in messages[:3]] == ["wamid.1.0", "wamid.1.1", "wamid.1.2"]
    last = messages[-1]
    assert (last.message_id, last.content) == ("wamid.3.199", TextTyped("message 199 to 3"))
    assert last.sender == Sender(wa_id="49151000199", user_id="DE.199", name="Customer 199")


def _batch_of_a_thousand():
    """Return 600 messages of 200 people and 400 statuses, over three numbers in two entries."""
    changes = []
    for number, statuses in ((1, 134), (2, 133), (3, 133)):
        value = {
            "metadata": {"phone_number_id": f"10000000000000{number}"},
            "contacts": [
                {"profile": {"name": f"Customer {i}"}, "wa_id": f"49151000{i:03}", "user_id": f"DE.{i}"}
                for i in reversed(range(200))
            ],
            "messages": [
                {
                    "from": f"49151000{i:03}",
                    "from_user_id": f"DE.{i}",
                    "id": f"wamid.{number}.{i}",
                    "timestamp": "1795341600",
                    "type": "text",
                    "text": {"body": f"message {i} to {number}"},
                }
                for i in range(200)
            ],
            "statuses": [
                {"id": f"wamid.O{number}.{i}", "status": "sent", "timestamp": "1795341600"} for i in range(statuses)
            ],
        }
        changes.append({"field": "messages", "value": value})
    entries = [{"id": "1", "changes": changes[:2]}, {"id": "2", "changes": changes[2:]}]
    return {"object": "whatsapp_business_account", "entry": entries}


def test_a_body_of_nearly_three_megabytes():
    """A body as large as Meta sends is read whole."""
    message = {
        "from": "1",
        "id": "wamid.A",
        "timestamp": "1795341600",
        "type": "text",
        "text": {"body": "x" * 2_900_000},
    }
    (event,) = parse(json.dumps(_envelope(message, "messages")).encode())
    assert isinstance(event.content, TextTyped)
    assert len(event.content.text) == 2_900_000


@pytest.mark.parametrize("name", ["history", "smb_app_state_sync"])
def test_the_apps_chats_and_contacts_are_not_kept(webhook, name):
    """What a human said in the app before, and whom the app knows, is nothing that the store should hold."""
    (event,) = parse(webhook(name))
    assert event.raw == {"field": name}


@pytest.mark.parametrize("name", ["text_with_lone_surrogate_and_nul", "image_caption_with_lone_surrogate_and_nul"])
def test_what_is_kept_is_clean(webhook, name):
    """What is stored of a message holds neither NUL nor half a pair, at whatever depth."""
    (event,) = parse(webhook(name))
    kept = json.dumps(event.raw)
    assert ("\\u0000" in kept, "\\ud83d" in kept, "\\ufffd" in kept) == (False, False, True)


def test_context_and_referral_are_kept(webhook):
    """What the message answers, what product it asks about, which ad led to it: all stands in what is kept."""
    (asked,), (led,) = parse(webhook("text_about_a_product")), parse(webhook("text_from_an_ad_with_video"))
    assert asked.raw["message"]["context"]["referred_product"] == {"catalog_id": "77", "product_retailer_id": "mug-1"}
    assert led.raw["message"]["referral"]["welcome_message"] == {"text": "Hi"}


def test_an_echo_that_cannot_be_read_is_no_message(webhook):
    """A broken item of another list is not kept as a message: read anew, it would be the business talking to its own bot."""
    (event,) = parse(webhook("echo_to_nobody"))
    assert set(event.raw) == {"item"}


def test_two_broken_statuses_of_one_message_are_two():
    """Statuses share the id of their message; what is broken of them is named by its content."""
    broken = [{"id": "wamid.OURS", "status": "sent"}, {"id": "wamid.OURS", "status": "read"}]
    envelope = _envelope(broken[0], "statuses")
    envelope["entry"][0]["changes"][0]["value"]["statuses"] = broken
    first, second = parse(json.dumps(envelope).encode())
    assert first.message_id != second.message_id


@pytest.mark.parametrize(("length", "kind"), [(100_000, MessageReceived), (100_001, Broken)])
def test_a_form_that_is_too_long(length, kind):
    """A form's answer is an event of the conversation; nobody may fill the tracker with it."""
    answer = '{"a":"' + "x" * (length - 8) + '"}'
    body = {"type": "nfm_reply", "nfm_reply": {"name": "flow", "response_json": answer}}
    message = {"from": "1", "id": "wamid.A", "timestamp": "1795341600", "type": "interactive", "interactive": body}
    (event,) = parse(json.dumps(_envelope(message, "messages")).encode())
    assert isinstance(event, kind)


@pytest.mark.parametrize(("number_id", "known"), [("1" * 40, "1" * 40), ("1" * 41, ""), (None, ""), (["1"], "")])
def test_number_ids(number_id, known):
    """A number id that is none or too long to be one is nobody's."""
    message = {"from": "1", "id": "wamid.A", "timestamp": "1795341600", "type": "request_welcome"}
    envelope = _envelope(message, "messages")
    envelope["entry"][0]["changes"][0]["value"]["metadata"]["phone_number_id"] = number_id
    assert [event.number_id for event in parse(json.dumps(envelope).encode())] == [known]


_LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(codec=None), max_size=8)
    | st.sampled_from(["messages", "text", "wamid.A", "1795341600", "\x00", "\ud800", "interactive", "button", "sent"])
)
_KEYS = st.sampled_from(
    [
        "object",
        "entry",
        "changes",
        "field",
        "value",
        "metadata",
        "phone_number_id",
        "contacts",
        "messages",
        "statuses",
        "errors",
        "user_preferences",
        "from",
        "from_user_id",
        "wa_id",
        "user_id",
        "id",
        "type",
        "timestamp",
        "text",
        "body",
        "interactive",
        "button_reply",
        "button",
        "payload",
        "status",
        "code",
        "error_data",
        "details",
        "profile",
        "name",
        "context",
        "group_id",
        "pricing",
        "category",
        "biz_opaque_callback_data",
        "image",
        "location",
        "latitude",
        "order",
        "nfm_reply",
        "response_json",
        "system",
        "to",
        "event",
        "direction",
        "previous",
        "current",
    ]
)
_ANYTHING = st.recursive(
    _LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS, inner, max_size=5), max_leaves=12
)


def _envelope(item, key):
    value = {"metadata": {"phone_number_id": "1"}, key: [item]}
    field = {"message_echoes": "smb_message_echoes", "statuses": "messages", "errors": "messages"}.get(key, key)
    return {"object": "whatsapp_business_account", "entry": [{"changes": [{"field": field, "value": value}]}]}


@settings(max_examples=150, deadline=None)
@given(_ANYTHING)
@example({"object": "whatsapp_business_account", "entry": {"changes": []}})
@example({"object": "whatsapp_business_account", "entry": [None, 1, {"changes": [{"value": {}, "field": []}]}]})
def test_any_json_is_read_or_malformed(content):
    """Whatever JSON comes, nothing but WebhookMalformed leaves parse, and what comes out can be stored."""
    _check(json.dumps(content).encode(), WebhookMalformed)


@settings(max_examples=250, deadline=None)
@given(
    st.dictionaries(_KEYS, _ANYTHING, max_size=8),
    st.sampled_from(
        ["messages", "statuses", "errors", "user_preferences", "user_id_update", "message_echoes", "calls"]
    ),
)
def test_any_item_becomes_one_event(item, key):
    """Whatever stands where a message, a status, an error or a preference should, becomes exactly one event."""
    assert len(_check(json.dumps(_envelope(item, key)).encode())) == 1


def _check(body, *allowed):
    try:
        events = parse(body)
    except allowed:
        return []
    for event in events:
        for text in (
            (event.number_id, event.message_id) if not isinstance(event, PreferenceChanged) else (event.number_id,)
        ):
            text.encode()
            assert "\x00" not in text
    return events
