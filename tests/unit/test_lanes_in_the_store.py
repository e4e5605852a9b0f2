"""Lanes in the store: who may work for whom is decided by one row for each contact and kind of work."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
from sqlalchemy import insert, select
from sqlalchemy.exc import OperationalError

from rasa_whatsapp.errors import LaneLost
from rasa_whatsapp.storage import lanes, schema
from rasa_whatsapp.storage.lanes import Kind, Lane, Rank

TEN = datetime(2026, 11, 22, 10, 0, tzinfo=timezone.utc)
A, B = "server-a", "server-b"


def at(seconds):
    """Return the moment so many seconds after ten."""
    return TEN + timedelta(seconds=seconds)


def lane(contact_id="lea", owner=A, kind=Kind.TURNS):
    """Return a lane as its owner has it."""
    return Lane(kind, contact_id, owner)


@pytest.fixture
def store(database):
    """Return what runs a function of the store."""
    return database.run_now


@pytest.fixture
def rows(database):
    """Return what tells all lanes."""
    columns = [schema.lanes.c[name] for name in ("kind", "contact_id", "owner", "ready_at", "rank")]
    query = select(*columns).order_by(schema.lanes.c.kind, schema.lanes.c.contact_id)
    return lambda: [tuple(row) for row in database.run_now(lambda connection: connection.execute(query).all())]


def claimed(store, owner, now=TEN, most=10, **more):
    """Return the contacts whose turns a server claims."""
    return [found.contact_id for found in store(lanes.claim, Kind.TURNS, owner, now, most, **more)]


class TestWake:
    """Whoever adds work notes it; one row stands for all of it."""

    def test_a_new_lane_is_nobodys(self, store, rows):
        """Any server may take it."""
        assert store(lanes.wake, Kind.TURNS, "lea", TEN) is False
        assert rows() == [("turns", "lea", None, TEN, 0)]

    def test_a_claimant_gets_it_at_once(self, store, rows):
        """It has a place free."""
        assert store(lanes.wake, Kind.TURNS, "lea", TEN, claimant=A) is True
        assert rows() == [("turns", "lea", A, TEN, 0)]

    def test_what_is_anothers_stays_anothers(self, store, rows):
        """Who works there sees what was added."""
        store(lanes.wake, Kind.TURNS, "lea", TEN, claimant=A)
        assert store(lanes.wake, Kind.TURNS, "lea", TEN, claimant=B) is False
        assert store(lanes.wake, Kind.TURNS, "lea", TEN) is False
        assert rows() == [("turns", "lea", A, TEN, 0)]

    def test_its_own_is_its_own_still(self, store):
        """Then it looks once more."""
        store(lanes.wake, Kind.TURNS, "lea", TEN, claimant=A)
        assert store(lanes.wake, Kind.TURNS, "lea", TEN, claimant=A) is True

    @pytest.mark.parametrize(
        ("first", "then", "ready_at", "rank"),
        [
            ((at(60), Rank.BULK), (at(0), Rank.REPLY), at(0), 0),
            ((at(0), Rank.REPLY), (at(60), Rank.BULK), at(0), 0),
            ((at(60), Rank.REPLY), (at(0), Rank.BULK), at(0), 0),
            ((at(0), Rank.BULK), (at(60), Rank.BULK), at(0), 1),
        ],
        ids=["an answer after bulk", "bulk after an answer", "bulk that is ready before", "bulk after bulk"],
    )
    def test_the_earlier_moment_and_the_better_rank_count(self, store, rows, first, then, ready_at, rank):
        """Work that was there does not wait for longer because of what is added."""
        for moment, how in (first, then):
            store(lanes.wake, Kind.TURNS, "lea", moment, rank=how)
        assert rows() == [("turns", "lea", None, ready_at, rank)]

    def test_turns_and_sends_are_apart(self, store, rows):
        """A contact may be answered by one server while another takes its turn."""
        store(lanes.wake, Kind.TURNS, "lea", TEN, claimant=A)
        store(lanes.wake, Kind.SENDS, "lea", TEN, claimant=B)
        assert [(kind, owner) for kind, _, owner, _, _ in rows()] == [("sends", B), ("turns", A)]

    def test_many_at_once(self, store):
        """Each contact once, and only what the claimant got is returned."""
        store(lanes.wake, Kind.TURNS, "ben", TEN, claimant=B)
        woken = store(lanes.wake_all, Kind.TURNS, ["tom", "ben", "lea", "tom"], TEN, Rank.REPLY, A)
        assert woken == ["lea", "tom"]


class TestClaim:
    """Servers take what is nobody's and ready."""

    def test_two_servers_never_get_the_same(self, store):
        """What one has, the other does not see."""
        store(lanes.wake_all, Kind.TURNS, ["a", "b", "c"], TEN, Rank.REPLY)
        assert sorted(claimed(store, A, most=2) + claimed(store, B)) == ["a", "b", "c"]
        assert claimed(store, A) == []

    @pytest.mark.on("postgresql")
    def test_not_even_in_transactions_at_the_same_time(self, database):
        """What one is about to take, the other passes over instead of waiting for it; SQLite has one at a time."""
        database.run_now(lanes.wake_all, Kind.TURNS, ["a", "b", "c"], TEN, Rank.REPLY)
        with database._engine.begin() as one, database._engine.begin() as other:
            first = lanes.claim(one, Kind.TURNS, A, TEN, 2)
            second = lanes.claim(other, Kind.TURNS, B, TEN, 10)
        assert len(first) == 2
        assert len(second) == 1
        assert {found.contact_id for found in first + second} == {"a", "b", "c"}

    def test_what_is_not_ready_waits(self, store):
        """A pause is a moment in the store."""
        store(lanes.wake, Kind.TURNS, "lea", at(30))
        assert claimed(store, A, at(29.999)) == []
        assert claimed(store, A, at(30)) == ["lea"]

    def test_answers_before_bulk_then_what_waits_longest(self, store):
        """Follow-ups that fell due earlier wait for a customer's message all the same."""
        for contact_id, seconds, rank in (("c", 3, Rank.REPLY), ("a", 0, Rank.BULK), ("b", 1, Rank.REPLY)):
            store(lanes.wake, Kind.TURNS, contact_id, at(seconds), rank=rank)
        assert [claimed(store, A, at(9), most=1) for _ in range(4)] == [["b"], ["c"], ["a"], []]

    def test_only_answers(self, store):
        """A server that has only a place for answers left takes no bulk."""
        store(lanes.wake, Kind.TURNS, "a", TEN, rank=Rank.BULK)
        store(lanes.wake, Kind.TURNS, "b", TEN)
        assert claimed(store, A, rank=Rank.REPLY) == ["b"]

    def test_only_its_kind(self, store):
        """Turns and sends are claimed apart."""
        store(lanes.wake, Kind.SENDS, "lea", TEN)
        assert claimed(store, A) == []

    @pytest.mark.parametrize(
        ("woken", "expected"),
        [([], None), ([("a", at(5)), ("b", at(3))], at(3))],
        ids=["nothing", "the earliest"],
    )
    def test_when_the_next_one_is_ready(self, store, woken, expected):
        """So a server knows how long it may rest; what is somebody's does not count."""
        store(lanes.wake, Kind.TURNS, "mine", at(1), claimant=A)
        for contact_id, moment in woken:
            store(lanes.wake, Kind.TURNS, contact_id, moment)
        assert store(lanes.next_ready, Kind.TURNS) == expected


