"""One person, whatever they are called: numbers and user ids that come late, change, are given up, or hide."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from itertools import permutations

import pytest
from sqlalchemy import event

from rasa_whatsapp.cloud.inbound import Sender
from rasa_whatsapp.storage import contacts, identity, merging

TEN = datetime(2026, 11, 22, 10, 0, tzinfo=timezone.utc)
NUMBER = "100000000000001"


def sender(wa_id=None, user_id=None):
    """Return someone by these ids."""
    return Sender(wa_id=wa_id, user_id=user_id)


class People:
    """Speaks for senders, at minutes after ten."""

    def __init__(self, database):
        self.database = database

    def writes(self, wa_id=None, user_id=None, minute=0, number=NUMBER, arrives=None):
        """Return the contact who sends a message at this minute, which may arrive later."""
        at = TEN + timedelta(minutes=minute)
        now = TEN + timedelta(minutes=minute if arrives is None else arrives)
        found = self.database.run_now(identity.identify, number, sender(wa_id, user_id), sent_at=at, now=now)
        return found.contact_id

    def becomes(self, before, after, minute, arrives=None):
        """Tell that a customer has another id from this minute on; the news may arrive later."""
        at = TEN + timedelta(minutes=minute)
        now = TEN + timedelta(minutes=minute if arrives is None else arrives)
        found = self.database.run_now(identity.succeed, NUMBER, sender(*before), sender(*after), at=at, now=now)
        return found.contact_id if found else None

    def recipient(self, contact_id):
        """Return how the contact is addressed."""
        return self.database.run_now(contacts.read, contact_id).recipient.address()

    def is_now(self, contact_id):
        """Return the contact that an id means by now."""
        return self.database.run_now(contacts.resolve, contact_id)


@pytest.fixture
def people(database):
    """Return who writes."""
    return People(database)


@pytest.mark.parametrize(
    ("messages", "same"),
    [
        ([("49151", None), ("49151", None)], True),
        ([("49151", None), ("49151", "DE.1")], True),
        ([(None, "DE.1"), ("49151", "DE.1")], True),
        ([("49151", "DE.1"), (None, "DE.1")], True),
        ([("49151", "DE.1"), ("49151", None)], True),
        ([("49151", "DE.1"), ("49152", "DE.1")], True),
        ([("49151", "DE.1"), ("49151", "DE.2")], False),
        ([("49151", None), ("49152", None)], False),
        ([(None, "DE.1"), (None, "de.1")], False),
        ([("49151", None), (None, "DE.1")], False),
    ],
    ids=[
        "the same number",
        "a number, later with a user id",
        "a user id, later with a number",
        "both, later the number is hidden",
        "both, later without the user id",
        "another number with the same user id",
        "a number with a new owner",
        "two numbers",
        "user ids differ by case",
        "a number and a user id that nothing connects",
    ],
)
def test_who_is_who(people, messages, same):
    """Two messages come from one contact or from two."""
    first, second = (people.writes(*ids) for ids in messages)
    assert (first == second) is same


def test_who_writes_as_ever_costs_two_statements(people):
    """One to read, one to note the moment; nearly every message is such a one."""
    first = people.writes("49151", "DE.1")
    statements = []

    def note(connection, cursor, statement, *_):
        if not statement.startswith("BEGIN"):  # SQLite's
            statements.append(statement[:6])

    event.listen(people.database._engine, "before_cursor_execute", note)
    assert people.writes("49151", "DE.1", minute=5) == first
    assert statements == ["SELECT", "UPDATE"]
    assert people.writes("49151", "DE.1", minute=4) == first  # late: the latest moment is known
    assert statements == ["SELECT", "UPDATE", "SELECT"]


def test_two_business_numbers_never_share_a_contact(people):
    """Window, consent and conversation are per business number."""
    assert people.writes("49151", "DE.1") != people.writes("49151", "DE.1", number="100000000000002")


class TestChanges:
    """What Meta tells about changed numbers and user ids."""

    def test_a_new_number(self, people):
        """user_changed_number: the conversation follows, and answers go to the new number."""
        lea = people.writes("49151", minute=0)
        assert people.becomes(("49151",), ("49152",), minute=10) == lea
        assert people.recipient(lea) == {"to": "+49152"}
        assert people.writes("49152", minute=11) == lea

    def test_the_old_number_has_a_new_owner(self, people):
        """Who writes from it later is somebody else; what was sent from it before still is from the first."""
        lea = people.writes("49151", minute=0)
        people.becomes(("49151",), ("49152",), minute=10)
        assert people.writes("49151", minute=5) == lea
        stranger = people.writes("49151", minute=20)
        assert stranger != lea
        assert people.recipient(lea) == {"to": "+49152"}
        assert people.recipient(stranger) == {"to": "+49151"}

    def test_a_late_message_from_the_old_number_does_not_bring_it_back(self, people):
        """Sent before the change, delivered after it."""
        lea = people.writes("49151", minute=0)
        people.becomes(("49151",), ("49152",), minute=10)
        people.writes("49151", minute=5)
        assert people.recipient(lea) == {"to": "+49152"}

    def test_a_new_number_means_a_new_user_id(self, people):
        """The next message carries both new ids, before anything told the new user id."""
        lea = people.writes("49151", "DE.old", minute=0)
        people.becomes(("49151", "DE.old"), ("49152",), minute=10)
        assert people.writes("49152", "DE.new", minute=11) == lea
        assert people.writes(None, "DE.new", minute=12) == lea

    def test_a_new_user_id(self, people):
        """user_id_update: known by user id only, and reached under the new one."""
        lea = people.writes(None, "DE.old", minute=0)
        assert people.becomes((None, "DE.old"), (None, "DE.new"), minute=10) == lea
        assert people.recipient(lea) == {"recipient": "DE.new"}
        assert people.writes(None, "DE.new", minute=11) == lea

    def test_the_number_change_and_then_the_user_id(self, people):
        """Both webhooks, in this order, and the number is hidden afterwards."""
        lea = people.writes("49151", "DE.old", minute=0)
        people.becomes(("49151", "DE.old"), ("49152",), minute=10)
        people.becomes((None, "DE.old"), (None, "DE.new"), minute=11)
        assert people.writes(None, "DE.new", minute=12) == lea

    def test_a_message_overtakes_the_news(self, people):
        """The new number writes first: a new contact, until the change tells that it is the same person."""
        lea = people.writes("49151", minute=0)
        unknown = people.writes("49152", minute=11)
        assert unknown != lea
        assert people.becomes(("49151",), ("49152",), minute=10) == lea
        assert people.is_now(unknown) == lea
        assert people.recipient(lea) == {"to": "+49152"}

    def test_somebody_who_never_wrote(self, people):
        """There is nothing to follow."""
        assert people.becomes(("49151",), ("49152",), minute=10) is None

    def test_the_same_news_twice(self, people):
        """A redelivery changes nothing, also after the new number wrote."""
        lea = people.writes("49151", minute=0)
        people.becomes(("49151",), ("49152",), minute=10)
        people.writes("49152", minute=11)
        assert people.becomes(("49151",), ("49152",), minute=10) == lea
        assert people.recipient(lea) == {"to": "+49152"}

    def test_a_late_message_does_not_take_the_number_back(self, people):
        """The number has a new owner since; answers to the old one must not go to it."""
        lea = people.writes("49151", "DE.1", minute=0)
        stranger = people.writes("49151", "DE.2", minute=20)
        people.writes("49151", "DE.1", minute=5, arrives=30)
        assert people.recipient(stranger) == {"to": "+49151"}
        assert people.recipient(lea) == {"recipient": "DE.1"}

    def test_news_delivered_again_do_not_make_strangers_one(self, people):
        """An old change of user id names a number that is somebody else's by now."""
        lea = people.writes("49151", "DE.1", minute=0)
        people.becomes((None, "DE.1"), ("49151", "DE.2"), minute=5)
        people.becomes(("49151", "DE.2"), ("49152",), minute=10)
        stranger = people.writes("49151", "DE.9", minute=20)
        people.becomes((None, "DE.1"), ("49151", "DE.2"), minute=5, arrives=30)
        assert (people.is_now(lea), people.is_now(stranger)) == (lea, stranger)

    def test_the_old_number_is_used_after_the_news(self, people):
        """Then the customer has not given it up, whatever was told."""
        lea = people.writes("49151", minute=0)
        people.writes("49151", minute=15)
        people.becomes(("49151",), ("49152",), minute=10, arrives=20)
        assert people.recipient(lea) == {"to": "+49151"}
        assert people.writes("49151", minute=25) == lea

    def test_a_user_id_that_was_thought_given_up(self, people):
        """A new number means a new user id, it says; who writes under the old one all the same is still there."""
        lea = people.writes("49151", "DE.1", minute=0)
        people.becomes(("49151", "DE.1"), ("49152",), minute=10)
        assert people.database.run_now(contacts.read, lea).recipient.user_id is None
        assert people.writes(None, "DE.1", minute=20) == lea
        assert people.database.run_now(contacts.read, lea).recipient.user_id == "DE.1"

    def test_the_new_number_had_an_owner(self, people):
        """Numbers are used again: who wrote from it before the change is a stranger."""
        lea = people.writes("49151", "DE.1", minute=0)
        stranger = people.writes("49152", "DE.5", minute=1)
        people.becomes(("49151", "DE.1"), ("49152",), minute=10)
        assert (people.is_now(lea), people.is_now(stranger)) == (lea, stranger)
        assert people.recipient(lea) == {"to": "+49152"}
        assert people.recipient(stranger) == {"recipient": "DE.5"}


