"""The customer's language, kept with each message, since a parked one asks them to write long after the dialogue knew it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; for what an older version said, the number's country tells the language."""
    op.add_column("outbox", sa.Column("language", sa.String(length=50), nullable=True))
