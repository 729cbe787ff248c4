"""Schema migrations. Alembic owns the schema; `schemas/tables.py` describes it to the code."""

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, text

from stores.postgres.database import create_engine

_LOCK = 0x63686174  # "chat": any number that nothing else in the database locks


async def upgrade(database_url: str) -> None:
    """Migrates the database to the newest revision in one transaction. Concurrent calls run one after the other."""
    # A migration, or the wait for another process's, may take longer than any query should.
    engine = create_engine(database_url, command_timeout_seconds=None)
    try:
        async with engine.begin() as connection:
            await connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
            await connection.run_sync(_upgrade)
    finally:
        await engine.dispose()


def _upgrade(connection: Connection) -> None:
    config = Config()
    config.set_main_option("script_location", "stores:migrations")
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
