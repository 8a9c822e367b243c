"""Run by Alembic; the connection comes from ``storage.migrate``."""

from __future__ import annotations

from alembic import context

from storage import schema

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=schema.metadata,
    render_as_batch=True,
    # Alembic thinks SQLite cannot: it can, and all revisions are applied or none.
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
