"""Taking in the events of a body: what is new becomes a row, once; what is parked can be read anew."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone

import pytest
from sqlalchemy import select, update

from rasa_whatsapp import intake
from rasa_whatsapp.cloud.inbound import parse
from rasa_whatsapp.intake import Claimant, IntakeRules
from rasa_whatsapp.storage import inbox, lanes, schema, servers
from rasa_whatsapp.storage.lanes import Kind

TEN = datetime(2026, 11, 22, 10, 0, tzinfo=timezone.utc)
RULES = IntakeRules(number_ids=("100000000000001",))


@pytest.fixture
def take(database):
    """Return what takes in a raw body for a server that has places free."""
    server = Claimant(turns="server-1", sends="server-1")
    return lambda raw: database.run_now(intake.take_in, parse(raw), RULES, TEN, claimant=server)


def rows(database, *columns):
    """Return these columns of the inbox."""
    chosen = [schema.inbox.c[column] for column in columns]
    return [
        tuple(row)
        for row in database.run_now(
            lambda connection: connection.execute(select(*chosen).order_by(schema.inbox.c.id)).all()
        )
    ]


def test_whose_lanes_have_work(take, webhook):
    """Each contact with a new turn is named once; a redelivery names nobody."""
    assert len(take(webhook("batch_over_entries_and_changes")).turns) == 2
    again = take(webhook("batch_over_entries_and_changes"))
    assert (again.turns, again.sends) == ([], [])


def test_lanes_of_nobody(database, webhook):
    """Without a claimant, any server may take the lanes up."""
    taken = database.run_now(intake.take_in, parse(webhook("batch_over_entries_and_changes")), RULES, TEN)
    assert (taken.turns, taken.sends) == ([], [])
    assert len(database.run_now(lanes.claim, Kind.TURNS, "server-2", TEN, 10)) == 2


def test_a_batch_of_a_thousand(take, database, body, clock):
    """Meta's largest body is one transaction; each message is a row."""
    at = str(int(TEN.timestamp()))
    messages = [
        {"from": f"49{number}", "id": f"wamid.{number}", "timestamp": at, "type": "text", "text": {"body": "x"}}
        for number in range(1000)
    ]
    assert len(take(body(*messages)).turns) == 1000
    assert len(rows(database, "id")) == 1000


def test_order_of_a_lane(take, database, body):
    """The head is the earliest by its own time, then by arrival."""

    def message(ident, seconds):
        at = str(int((TEN + timedelta(seconds=seconds)).timestamp()))
        return {"from": "49", "id": ident, "timestamp": at, "type": "text", "text": {"body": "x"}}

    (contact_id,) = take(body(message("c", -1), message("a", -3), message("b", -3), message("d", -1))).turns
    order = []
    while (head := database.run_now(inbox.head, contact_id)) is not None:
        order.append(head.message_id)
        database.run_now(inbox.finish, head.id, inbox.State.DONE, TEN)
    assert order == ["a", "b", "c", "d"]


def test_a_broken_message_is_read_anew_by_a_replay(take, database, webhook):
    """Parked because this version could not read it: a later one can."""
    take(webhook("batch_with_broken_ones"))
    parked = [row_id for row_id, state in rows(database, "id", "state") if state == "parked"]
    assert len(parked) == 10
    ((row_id, raw),) = [
        (row_id, raw) for row_id, ident, raw in rows(database, "id", "message_id", "body") if ident == "wamid.no-body"
    ]
    raw["message"]["text"] = {"body": "now it is there"}
    database.run_now(
        lambda connection: connection.execute(update(schema.inbox).where(schema.inbox.c.id == row_id).values(body=raw))
    )
    assert database.run_now(intake.replay, parked, RULES, TEN) == [row_id]
    states = dict(rows(database, "message_id", "state"))
    assert states["wamid.no-body"] == "received"
    assert states["wamid.no-time"] == "parked"


def test_a_replay_of_what_is_not_parked(take, database, webhook):
    """Nothing happens to rows that are done, waiting or not there."""
    take(webhook("text"))
    ((row_id,),) = rows(database, "id")
    assert database.run_now(intake.replay, [row_id, 4711], RULES, TEN) == []
    assert rows(database, "state") == [("received",)]


def test_recovery(take, database, webhook):
    """What was running when the process died waits again, in a lane of nobody's, and remembers its attempt and the crash."""
    (contact_id,) = take(webhook("text")).turns
    head = database.run_now(inbox.head, contact_id)
    database.run_now(inbox.begin, head)
    assert rows(database, "state", "attempts", "crashes") == [("running", 1, 0)]
    database.run_now(servers.leave, "server-1", TEN)
    assert rows(database, "state", "attempts", "crashes") == [("received", 1, 1)]
    database.run_now(servers.leave, "server-1", TEN)
    assert rows(database, "state", "attempts", "crashes") == [("received", 1, 1)]
    (lane,) = database.run_now(lanes.claim, Kind.TURNS, "server-2", TEN, 10)
    assert lane.contact_id == contact_id


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("\x00a", "a"),
        ("a\ud800b", "a\ufffdb"),
        ("👨‍👩‍👧", "👨‍👩‍👧"),
        ("x" * 100_000, "x" * 100_000),
        ("'; DROP TABLE inbox; --", "'; DROP TABLE inbox; --"),
    ],
    ids=["NUL", "half a surrogate pair", "emoji", "long", "quotes"],
)
def test_any_text_is_kept(take, database, text, kept, body):
    """Only what no database stores is taken out."""
    message = {
        "from": "49", "id": f"wamid.{text[:3]}", "timestamp": "1795341600", "type": "text", "text": {"body": text},
    }  # fmt: skip
    assert len(take(body(message)).turns) == 1
    ((raw, state),) = rows(database, "body", "state")
    assert json.loads(json.dumps(raw))["message"]["text"]["body"] == kept
    assert state == "received"
