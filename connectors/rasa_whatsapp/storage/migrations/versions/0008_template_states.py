"""What Meta says of the templates: approved, paused, their quality and category."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table; until Meta says something, the catalogue counts."""
    op.create_table(
        "template_states",
        sa.Column("name", sa.String(length=512), nullable=False),
        sa.Column("language", sa.String(length=40), nullable=False),
        sa.Column("aspect", sa.String(length=20), nullable=False),
        sa.Column("value", sa.String(length=40), nullable=True),
        sa.Column("detail", sa.String(length=80), nullable=False),
        sa.Column("source", sa.String(length=12), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=True),
        sa.Column("changes", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", "language", "aspect"),
    )
