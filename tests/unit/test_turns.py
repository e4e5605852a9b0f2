"""Which turn of a contact is next, where two things happen at once: suspects, merges, discarded rows."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from sqlalchemy import select, text, update

from rasa_whatsapp import intake, turns
from rasa_whatsapp.cloud.inbound import parse
from rasa_whatsapp.storage import inbox, lanes, merging, schema
from rasa_whatsapp.storage.inbox import State
from rasa_whatsapp.storage.lanes import Kind, Lane
from rasa_whatsapp.turns import Due

BEN = "4915100000002"
SERVER = "server-a"


@pytest.fixture
def store(database):
    """Return what runs a function of the store."""
    return database.run_now


@pytest.fixture
def two(store, stage, body, clock):
    """Return the lanes of two contacts who have written, claimed by one server."""
    events = parse(body(stage.message("Hi"), stage.message("Hello", sender=BEN)))
    store(intake.take_in, events, stage.rules.intake, clock.now())
    store(lanes.claim, Kind.TURNS, SERVER, clock.now(), 9)
    chosen = select(schema.inbox.c.contact_id).order_by(schema.inbox.c.id)
    return [Lane(Kind.TURNS, contact_id, SERVER) for (contact_id,) in store(lambda it: it.execute(chosen).all())]


@pytest.fixture
def begin(store, stage, clock):
    """Return what begins the next turn of a lane."""
    return lambda lane: store(turns.begin_next, lane, stage.rules.turns, clock.now())


def change(store, table, where, **values):
    """Change rows behind everybody's back."""
    store(lambda connection: connection.execute(update(table).where(where).values(**values)))


class TestSuspects:
    """Turns that were under way at three crashes run one at a time, so that who is to blame is parked alone."""

    def test_the_second_waits_for_the_first(self, store, begin, two, clock):
        """It may have been beside the one that kills the process, no more."""
        change(store, schema.inbox, schema.inbox.c.id > 0, crashes=3)
        first = begin(two[0])
        assert isinstance(first, Due)
        assert begin(two[1]) is False
        clock.advance(seconds=1)
        store(lanes.claim, Kind.TURNS, SERVER, clock.now(), 9)
        assert begin(two[1]) is False
        store(turns.end, first, clock.now())
        clock.advance(seconds=1)
        store(lanes.claim, Kind.TURNS, SERVER, clock.now(), 9)
        assert isinstance(begin(two[1]), Due)

    @pytest.mark.parametrize(("first", "second"), [(3, 2), (2, 3), (0, 9), (2, 2)])
    def test_others_run_at_once(self, store, begin, two, first, second):
        """Who was there twice is no suspect, and does not wait for one."""
        for lane, crashes in zip(two, (first, second), strict=True):
            change(store, schema.inbox, schema.inbox.c.contact_id == lane.contact_id, crashes=crashes)
        assert isinstance(begin(two[0]), Due)
        assert isinstance(begin(two[1]), Due)

    def test_it_does_not_wait_for_itself(self, store, begin, two):
        """Its first run broke off when the store was away, and was not noted as ended."""
        change(store, schema.inbox, schema.inbox.c.id > 0, crashes=3)
        assert isinstance(begin(two[0]), Due)
        assert isinstance(begin(two[0]), Due)


class TestMerges:
    """Two contacts turn out to be one person while something begins."""

    def test_what_stands_in_the_lane_of_the_merged_one_goes_to_the_other(self, store, begin, two, clock):
        """A follow-up fired for a contact who was merged at that moment: the person's own lane takes it."""
        kept, gone = two
        change(store, schema.contacts, schema.contacts.c.id == gone.contact_id, merged_into=kept.contact_id)
        store(lanes.finish, kept)
        assert begin(gone) is False
        (claimed,) = store(lanes.claim, Kind.TURNS, SERVER, clock.now(), 9)
        assert claimed == kept
        whose = store(lambda connection: connection.execute(select(schema.inbox.c.contact_id)).scalars().all())
        assert whose == [kept.contact_id] * 2
        assert [lane for lane in (kept, gone) if store(lanes.is_held, lane)] == [kept]

    @pytest.mark.on("postgresql")
    def test_a_merge_sees_the_turn_that_begins_at_this_moment(self, store, stage, two, database, clock):
        """It waits for that transaction to end, and is kept for later then."""
        kept, gone = (lane.contact_id for lane in two)
        change(store, schema.contacts, schema.contacts.c.id == gone, created_at=clock.now() + timedelta(seconds=1))
        merged: list[tuple[str, bool]] = []
        merging_thread = threading.Thread(target=lambda: merged.append(store(merging.merge, kept, gone, clock.now())))
        with database._engine.begin() as connection:
            assert isinstance(turns.begin_next(connection, two[1], stage.rules.turns, clock.now()), Due)
            merging_thread.start()
            waiting = text("SELECT count(*) FROM pg_locks WHERE NOT granted")
            while not store(lambda it: it.execute(waiting).scalar_one()):
                assert merging_thread.is_alive(), "the merge did not wait"
        merging_thread.join()
        assert merged == [(kept, False)]
        assert store(merging.is_waiting, gone)


def test_who_shared_a_discarded_turn_is_discarded_with_it(store, two, clock):
    """Else the row would be open for ever, and be kept for ever."""
    first, second = store(lambda connection: connection.execute(select(schema.inbox.c.id)).scalars().all())
    change(store, schema.inbox, schema.inbox.c.id == first, state=State.PARKED.value)
    change(store, schema.inbox, schema.inbox.c.id == second, state=State.JOINED.value, joined_to=first)
    assert store(inbox.discard, [first], clock.now(), "discarded by an operator") == [first]
    chosen = select(schema.inbox.c.state, schema.inbox.c.finished_at)
    assert store(lambda connection: connection.execute(chosen).all()) == [("ignored", clock.now())] * 2
