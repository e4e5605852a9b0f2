"""When a link was last used, so that it can be forgotten; what an older version noted counts as long ago."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the moment; a link that is still in use is counted, and uploaded, anew."""
    op.add_column("uploads", sa.Column("used_at", sa.BigInteger(), nullable=False, server_default="0"))
