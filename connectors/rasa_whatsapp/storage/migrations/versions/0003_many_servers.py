"""Many servers on one store: lanes with owners, bodies that are only written down, due times of follow-ups, retention."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

# SQLite only counts up a column that is exactly INTEGER.
_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_FREE = sa.text("owner IS NULL")


def upgrade() -> None:
    """Add what several servers need; what waits in the store gets its lanes when a server starts."""
    op.create_table(
        "servers",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("alive_until", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "lanes",
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("contact_id", sa.String(length=40), nullable=False),
        sa.Column("owner", sa.String(length=40), nullable=True),
        sa.Column("ready_at", sa.BigInteger(), nullable=False),
        sa.Column("rank", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("kind", "contact_id"),
    )
    op.create_index("lanes_free", "lanes", ["kind", "rank", "ready_at"], postgresql_where=_FREE, sqlite_where=_FREE)
    op.create_table(
        "arrivals",
        sa.Column("id", _ID, autoincrement=True, nullable=False),
        sa.Column("amount", sa.Integer(), nullable=False),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.Column("packed", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "paces",
        sa.Column("number_id", sa.String(length=40), nullable=False),
        sa.Column("full_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("number_id"),
    )
    for name in ("failures", "waits"):
        op.add_column("inbox", sa.Column(name, sa.Integer(), nullable=False, server_default="0"))
    op.add_column("inbox", sa.Column("joined_to", sa.BigInteger(), nullable=True))
    op.add_column("outbox", sa.Column("accepted_at", sa.BigInteger(), nullable=True))
    op.drop_index("outbox_state", "outbox")  # what waits is found by its lane; SQLite would choose this index for it
    op.create_index("outbox_contact", "outbox", ["contact_id", "id"])
    op.create_index("statuses_at", "statuses", ["at"])
    _let_follow_ups_wait()


def _let_follow_ups_wait() -> None:
    """Tell when a follow-up is to fire from when it was due: the quiet hours of its customer may lie between."""
    op.add_column("follow_ups", sa.Column("fire_at", sa.BigInteger(), nullable=False, server_default="0"))
    op.execute("UPDATE follow_ups SET fire_at = due_at")
    op.drop_index("follow_ups_due", "follow_ups")
    op.create_index("follow_ups_due", "follow_ups", ["state", "fire_at"])
