"""Every webhook body in tests/webhooks, and the events that it becomes: written by hand, one row per file."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from rasa_whatsapp.cloud.content import INTENTS, Aside, Shared, Tapped, TextTyped
from rasa_whatsapp.cloud.inbound import (
    Broken,
    Called,
    EchoSent,
    GraphError,
    IdentityChanged,
    MessageReceived,
    PreferenceChanged,
    Sender,
    StatusChanged,
    TemplateChanged,
    Unused,
    parse,
    read_message,
)
from rasa_whatsapp.cloud.templates.states import Aspect, News

FOLDER = Path(__file__).parent.parent / "webhooks"
NUMBER = "100000000000001"
TEN = datetime(2026, 11, 22, 10, 0, tzinfo=timezone.utc)
TEN_AND_1 = datetime(2026, 11, 22, 10, 0, 1, tzinfo=timezone.utc)
TEN_AND_5 = datetime(2026, 11, 22, 10, 0, 5, tzinfo=timezone.utc)
TEN_AND_6 = datetime(2026, 11, 22, 10, 0, 6, tzinfo=timezone.utc)

LEA = Sender(wa_id="4915112345678", user_id="DE.9Zk3abc", name="Lea")
NAMELESS = Sender(wa_id="4915112345678", user_id="DE.9Zk3abc")
HIDDEN = Sender(wa_id=None, user_id="DE.9Zk3abc", name="Lea")
HIDDEN_NAMELESS = Sender(wa_id=None, user_id="DE.9Zk3abc")
NUMBER_ONLY = Sender(wa_id="4915112345678", user_id=None)
BEN = Sender(wa_id="4915100000002", user_id="DE.2", name="Ben")

FILE = {"id": "555000111", "kind": "image", "mime_type": "image/jpeg", "sha256": "q2Vz"}
VIDEO = {"id": "555000111", "kind": "video", "mime_type": "video/mp4", "sha256": "q2Vz"}
MUSIC = {"id": "555000111", "kind": "audio", "mime_type": "audio/mpeg", "sha256": "q2Vz"}
PDF = {"id": "555000111", "kind": "document", "mime_type": "application/pdf", "sha256": "q2Vz"}
STICKER = {"id": "555000111", "kind": "sticker", "mime_type": "image/webp", "sha256": "q2Vz"}
OURS = "wamid.OURS"
UNKNOWN_TYPE = {"code": 131051, "reason": "Message type unknown"}


def message(content, sender=LEA, *, quotes=None, successor=None, message_id="wamid.A", sent_at=TEN, number=NUMBER):
    """Return a message as it is expected, but for what is kept of it."""
    return MessageReceived(
        number_id=number,
        message_id=message_id,
        sender=sender,
        sent_at=sent_at,
        content=content,
        context_id=quotes,
        raw={},
        successor=successor,
    )


def text(words, message_id="wamid.A", sender=LEA, **more):
    """Return a typed message as it is expected."""
    return message(TextTyped(words), sender, message_id=message_id, **more)


def shared(kind, intent, value, words=None, entity=None):
    """Return what is a turn without being words; the entity is mostly called like the intent."""
    return Shared(kind, intent, {entity or intent: value}, words)


def media(kind, intent, value, words=None):
    """Return a shared file."""
    return shared(kind, intent, value, words, "whatsapp_media")


def unsupported(kind, **value):
    """Return what the bot cannot be told."""
    return Shared(kind, "whatsapp_unsupported", {"whatsapp_unsupported": {"type": kind, **value}})


def aside(kind, **value):
    """Return what is no turn."""
    return Aside(kind, f"whatsapp_{kind}", {f"whatsapp_{kind}": value})


def status(told, message_id=OURS, *, at=TEN_AND_5, key="wamid.A#1", error=None, pricing=None, to="4915112345678"):
    """Return a status as it is expected."""
    return StatusChanged(
        number_id=NUMBER, message_id=message_id, status=told, at=at, key=key, error=error, pricing=pricing,
        recipient_number=to,
    )  # fmt: skip


def called(event, sender=LEA, *, opens_window=False):
    """Return a call's event as it is expected."""
    return Called(
        number_id=NUMBER, message_id=f"wacid.C/{event}", sender=sender, at=TEN, opens_window=opens_window, raw={}
    )


