"""Real Kafka, Postgres and Redis for the session; a fresh database for each test."""

import asyncio
import fcntl
import itertools
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import pytest

from chatconnect.embedded.aot_training import make_aot_cache
from chatconnect.embedded.cache import cache_folder
from chatconnect.embedded.kafka import Kafka
from chatconnect.embedded.postgres import Postgres
from chatconnect.embedded.redis import Redis
from schemas.settings import Settings
from stores.migrations import upgrade
from stores.postgres.database import Database, create_engine
from streams.admin.topics import create_topics

TEMPLATE = "chatconnect_template"
# A broker that lives for a test, or for a few minutes, spends more on the second compiler than that saves.
SHORT_LIVED = ("-XX:TieredStopAtLevel=1",)
INTERNAL_SECRET = "internal-secret-of-the-tests-0123456789"

_numbers = itertools.count(1)


@dataclass(frozen=True, slots=True)
class Services:
    """The addresses of the services. `database_url` is a migrated database that the whole session shares."""

    kafka_bootstrap_servers: str
    database_url: str
    redis_url: str
    postgres_url: str


@pytest.fixture(scope="session")
def services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    """Starts the services once. Their event loop is idle while tests run in their own loops."""
    folder = tmp_path_factory.mktemp("parts")
    with asyncio.Runner() as runner:
        with (cache_folder() / "aot.lock").open("w") as lock:
            # One of the test processes makes it for all.
            fcntl.flock(lock, fcntl.LOCK_EX)
            runner.run(make_aot_cache())
        parts = runner.run(_start(folder))
        try:
            yield runner.run(_prepare(*parts))
        finally:
            runner.run(_stop(*parts))


async def _start(folder: Path) -> tuple[Kafka, Postgres, Redis]:
    logs = folder / "logs"
    async with asyncio.TaskGroup() as tasks:
        kafka = tasks.create_task(Kafka.start(folder / "kafka", logs / "kafka.log", print, options=SHORT_LIVED))
        postgres = tasks.create_task(Postgres.start(folder / "postgres", logs / "postgres.log"))
        redis = tasks.create_task(Redis.start(folder / "redis", logs / "redis.log"))
    return kafka.result(), postgres.result(), redis.result()


async def _prepare(kafka: Kafka, postgres: Postgres, redis: Redis) -> Services:
    await create_database(postgres.url, TEMPLATE, "template1")
    await upgrade(named(postgres.url, TEMPLATE))
    await create_database(postgres.url, "chatconnect", TEMPLATE)
    await create_topics(Settings(kafka_bootstrap_servers=kafka.url))
    return Services(kafka.url, named(postgres.url, "chatconnect"), redis.url, postgres.url)


async def _stop(*parts: Kafka | Postgres | Redis) -> None:
    await asyncio.gather(*(part.stop() for part in parts))


def named(postgres_url: str, database: str) -> str:
    return f"{postgres_url.rpartition('/')[0]}/{database}"


async def create_database(postgres_url: str, name: str, template: str) -> None:
    connection = await asyncpg.connect(postgres_url)
    try:
        await connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
    finally:
        await connection.close()


@pytest.fixture
async def database_url(services: Services) -> str:
    """An empty, migrated database for this test alone."""
    name = f"test_{next(_numbers)}"
    await create_database(services.postgres_url, name, TEMPLATE)
    return named(services.postgres_url, name)


@pytest.fixture
async def engine(database_url: str) -> AsyncIterator[Database]:
    """An engine on `database_url`."""
    engine = create_engine(database_url)
    yield engine
    await engine.dispose()


@pytest.fixture
def settings(services: Services, tmp_path: Path) -> Settings:
    """Settings for the services, with this test's own folders for uploads and Qdrant.

    The session shares `settings.database_url`; for a test's own database use
    `settings.model_copy(update={"database_url": database_url})`.
    """
    return Settings(
        kafka_bootstrap_servers=services.kafka_bootstrap_servers,
        database_url=services.database_url,
        redis_url=services.redis_url,
        qdrant_url=str(tmp_path / "qdrant"),
        uploads_url=(tmp_path / "uploads").as_uri(),
        internal_secret=INTERNAL_SECRET,
        metrics_port=0,
    )
