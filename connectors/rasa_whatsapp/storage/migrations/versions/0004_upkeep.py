"""What keeping the store in order needs: when a link was last used, how many bodies count as a backlog, troubles of a number."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add them; a link that is still in use is counted, and uploaded, anew, and what was written down counts as it did."""
    op.add_column("uploads", sa.Column("used_at", sa.BigInteger(), nullable=False, server_default="0"))
    op.add_column("arrivals", sa.Column("messages", sa.Integer(), nullable=False, server_default="0"))
    op.execute("UPDATE arrivals SET messages = amount")
    op.create_table(
        "troubles",
        sa.Column("number_id", sa.String(length=40), nullable=False),
        sa.Column("code", sa.Integer(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("number_id", "code"),
    )
