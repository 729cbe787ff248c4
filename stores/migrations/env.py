"""Run by Alembic, in the transaction in which `stores.migrations.upgrade` holds the lock."""

from alembic import context

import schemas.dashboard_tables  # noqa: F401 - adds its tables to the metadata
from schemas.tables import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    compare_server_default=True,
)
with context.begin_transaction():
    context.run_migrations()
