"""The actions alone: slots in, events out."""

from __future__ import annotations

import asyncio
import sqlite3
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from actions.care_window import ActionMeasureWindow, to_duration
from actions.feedback import ActionSaveFeedback
from actions.order_status import ActionLookUpOrder, ValidateOrderForm, ValidateReminderForm
from actions.reminders import ActionCancelReminder, ActionCloseQuestion, ActionScheduleReminder
from rasa_sdk import Action, Tracker
from rasa_sdk.executor import CollectingDispatcher


def tracker(intent: str = "inform_order_number", **slots: Any) -> Tracker:
    """Return a conversation with these slots and this latest intent."""
    return Tracker("c", slots, {"intent": {"name": intent}}, [], False, None, {}, "action_listen")


def run(action: Action, conversation: Tracker) -> list[dict[str, Any]]:
    """Return the events of an action; it says nothing itself."""
    dispatcher = CollectingDispatcher()
    events = asyncio.run(action.run(dispatcher, conversation, {}))
    assert dispatcher.messages == []
    return events


def slots_of(events: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the slots that the events set."""
    return {event["name"]: event["value"] for event in events if event["event"] == "slot"}


def of_type(events: list[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    """Return the events of one kind, without their empty timestamps."""
    return [
        {key: value for key, value in event.items() if key not in {"event", "timestamp"}}
        for event in events
        if event["event"] == kind
    ]


def test_a_look_up_tells_the_facts_and_leaves_a_question_open() -> None:
    """The order becomes slots, in the customer's language; the number asked for is used up."""
    events = run(ActionLookUpOrder(), tracker(order_number="1002", language="de"))
    assert slots_of(events) == {
        "order_number": None,
        "order_id": "1002",
        "order_item": "Wolldecke, waldgrün",
        "order_state": "shipped",
        "order_tracking": "KB203040506DE",
        "question_open": True,
    }


def test_an_open_question_is_followed_up_a_day_later_unless_the_customer_writes() -> None:
    """There is one such follow-up: its name is fixed, so asking again replaces it."""
    events = run(ActionLookUpOrder(), tracker(order_number="1001"))
    assert of_type(events, "reminder") == [
        {
            "intent": "EXTERNAL_open_question",
            "entities": [{"entity": "order_id", "value": "1001"}],
            "date_time": "2026-11-23T10:00:00+00:00",
            "name": "open_question",
            "kill_on_user_msg": True,
        }
    ]


@pytest.mark.parametrize("number", ["9999", None])
def test_an_order_that_is_not_found_leaves_no_question(number: str | None) -> None:
    """An order that vanished after its number was checked is told as unavailable."""
    events = run(ActionLookUpOrder(), tracker(order_number=number))
    assert slots_of(events) == {"order_number": None, "order_state": "asked", "question_open": None}
    assert of_type(events, "reminder") == []


@pytest.fixture
def broken_shop(shop_database: Path) -> None:
    """Put something into the shop's place that is no database."""
    shop_database.parent.mkdir(parents=True)
    shop_database.write_text("this is no database, and long enough to be read as one" * 10)


@pytest.mark.usefixtures("broken_shop")
def test_a_broken_shop_does_not_break_the_turn() -> None:
    """The state is told as unavailable, a number is taken as it is, a rating is lost without an error."""
    assert slots_of(run(ActionLookUpOrder(), tracker(order_number="1002")))["order_state"] == "asked"
    checked = ValidateOrderForm().validate_order_number("1002", CollectingDispatcher(), tracker(), {})
    assert checked == {"order_number": "1002", "order_problem": "none"}
    assert slots_of(run(ActionSaveFeedback(), tracker("feedback_good"))) == {"question_open": None}


@pytest.mark.parametrize(
    ("text", "intent", "expected"),
    [
        pytest.param("1003", "inform_order_number", ("1003", "none"), id="a number of the shop"),
        pytest.param("#1003", "inform_order_number", ("1003", "none"), id="with a number sign"),
        pytest.param("9999", "inform_order_number", (None, "unknown"), id="not in the shop"),
        pytest.param("12", "inform_order_number", (None, "format"), id="too short"),
        pytest.param("my number is 12345", "inform_order_number", (None, "format"), id="too long, in a sentence"),
        pytest.param("qwertz", "nlu_fallback", (None, "format"), id="no number at all"),
        pytest.param("where is my order?", "ask_order_state", (None, "none"), id="the question again"),
        pytest.param("where is order 12?", "ask_order_state", (None, "format"), id="the question with a wrong number"),
        pytest.param("remind me", "remind_me", (None, "none"), id="the wish again"),
    ],
)
def test_a_wrong_number_is_told_apart(text: str, intent: str, expected: tuple[str | None, str]) -> None:
    """The form learns the number, or what is wrong with it."""
    result = ValidateOrderForm().validate_order_number(text, CollectingDispatcher(), tracker(intent), {})
    assert (result["order_number"], result["order_problem"]) == expected


@pytest.mark.parametrize(
    ("slots", "asked"),
    [
        pytest.param({"order_id": "1002", "order_problem": "none"}, [], id="order spoken of"),
        pytest.param({"order_id": None, "order_problem": "none"}, ["order_number"], id="no order known"),
        pytest.param(
            {"order_id": "1002", "order_number": "1003", "order_problem": "none"},
            ["order_number"],
            id="another one named",
        ),
        pytest.param({"order_id": "1002", "order_problem": "unknown"}, ["order_number"], id="a wrong one named"),
        pytest.param(
            {"order_id": "1002", "order_problem": "none", "requested_slot": "order_number"},
            ["order_number"],
            id="being asked",
        ),
    ],
)
def test_a_reminder_asks_for_the_order_only_if_it_must(slots: dict[str, Any], asked: list[str]) -> None:
    """Nothing is asked when the order is clear."""
    required = ValidateReminderForm().required_slots(["order_number"], CollectingDispatcher(), tracker(**slots), {})
    assert asyncio.run(required) == asked


def test_a_reminder_comes_a_day_later_and_survives_other_messages() -> None:
    """The customer asked for it, so it is not ended by the next message; it knows its order."""
    events = run(ActionScheduleReminder(), tracker(order_id="1002"))
    assert of_type(events, "reminder") == [
        {
            "intent": "EXTERNAL_order_reminder",
            "entities": [{"entity": "order_id", "value": "1002"}],
            "date_time": "2026-11-23T10:00:00+00:00",
            "name": "order_reminder_1002",
            "kill_on_user_msg": False,
        }
    ]
    assert slots_of(events)["reminder_state"] == "set"


def test_a_reminder_of_a_named_order_is_about_that_one() -> None:
    """The number just given goes before the order last spoken of."""
    events = run(ActionScheduleReminder(), tracker(order_id="1002", order_number="1003"))
    assert of_type(events, "reminder")[0]["name"] == "order_reminder_1003"
    assert slots_of(events)["order_id"] == "1003"


def test_a_reminder_ends_the_open_question() -> None:
    """Who wants a reminder is not asked on top whether all is settled."""
    events = run(ActionScheduleReminder(), tracker(order_id="1002", question_open=True))
    assert slots_of(events)["question_open"] is None
    assert of_type(events, "cancel_reminder") == [{"intent": None, "entities": None, "name": "open_question"}]


def test_no_order_means_no_reminder() -> None:
    """Without an order nothing is scheduled and nothing promised."""
    assert of_type(run(ActionScheduleReminder(), tracker()), "reminder") == []


@pytest.mark.parametrize(
    ("before", "after"),
    [("set", "forgotten"), ("none", "none"), ("fired", "none"), ("asked", "none"), ("forgotten", "none")],
)
def test_forgetting_cancels_all_reminders_and_says_whether_there_was_one(before: str, after: str) -> None:
    """All of the customer's reminders go, and only those."""
    events = run(ActionCancelReminder(), tracker(reminder_state=before))
    assert of_type(events, "cancel_reminder") == [{"intent": "EXTERNAL_order_reminder", "entities": None, "name": None}]
    assert slots_of(events) == {"reminder_state": after}


def test_an_answered_question_is_not_followed_up() -> None:
    """The slot is empty again and the follow-up is cancelled by name."""
    events = run(ActionCloseQuestion(), tracker(question_open=True))
    assert slots_of(events) == {"question_open": None}
    assert [event["name"] for event in of_type(events, "cancel_reminder")] == ["open_question"]


@pytest.mark.parametrize(("intent", "rating"), [("feedback_good", "good"), ("feedback_bad", "bad")])
def test_feedback_is_kept_with_the_order(shop_database: Path, intent: str, rating: str) -> None:
    """The intent becomes a rating; who gave it is not stored."""
    run(ActionSaveFeedback(), tracker(intent, order_id="1003"))
    connection = sqlite3.connect(shop_database)
    rows = connection.execute("SELECT rating, order_number, given_at FROM feedback").fetchall()
    connection.close()
    assert rows == [(rating, "1003", "2026-11-22T10:00:00+00:00")]


@pytest.mark.parametrize(
    ("left", "text"),
    [
        pytest.param(timedelta(days=1), "24 h 00 min", id="a whole day"),
        pytest.param(timedelta(hours=23, minutes=59, seconds=59), "23 h 59 min", id="rounded down"),
        pytest.param(timedelta(minutes=5), "0 h 05 min", id="minutes"),
        pytest.param(timedelta(), "0 h 00 min", id="over"),
    ],
)
def test_the_time_left_is_a_duration(left: timedelta, text: str) -> None:
    """Hours and minutes read the same in both languages."""
    assert to_duration(left) == text


def test_the_window_is_measured_only_where_there_is_one() -> None:
    """On another channel the slot stays as it is; where the window is closed, nothing is left."""
    end = "2026-11-23T09:30:00+00:00"
    measured = run(ActionMeasureWindow(), tracker(care_window_expires_at=end, care_window_open=True))
    assert slots_of(measured) == {"care_window_left": "23 h 30 min"}
    measured = run(ActionMeasureWindow(), tracker(care_window_expires_at=end, care_window_open=False))
    assert slots_of(measured) == {"care_window_left": "0 h 00 min"}
    assert run(ActionMeasureWindow(), tracker()) == []
