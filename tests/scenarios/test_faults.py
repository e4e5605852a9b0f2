"""Meta misbehaves, processes die: nothing is lost, nothing comes twice, and what cannot be sent is recorded."""

from __future__ import annotations

import json
import sqlite3

import pytest
import requests

from .conftest import eventually


def remind_me(phone) -> int:
    """Ask for a reminder of order 1002 in English; return how many messages the bot has said by then."""
    phone.write("Hi")
    phone.wait_for(1)
    phone.write("Where is my order 1002?")
    phone.wait_for(3)
    phone.write("remind me tomorrow about it")
    phone.wait_for(4)
    return 4


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "http_error", "status": 400, "code": 131047, "times": 1},
        {"kind": "failed_status", "code": 131047, "times": 1},
    ],
    ids=["as an HTTP error", "as a failed status after 200"],
)
def test_refusal_although_the_window_is_open_leads_to_the_template_once(world, phone, store, fault):
    """Meta documents that this happens: the response goes again, as its template."""
    world.advance(hours=48)  # what other customers wait for must not meet the fault
    open_ones = "SELECT id FROM follow_ups WHERE state IN ('pending', 'fired')"
    eventually(lambda: not store(open_ones), lambda: "no follow-up of an earlier test left")
    said = remind_me(phone)
    world.advance(hours=23)
    phone.write("Hi")
    phone.wait_for(said + 1)
    world.set_faults(fault)
    world.advance(hours=2)
    eventually(lambda: templates_on(phone), lambda: "the reminder as its template")
    phone.write("bye")
    eventually(lambda: phone.received()[-1]["text"].startswith("Goodbye"), lambda: "an answer after the reminder")
    assert templates_on(phone) == ["order_reminder"]


def templates_on(phone) -> list[str]:
    """Return the names of the templates that the phone got."""
    return [message["template"]["name"] for message in phone.received() if message.get("template")]


@pytest.mark.parametrize(
    ("fault", "alarm"),
    [
        ({"kind": "http_error", "status": 401, "code": 190, "times": 1}, "the access token has expired"),
        ({"kind": "failed_status", "code": 131042, "times": 1}, "a problem with the payment method"),
    ],
    ids=["as an HTTP error", "as a failed status after 200"],
)
def test_what_stops_the_number_is_an_alarm_and_no_loss(bot, world, phone, fault, alarm):
    """Readiness tells the operator; what waited goes when it is tried again, once."""
    ready = f"{bot.url('rasa')}/webhooks/whatsapp/ready"
    alarms = lambda: requests.get(ready, timeout=10).json()["alarms"]  # noqa: E731
    assert alarms() == []
    world.set_faults(fault)
    phone.write("Hi")
    eventually(lambda: any(alarm in told for told in alarms()), lambda: f"an alarm about {alarm}")
    world.advance(hours=0.1)
    eventually(lambda: len(arrived(phone)) == 1, lambda: "the greeting")
    eventually(lambda: alarms() == [], lambda: "no alarm")
    phone.write("bye")
    eventually(lambda: len(arrived(phone)) >= 2, lambda: "an answer after it")
    greeting, goodbye = arrived(phone)
    assert goodbye.startswith("Goodbye")
    assert not greeting.startswith("Goodbye")


def arrived(phone) -> list[str]:
    """Return the texts of the bot's messages that did not fail."""
    return [message["text"] for message in phone.received() if message["status"] != "failed"]


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "http_error", "status": 429, "code": 130429, "times": 2},
        {"kind": "http_error", "status": 503, "code": 131016, "times": 2},
        {"kind": "drop_after", "times": 1},
        {"kind": "status_first", "times": 1},
        {"kind": "duplicate_webhooks", "times": 4},
    ],
    ids=["429", "503", "accepted, then the connection breaks", "status before the answer", "each webhook twice"],
)
def test_three_messages_are_answered_once_and_in_order(world, phone, fault):
    """Whatever happens on the wire, the customer sees three answers in the order of the questions."""
    world.set_faults(fault)
    for question in ("Hi", "Where is my order?", "cancel"):
        phone.write(question)
    greeting, which, cancelled = phone.wait_for(3)
    assert "Hello!" in greeting["text"]
    assert "order number" in which["text"]
    assert cancelled["text"]
    world.set_faults()
    phone.write("bye")
    assert len(phone.wait_for(4)) == 4


def test_permanent_error_is_recorded_and_the_lane_goes_on(world, phone, store):
    """A message that no retry can mend does not hold up the next one."""
    world.set_faults({"kind": "http_error", "status": 400, "code": 131009, "times": 1})
    wamid = phone.write("Hi")
    phone.write("bye")
    assert len(phone.wait_for(1)) == 1
    ((state, code, reason),) = store("SELECT state, error_code, reason FROM outbox WHERE key = ?", f"{wamid}#1")
    assert (state, code) == ("failed", 131009)
    assert "a field's value is not valid" in reason


