"""A separate Kafka for tests that delete topics or add partitions."""

import asyncio
from contextlib import asynccontextmanager

from aiokafka.admin import NewPartitions, NewTopic
from aiokafka.errors import KafkaError

from streams.admin.topics import create_topics
from streams.kafka.connection import open_admin
from streams.topics import TOPICS
from tests.faults.own_kafka import own_kafka
from tests.support.patience import SECONDS

PARTITIONS = 6


@asynccontextmanager
async def own_log(settings, folder):
    """These settings with a Kafka that nobody else uses."""
    async with own_kafka(folder) as broker:
        own = settings.model_copy(update={"kafka_bootstrap_servers": broker.running.url})
        await create_topics(own, PARTITIONS)
        yield own


async def delete(settings, name):
    """Returns when the topic is gone."""
    async with open_admin(settings) as admin, asyncio.timeout(SECONDS):
        await admin.delete_topics([name])
        while name in await admin.list_topics():
            await asyncio.sleep(0.05)


async def create(settings, name, partitions=PARTITIONS):
    """Returns when the topic exists; retries while a deletion of it is still under way."""
    (topic,) = (one for one in TOPICS if one.name == name)
    made = NewTopic(name, min(partitions, topic.partitions), 1, topic_configs=topic.config)
    async with open_admin(settings) as admin, asyncio.timeout(SECONDS):
        while (await admin.create_topics([made])).topic_errors[0][1]:
            await asyncio.sleep(0.05)


async def widen(settings, name, partitions):
    """Increases the topic to this many partitions."""
    async with open_admin(settings) as admin:
        answer = await admin.create_partitions({name: NewPartitions(partitions)})
        if answer.topic_errors[0][1]:
            raise KafkaError(answer.topic_errors[0])