# What happens to one customer in this order, and may arrive in any other.
KNOWN_BY_BOTH = (
    lambda people, arrives: moves(people, ("49151", "DE.1"), arrives),
    lambda people, arrives: people.becomes((None, "DE.1"), ("49152", "DE.2"), 10, arrives),
    lambda people, arrives: people.writes("49152", "DE.2", 11, arrives=arrives),
    lambda people, arrives: people.writes("49151", "DE.1", 9, arrives=arrives),
)
KNOWN_BY_NUMBER = (
    lambda people, arrives: moves(people, ("49151", None), arrives),
    lambda people, arrives: people.writes("49152", "DE.2", 11, arrives=arrives),
    lambda people, arrives: people.writes("49151", "DE.1", 9, arrives=arrives),
    lambda people, arrives: people.writes(None, "DE.2", 12, arrives=arrives),
)


def moves(people, before, arrives):
    """Let the system message come that the customer has another number since minute 10."""
    people.writes(*before, 10, arrives=arrives)  # as intake does for every message
    people.becomes(before, ("49152", None), 10, arrives)


@pytest.mark.parametrize("order", list(permutations(range(4))), ids=lambda order: "".join(map(str, order)))
@pytest.mark.parametrize(
    ("known_by", "happens"),
    [(("49151", "DE.1"), KNOWN_BY_BOTH), (("49151", None), KNOWN_BY_NUMBER)],
    ids=["known by both", "known by number"],
)
def test_any_order_of_webhooks(people, known_by, happens, order):
    """A new number, the new user id, a message before and one after: one person in the end, and reached under the new names."""
    lea = people.writes(*known_by)
    for arrives, which in enumerate(order, start=12):
        happens[which](people, arrives)
    last = people.writes("49152", "DE.2", 20)
    assert people.is_now(last) == lea
    assert people.writes(None, "DE.2", 21) == lea
    assert people.writes("49152", None, 22) == lea
    assert people.recipient(lea) == {"to": "+49152"}
    stranger = people.writes("49151", "DE.9", 30)
    assert stranger != lea
    assert people.recipient(stranger) == {"to": "+49151"}