def echo(to=NUMBER_ONLY):
    """Return a human's answer from the app as it is expected."""
    return EchoSent(number_id=NUMBER, message_id="wamid.E", to=to, at=TEN, raw={})


def identity(before, after):
    """Return a new user id as it is expected."""
    return IdentityChanged(number_id=NUMBER, message_id="sha256:", before=before, after=after, at=TEN, raw={})


def preference(value, sender):
    """Return a choice about marketing as it is expected."""
    return PreferenceChanged(number_id=NUMBER, sender=sender, value=value, at=TEN)


def broken(reason, message_id="wamid.A", number=NUMBER):
    """Return what cannot be read."""
    return Broken(number_id=number, message_id=message_id, reason=reason, raw={})


def unused(reason, number=NUMBER):
    """Return what nobody needs."""
    return Unused(number_id=number, message_id="sha256:", reason=reason, raw={})


def news(aspect, value, *, detail="", until=None):
    """Return what is said of one aspect of a template."""
    return News(aspect=aspect, value=value, detail=detail, until=until)


def template(*told, at=TEN):
    """Return what Meta says of a template; its language is the API's."""
    return TemplateChanged(
        account_id="200000000000001", message_id="sha256:", template=("order_update", "en_US"), news=told, at=at, raw={}
    )


# One row per body.
# fmt: off
TEXTS = [
    ("text", [text("Where is my order?")]),
    ("text_slash", [text("/restart")]),
    ("text_escaped_as_meta_does", [text("Das Café an der Straße: https://shop.example/a")]),
    ("text_with_emoji", [text("Danke 👍🏽")]),
    ("text_with_lone_surrogate_and_nul", [text("a�z!")]),
    ("text_with_numbers_that_no_float_holds", [text("Hi")]),
    ("text_blank", [message(unsupported("text", reason="blank text"))]),
    ("text_without_body_but_with_errors", [message(unsupported("text", **UNKNOWN_TYPE))]),
    ("text_quoting", [text("this one", quotes=OURS)]),
    ("text_quoting_author_hidden", [text("this one", sender=HIDDEN, quotes=OURS)]),
    ("text_about_a_product", [text("Is it blue?", quotes=OURS)]),
    ("text_forwarded", [text("look")]),
    ("text_frequently_forwarded", [text("look")]),
    ("text_from_an_ad", [text("Is it in stock?")]),
    ("text_from_an_ad_with_video", [text("Is it in stock?")]),
    ("text_from_a_post", [text("Still there?")]),
]

SENDERS = [
    ("text_number_hidden", [text("Hi", sender=HIDDEN)]),
    ("text_without_user_id", [text("Hi", sender=Sender(wa_id="4915112345678", user_id=None, name="Lea"))]),
    ("text_without_contacts", [text("Hi", sender=NAMELESS)]),
    ("text_contact_without_name", [text("Hi", sender=NAMELESS)]),
    ("text_contact_without_user_id", [text("Hi")]),
    ("text_contact_of_the_numbers_former_owner", [text("Hi", sender=NAMELESS)]),
    ("text_among_contacts_of_others", [text("Hi")]),
    ("text_user_id_before_number_in_contacts", [text("Hi")]),
    ("text_sender_in_contacts_only", [text("Hi")]),
    ("text_sender_nowhere", [broken("neither from nor from_user_id says who wrote")]),
    ("text_sender_as_number", [text("Hi")]),
    ("text_with_parent_ids", [text("Hi", sender=replace(LEA, parent_user_id="DE.ENT.7"))]),
    ("text_parent_id_in_contacts_only", [text("Hi", sender=replace(LEA, parent_user_id="DE.ENT.7"))]),
]

