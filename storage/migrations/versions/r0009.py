"""Bars that are missing between others, and the maintenance tiers that venues publish."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "missing_bars",
        sa.Column("feed", sa.String(64), primary_key=True),
        sa.Column("opened_at", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("tries", sa.Integer, nullable=False),
        sa.Column("next_try_at", sa.BigInteger, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "tier_tables",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("venue", sa.String(16), nullable=False),
        sa.Column("code", sa.String(16), nullable=False),
        sa.Column("kind", sa.String(8), nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("by_size", sa.Boolean, nullable=False),
        sa.Column("known_at", sa.BigInteger, nullable=False),
        sa.Column("seen_at", sa.BigInteger, nullable=False),
        sa.UniqueConstraint("venue", "code", "kind", "known_at", name="tier_tables_version"),
    )
    op.create_table(
        "tiers",
        sa.Column("table_id", sa.Integer, sa.ForeignKey("tier_tables.id"), primary_key=True),
        sa.Column("floor", sa.Float, primary_key=True),
        sa.Column("rate", sa.Float, nullable=False),
        sa.Column("deduction", sa.Float, nullable=False),
        sqlite_with_rowid=False,
    )