class TestHold:
    """Who works holds the lane first; who has it no more can change nothing."""

    @pytest.mark.parametrize("gone", ["finished", "given back", "another's"])
    def test_a_lane_that_is_lost(self, store, gone):
        """The old owner is told so, however it lost it."""
        store(lanes.wake, Kind.TURNS, "lea", TEN, claimant=A)
        store(lanes.hold, lane())
        if gone == "finished":
            store(lanes.finish, lane())
        else:
            store(lanes.give_back, lane(), TEN)
        if gone == "another's":
            assert claimed(store, B) == ["lea"]
        with pytest.raises(LaneLost, match="the lane of lea is another server's now"):
            store(lanes.hold, lane())
        assert store(lanes.is_held, lane()) is False

    def test_some_of_many(self, store):
        """Of several lanes those are told that are still its owner's."""
        for contact_id, owner in (("a", A), ("b", B), ("c", A)):
            store(lanes.wake, Kind.TURNS, contact_id, TEN, claimant=owner)
        held = store(lanes.held, [lane("a"), lane("b"), lane("c"), lane("d")])
        assert held == {lane("a"), lane("c")}

    def test_who_lost_it_can_neither_finish_nor_give_it_back(self, store, rows):
        """What another server has stays as it is."""
        store(lanes.wake, Kind.TURNS, "lea", TEN, claimant=B)
        store(lanes.finish, lane(owner=A))
        store(lanes.give_back, lane(owner=A), at(60))
        assert rows() == [("turns", "lea", B, TEN, 0)]

    def test_given_back_for_later(self, store, rows):
        """With the moment and the rank of what is next there."""
        store(lanes.wake, Kind.TURNS, "lea", TEN, claimant=A)
        store(lanes.give_back, lane(), at(60), Rank.BULK)
        assert rows() == [("turns", "lea", None, at(60), 1)]

    @pytest.mark.on("postgresql")
    def test_work_that_is_added_waits_for_who_holds(self, database):
        """So it is either seen by the look that finishes the lane, or it makes a new one; SQLite has one at a time."""
        database.run_now(lanes.wake, Kind.TURNS, "lea", TEN, claimant=A)

        def add(connection):
            connection.exec_driver_sql("SET LOCAL lock_timeout = '50ms'")
            lanes.wake(connection, Kind.TURNS, "lea", TEN)

        with database._engine.begin() as one:
            lanes.hold(one, lane())
            with pytest.raises(OperationalError, match="timeout"):
                database.run_now(add)
            lanes.finish(one, lane())
        assert database.run_now(lanes.wake, Kind.TURNS, "lea", TEN, claimant=B) is True