TAPS = [
    ("button_reply", [message(Tapped("/affirm", "Yes"), quotes=OURS)]),
    ("button_reply_number_hidden", [message(Tapped("/affirm", "Yes"), HIDDEN, quotes=OURS)]),
    ("list_reply", [message(Tapped("row-2", "Parcel"), quotes=OURS)]),
    ("list_reply_without_description", [message(Tapped("row-2", "Parcel"), quotes=OURS)]),
    ("template_button", [message(Tapped("/affirm", "Yes"), quotes=OURS)]),
    ("template_button_number_hidden", [message(Tapped("/affirm", "Yes"), HIDDEN, quotes=OURS)]),
    ("template_button_without_payload", [message(Tapped("Yes", "Yes"), quotes=OURS)]),
    ("template_button_without_body_but_with_errors", [message(unsupported("button", **UNKNOWN_TYPE), quotes=OURS)]),
]

GONE = {"code": 131060, "reason": "This message is currently unavailable."}
MEDIA = [
    ("image", [message(media("image", "whatsapp_image", {**FILE, "caption": "broken"}, "broken"))]),
    ("image_number_hidden", [message(media("image", "whatsapp_image", {**FILE, "caption": "broken"}, "broken"), HIDDEN)]),
    ("image_without_caption", [message(media("image", "whatsapp_image", FILE))]),
    ("image_without_contacts", [message(media("image", "whatsapp_image", FILE), NAMELESS)]),
    ("image_with_blank_caption", [message(media("image", "whatsapp_image", {**FILE, "caption": "  "}))]),
    ("image_with_address", [message(media("image", "whatsapp_image", FILE))]),
    ("image_with_body_and_errors", [message(media("image", "whatsapp_image", FILE))]),
    ("image_quoting", [message(media("image", "whatsapp_image", FILE), quotes=OURS)]),
    ("image_forwarded", [message(media("image", "whatsapp_image", FILE))]),
    ("image_id_as_number", [message(media("image", "whatsapp_image", FILE))]),
    ("image_caption_with_lone_surrogate_and_nul", [message(media("image", "whatsapp_image", {**FILE, "caption": "a�z!"}, "a�z!"))]),
    ("image_without_body_but_with_errors", [message(unsupported("image", **GONE))]),
    ("image_with_half_a_body_and_errors", [message(unsupported("image", **GONE))]),
    ("image_without_body", [broken("image is not an object")]),
    ("image_without_id", [broken("id is missing or not an identifier")]),
    ("video", [message(media("video", "whatsapp_video", VIDEO))]),
    ("video_with_caption", [message(media("video", "whatsapp_video", {**VIDEO, "caption": "it rattles"}, "it rattles"))]),
    ("audio", [message(media("audio", "whatsapp_voice", {**MUSIC, "mime_type": "audio/ogg; codecs=opus", "voice": True}))]),
    ("audio_not_recorded", [message(media("audio", "whatsapp_audio", {**MUSIC, "voice": False}))]),
    ("audio_without_voice_key", [message(media("audio", "whatsapp_audio", MUSIC))]),
    ("document", [message(media("document", "whatsapp_document", {**PDF, "filename": "invoice.pdf"}))]),
    ("document_with_caption", [message(media("document", "whatsapp_document", {**PDF, "filename": "../../invoice.pdf", "caption": "my invoice"}, "my invoice"))]),
    ("document_without_filename", [message(media("document", "whatsapp_document", PDF))]),
    ("sticker", [message(media("sticker", "whatsapp_sticker", {**STICKER, "animated": False}))]),
    ("sticker_animated", [message(media("sticker", "whatsapp_sticker", {**STICKER, "animated": True}))]),
]

