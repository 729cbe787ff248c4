"""The embedded services and fixtures that the other integration tests use."""

import re

import asyncpg
import psutil
import pytest
from aiokafka.admin import AIOKafkaAdminClient
from redis.asyncio import Redis
from redis.exceptions import AuthenticationError
from sqlalchemy import text

from chatconnect.embedded.password import password_file
from chatconnect.embedded.postgres import Postgres
from streams.admin.topics import create_topics
from streams.topics import TOPICS


async def test_topics_are_created_once(settings):
    """A second call creates nothing; every topic has its partitions and its dead-letter topic."""
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
    """No test sees what another one writes."""
    async with engine.begin() as connection:
        await connection.execute(text("INSERT INTO clients (client_id, name) VALUES ('alone', 'Alone')"))
    shared = await asyncpg.connect(services.database_url)
    try:
        seen = await shared.fetchval("SELECT count(*) FROM clients WHERE client_id = 'alone'")
    finally:
        await shared.close()

    assert seen == 0


async def test_an_embedded_service_refuses_a_missing_or_wrong_password(services):
    """Every user of this machine can reach the ports, so each needs a password."""
    for password in ("", ":wrong"):
        bare = re.sub(r"://postgres:[^@]*@", f"://postgres{password}@", services.postgres_url)
        with pytest.raises(asyncpg.InvalidPasswordError):
            await asyncpg.connect(bare, password=password.removeprefix(":") or None)
        redis = Redis.from_url(re.sub(r"://:[^@]*@", f"://{password}@" if password else "://", services.redis_url))
        with pytest.raises(AuthenticationError):
            await redis.ping()
        await redis.aclose()


async def test_no_password_is_on_a_command_line(services):
    secrets = [re.search(r":([^:@/]+)@", url)[1] for url in (services.postgres_url, services.redis_url)]
    lines = [" ".join(process.info["cmdline"] or ()) for process in psutil.process_iter(["cmdline"])]

    assert len(secrets) == 2
    assert not [line for line in lines for secret in secrets if secret in line]


async def test_a_database_without_a_password_requires_one_after_the_next_start(tmp_path):
    folder, log = tmp_path / "postgres", tmp_path / "logs" / "postgres.log"
    first = await Postgres.start(folder, log)
    database = await asyncpg.connect(first.url)
    await database.execute("CREATE TABLE kept AS SELECT 1 AS one")
    await database.close()
    await first.stop()
    (folder / "pg_hba.conf").write_text("local all all trust\nhost all all 127.0.0.1/32 trust\n")
    password_file(folder).unlink()
    again = await Postgres.start(folder, log)
    try:
        with pytest.raises(asyncpg.InvalidPasswordError):
            await asyncpg.connect(again.url.replace(*(re.search(r":([^:@/]+)@", one.url)[1] for one in (again, first))))
        database = await asyncpg.connect(again.url)
        kept = await database.fetchval("SELECT one FROM kept")
        await database.close()
    finally:
        await again.stop()

    assert kept == 1
    assert first.url.split("@")[0] != again.url.split("@")[0]


async def test_redis_answers(settings):
    """It is a real Redis with an append-only file."""
    client = Redis.from_url(settings.redis_url)
    try:
        answer = await client.config_get("appendonly")
    finally:
        await client.aclose()

    assert answer == {"appendonly": "yes"}
