"""What is logged of failures: the cause of the store's, in words, and not for each of the many who met it."""

from __future__ import annotations

import logging

import pytest
from sqlalchemy.exc import DatabaseError, IntegrityError, OperationalError, ProgrammingError

from rasa_whatsapp.logs import Failures

REFUSED = (
    'connection to server at "127.0.0.1", port 5432 failed: Connection refused\n\tIs the server running on that host?\n'
)


class Coded(Exception):
    """What PostgreSQL's driver raises: a text, and a code once there is a connection."""

    def __init__(self, text, code=None):
        self.pgcode = code
        super().__init__(text)


class Watch:
    """A clock for periods, that stands still until it is moved."""

    def __init__(self):
        self.seconds = 1000.0

    def __call__(self):
        """Return the seconds."""
        return self.seconds


@pytest.fixture
def watch():
    """Return the clock."""
    return Watch()


@pytest.fixture
def failures(watch):
    """Return what logs failures by that clock."""
    return Failures(logging.getLogger("rasa_whatsapp.test"), now=watch)


@pytest.mark.parametrize(
    ("problem", "told"),
    [
        (
            OperationalError("SELECT 'secret words'", {}, Coded(REFUSED)),
            "the store at 127.0.0.1:5432: nobody listens there: start PostgreSQL, or correct host and port",
        ),
        (
            OperationalError("x", {}, Coded('connection to server at "db" (10.0.0.7), port 5433 failed: FATAL:  password authentication failed for user "rasa"\n')),
            "the store at db:5433: the user or the password is wrong",
        ),
        (
            OperationalError("x", {}, Coded('could not translate host name "db" to address: Name or service not known\n')),
            "the store at db: there is no host of this name",
        ),
        (
            ProgrammingError("x", {}, Coded("permission denied for table inbox\n", "42501")),
            "the store: the user lacks a right on the table inbox: grant it SELECT, INSERT, UPDATE and DELETE",
        ),
        (OperationalError("x", {}, Coded("secret words", "57P01")), "the store: the server went away"),
        (OperationalError("x", {}, Coded("secret words", "53100")), "the store: the disk of the database is full"),
        (OperationalError("x", {}, Coded("database or disk is full")), "the store: the disk is full"),
        (
            DatabaseError("x", {}, Coded("database disk image is malformed")),
            "the store: the file is damaged, or its disk is: restore a backup",
        ),
        (OperationalError("x", {}, Coded("secret words")), "OperationalError"),
        (ProgrammingError("x", {}, Coded("secret words: Connection refused", "42703")), "ProgrammingError"),
        (ValueError("secret words"), "ValueError"),
    ],
    ids=["refused", "password", "no host", "no right", "shut down", "disk full", "SQLite's disk full", "damaged", "unknown", "a defect", "no store"],
)  # fmt: skip
def test_the_cause_is_told_and_never_the_text(failures, caplog, problem, told):
    """The driver's text may hold a customer's words; the server's place is told where the driver names it."""
    failures.error("The lane of %s stumbled: %s", "wa-lea", problem=problem, action="lane_failed")
    (record,) = caplog.records
    assert record.getMessage() == f"The lane of wa-lea stumbled: {told}"
    assert (record.levelname, record.action) == ("ERROR", "lane_failed")


def test_an_outage_is_told_once_in_ten_seconds(failures, watch, caplog):
    """A hundred webhooks that meet it are one line, and the next one counts them; another sentence or cause is a line of its own."""
    away = OperationalError("x", {}, Coded(REFUSED))
    for _ in range(100):
        failures.warning("A webhook could not be stored: %s", problem=away, action="not_stored")
        watch.seconds += 0.0999
    assert len(caplog.records) == 1
    failures.warning("No lanes can be claimed: %s", problem=away, action="store_unreadable")
    full = OperationalError("x", {}, Coded("x", "53100"))
    failures.warning("A webhook could not be stored: %s", problem=full, action="not_stored")
    assert len(caplog.records) == 3
    watch.seconds += 0.02
    failures.warning("A webhook could not be stored: %s", problem=away, action="not_stored")
    assert caplog.records[-1].getMessage() == (
        "A webhook could not be stored: the store at 127.0.0.1:5432: nobody listens there: start PostgreSQL, or correct "
        "host and port (99 more like this were left out)"
    )
    watch.seconds += 11
    failures.warning("A webhook could not be stored: %s", problem=away, action="not_stored")
    assert "left out" not in caplog.records[-1].getMessage()


def test_lanes_that_meet_an_outage_are_one_line(failures, caplog):
    """Whose lane it was does not matter then."""
    for contact in ("wa-lea", "wa-ben"):
        away = OperationalError("x", {}, Coded(REFUSED))
        failures.error("The lane of %s stumbled: %s", contact, problem=away, action="lane_failed")
    assert len(caplog.records) == 1


@pytest.mark.parametrize("problem", [ValueError("x"), IntegrityError("x", {}, Coded("x", "23505"))])
def test_other_failures(failures, caplog, problem):
    """What is no affair of the store's is told each time: it may be another one's."""
    for contact in ("wa-lea", "wa-ben"):
        failures.error("The lane of %s stumbled: %s", contact, problem=problem, action="lane_failed")
    assert len(caplog.records) == 2
