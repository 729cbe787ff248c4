"""Alembic's schema equals the tables that the code declares."""

import asyncio

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import text

import schemas.dashboard_tables  # noqa: F401 - adds its tables to the metadata
from schemas.tables import Base
from stores.migrations import upgrade
from stores.postgres.database import create_engine
from tests.support.services import create_database, named


def differences(connection):
    context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
    return compare_metadata(context, Base.metadata)


async def test_migrated_schema_equals_the_declared_tables(engine):
    async with engine.connect() as connection:
        assert await connection.run_sync(differences) == []


async def test_processes_that_start_at_once_migrate_once(services):
    await create_database(services.postgres_url, "bare", "template1")
    url = named(services.postgres_url, "bare")
    await asyncio.gather(*(upgrade(url) for _ in range(5)))
    engine = create_engine(url)
    async with engine.connect() as connection:
        versions = (await connection.execute(text("SELECT version_num FROM alembic_version"))).scalars().all()

        assert len(versions) == 1
        assert await connection.run_sync(differences) == []
    await engine.dispose()
