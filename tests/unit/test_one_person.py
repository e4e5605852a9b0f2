"""One person under several names and in several moments: merges, late wishes, commands that look like keywords."""

from __future__ import annotations

import json

import pytest

from rasa_whatsapp import intake
from rasa_whatsapp.cloud.answers import Refused
from rasa_whatsapp.cloud.graph_errors import Disposition
from rasa_whatsapp.errors import StoreInUse, StoreOutdated, UnknownContact
from rasa_whatsapp.storage.database import Database


@pytest.mark.asyncio
async def test_a_button_whose_command_is_called_stop_is_no_opt_out(stage):
    """A button with the payload /stop (a designer's intent, to leave a form) must not end all messages."""
    stage.dialogue.answer = lambda turn: [{"text": "?", "buttons": [{"title": "Leave the form", "payload": "/stop"}]}]
    await stage.start()
    await stage.receive(stage.message("Hi"))
    tap = {"type": "button_reply", "button_reply": {"id": "/stop", "title": "Leave the form"}}
    await stage.receive(stage.message(type="interactive", context={"id": "wamid.OUT1"}, interactive=tap))
    assert stage.dialogue.turns[1].is_command
    assert stage.rows("consent") == []


@pytest.mark.asyncio
async def test_a_replayed_wish_does_not_outdo_a_later_stop(stage):
    """'remind me' is parked, STOP follows, the operator replays: the customer stays opted out."""
    broken = True

    async def fail(turn):
        if broken and turn.text == "remind me":
            raise RuntimeError

    stage.dialogue.before = fail
    stage.dialogue.answer = lambda turn: (
        [{"text": "ok", "custom": {"consent": {"opt_in": "utility"}}}] if turn.text == "remind me" else []
    )
    await stage.start(turn_attempts=1)
    await stage.receive(stage.message("remind me"))
    stage.clock.advance(minutes=5)
    await stage.receive(stage.message("STOP"))
    stage.clock.advance(minutes=5)
    broken = False
    await stage.database.run(intake.replay, [stage.rows("inbox")[0]["id"]], stage.rules.intake, stage.clock.now())
    await stage.nudge()
    await stage.receive(stage.message("well?"))
    assert stage.dialogue.turns[-1].entities["whatsapp_consent"] == "opted_out"


@pytest.mark.asyncio
async def test_one_131000_after_some_throttling_is_not_the_end(stage):
    """Tries that were throttled (surely not sent) do not count for the two or three tries of 131000."""
    await stage.start()
    await stage.receive(stage.message("Hi"))
    stage.graph.answers = [Refused(Disposition.RETRY, 130429, "x")] * 4 + [Refused(Disposition.UNCERTAIN, 131000, "x")]
    await stage.say(stage.contact_id, "wamid.IN1", 1, {"text": "one"}, proactive=False)
    await stage.idle()
    for _ in range(12):
        await stage.advance(minutes=6)
    assert stage.states("outbox") == ["accepted"]


@pytest.mark.asyncio
async def test_a_contact_that_lost_its_number_to_another(stage):
    """B was known by number only, A by user id only; then they turn out one person: B's waiting message has no recipient."""
    await stage.start()
    await stage.receive(stage.message("Hi"))
    b = stage.contact_id
    stage.graph.answers = [Refused(Disposition.RETRY, 130429, "x")]
    await stage.say(b, "wamid.IN1", 1, {"text": "for you"}, proactive=False)
    await stage.idle()
    await stage.receive(stage.message("Hi", **{"from": None, "from_user_id": "DE.1"}))
    await stage.receive(stage.message("Hi", from_user_id="DE.1"))
    await stage.advance(seconds=5)
    last = stage.graph.sent[-1]
    assert last.get("to") or last.get("recipient")


@pytest.mark.asyncio
async def test_a_stop_under_the_number_counts_for_the_person(stage):
    """STOP under the number alone; the same person is known by user id too; then both come together: still opted out."""
    await stage.start()
    await stage.receive(stage.message("Hi", **{"from": None, "from_user_id": "DE.1"}))
    await stage.receive(stage.message("STOP"))
    stage.clock.advance(minutes=1)
    await stage.receive(stage.message("Hi", from_user_id="DE.1"))
    assert stage.dialogue.turns[-1].entities["whatsapp_consent"] == "opted_out"


