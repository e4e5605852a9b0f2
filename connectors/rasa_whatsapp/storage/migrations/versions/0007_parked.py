"""Messages that are parked until the customer writes, and what the gate decided about each message."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_PARKED = sa.text("state = 'parked'")


def upgrade() -> None:
    """Add the columns; nothing that an older version said is parked."""
    op.add_column("outbox", sa.Column("fresh_at", sa.BigInteger(), nullable=True))
    op.add_column("outbox", sa.Column("parked_at", sa.BigInteger(), nullable=True))
    op.add_column("outbox", sa.Column("kind", sa.String(length=200), nullable=True))
    op.add_column("outbox", sa.Column("decision", sa.Text(), nullable=True))
    op.create_index("outbox_parked", "outbox", ["parked_at"], postgresql_where=_PARKED, sqlite_where=_PARKED)
