"""The embedded servers for a bench, with topics, tables and clients in them."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from secrets import token_urlsafe

from bench.report import say
from chatconnect.embedded.kafka import PARTITIONS, Kafka
from chatconnect.embedded.postgres import Postgres
from chatconnect.embedded.redis import Redis
from schemas.settings import Settings
from stores.migrations import upgrade
from stores.postgres.clients import Client, Clients, Keys
from stores.postgres.database import create_engine
from streams.admin.topics import create_topics


@dataclass(slots=True)
class Servers:
    """What runs, and how to reach it. Assign a restarted Kafka to `kafka`: that one is stopped at the end."""

    kafka: Kafka
    settings: Settings


@asynccontextmanager
async def servers(folder: Path, clients: Iterable[str], **settings: str) -> AsyncIterator[Servers]:
    """Kafka, Postgres and Redis in a folder, stopped at the end; `settings` are additional ones."""
    async with AsyncExitStack() as stack:
        kafka = await Kafka.start(folder / "kafka", folder / "kafka.log", say)
        postgres = await Postgres.start(folder / "postgres", folder / "postgres.log")
        stack.push_async_callback(postgres.stop)
        redis = await Redis.start(folder / "redis", folder / "redis.log")
        stack.push_async_callback(redis.stop)
        all_settings = Settings(
            kafka_bootstrap_servers=kafka.url,
            database_url=postgres.url,
            redis_url=redis.url,
            qdrant_url=str(folder / "qdrant"),
            uploads_url=(folder / "uploads").as_uri(),
            internal_secret=token_urlsafe(32),
            **settings,
        )
        running = Servers(kafka, all_settings)
        try:
            await asyncio.gather(_prepare(all_settings, clients), create_topics(all_settings, PARTITIONS))
            yield running
        finally:
            await running.kafka.stop()


async def _prepare(settings: Settings, clients: Iterable[str]) -> None:
    await upgrade(settings.database_url)
    engine = create_engine(settings.database_url)
    try:
        for name in clients:
            await Clients(engine).ensure(Client(name, name, "free", ("*",)), keys_of(name))
    finally:
        await engine.dispose()


def keys_of(client: str) -> Keys:
    """A client's keys."""
    return Keys(f"pk_{client}", f"sk_{client}")