@pytest.mark.asyncio
async def test_no_merge_in_the_middle_of_a_turn(stage, body):
    """A turn of the number-only contact is under way when both ids come together: it runs once, and the merge waits."""
    under_way, go_on = stage.hold_turn("slow")
    await stage.start()
    await stage.receive(stage.message("Hi", **{"from": None, "from_user_id": "DE.1"}))
    stage.clock.advance(seconds=1)
    await stage.hand_in(body(stage.message("slow")))
    await under_way.wait()
    await stage.hand_in(body(stage.message("both", from_user_id="DE.1")))
    go_on.set()
    await stage.idle()
    assert sorted(stage.dialogue.heard) == ["Hi", "both", "slow"]
    await stage.receive(stage.message("now", from_user_id="DE.1"))
    assert sorted(stage.dialogue.heard) == ["Hi", "both", "now", "slow"]
    await stage.nudge()
    assert [row["merged_into"] is not None for row in stage.rows("contacts")].count(True) == 1
    assert set(stage.states("inbox")) == {"done"}


@pytest.mark.asyncio
async def test_a_merge_keeps_the_window_that_is_open(stage):
    """The other contact never wrote, it only used WhatsApp's control: its missing window does not win."""
    await stage.start()
    await stage.receive(stage.message("Hi"))
    stage.clock.advance(hours=1)
    preference = {"user_id": "DE.1", "category": "marketing_messages", "value": "stop", "timestamp": 1795345200}
    value = {"metadata": {"phone_number_id": "100000000000001"}, "user_preferences": [preference]}
    entry = {"id": "1", "changes": [{"field": "user_preferences", "value": value}]}
    await stage.hand_in(json.dumps({"object": "whatsapp_business_account", "entry": [entry]}).encode())
    await stage.receive(
        stage.message("👍", from_user_id="DE.1", type="reaction", reaction={"message_id": "wamid.OUT1"})
    )
    kept = next(row["id"] for row in stage.rows("contacts") if row["merged_into"] is None)
    await stage.say(kept, "api:1", 1, {"text": "still open"}, proactive=False)
    await stage.idle()
    assert stage.states("outbox")[-1] == "accepted"


@pytest.mark.asyncio
async def test_the_text_of_a_failure_stays_out_of_the_log(stage, caplog):
    """Components raise with the customer's words in their text: the log names the kind and the place."""

    async def fail(turn):
        raise RuntimeError("secret words")

    stage.dialogue.before = fail
    await stage.start(turn_attempts=1)
    await stage.receive(stage.message("Hi"))
    assert "RuntimeError" in caplog.text
    assert "secret words" not in caplog.text
    assert stage.states("inbox") == ["parked"]


def test_a_number_in_an_error_is_hidden():
    """Whoever calls Rasa's HTTP API may try a phone number as a conversation id."""
    assert "4915112345678" not in str(UnknownContact("4915112345678"))
    assert "…5678" in str(UnknownContact("4915112345678"))


def test_a_second_server_on_the_same_store_is_refused(tmp_path):
    """It would take up the turns that the first is in the middle of."""
    url = f"sqlite:///{tmp_path / 'store.sqlite'}"
    first, second = Database(url), Database(url)
    first.claim()
    with pytest.raises(StoreInUse, match="another Rasa server uses the store"):
        second.claim()
    first.close()
    second.claim()
    second.close()


def test_a_store_with_other_tables_is_refused(tmp_path):
    """It claims the right version, but a column is missing: better no start than a message that cannot be stored."""
    database = Database(f"sqlite:///{tmp_path / 'store.sqlite'}")
    database.upgrade()
    database.run_now(lambda connection: connection.exec_driver_sql("ALTER TABLE outbox DROP COLUMN copies"))
    with pytest.raises(StoreOutdated, match=r"outbox\.copies"):
        database.upgrade()
    database.close()