PLACE = {"latitude": 52.5, "longitude": 13, "name": "Shop", "address": "Street 1", "url": "https://shop.example"}
WORK_CARD = {
    "name": {"formatted_name": "Ben", "first_name": "Ben"},
    "phones": [{"phone": "+49 30 1", "wa_id": "49301", "type": "WORK"}],
    "emails": [{"email": "ben@shop.example", "type": "WORK"}],
    "org": {"company": "Shop"},
    "birthday": "2000-02-29",
}
OWN_CARD = {
    "name": {"formatted_name": "Lea"},
    "phones": [{"phone": "+4915112345678", "wa_id": "4915112345678"}],
    "origin": "contact_request",
}
MUG = {"product_retailer_id": "mug-1", "quantity": 1, "item_price": 9.9, "currency": "EUR"}
OFF_THE_GLOBE = "latitude is missing or not a number from -90 to 90"
DATA = [
    ("location", [message(shared("location", "whatsapp_location", {"latitude": 52.52, "longitude": 13.4, "name": "Shop"}))]),
    ("location_of_a_place", [message(shared("location", "whatsapp_location", PLACE))]),
    ("location_as_texts", [message(shared("location", "whatsapp_location", {"latitude": 52.52, "longitude": -13}))]),
    ("location_off_the_globe", [broken(OFF_THE_GLOBE)]),
    ("location_not_a_number", [broken(OFF_THE_GLOBE)]),
    ("location_true", [broken(OFF_THE_GLOBE)]),
    ("location_without_longitude", [broken("longitude is missing or not a number from -180 to 180")]),
    ("contacts", [message(shared("contacts", "whatsapp_contacts", [{"name": {"formatted_name": "Ben"}, "phones": [{"phone": "+49 30 1", "type": "WORK"}]}]))]),
    ("contacts_of_two_people", [message(shared("contacts", "whatsapp_contacts", [WORK_CARD, {"name": {"formatted_name": "Kim"}, "vcard": "BEGIN:VCARD", "origin": "other"}]))]),
    ("contacts_on_request", [message(shared("contacts", "whatsapp_contacts", [OWN_CARD]), HIDDEN, quotes=OURS)]),
    ("contacts_empty", [broken("contacts is not a list of objects")]),
    ("order", [message(shared("order", "whatsapp_order", {"catalog_id": "1", "product_items": [{"product_retailer_id": "a", "quantity": 1, "item_price": 2.5, "currency": "EUR"}]}))]),
    ("order_as_texts", [message(shared("order", "whatsapp_order", {"catalog_id": "77", "product_items": [{"product_retailer_id": "1001", "quantity": 2, "item_price": 2.5, "currency": "EUR"}, {"product_retailer_id": "mug-2", "quantity": 1, "item_price": 3, "currency": "EUR"}]}))]),
    ("order_with_text", [message(shared("order", "whatsapp_order", {"catalog_id": "77", "text": "Please wrap it", "product_items": [MUG]}, "Please wrap it"), quotes=OURS)]),
    ("order_without_price", [message(shared("order", "whatsapp_order", {"catalog_id": "77", "product_items": [{"product_retailer_id": "mug-1", "quantity": 1}]}))]),
    ("order_of_a_piece_and_a_half", [broken("quantity is not a whole number")]),
    ("order_of_less_than_nothing", [broken("quantity is missing or not a number from 1 to 1000000")]),
    ("order_at_an_infinite_price", [broken("item_price is missing or not a number from 0 to 1000000000000")]),
    ("order_of_nothing", [broken("order.product_items is not a list of objects")]),
]