class TestStir:
    """A lane that waits may be looked at before its time, if something happened."""

    def test_before_its_time(self, store, rows):
        """It is ready now."""
        store(lanes.wake, Kind.SENDS, "lea", at(60))
        assert store(lanes.stir, Kind.SENDS, "lea", TEN) is True
        assert rows() == [("sends", "lea", None, TEN, 0)]

    def test_nothing_to_stir(self, store, rows):
        """No lane is made, and one that is ready stays as it is."""
        assert store(lanes.stir, Kind.SENDS, "lea", TEN) is False
        store(lanes.wake, Kind.SENDS, "ben", TEN)
        assert store(lanes.stir, Kind.SENDS, "ben", at(5)) is False
        assert rows() == [("sends", "ben", None, TEN, 0)]


class TestMove:
    """Two contacts who are one person: what there was to do for one is to be done for the other."""

    def test_the_kept_one_is_woken(self, store, rows):
        """For both kinds of work, with moment and rank; the owner of the old lane has lost it."""
        store(lanes.wake, Kind.TURNS, "gone", TEN, claimant=A)
        store(lanes.wake, Kind.SENDS, "gone", at(60), rank=Rank.BULK)
        store(lanes.move, "gone", "kept")
        assert rows() == [("sends", "kept", None, at(60), 1), ("turns", "kept", None, TEN, 0)]
        with pytest.raises(LaneLost):
            store(lanes.hold, lane("gone"))

    def test_into_a_lane_that_is_there(self, store, rows):
        """Whoever works there goes on."""
        store(lanes.wake, Kind.TURNS, "kept", at(60), claimant=B)
        store(lanes.wake, Kind.TURNS, "gone", TEN)
        store(lanes.move, "gone", "kept")
        assert rows() == [("turns", "kept", B, TEN, 0)]

    def test_nothing_to_move(self, store, rows):
        """No lane is made for nothing."""
        store(lanes.move, "gone", "kept")
        assert rows() == []


