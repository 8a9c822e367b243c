"""What a server's moderators entered by hand: margins and fund flows, for that server alone."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "entries",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("server_id", sa.BigInteger, nullable=False),
        sa.Column("kind", sa.String(8), nullable=False),
        sa.Column("size", sa.Integer, nullable=False),
        sa.Column("origin", sa.Text),
        sa.Column("added_by", sa.BigInteger),
        sa.Column("added_at", sa.BigInteger, nullable=False),
        sa.Column("withdrawn_by", sa.BigInteger),
        sa.Column("withdrawn_at", sa.BigInteger),
        # An id that was given away is never given again: an old button must not undo a new entry.
        sqlite_autoincrement=True,
    )
    op.create_index("entries_of_server", "entries", ["server_id", "id"])
    op.create_table(
        "entered_margins",
        sa.Column("entry_id", sa.Integer, sa.ForeignKey("entries.id"), primary_key=True),
        sa.Column("product", sa.String(16), primary_key=True),
        sa.Column("in_force_from", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("dating", sa.String(8), nullable=False),
        sa.Column("effective_date", sa.String(10)),
        sa.Column("effective_note", sa.Text),
        sa.Column("notice_date", sa.String(10)),
        sa.Column("notice_number", sa.Text),
        sa.Column("rule", sa.String(8), nullable=False),
        sa.Column("initial", sa.Float, nullable=False),
        sa.Column("maintenance", sa.Float, nullable=False),
        sa.Column("hrp_initial", sa.Float),
        sa.Column("hrp_maintenance", sa.Float),
        sa.Column("previous", sa.Float),
        sa.Column("previous_rule", sa.String(8)),
        sa.Column("confidence", sa.Text),
        sa.Column("citation", sa.Text),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "entered_flows",
        sa.Column("entry_id", sa.Integer, sa.ForeignKey("entries.id"), primary_key=True),
        sa.Column("asset", sa.String(16), primary_key=True),
        sa.Column("trade_date", sa.String(10), primary_key=True),
        sa.Column("total_musd", sa.Float, nullable=False),
        sqlite_with_rowid=False,
    )