FORM = "interactive/nfm_reply"
PERMISSION = "interactive/call_permission_reply"
FORMS = [
    ("flow_reply", [message(shared(FORM, "whatsapp_flow_reply", {"flow_token": "t"}), quotes=OURS)]),
    ("flow_reply_without_name", [message(shared(FORM, "whatsapp_flow_reply", {"flow_token": "t"}), quotes=OURS)]),
    ("flow_reply_nested", [message(shared(FORM, "whatsapp_flow_reply", {"flow_token": "t", "seats": 2, "meal": {"kind": "vegan", "extras": ["nuts", None]}, "agreed": True}), quotes=OURS)]),
    ("flow_reply_with_lone_surrogate_and_nul", [message(shared(FORM, "whatsapp_flow_reply", {"name": "a�z!"}), quotes=OURS)]),
    ("flow_reply_not_json", [broken("response_json is not JSON")]),
    ("flow_reply_a_list", [broken("response_json is not an object")]),
    ("flow_reply_a_text", [broken("response_json is not an object")]),
    ("flow_reply_deep", [broken("response_json is nested deeper than 16 levels")]),
    ("flow_reply_bottomless", [broken("response_json is not JSON")]),
    ("flow_reply_with_errors_and_without_body", [message(unsupported("interactive", **UNKNOWN_TYPE), quotes=OURS)]),
    ("address_reply", [message(shared(FORM, "whatsapp_address", {"saved_address_id": "a1", "values": {"name": "Lea", "in_pin_code": "400063", "city": "Mumbai"}}), quotes=OURS)]),
    ("call_permission_reply", [message(shared(PERMISSION, "whatsapp_call_permission", {"response": "accept"}), quotes=OURS)]),
    ("call_permission_until", [message(shared(PERMISSION, "whatsapp_call_permission", {"response": "accept", "is_permanent": False, "expires_at": "2026-11-29T10:00:00+00:00"}), quotes=OURS)]),
    ("call_permission_for_ever", [message(shared(PERMISSION, "whatsapp_call_permission", {"response": "accept", "is_permanent": True}), quotes=OURS)]),
    ("call_permission_refused", [message(shared(PERMISSION, "whatsapp_call_permission", {"response": "reject"}), quotes=OURS)]),
    ("request_welcome", [message(Shared("request_welcome", "whatsapp_welcome", {}))]),
    ("request_welcome_number_hidden", [message(Shared("request_welcome", "whatsapp_welcome", {}), HIDDEN)]),
]

UNSUPPORTED = [
    ("interactive_without_body", [message(unsupported("interactive"), quotes=OURS)]),
    ("interactive_with_errors_only", [message(unsupported("interactive", **UNKNOWN_TYPE))]),
    ("interactive_of_tomorrow", [message(unsupported("interactive/palm_reading"), quotes=OURS)]),
    ("interactive_without_type", [broken("type is missing or not a text")]),
    ("unsupported", [message(unsupported("unsupported", type="poll_creation", **UNKNOWN_TYPE))]),
    ("unsupported_number_hidden", [message(unsupported("unsupported", type="gif", **UNKNOWN_TYPE), HIDDEN)]),
    ("unsupported_edit", [message(unsupported("unsupported", type="edit", **UNKNOWN_TYPE))]),
    ("unsupported_not_available", [message(unsupported("unsupported", type="errors", **GONE))]),
    ("unsupported_without_anything", [message(unsupported("unsupported"))]),
    ("unknown", [message(unsupported("unknown", **UNKNOWN_TYPE))]),
    ("ephemeral", [message(unsupported("ephemeral"))]),
    ("kind_of_tomorrow", [message(unsupported("hologram"))]),
]

