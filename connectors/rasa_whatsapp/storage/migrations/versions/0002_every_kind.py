"""Every kind of message: names that change, merges that wait, pauses, free entry points, menus of several pages, uploads."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add what version 0.1.0 did not keep."""
    for name in ("referred_at", "referral_answered_at", "paused_until", "rested_at", "joined_at"):
        op.add_column("contacts", sa.Column(name, sa.BigInteger(), nullable=True))
    op.create_index("contacts_merged", "contacts", ["merged_into"], unique=False)
    _let_numbers_pass_on()
    op.add_column("outbox", sa.Column("numbers", sa.Text(), nullable=True))
    op.add_column("outbox", sa.Column("more", sa.Text(), nullable=True))
    op.add_column("outbox", sa.Column("must_upload", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.create_table(
        "merges",
        sa.Column("one", sa.String(length=40), nullable=False),
        sa.Column("other", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(["one"], ["contacts.id"]),
        sa.ForeignKeyConstraint(["other"], ["contacts.id"]),
        sa.PrimaryKeyConstraint("one", "other"),
    )
    op.create_table(
        "uploads",
        sa.Column("number_id", sa.String(length=40), nullable=False),
        sa.Column("link", sa.String(length=64), nullable=False),
        sa.Column("uses", sa.Integer(), nullable=False),
        sa.Column("media_id", sa.String(length=80), nullable=True),
        sa.Column("expires_at", sa.BigInteger(), nullable=True),
        sa.Column("failed_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("number_id", "link"),
    )


def _let_numbers_pass_on() -> None:
    """Make aliases anew: a number may have been several contacts', one after the other."""
    op.rename_table("aliases", "aliases_0001")
    op.drop_index("ix_aliases_contact_id", "aliases_0001")
    op.create_table(
        "aliases",
        sa.Column("number_id", sa.String(length=40), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("value", sa.String(length=180), nullable=False),
        sa.Column("contact_id", sa.String(length=40), nullable=False),
        sa.Column("first_at", sa.BigInteger(), nullable=False),
        sa.Column("seen_at", sa.BigInteger(), nullable=False),
        sa.Column("retired_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["contact_id"], ["contacts.id"]),
        sa.PrimaryKeyConstraint("number_id", "kind", "value", "contact_id"),
    )
    op.create_index("ix_aliases_contact_id", "aliases", ["contact_id"], unique=False)
    op.execute(
        "INSERT INTO aliases SELECT number_id, kind, value, contact_id, seen_at, seen_at, NULL FROM aliases_0001"
    )
    op.drop_table("aliases_0001")
