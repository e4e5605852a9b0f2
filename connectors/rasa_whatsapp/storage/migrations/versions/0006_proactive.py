"""Find the last message that was said to a contact without being asked."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_PROACTIVE = sa.text("proactive")


def upgrade() -> None:
    """Add the index."""
    op.create_index(
        "outbox_proactive", "outbox", ["contact_id", "id"], postgresql_where=_PROACTIVE, sqlite_where=_PROACTIVE
    )
