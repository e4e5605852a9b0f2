"""What reaches Rasa's dialogue: typed slashes, payloads, the slots' entities, and a turn that ran before."""

from __future__ import annotations

import asyncio
from datetime import datetime, timezone
from typing import Any

import pytest
from rasa.shared.core.events import UserUttered
from rasa.shared.core.trackers import DialogueStateTracker
from sqlalchemy import insert

from rasa_whatsapp.storage.schema import contacts
from rasa_whatsapp.turn import Turn

SENDER = "wa-0123456789"
NOON = datetime(2026, 11, 20, 12, 0, tzinfo=timezone.utc)


def turn(text: str, **more: Any) -> Turn:
    """Return a customer's turn inside an open window."""
    entities = {
        "care_window_open": True,
        "care_window_expires_at": "2026-11-21T12:00:00+00:00",
        "whatsapp_consent": "unknown",
    }
    return Turn(
        **{
            "contact_id": SENDER,
            "message_id": "wamid.1",
            "cause": "wamid.1",
            "sent_at": NOON,
            "text": text,
            "entities": entities,
            **more,
        }
    )


def conversation_after(channel, *turns: Turn, again: bool = False) -> DialogueStateTracker:
    """Return the conversation after Rasa took the turns."""

    async def story():
        gateway = await channel.start()
        # the outbox wants to know whom it owes something
        await channel.database.run(_add_contact)
        for taken in turns:
            if not (again and await gateway._dialogue.has_taken(taken)):
                await gateway._dialogue.take(taken)
        tracker = await channel.agent.tracker_store.retrieve_full_tracker(SENDER)
        await channel.stop()
        return tracker

    return asyncio.run(story())


def _add_contact(connection) -> None:

    connection.execute(insert(contacts).values(id=SENDER, number_id="100000000000001", created_at=NOON))


def user_events(tracker: DialogueStateTracker) -> list[UserUttered]:
    """Return what the customer said, as the conversation has it."""
    return [event for event in tracker.events if isinstance(event, UserUttered)]


@pytest.mark.parametrize(
    "typed",
    [
        "/EXTERNAL_order_reminder",
        '/EXTERNAL_order_reminder{"order_number": "1002"}',
        "  /restart",
        "\n\t/session_start",
        "\u00a0/affirm",
        "\u2003/affirm",
        "\x1c/affirm",
        "/affirm@1.0",
        "//affirm",
    ],
    ids=repr,
)
def test_typed_slash_is_never_a_command(channel, typed):
    """NLU reads it as a sentence: it never names the intent with certainty, and no entity of it counts."""
    (said,) = user_events(conversation_after(channel, turn(typed)))
    assert said.intent["confidence"] < 1.0
    assert said.intent["name"] not in ("EXTERNAL_order_reminder", "restart", "session_start")
    assert {entity["entity"] for entity in said.entities} <= {
        "care_window_open", "care_window_expires_at", "whatsapp_consent", "order_number", "language",
    }  # fmt: skip
    assert said.text == typed.strip()
    assert all(entity.get("extractor") != "RegexMessageHandler" for entity in said.entities)


def test_payload_of_our_button_is_a_command(channel):
    """The same text as a verified payload names its intent and entity."""
    (said,) = user_events(
        conversation_after(channel, turn('/ask_order_state{"order_number": "1002"}', is_command=True))
    )
    assert said.intent["name"] == "ask_order_state"
    assert said.intent["confidence"] == 1.0
    assert [e["value"] for e in said.entities if e["entity"] == "order_number"] == ["1002"]


def test_window_is_in_the_slots_before_anything_is_predicted(channel):
    """The slots are set between the customer's words and the bot's first action."""
    tracker = conversation_after(channel, turn("hello"))
    names = [getattr(event, "key", event.type_name) for event in tracker.events]
    assert names.index("care_window_open") < names.index("bot")
    assert tracker.get_slot("care_window_open") is True
    assert tracker.get_slot("care_window_expires_at") == "2026-11-21T12:00:00+00:00"
    assert tracker.get_slot("whatsapp_consent") == "unknown"


def test_follow_up_refreshes_the_slots_too(channel):
    """An external turn carries the closed window, and Rasa knows it as external."""
    closed = {"care_window_open": False, "whatsapp_consent": "opted_in"}
    follow_up = turn(
        "EXTERNAL: EXTERNAL_open_question",
        message_id="follow-up:1",
        cause="follow-up:1",
        intents=("EXTERNAL_open_question",),
        follow_up_id="1",
        entities=closed,
        metadata={"whatsapp": {"type": "follow_up", "follow_up": "open_question"}},
    )
    tracker = conversation_after(channel, turn("hello"), follow_up)
    assert tracker.get_slot("care_window_open") is False
    assert user_events(tracker)[-1].intent["name"] == "EXTERNAL_open_question"
    assert user_events(tracker)[-1].metadata["is_external"] is True


def test_consent_keyword_arrives_as_its_intent(channel):
    """STOP needs no training data: the channel names the intent that the domain declares."""
    (said,) = user_events(conversation_after(channel, turn("STOP", intents=("whatsapp_opt_out",))))
    assert said.intent["name"] == "whatsapp_opt_out"


def test_intent_that_the_domain_lacks_goes_to_nlu(channel):
    """A bot without consent intents still gets the words."""
    (said,) = user_events(conversation_after(channel, turn("hello", intents=("no_such_intent",))))
    assert said.intent["name"] == "greet"


def test_turn_that_ran_before_a_crash_is_not_run_again(channel):
    """The tracker holds its message id: a second run changes nothing."""
    tracker = conversation_after(channel, turn("hello"), turn("hello"), again=True)
    assert len(user_events(tracker)) == 1


def test_metadata_and_message_id_reach_the_tracker(channel):
    """Actions and stories can read them."""
    (said,) = user_events(conversation_after(channel, turn("hello", metadata={"whatsapp": {"type": "text"}})))
    assert said.message_id == "wamid.1"
    assert said.metadata["whatsapp"] == {"type": "text"}
    assert said.input_channel == "whatsapp"


@pytest.mark.parametrize(
    ("intents", "taken"),
    [
        (("whatsapp_image", "whatsapp_unsupported", "nlu_fallback"), "whatsapp_image"),
        (("whatsapp_hologram", "whatsapp_unsupported", "nlu_fallback"), "whatsapp_unsupported"),
        (("whatsapp_hologram", "whatsapp_hologram_too", "nlu_fallback"), "nlu_fallback"),
    ],
    ids=["the kind's own", "unsupported", "Rasa's fallback"],
)
def test_the_first_intent_that_the_domain_declares(channel, intents, taken):
    """A message without words is never understood by guessing."""
    (said,) = user_events(conversation_after(channel, turn("[image]", intents=intents)))
    assert (said.intent["name"], said.intent["confidence"], said.text) == (taken, 1.0, "[image]")


def test_an_entity_of_several_fields_fills_its_slot(channel):
    """A photo's description is an object, and reaches actions as such."""
    photo = {"id": "901", "kind": "image", "mime_type": "image/jpeg"}
    taken = turn("[image]", intents=("whatsapp_sticker",), entities={"whatsapp_media": photo, "care_window_open": True})
    tracker = conversation_after(channel, taken)
    assert tracker.get_slot("whatsapp_media") == photo
