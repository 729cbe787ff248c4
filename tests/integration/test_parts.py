"""The embedded parts and the fixtures the other integration tests stand on."""

import asyncpg
from aiokafka.admin import AIOKafkaAdminClient
from redis.asyncio import Redis
from sqlalchemy import text

from streams.admin import create_topics
from streams.topics import TOPICS


async def test_topics_are_created_once(settings):
    """A second call creates nothing, and every topic has its partitions and its dead-letter topic."""
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.kafka_bootstrap_servers)
    await admin.start()
    try:
        described = {topic["topic"]: topic for topic in await admin.describe_topics()}
    finally:
        await admin.close()

    assert await create_topics(settings) == []
    for topic in TOPICS:
        assert len(described[topic.name]["partitions"]) == topic.partitions
        assert len(described[topic.dead]["partitions"]) == 1


async def test_each_test_has_a_migrated_database_of_its_own(engine, services):
    """What one test writes, no other sees."""
    async with engine.begin() as connection:
        await connection.execute(text("INSERT INTO clients (client_id, name) VALUES ('alone', 'Alone')"))
    shared = await asyncpg.connect(services.database_url)
    try:
        seen = await shared.fetchval("SELECT count(*) FROM clients WHERE client_id = 'alone'")
    finally:
        await shared.close()

    assert seen == 0


async def test_redis_answers(settings):
    """It is a real one, with an append-only file."""
    client = Redis.from_url(settings.redis_url)
    try:
        answer = await client.config_get("appendonly")
    finally:
        await client.aclose()

    assert answer == {"appendonly": "yes"}