NEW_NUMBER = Sender(wa_id="4915187654321", user_id=None)
NEW_ID = Sender(wa_id=None, user_id="DE.new")
NEW_BOTH = Sender(wa_id="4915187654321", user_id="DE.new")
ASIDES = [
    ("reaction", [message(aside("reaction", message_id=OURS, emoji="👍"))]),
    ("reaction_number_hidden", [message(aside("reaction", message_id=OURS, emoji="❤️"), HIDDEN)]),
    ("reaction_removed", [message(aside("reaction", message_id=OURS, emoji=None))]),
    ("reaction_removed_with_empty_emoji", [message(aside("reaction", message_id=OURS, emoji=None))]),
    ("reaction_to_nothing", [broken("message_id is missing or not an identifier")]),
    ("edit", [message(aside("edit", message_id="wamid.B", text="better"))]),
    ("edit_of_caption", [message(aside("edit", message_id="wamid.B", text="now sharp"))]),
    ("edit_without_words", [message(aside("edit", message_id="wamid.B"))]),
    ("edit_of_nothing", [broken("original_message_id is missing or not an identifier")]),
    ("revoke", [message(aside("revoke", message_id="wamid.B"))]),
    ("system_number_changed", [message(aside("system", type="user_changed_number", body="Lea changed"), NUMBER_ONLY, successor=NEW_NUMBER)]),
    ("system_number_changed_to_nowhere", [broken("neither system.wa_id nor system.user_id says who the customer is now")]),
    ("system_sender_in_contacts_only", [message(aside("system", type="user_changed_number", body="Lea changed"), successor=NEW_NUMBER)]),
    ("system_sender_nowhere", [broken("neither from nor from_user_id says who wrote")]),
    ("system_user_id_changed", [message(aside("system", type="user_changed_user_id", body="Lea changed"), NAMELESS, successor=replace(NEW_ID, parent_user_id="DE.ENT.8"))]),
    ("system_user_id_changed_with_number", [message(aside("system", type="user_changed_user_id", body="Lea changed"), NAMELESS, successor=NEW_BOTH)]),
    ("system_user_id_changed_number_hidden", [message(aside("system", type="user_changed_user_id", body="Lea changed"), HIDDEN_NAMELESS, successor=NEW_ID)]),
    ("system_user_id_changed_sender_in_body", [message(aside("system", type="user_changed_user_id", body="Lea changed"), HIDDEN_NAMELESS, successor=NEW_ID)]),
    ("system_identity_changed", [message(aside("system", type="customer_identity_changed", body="Lea's security code changed"), NAMELESS)]),
    ("group_text", [message(Aside("group", None, {}))]),
    ("group_image", [message(Aside("group", None, {}))]),
    ("group_text_broken", [message(Aside("group", None, {}))]),
]

PRICE = {"billable": True, "pricing_model": "PMP", "type": "regular", "category": "utility"}
FREE = {"billable": False, "pricing_model": "PMP", "type": "free_entry_point", "category": "referral_conversion"}
LATE = GraphError(code=131047, title="Re-engagement message", details="more than 24 hours")
LINKED = GraphError(code=131026, title="Message undeliverable", details="a linked device")
STATUSES = [
    ("status_sent", [status("sent", pricing=PRICE)]),
    ("status_with_conversation", [status("sent", pricing=FREE)]),
    ("status_delivered_number_hidden", [status("delivered", to=None)]),
    ("status_read_without_key", [status("read", key=None, to=None)]),
    ("status_played", [status("played")]),
    ("status_failed", [status("failed", error=LATE)]),
    ("status_failed_without_errors", [status("failed")]),
    ("status_delivered_then_failed", [status("delivered"), status("failed", at=TEN_AND_6, error=LINKED)]),
    ("status_of_a_group", [status("read", key=None)]),
    ("status_of_tomorrow", [status("teleported")]),
]

