"""Alerts: what somebody wants to be told of, how far each series was judged for them, and what happened."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "alerts",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("server_id", sa.BigInteger, nullable=False),
        sa.Column("channel_id", sa.BigInteger, nullable=False),
        sa.Column("owner_id", sa.BigInteger),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("subject", sa.String(16), nullable=False),
        sa.Column("interval", sa.String(8)),
        sa.Column("price", sa.Float),
        sa.Column("direction", sa.String(8)),
        sa.Column("bars", sa.Integer),
        sa.Column("language", sa.String(16), nullable=False),
        sa.Column("zone", sa.String(64), nullable=False),
        sa.Column("ping_role", sa.BigInteger),
        sa.Column("since", sa.BigInteger, nullable=False),
        sa.Column("phase", sa.String(16), nullable=False),
        sa.Column("due", sa.Integer),
        sa.Column("seen", sa.Text),
        sa.Column("muted_until", sa.BigInteger),
        sa.Column("quiet_until", sa.BigInteger),
        sa.Column("fired_at", sa.BigInteger),
        sa.Column("note", sa.String(16)),
        sa.Column("noted_at", sa.BigInteger),
        sa.Column("added_by", sa.BigInteger),
        sa.Column("added_at", sa.BigInteger, nullable=False),
        sa.Column("changed_by", sa.BigInteger),
        sa.Column("changed_at", sa.BigInteger),
        # An id names posts and buttons for ever: never given twice.
        sqlite_autoincrement=True,
    )
    op.create_index("alerts_of_server", "alerts", ["server_id", "owner_id"])
    op.create_index("alerts_watching", "alerts", ["subject", "interval", "phase", "price"])
    op.create_index("alerts_counting", "alerts", ["subject", "interval", "due"])
    op.create_index("alerts_of_kind", "alerts", ["kind", "subject"])
    op.create_index("alerts_quiet", "alerts", ["quiet_until"])
    op.create_table(
        "alert_series",
        sa.Column("subject", sa.String(16), primary_key=True),
        sa.Column("interval", sa.String(8), primary_key=True),
        sa.Column("instrument_id", sa.Integer, sa.ForeignKey("instruments.id"), nullable=False),
        sa.Column("opened_at", sa.BigInteger, nullable=False),
        sa.Column("closed_at", sa.BigInteger, nullable=False),
        sa.Column("close", sa.Float, nullable=False),
        sa.Column("atr", sa.Float),
        sa.Column("bars", sa.Integer, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "alert_crossings",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("alert_id", sa.Integer, sa.ForeignKey("alerts.id", ondelete="CASCADE"), nullable=False),
        sa.Column("name", sa.String(48), nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("what", sa.String(32), nullable=False),
        sa.Column("figures", sa.Text, nullable=False),
        sa.Column("state", sa.String(8), nullable=False),
        sa.Column("post_key", sa.String(96)),
        sa.Column("noted_at", sa.BigInteger, nullable=False),
        sa.UniqueConstraint("alert_id", "name"),
    )
    op.create_index("alert_crossings_noted", "alert_crossings", ["noted_at"])
