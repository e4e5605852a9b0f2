"""The tables. Moments are stored as whole microseconds since 1970 in UTC, JSON as ASCII text; migrations/ builds the same."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    false,
    text,
)
from sqlalchemy.types import TypeDecorator

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


class Moment(TypeDecorator):  # type: ignore[misc]  # SQLAlchemy 1.4 is untyped
    """An aware UTC datetime; a naive one is refused."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Any) -> int | None:
        """Return the microseconds to store."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment without a time zone was to be stored")
        return (value - _EPOCH) // timedelta(microseconds=1)

    def process_result_value(self, value: int | None, dialect: Any) -> datetime | None:
        """Return the stored moment in UTC."""
        return None if value is None else _EPOCH + timedelta(microseconds=value)


class Json(TypeDecorator):  # type: ignore[misc]  # SQLAlchemy 1.4 is untyped
    """Any JSON value as ASCII text: what is escaped there, every database stores."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Any) -> str | None:
        """Return the text to store."""
        return None if value is None else json.dumps(value, separators=(",", ":"))

    def process_result_value(self, value: str | None, dialect: Any) -> Any:
        """Return the stored value."""
        return None if value is None else json.loads(value)


# SQLite only counts up a column that is exactly INTEGER.
_Id = BigInteger().with_variant(Integer, "sqlite")

metadata = MetaData()

contacts = Table(
    "contacts",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("number_id", String(40), nullable=False),
    Column("name", Text),
    Column("window_opened_at", Moment),
    Column("window_refused_at", Moment),
    Column("referred_at", Moment),
    Column("referral_answered_at", Moment),
    Column("paused_until", Moment),
    Column("rested_at", Moment),
    Column("merged_into", String(40)),
    Column("joined_at", Moment),
    Column("created_at", Moment, nullable=False),
    Index("contacts_merged", "merged_into"),
)

# Two contacts that are one person, found while one of them was in the middle of a turn or a request.
merges = Table(
    "merges",
    metadata,
    Column("one", String(40), ForeignKey("contacts.id"), primary_key=True),
    Column("other", String(40), ForeignKey("contacts.id"), primary_key=True),
)

# In which language a contact writes, by the latest of their texts that told it.
written = Table(
    "written",
    metadata,
    Column("contact_id", String(40), ForeignKey("contacts.id", ondelete="CASCADE"), primary_key=True),
    Column("language", String(40), nullable=False),
    Column("written_at", Moment, nullable=False),
)

# How Meta names a contact: by phone number (wa_id) and by business-scoped user id; from when to when, by Meta's own time.
aliases = Table(
    "aliases",
    metadata,
    Column("number_id", String(40), primary_key=True),
    Column("kind", String(10), primary_key=True),
    Column("value", String(180), primary_key=True),
    Column("contact_id", String(40), ForeignKey("contacts.id"), primary_key=True, index=True),
    Column("first_at", Moment, nullable=False),
    Column("seen_at", Moment, nullable=False),
    Column("retired_at", Moment),
)

# Bodies of webhooks that were only written down when many came at once; they are taken in one after the other.
arrivals = Table(
    "arrivals",
    metadata,
    Column("id", _Id, primary_key=True, autoincrement=True),
    Column("amount", Integer, nullable=False),
    Column("messages", Integer, nullable=False, server_default="0"),  # so many of them are more than statuses
    Column("received_at", Moment, nullable=False),
    Column("packed", LargeBinary, nullable=False),
)

# The processes that take turns and send. By the database's clock, not by Moment's: the servers' own may differ.
servers = Table(
    "servers",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("alive_until", BigInteger),
)

# The contacts for whom there is something to do, by kind of work: whose it is at the moment, and from when on if nobody's.
lanes = Table(
    "lanes",
    metadata,
    Column("kind", String(10), primary_key=True),
    Column("contact_id", String(40), primary_key=True),
    Column("owner", String(40)),
    Column("ready_at", Moment, nullable=False),
    Column("rank", Integer, nullable=False),
    Index(
        "lanes_free",
        "kind",
        "rank",
        "ready_at",
        postgresql_where=text("owner IS NULL"),
        sqlite_where=text("owner IS NULL"),
    ),
)

# What Meta told about one message that concerns all of a number, and when it did the last time.
troubles = Table(
    "troubles",
    metadata,
    Column("number_id", String(40), primary_key=True),
    Column("code", Integer, primary_key=True),
    Column("at", Moment, nullable=False),
)

# Up to when the throughput of each business number is spent, by the database's clock.
paces = Table(
    "paces",
    metadata,
    Column("number_id", String(40), primary_key=True),
    Column("full_at", BigInteger, nullable=False),
)

inbox = Table(
    "inbox",
    metadata,
    Column("id", _Id, primary_key=True, autoincrement=True),
    Column("number_id", String(40), nullable=False),
    Column("message_id", Text, nullable=False),
    Column("contact_id", String(40)),
    Column("kind", String(20), nullable=False),
    Column("body", Json, nullable=False),
    Column("sent_at", Moment, nullable=False),
    Column("received_at", Moment, nullable=False),
    Column("state", String(12), nullable=False),
    Column("attempts", Integer, nullable=False, default=0),
    Column("crashes", Integer, nullable=False, default=0),
    Column("replays", Integer, nullable=False, default=0),
    Column("failures", Integer, nullable=False, default=0, server_default="0"),
    Column("waits", Integer, nullable=False, default=0, server_default="0"),
    Column("joined_to", BigInteger),
    Column("not_before", Moment),
    Column("reason", Text),
    Column("finished_at", Moment),
    UniqueConstraint("number_id", "message_id"),
    Index("inbox_lane", "contact_id", "state"),
    Index("inbox_state", "state"),
)