OTHERS = [
    ("user_preferences_stop", [preference("stop", NAMELESS)]),
    ("user_preferences_resume_number_hidden", [preference("resume", HIDDEN_NAMELESS)]),
    ("user_preferences_other_category", [unused("user_preferences of another category than marketing_messages")]),
    ("call_connect", [called("connect", opens_window=True)]),
    ("call_connect_number_hidden", [called("connect", HIDDEN, opens_window=True)]),
    ("call_terminate", [called("terminate")]),
    ("call_of_the_business", [called("connect")]),
    ("call_of_the_business_ended_without_direction", [called("terminate", NUMBER_ONLY)]),
    ("call_from_nobody", [broken("neither from nor from_user_id says who wrote", "sha256:")]),
    ("call_status_ringing", [called("RINGING", NAMELESS)]),
    ("call_status_accepted", [called("ACCEPTED", NAMELESS, opens_window=True)]),
    ("call_status_accepted_among_messages", [called("ACCEPTED", NAMELESS, opens_window=True)]),
    ("call_status_rejected", [called("REJECTED", NAMELESS)]),
    ("call_status_with_parent_id", [called("RINGING", replace(NAMELESS, parent_user_id="DE.ENT.7"))]),
    ("call_status_with_parent_id_of_old_spelling", [called("RINGING", replace(NAMELESS, parent_user_id="DE.ENT.7"))]),
    ("call_status_to_nobody", [broken("neither recipient_id nor recipient_user_id says to whom", "sha256:")]),
    ("call_error", [unused("Meta reports error 138001 for this number: Receiver uncallable")]),
    ("echo_text", [echo()]),
    ("echo_image", [echo()]),
    ("echo_number_hidden", [echo(HIDDEN)]),
    ("echo_to_nobody", [broken("neither to nor to_user_id says to whom", "sha256:")]),
    ("user_id_update", [identity(HIDDEN_NAMELESS, NEW_BOTH)]),
    ("user_id_update_number_hidden", [identity(HIDDEN_NAMELESS, NEW_ID)]),
    ("user_id_update_with_parent_ids", [identity(replace(HIDDEN_NAMELESS, parent_user_id="DE.ENT.7"), Sender(wa_id="4915112345678", user_id="DE.new", parent_user_id="DE.ENT.8"))]),
    ("user_id_update_without_previous", [identity(NUMBER_ONLY, Sender(wa_id="4915112345678", user_id="DE.new"))]),
    ("user_id_update_without_current", [broken("user_id.current is missing or not an identifier", "sha256:")]),
    ("history", [unused("field history is not used")]),
    ("history_declined", [unused("field history is not used")]),
    ("smb_app_state_sync", [unused("field smb_app_state_sync is not used")]),
    ("field_template_status", [template(news(Aspect.STATUS, "REJECTED", detail="INVALID_FORMAT"), at=None)]),
    ("field_template_paused", [template(news(Aspect.STATUS, "PAUSED", detail="FIRST_PAUSE"), news(Aspect.CATEGORY, "UTILITY"))]),
    ("field_template_quality", [template(news(Aspect.QUALITY, "YELLOW"))]),
    ("field_template_category_announced", [template(news(Aspect.CATEGORY, "UTILITY"), news(Aspect.COMING_CATEGORY, "MARKETING", until=TEN + timedelta(days=1)))]),
    ("field_template_category_done", [template(news(Aspect.CATEGORY, "MARKETING"), news(Aspect.COMING_CATEGORY, None))]),
    ("field_unknown", [unused("field account_alerts is not used", number="")]),
    ("field_without_name", [unused("field without a name is not used")]),
    ("object_unknown", [unused("object is not whatsapp_business_account", number="")]),
    ("change_with_nothing_in_it", [unused("the change of messages holds nothing that is used")]),
    ("value_error", [unused("Meta reports error 131035 for this number: Lost")]),
    ("number_unknown", [text("Hi", number="123456123")]),
    ("number_as_number", [text("Hi")]),
    ("number_missing", [text("Hi", sender=NAMELESS, number="")]),
]

