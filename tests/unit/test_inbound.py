"""Webhook bodies become events: every kind of the fact sheet, batches, broken items, and JSON of any shape."""

from __future__ import annotations

import json
from datetime import datetime, timezone

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from rasa_whatsapp.cloud.content import OtherKind, Tapped, TextTyped
from rasa_whatsapp.cloud.inbound import (
    Broken,
    MessageReceived,
    PreferenceChanged,
    Sender,
    StatusChanged,
    Unused,
    parse,
    read_message,
)
from rasa_whatsapp.errors import WebhookMalformed

TEN = datetime(2026, 11, 22, 10, 0, tzinfo=timezone.utc)
LEA = Sender(wa_id="4915112345678", user_id="DE.9Zk3abc", name="Lea")


@pytest.mark.parametrize(
    ("name", "content", "context_id"),
    [
        ("text", TextTyped("Where is my order?"), None),
        ("text_quoting", TextTyped("this one"), "wamid.OURS"),
        ("text_forwarded", TextTyped("look"), None),
        ("text_from_an_ad", TextTyped("Is it in stock?"), None),
        ("text_slash", TextTyped("/restart"), None),
        ("text_escaped_as_meta_does", TextTyped("Das Café an der Straße: https://shop.example/a"), None),
        ("text_with_lone_surrogate_and_nul", TextTyped("a�z!"), None),
        ("button_reply", Tapped("/affirm", "Yes"), "wamid.OURS"),
        ("list_reply", Tapped("row-2", "Parcel"), "wamid.OURS"),
        ("template_button", Tapped("/affirm", "Yes"), "wamid.OURS"),
        ("template_button_without_payload", Tapped("Yes", "Yes"), "wamid.OURS"),
        ("flow_reply", OtherKind("interactive/nfm_reply"), "wamid.OURS"),
        ("call_permission_reply", OtherKind("interactive/call_permission_reply"), "wamid.OURS"),
        ("interactive_with_errors_only", OtherKind("interactive"), None),
        ("image", OtherKind("image"), None),
        ("video", OtherKind("video"), None),
        ("audio", OtherKind("audio"), None),
        ("document", OtherKind("document"), None),
        ("sticker", OtherKind("sticker"), None),
        ("location", OtherKind("location"), None),
        ("contacts", OtherKind("contacts"), None),
        ("reaction", OtherKind("reaction"), None),
        ("reaction_removed", OtherKind("reaction"), None),
        ("order", OtherKind("order"), None),
        ("request_welcome", OtherKind("request_welcome"), None),
        ("unsupported", OtherKind("unsupported"), None),
        ("edit", OtherKind("edit"), None),
        ("revoke", OtherKind("revoke"), None),
        ("ephemeral", OtherKind("ephemeral"), None),
        ("kind_of_tomorrow", OtherKind("hologram"), None),
        ("group_text", OtherKind("group"), None),
    ],
)
def test_messages(webhook, name, content, context_id):
    """Each kind of message is read with its sender, its time and what it refers to."""
    (event,) = parse(webhook(name))
    assert isinstance(event, MessageReceived)
    assert (event.number_id, event.message_id, event.sent_at) == ("100000000000001", "wamid.A", TEN)
    assert (event.sender, event.content, event.context_id) == (LEA, content, context_id)


@pytest.mark.parametrize(
    ("name", "sender"),
    [
        ("text_number_hidden", Sender(wa_id=None, user_id="DE.9Zk3abc", name="Lea")),
        ("text_without_user_id", Sender(wa_id="4915112345678", user_id=None, name="Lea")),
        ("text_without_contacts", Sender(wa_id="4915112345678", user_id="DE.9Zk3abc")),
        ("text_sender_in_contacts_only", LEA),
        ("system_number_changed", Sender(wa_id="4915112345678", user_id=None)),
    ],
)
def test_senders(webhook, name, sender):
    """Who wrote is known by either identifier, from the message or from contacts[]."""
    (event,) = parse(webhook(name))
    assert isinstance(event, MessageReceived)
    assert event.sender == sender


def test_status_with_price(webhook):
    """A status carries our key and its price."""
    (event,) = parse(webhook("status_sent"))
    assert isinstance(event, StatusChanged)
    assert (event.number_id, event.message_id, event.status, event.key) == (
        "100000000000001",
        "wamid.OURS",
        "sent",
        "wamid.A#1",
    )
    assert event.at == datetime(2026, 11, 22, 10, 0, 5, tzinfo=timezone.utc)
    assert event.error is None
    assert event.pricing == {"billable": True, "pricing_model": "PMP", "type": "regular", "category": "utility"}


def test_status_without_key_price_or_recipient(webhook):
    """Everything but id, status and time of a status may be missing."""
    (event,) = parse(webhook("status_read_without_key"))
    assert isinstance(event, StatusChanged)
    assert (event.status, event.key, event.error, event.pricing) == ("read", None, None, None)


def test_status_failed(webhook):
    """A failed status carries Meta's error."""
    (event,) = parse(webhook("status_failed"))
    assert isinstance(event, StatusChanged)
    assert event.error is not None
    assert (event.error.code, event.error.title, event.error.details) == (
        131047,
        "Re-engagement message",
        "more than 24 hours",
    )