outbox = Table(
    "outbox",
    metadata,
    Column("id", _Id, primary_key=True, autoincrement=True),
    Column("key", String(512), nullable=False, unique=True),
    Column("utterance", String(512), nullable=False, index=True),
    Column("contact_id", String(40), ForeignKey("contacts.id"), nullable=False),
    Column("proactive", Boolean, nullable=False),
    Column("free_form", Json),
    Column("template", Json),
    Column("choices", Json, nullable=False),
    Column("numbers", Json),
    Column("more", Json),
    Column("must_upload", Boolean, nullable=False, server_default=false()),
    Column("state", String(12), nullable=False),
    Column("form", String(12)),
    Column("request", Json),
    Column("message_id", Text, index=True),
    Column("attempts", Integer, nullable=False, default=0),
    Column("not_before", Moment),
    Column("first_tried_at", Moment),
    Column("tried_at", Moment),
    Column("accepted_at", Moment),
    Column("copies", Integer, nullable=False, default=0),
    Column("error_code", Integer),
    Column("reason", Text),
    Column("created_at", Moment, nullable=False),
    Column("fresh_at", Moment),
    Column("parked_at", Moment),
    Column("kind", String(200)),
    Column("language", String(50)),
    Column("decision", Json),
    Index("outbox_lane", "contact_id", "state"),
    Index("outbox_contact", "contact_id", "id"),
    Index(
        "outbox_parked",
        "parked_at",
        postgresql_where=text("state = 'parked'"),
        sqlite_where=text("state = 'parked'"),
    ),
    Index(
        "outbox_proactive",
        "contact_id",
        "id",
        postgresql_where=text("proactive"),
        sqlite_where=text("proactive"),
    ),
)

# Every status that Meta reported, once: what the outbox state is derived from, and what a message costs.
statuses = Table(
    "statuses",
    metadata,
    Column("message_id", Text, primary_key=True),
    Column("status", String(20), primary_key=True),
    Column("at", Moment, nullable=False),
    Column("error_code", Integer),
    Column("pricing", Json),
    Index("statuses_at", "at"),
)

# How many messages arrived on each day (UTC), by what Meta says of their price. It names nobody, and is kept when they are forgotten.
costs = Table(
    "costs",
    metadata,
    Column("day", Date, primary_key=True),
    Column("number_id", String(40), primary_key=True),
    Column("country", String(2), primary_key=True),
    Column("category", String(40), primary_key=True),
    Column("type", String(40), primary_key=True),
    Column("billable", Boolean, primary_key=True),
    Column("template", String(512), primary_key=True),
    Column("messages", BigInteger, nullable=False),
)

consent = Table(
    "consent",
    metadata,
    Column("id", _Id, primary_key=True, autoincrement=True),
    Column("contact_id", String(40), ForeignKey("contacts.id"), nullable=False, index=True),
    Column("scope", String(12), nullable=False),
    Column("choice", String(12), nullable=False),
    Column("at", Moment, nullable=False),
    Column("source", Text, nullable=False),
    Column("evidence", Text, nullable=False, default=""),
)

follow_ups = Table(
    "follow_ups",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("contact_id", String(40), ForeignKey("contacts.id"), nullable=False),
    Column("name", Text, nullable=False),
    Column("intent", Text, nullable=False),
    Column("entities", Json),
    Column("due_at", Moment, nullable=False),
    Column("fire_at", Moment, nullable=False, server_default="0"),
    Column("kill_on_user_message", Boolean, nullable=False),
    Column("state", String(12), nullable=False),
    Column("reason", Text),
    Column("cause", Text, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("finished_at", Moment),
    Index("follow_ups_due", "state", "fire_at"),
    Index("follow_ups_contact", "contact_id", "state"),
)

# Media that a response names by link: how often, and under which id Meta has it if it was uploaded. The link is kept as its digest.
uploads = Table(
    "uploads",
    metadata,
    Column("number_id", String(40), primary_key=True),
    Column("link", String(64), primary_key=True),
    Column("uses", Integer, nullable=False, default=0),
    Column("media_id", String(80)),
    Column("expires_at", Moment),
    Column("failed_at", Moment),
    Column("used_at", Moment, nullable=False, server_default="0"),
)

# The newest word of Meta's on each aspect of a template in one language; `changes` counts how often the row was written.
template_states = Table(
    "template_states",
    metadata,
    Column("name", String(512), primary_key=True),
    Column("language", String(40), primary_key=True),
    Column("aspect", String(20), primary_key=True),
    Column("value", String(40)),
    Column("detail", String(80), nullable=False),
    Column("source", String(12), nullable=False),
    Column("at", Moment, nullable=False),
    Column("until", Moment),
    Column("changes", BigInteger, nullable=False),
)
