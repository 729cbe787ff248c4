"""Run by Alembic, inside the transaction that `stores.migrations.upgrade` holds the lock in."""

from alembic import context

from schemas.tables import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    compare_server_default=True,
)
with context.begin_transaction():
    context.run_migrations()
