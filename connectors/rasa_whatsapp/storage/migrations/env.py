"""Alembic's entry: migrates over the connection that `Database.upgrade` hands in."""

from __future__ import annotations

from alembic import context

from rasa_whatsapp.storage.schema import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
with context.begin_transaction():
    context.run_migrations()