class TestCorrectedNumbers:
    """Brazil and Mexico: Graph answers with another wa_id than the number that was dialled."""

    def learn(self, people, contact_id, wa_id):
        """Note what Graph answered."""
        people.database.run_now(identity.learn_number, contact_id, wa_id, TEN + timedelta(minutes=1))

    def test_it_becomes_an_alias(self, people):
        """Messages from either are the same person's, and sending uses the corrected one."""
        ana = people.writes("5511987654321")
        self.learn(people, ana, "551187654321")
        assert people.writes("551187654321", minute=2) == ana
        assert people.recipient(ana) == {"to": "+551187654321"}

    def test_it_is_another_contact_already(self, people):
        """Two contacts turn out to be one; the older conversation goes on."""
        ana = people.writes("5511987654321")
        twin = people.writes("551187654321", minute=1)
        self.learn(people, ana, "551187654321")
        assert people.is_now(twin) == ana

    def test_it_belongs_to_somebody_with_another_user_id(self, people):
        """Then they are two people, whatever the answer said."""
        ana = people.writes("5511987654321", "BR.1")
        other = people.writes("551187654321", "BR.2", minute=1)
        self.learn(people, ana, "551187654321")
        assert (people.is_now(ana), people.is_now(other)) == (ana, other)


def test_merged_conversations_are_joined_once(people):
    """The dialogue is told whose conversation to take over, until it has."""
    ana = people.writes("49151")
    twin = people.writes(None, "DE.1", minute=1)
    people.writes("49151", "DE.1", minute=2)
    assert people.database.run_now(merging.not_joined, ana) == [twin]
    people.database.run_now(merging.mark_joined, twin, TEN)
    assert people.database.run_now(merging.not_joined, ana) == []


def test_a_chain_of_merges(people):
    """Three contacts become one; each old id leads to it, and the dialogue joins both."""
    first = people.writes("49151")
    second = people.writes("49152", minute=1)
    third = people.writes("49153", minute=2)
    people.becomes(("49152",), ("49153",), minute=2)
    people.becomes(("49151",), ("49153",), minute=2)
    assert [people.is_now(contact) for contact in (first, second, third)] == [first, first, first]
    assert people.database.run_now(merging.not_joined, first) == [second, third]