def test_rasa_killed_while_customers_write(bot, world, phone, another_phone, store):
    """Kill -9 in the middle: every message is answered exactly once, in order, after the restart."""
    phones = (phone, another_phone)
    ((count,),) = store("SELECT count(*) FROM inbox")
    for text in ("Hi", "Where is my order?", "1002"):
        for each in phones:
            each.write(text)
        count += 2  # in the order in which they come: a busy server may meet two webhooks of one customer at once
        eventually(lambda count=count: store("SELECT count(*) FROM inbox") == [(count,)], lambda: "both in the store")
    bot.kill("rasa")
    for each in phones:
        each.write("thanks")
    bot.start("rasa")
    for each in phones:
        each.wait_for(6)
        each.write("bye")
        answers = [message["text"] for message in each.wait_for(7)]
        assert len(answers) == len(set(answers)), "an answer came twice"
        assert "Hello!" in answers[0]
        assert "order number" in answers[1]
        assert "1002" in answers[2]


def test_action_server_down(bot, world, phone, store):
    """A turn that needs it waits until it is back, and is answered once."""
    bot.stop("actions")
    try:
        phone.write("Hi")
        phone.wait_for(1)
        wamid = phone.write("How long may you write to me?")
        waits = "SELECT 1 FROM inbox WHERE message_id = ? AND state = 'received' AND waits > 0"
        eventually(lambda: store(waits, wamid), lambda: "the turn is put back")
        assert len(phone.received()) == 1
    finally:
        bot.start("actions")
    phone.wait_for(2)
    done = "SELECT 1 FROM inbox WHERE message_id = ? AND state = 'done'"
    eventually(lambda: store(done, wamid), lambda: "the turn is done")
    assert len(phone.received()) == 2
    path = bot.log_path("rasa").parent.parent / "trackers.sqlite"
    with sqlite3.connect(path) as connection:
        ((contact_id,),) = store("SELECT contact_id FROM inbox WHERE message_id = ?", wamid)
        query = "SELECT data FROM events WHERE sender_id = ? AND type_name = 'slot' ORDER BY id"
        slots = [json.loads(data) for (data,) in connection.execute(query, (contact_id,))]
    assert [slot["value"] for slot in slots if slot["name"] == "care_window_open"] == [True, True]


def test_stop_ends_what_was_planned_and_start_allows_it_again(world, phone, store):
    """An opted-out customer gets no follow-up, and the refusal says why."""
    said = remind_me(phone)
    wamid = phone.write("STOP")
    phone.wait_for(said + 1)
    world.advance(hours=25)
    phone.write("Hi")
    phone.wait_for(said + 2)
    assert not [message for message in phone.received() if message.get("template")]
    ((contact_id,),) = store("SELECT contact_id FROM inbox WHERE message_id = ?", wamid)
    ledger = store("SELECT scope, choice, source FROM consent WHERE contact_id = ? ORDER BY id", contact_id)
    assert ledger[:2] == [("utility", "opt_in", "reminder request"), ("all", "opt_out", "keyword")]
    assert {choice for _, choice, _ in ledger[2:]} <= {"opt_out"}
    phone.write("START")
    phone.wait_for(said + 3)
    assert store("SELECT choice FROM consent WHERE contact_id = ? ORDER BY id DESC LIMIT 1", contact_id) == [
        ("opt_in",)
    ]


def test_customer_without_a_number_is_served(world, phone, bot):
    """A hidden number: the conversation goes by the business-scoped user id."""
    import requests

    customer = {"wa_id": phone.wa_id, "name": "Lea", "hide_number": True}
    requests.post(f"{world.url}/control/customers", json=customer, timeout=10).raise_for_status()
    phone.write("Hi")
    (answer,) = phone.wait_for(1)
    assert "recipient" in answer["payload"]
    assert "to" not in answer["payload"]


def test_read_receipt_and_typing_while_a_turn_runs(world, phone):
    """The customer sees that the message was read and that an answer is coming."""
    wamid = phone.write("Hi")
    phone.wait_for(1)
    expected = {
        "messaging_product": "whatsapp",
        "status": "read",
        "message_id": wamid,
        "typing_indicator": {"type": "text"},
    }
    eventually(
        lambda: expected in [made["body"] for made in world.requests()],
        lambda: "a read receipt with a typing indicator",
    )


def test_secrets_and_numbers_stay_out_of_the_log(bot, phone):
    """Neither what a customer writes nor who they are stands in Rasa's log; nor does a secret."""
    phone.write("my very private words")
    phone.wait_for(1)
    log = bot.log("rasa")
    for secret in ("my very private words", phone.wa_id, "demo-access-token", "demo-app-secret"):
        assert secret not in log
