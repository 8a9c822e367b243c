"""Posts at their hour: what is scheduled, what is to be posted, and its pictures."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "digest_schedules",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("server_id", sa.BigInteger, nullable=False),
        sa.Column("channel_id", sa.BigInteger, nullable=False),
        sa.Column("reports", sa.Text, nullable=False),
        sa.Column("local_time", sa.String(8), nullable=False),
        sa.Column("zone", sa.String(64), nullable=False),
        sa.Column("days", sa.String(16), nullable=False),
        sa.Column("language", sa.String(16), nullable=False),
        sa.Column("ping_role", sa.BigInteger),
        sa.Column("latest_time", sa.String(8)),
        sa.Column("since", sa.BigInteger, nullable=False),
        sa.Column("planned_through", sa.String(10)),
        sa.Column("next_at", sa.BigInteger),
        sa.Column("paused", sa.String(16)),
        sa.Column("refused", sa.Integer, nullable=False),
        sa.Column("note", sa.String(16)),
        sa.Column("noted_at", sa.BigInteger),
        sa.Column("created_by", sa.BigInteger),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("changed_by", sa.BigInteger),
        sa.Column("changed_at", sa.BigInteger),
        sqlite_autoincrement=True,
    )
    op.create_index("digest_schedules_of_server", "digest_schedules", ["server_id"])
    op.create_index("digest_schedules_due", "digest_schedules", ["next_at"])
    op.create_table(
        "outbox",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("key", sa.String(96), nullable=False, unique=True),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("subject", sa.Integer),
        sa.Column("server_id", sa.BigInteger, nullable=False),
        sa.Column("channel_id", sa.BigInteger, nullable=False),
        sa.Column("due_at", sa.BigInteger, nullable=False),
        sa.Column("wait_until", sa.BigInteger),
        sa.Column("post_until", sa.BigInteger, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("payload", sa.Text),
        sa.Column("data_as_of", sa.BigInteger),
        sa.Column("attempt", sa.Integer, nullable=False),
        sa.Column("first_try_at", sa.BigInteger),
        sa.Column("next_at", sa.BigInteger),
        sa.Column("message_id", sa.BigInteger),
        sa.Column("settled_at", sa.BigInteger),
        sa.Column("reason", sa.String(32)),
    )
    op.create_index("outbox_next", "outbox", ["next_at", "state"])
    op.create_index("outbox_of_server", "outbox", ["server_id"])
    op.create_table(
        "pictures",
        sa.Column("sha256", sa.String(64), primary_key=True),
        sa.Column("png", sa.LargeBinary, nullable=False),
        sa.Column("last_used_at", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "outbox_pictures",
        sa.Column("outbox_id", sa.Integer, sa.ForeignKey("outbox.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("position", sa.Integer, primary_key=True),
        sa.Column("sha256", sa.String(64), sa.ForeignKey("pictures.sha256"), nullable=False),
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("alt", sa.Text, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("outbox_pictures_of_picture", "outbox_pictures", ["sha256"])
