"""What a server calls its line and when its lights turn; null is what holds by default."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("server_settings", sa.Column("light_line", sa.Float))
    op.add_column("server_settings", sa.Column("light_closes", sa.Integer))
    op.add_column("server_settings", sa.Column("light_flows_musd", sa.Float))
    op.add_column("server_settings", sa.Column("light_macro_sigma", sa.Float))
    op.add_column("server_settings", sa.Column("light_silver_sigma", sa.Float))
