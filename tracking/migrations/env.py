"""Runs the migrations on the connection that `tracking.database` hands over, inside its transaction and its lock."""

from __future__ import annotations

from alembic import context

from tracking.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata, transactional_ddl=True)
context.run_migrations()