def test_unknown_status_is_read(webhook):
    """A status that Meta may invent is an event like any other."""
    (event,) = parse(webhook("status_of_tomorrow"))
    assert isinstance(event, StatusChanged)
    assert event.status == "teleported"


def test_preference(webhook):
    """Meta's own control over marketing comes with an integer as its time."""
    (event,) = parse(webhook("user_preferences_stop"))
    assert isinstance(event, PreferenceChanged)
    assert (event.number_id, event.value, event.at) == ("100000000000001", "stop", TEN)
    assert event.sender == Sender(wa_id="4915112345678", user_id="DE.9Zk3abc")


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("field_unknown", "field account_alerts is not used"),
        ("object_unknown", "object is not whatsapp_business_account"),
        ("user_preferences_other_category", "user_preferences of another category than marketing_messages"),
        ("value_error", "Meta reports error 131035 for this number: Lost"),
    ],
)
def test_unused(webhook, name, reason):
    """What there is no use for is a value that says so, and has the same name when it comes again."""
    (event,) = parse(webhook(name))
    assert isinstance(event, Unused)
    assert event.reason == reason
    assert event.message_id == parse(webhook(name))[0].message_id


def test_batch_over_entries_and_changes(webhook):
    """All entries, changes, messages and statuses are read, each message with its own sender."""
    events = parse(webhook("batch_over_entries_and_changes"))
    seen = [
        (event.message_id, event.sender.name if isinstance(event, MessageReceived) else event.status)
        for event in events
        if isinstance(event, (MessageReceived, StatusChanged))
    ]
    assert seen == [
        ("wamid.A", "Lea"),
        ("wamid.B", "Ben"),
        ("wamid.O1", "sent"),
        ("wamid.O2", "read"),
        ("wamid.C", None),
        ("wamid.O1", "delivered"),
    ]


def test_broken_ones_leave_the_others_alone(webhook):
    """Three good messages and a good status come out of a body that is mostly broken, and each broken one with its reason."""
    events = parse(webhook("batch_with_broken_ones"))
    good = [event.message_id for event in events if isinstance(event, (MessageReceived, StatusChanged))]
    broken = [(event.message_id[:14], event.reason) for event in events if isinstance(event, Broken)]
    assert good == ["wamid.A", "wamid.B", "wamid.C", "wamid.OURS"]
    assert [reason for _, reason in broken] == [
        "text is not an object",
        "messages[] is not an object",
        "neither from nor from_user_id says who wrote",
        "timestamp is not in unix seconds",
        "interactive.button_reply is not an object",
        "type is missing or not a text",
        "button has neither payload nor text",
        "status is missing or not a text",
        "statuses[] is not an object",
        "changes[].value is not an object",
    ]
    assert broken[0][0] == "wamid.no-body"
    assert broken[1][0].startswith("sha256:")


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"null", b"[]", b'"text"', b"1", b"\xff\xfe", b'{"a":', b"NaN", b"[" * 100_000, b"1" * 10_000],
    ids=["empty", "cut off", "null", "a list", "a text", "a number", "no UTF-8", "cut", "NaN", "deep", "a long number"],
)
def test_no_webhook_at_all(body):
    """What is not JSON or not an object is the caller's mistake."""
    with pytest.raises(WebhookMalformed):
        parse(body)


@pytest.mark.parametrize("depth", [100, 500, 900, 950, 970, 980, 985, 990, 995, 5000])
def test_deep_nesting(depth):
    """JSON nested to the edge of the recursion limit is read or refused, never a crash."""
    body = b'{"object":"page","a":' + b"[" * depth + b"]" * depth + b"}"
    try:
        events = parse(body)
    except WebhookMalformed:
        return
    assert [type(event) for event in events] == [Unused]


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


@pytest.mark.parametrize("field", ["id", "from", "text"])
def test_a_text_of_nul_alone_is_no_text(field):
    """What is empty once it is cleaned was never there."""
    message = {"from": "1", "id": "wamid.A", "timestamp": "1795341600", "type": "text", "text": {"body": "x"}}
    message[field] = {"body": "\x00"} if field == "text" else "\x00"
    assert isinstance(parse(json.dumps(_envelope(message, "messages")).encode())[0], Broken)


def test_raw_makes_the_same_event_again(webhook):
    """What is stored is enough to read the message again."""
    (event,) = parse(webhook("text_sender_in_contacts_only"))
    assert isinstance(event, MessageReceived)
    stored = json.loads(json.dumps(event.raw))
    assert read_message("100000000000001", stored) == event


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
    ]
)
_ANYTHING = st.recursive(
    _LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS, inner, max_size=5), max_leaves=12
)


def _envelope(item, key):
    value = {"metadata": {"phone_number_id": "1"}, key: [item]}
    field = "user_preferences" if key == "user_preferences" else "messages"
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
    st.sampled_from(["messages", "statuses", "errors", "user_preferences"]),
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
        if isinstance(event, MessageReceived):
            assert isinstance(event.content, (TextTyped, Tapped, OtherKind))
    return events