class TestRestore:
    """At its start a server makes the lanes of all that waits: what an older version stored has none."""

    @pytest.mark.parametrize(
        ("state", "has_lane"),
        [
            ("received", True),
            ("running", True),
            ("done", False),
            ("ignored", False),
            ("parked", False),
            ("joined", False),
        ],
    )
    def test_of_the_inbox(self, store, rows, state, has_lane):
        """What is not taken yet."""
        row = {
            "number_id": "1", "message_id": "m", "contact_id": "lea", "kind": "message", "body": {}, "sent_at": TEN,
            "received_at": TEN, "state": state,
        }  # fmt: skip
        store(lambda connection: connection.execute(insert(schema.inbox).values(**row)))
        store(lanes.restore, TEN)
        assert rows() == ([("turns", "lea", None, TEN, 0)] if has_lane else [])

    @pytest.mark.parametrize(
        ("state", "has_lane"),
        [("pending", True), ("sending", True), ("unsettled", True), ("accepted", False), ("failed", False)],
    )
    def test_of_the_outbox(self, store, rows, state, has_lane):
        """What is not sent yet."""
        contact = {"id": "lea", "number_id": "1", "created_at": TEN}
        row = {
            "key": "k", "utterance": "k", "contact_id": "lea", "proactive": False, "choices": {}, "state": state,
            "created_at": TEN,
        }  # fmt: skip
        store(lambda connection: connection.execute(insert(schema.contacts).values(**contact)))
        store(lambda connection: connection.execute(insert(schema.outbox).values(**row)))
        store(lanes.restore, TEN)
        assert rows() == ([("sends", "lea", None, TEN, 0)] if has_lane else [])

    def test_what_is_there_stays(self, store, rows):
        """A lane that waits for a moment, or is another server's, is not touched; nor what never got a contact."""
        rows_of_inbox = [
            {
                "number_id": "1", "message_id": str(number), "contact_id": contact_id, "kind": "message", "body": {},
                "sent_at": TEN, "received_at": TEN, "state": "received",
            }
            for number, contact_id in enumerate(["lea", "lea", "ben", None])
        ]  # fmt: skip
        store(lambda connection: connection.execute(insert(schema.inbox), rows_of_inbox))
        store(lanes.wake, Kind.TURNS, "lea", at(60), claimant=B)
        store(lanes.restore, TEN)
        assert rows() == [("turns", "ben", None, TEN, 0), ("turns", "lea", B, at(60), 0)]


def test_lanes_of_two_owners_are_held_apart(store):
    """A server that goes on under a new id still has work in hand under the old one."""
    for contact_id, owner in (("a", "server-old"), ("b", "server-new")):
        store(lanes.wake, Kind.SENDS, contact_id, TEN, claimant=owner)
    both = [Lane(Kind.SENDS, "a", "server-old"), Lane(Kind.SENDS, "b", "server-new")]
    assert store(lanes.held, [*both, Lane(Kind.SENDS, "b", "server-old")]) == set(both)


def test_when_there_is_no_place_for_bulk_only_replies_count(store):
    """Else a server without a place would look without a pause."""
    store(lanes.wake, Kind.SENDS, "a", TEN, rank=Rank.BULK)
    assert store(lanes.claim_some, Kind.SENDS, "server-1", TEN, 1, 0) == ([], None)
    assert store(lanes.claim_some, Kind.SENDS, "server-1", TEN, 1, 1) == ([Lane(Kind.SENDS, "a", "server-1")], None)
