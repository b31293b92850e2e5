"""Run migrations on the connection that ``birth.upgrade`` hands over, in its transaction."""

from __future__ import annotations

from alembic import context

from posthouse.store.sqlite.schema_columns import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
    transactional_ddl=True,
)
context.run_migrations()
