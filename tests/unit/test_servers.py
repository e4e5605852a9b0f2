"""Servers of one store: what a dead one had in hand is given back, and a living one keeps it."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
from sqlalchemy import select, update

from rasa_whatsapp import intake
from rasa_whatsapp.cloud.inbound import parse
from rasa_whatsapp.errors import LaneLost
from rasa_whatsapp.intake import Claimant, IntakeRules
from rasa_whatsapp.storage import inbox, lanes, schema, servers
from rasa_whatsapp.storage.lanes import Kind, Lane

TEN = datetime(2026, 11, 22, 10, 0, tzinfo=timezone.utc)
RULES = IntakeRules(number_ids=("100000000000001",))
A, B = "server-a", "server-b"


@pytest.fixture
def store(database):
    """Return what runs a function of the store."""
    return database.run_now


def turn_under_way(store, webhook, owner=A):
    """Let a message come in and its turn begin at a server; return its lane."""
    claimant = Claimant(turns=owner, sends=owner)
    (contact_id,) = store(intake.take_in, parse(webhook("text")), RULES, TEN, claimant=claimant).turns
    store(inbox.begin, store(inbox.head, contact_id))
    return Lane(Kind.TURNS, contact_id, owner)


def row(store):
    """Return state, attempts and crashes of the only message."""
    chosen = select(schema.inbox.c.state, schema.inbox.c.attempts, schema.inbox.c.crashes)
    return tuple(store(lambda connection: connection.execute(chosen).one()))


def die(store, server):
    """Let a server's lease be over."""
    store(lambda connection: connection.execute(
        update(schema.servers).where(schema.servers.c.id == server).values(alive_until=1)
    ))  # fmt: skip


def test_a_lane_claimed_for_a_server_that_is_gone(store, webhook):
    """A transaction that was under way when its server left: nobody else would ever take the lane up."""
    store(servers.join, B, 10)
    lane = turn_under_way(store, webhook, owner=A)
    store(servers.free_lanes, TEN + timedelta(seconds=30))
    assert row(store) == ("received", 1, 1)
    assert store(lanes.claim, Kind.TURNS, B, TEN + timedelta(seconds=30), 9) == [Lane(Kind.TURNS, lane.contact_id, B)]


def test_a_living_servers_lanes_stay(store, webhook):
    """Whoever looks for dead ones."""
    for server in (A, B):
        store(servers.join, server, 10)
    lane = turn_under_way(store, webhook, owner=A)
    assert store(servers.bury, B, TEN) == ([A] if store(lambda connection: connection.dialect.name) == "sqlite" else [])
    if store(lambda connection: connection.dialect.name) != "sqlite":  # on SQLite there is one server at a time
        store(lanes.hold, lane)


def test_a_dead_servers_turn_is_given_back(store, webhook):
    """The lane is nobody's and ready, the turn waits again and counts a crash; the old owner can change nothing."""
    for server in (A, B):
        store(servers.join, server, 10)
    lane = turn_under_way(store, webhook)
    die(store, A)
    assert store(servers.bury, B, TEN + timedelta(seconds=30)) == [A]
    assert row(store) == ("received", 1, 1)
    with pytest.raises(LaneLost):
        store(lanes.hold, lane)
    assert store(lanes.claim, Kind.TURNS, B, TEN + timedelta(seconds=30), 9) == [Lane(Kind.TURNS, lane.contact_id, B)]
    assert len(store(lambda connection: connection.execute(select(schema.servers)).all())) == 1
    assert store(servers.bury, B, TEN) == []


def test_what_waits_for_a_later_moment_waits_on(store):
    """A lane that nobody had is not touched by a funeral."""
    store(servers.join, B, 10)
    store(servers.join, A, 10)
    die(store, A)
    store(lanes.wake, Kind.SENDS, "lea", TEN + timedelta(hours=1))
    store(servers.bury, B, TEN)
    assert store(lanes.next_ready, Kind.SENDS) == TEN + timedelta(hours=1)


def test_a_request_under_way_is_the_next_servers_to_settle(store):
    """Lanes of sends are given back too; that the request may have gone out is in the outbox."""
    store(servers.join, A, 10)
    store(lanes.wake, Kind.SENDS, "lea", TEN, claimant=A)
    store(servers.leave, A, TEN)
    assert [lane.contact_id for lane in store(lanes.claim, Kind.SENDS, B, TEN, 9)] == ["lea"]


@pytest.mark.on("sqlite")
def test_on_a_file_all_others_are_dead(store, webhook):
    """A second server is kept off the file by its lock, so who is in the store and is not this one has died."""
    store(servers.join, A, 10)
    turn_under_way(store, webhook)
    store(servers.join, B, 10)
    assert store(servers.beat, B, 10) is True
    assert store(servers.bury, B, TEN) == [A]
    assert row(store) == ("received", 1, 1)


@pytest.mark.on("postgresql")
def test_the_living_keep_what_they_have(store, webhook):
    """A lease that is not over protects its server; leases go by the database's clock, and SQLite has none."""
    for server in (A, B):
        store(servers.join, server, 10)
    lane = turn_under_way(store, webhook)
    assert store(servers.bury, B, TEN + timedelta(days=365)) == []
    store(lanes.hold, lane)
    assert row(store) == ("running", 1, 0)


@pytest.mark.on("postgresql")
def test_a_beat_renews_the_lease(store):
    """Also one that is just over, if nobody noticed."""
    for server in (A, B):
        store(servers.join, server, 10)
    die(store, A)
    assert store(servers.beat, A, 10) is True
    assert store(servers.bury, B, TEN) == []


@pytest.mark.on("postgresql")
def test_who_was_buried_is_told_so(store):
    """Its id is gone; under a new one it may go on."""
    for server in (A, B):
        store(servers.join, server, 10)
    die(store, A)
    store(servers.bury, B, TEN)
    assert store(servers.beat, A, 10) is False
    store(servers.join, "server-a-again", 10)
    assert store(servers.beat, "server-a-again", 10) is True
    assert len(store(lambda connection: connection.execute(select(schema.servers)).all())) == 2


@pytest.mark.on("postgresql")
def test_two_mourners_bury_one_dead_once(database, webhook):
    """The second passes over whom the first is burying: the crash is counted once."""
    store = database.run_now
    for server in (A, B, "server-c"):
        store(servers.join, server, 10)
    turn_under_way(store, webhook)
    die(store, A)
    with database._engine.begin() as one, database._engine.begin() as other:
        assert servers.bury(one, B, TEN) == [A]
        assert servers.bury(other, "server-c", TEN) == []
    assert row(store) == ("received", 1, 1)
