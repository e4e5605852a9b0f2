"""Daily sums of what Meta says messages cost."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the sums; they begin with what arrives from now on."""
    op.create_table(
        "costs",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("number_id", sa.String(length=40), nullable=False),
        sa.Column("country", sa.String(length=2), nullable=False),
        sa.Column("category", sa.String(length=40), nullable=False),
        sa.Column("type", sa.String(length=40), nullable=False),
        sa.Column("billable", sa.Boolean(), nullable=False),
        sa.Column("template", sa.String(length=512), nullable=False),
        sa.Column("messages", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("day", "number_id", "country", "category", "type", "billable", "template"),
    )
