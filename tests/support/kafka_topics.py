"""A Kafka for a bench: the one in `KAFKA_BOOTSTRAP_SERVERS`, else an embedded one; with its own topics."""

import os
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

from aiokafka.admin import NewTopic

from bench.report import say
from chatconnect.embedded.kafka import Kafka
from schemas.settings import Settings
from streams.kafka.connection import open_admin
from streams.topics import CHAT_REQUESTED, DEAD_CONFIG, Topic


@asynccontextmanager
async def kafka() -> AsyncIterator[Settings]:
    """Settings that reach it."""
    given = os.environ.get("KAFKA_BOOTSTRAP_SERVERS")
    if given:
        yield Settings(kafka_bootstrap_servers=given)
        return
    with tempfile.TemporaryDirectory() as folder:
        part = await Kafka.start(Path(folder, "kafka"), Path(folder, "kafka.log"), say)
        try:
            yield Settings(kafka_bootstrap_servers=part.url)
        finally:
            await part.stop()


async def make_topic(settings: Settings, partitions: int = 1) -> Topic:
    """An empty topic for questions, and its dead-letter topic."""
    topic = replace(CHAT_REQUESTED, name=f"bench.{uuid4().hex[:10]}", partitions=partitions)
    async with open_admin(settings) as admin:
        await admin.create_topics(
            [NewTopic(topic.name, partitions, 1), NewTopic(topic.dead, 1, 1, topic_configs=DEAD_CONFIG)]
        )
    return topic