BATCHES = [
    ("batch_of_two_people_and_statuses", [text("one"), text("two", "wamid.B", BEN), text("three", "wamid.C"), status("sent", "wamid.O1", key=None), status("read", "wamid.O2", key=None)]),
    ("batch_swapped_in_time", [text("second", "wamid.B", sent_at=TEN_AND_1), text("first")]),
    ("batch_of_messages_statuses_and_errors", [text("one"), status("sent", key=None), unused("Meta reports error 130429 for this number: Rate limit hit")]),
    ("batch_over_two_numbers", [text("one"), text("two", "wamid.B", number="100000000000002")]),
    ("batch_over_entries_and_changes", [text("one"), text("two", "wamid.B", BEN), status("sent", "wamid.O1"), status("read", "wamid.O2"), text("three", "wamid.C", NAMELESS), status("delivered", "wamid.O1")]),
    ("batch_with_something_deep", [text("one"), broken("contacts is nested deeper than 16 levels", "wamid.B"), text("three", "wamid.C")]),
    ("batch_with_broken_changes_before_a_good_one", [broken("changes[].value is not an object", "sha256:", number=""), broken("changes[].value is not an object", "sha256:", number=""), unused("field without a name is not used", number=""), text("one")]),
    ("batch_where_entries_are_an_object", [broken("entry is not a list", "sha256:", number="")]),
    ("batch_where_changes_are_an_object", [broken("entry[] is not an object", "sha256:", number=""), broken("changes is not a list", "sha256:", number=""), text("one")]),
    ("batch_where_a_list_is_an_object", [broken("messages is not a list", "sha256:"), status("sent", key=None)]),
    (
        "batch_with_broken_ones",
        [
            text("one", sender=NAMELESS),
            broken("text is not an object", "wamid.no-body"),
            broken("messages[] is not an object", "sha256:"),
            text("two", "wamid.B", NAMELESS),
            broken("neither from nor from_user_id says who wrote", "wamid.nobody"),
            broken("timestamp is not in unix seconds", "wamid.no-time"),
            broken("interactive.button_reply is not an object", "wamid.no-reply"),
            broken("type is missing or not a text", "wamid.no-type"),
            broken("button has neither payload nor text", "wamid.no-button"),
            text("three", "wamid.C", NAMELESS),
            status("sent"),
            broken("status is missing or not a text", "sha256:"),
            broken("statuses[] is not an object", "sha256:"),
            broken("changes[].value is not an object", "sha256:", number=""),
        ],
    ),
]
# fmt: on

CORPUS = [*TEXTS, *SENDERS, *TAPS, *MEDIA, *DATA, *FORMS, *UNSUPPORTED, *ASIDES, *STATUSES, *OTHERS, *BATCHES]


def body(name):
    """Return a body as it comes over the wire."""
    return (FOLDER / f"{name}.json").read_bytes()


def told(event):
    """Return the event without what is kept of it, and with a digest cut to what a table can say of it."""
    bare = replace(event, raw={})
    if getattr(event, "message_id", "").startswith("sha256:"):
        return replace(bare, message_id="sha256:")
    return bare


@pytest.mark.parametrize(("name", "events"), CORPUS, ids=[name for name, _ in CORPUS])
def test_what_a_webhook_tells(name, events):
    """Each body becomes these events in this order."""
    assert [told(event) for event in parse(body(name))] == events


def test_every_body_is_in_the_table():
    """No body lies about without anybody saying what it means, and none is said twice."""
    assert sorted(path.stem for path in FOLDER.glob("*.json")) == sorted(name for name, _ in CORPUS)


def test_every_intent_has_a_body():
    """Each intent that a message may become stands in the table above with the entity that the channel declares for it."""
    contents = [getattr(event, "content", None) for _, events in CORPUS for event in events]
    found = {
        (content.intent, *content.entities)
        for content in contents
        if isinstance(content, (Shared, Aside)) and content.intent is not None
    }
    assert found == {(intent, entity) if entity else (intent,) for intent, entity in INTENTS.items()}


@pytest.mark.parametrize("name", [name for name, _ in CORPUS])
def test_a_redelivery_is_known_again(name):
    """The same body makes the same events, under the same names, and each message reads the same from what is stored."""
    events = parse(body(name))
    assert events == parse(body(name))
    for event in events:
        if isinstance(event, MessageReceived):
            assert read_message(event.number_id, json.loads(json.dumps(event.raw))) == event
