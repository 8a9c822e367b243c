"""What was done for whom and when: handled interactions, servers left, who wrote a level."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "handled_interactions",
        sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("handled_at", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "servers_left",
        sa.Column("server_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("left_at", sa.BigInteger, nullable=False),
    )
    op.add_column("levels", sa.Column("added_by", sa.BigInteger))
    op.add_column("levels", sa.Column("added_at", sa.BigInteger))
    op.add_column("server_settings", sa.Column("changed_by", sa.BigInteger))
    op.add_column("server_settings", sa.Column("changed_at", sa.BigInteger))
