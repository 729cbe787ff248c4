"""Creates the topics."""

import asyncio
from collections.abc import Iterator

import structlog
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaError, TopicAlreadyExistsError, for_code

from schemas.settings import Settings
from streams.kafka.connection import open_admin
from streams.topics import DEAD_CONFIG, DEAD_SUFFIX, TOPICS

BROKERS_DEFAULT = -1
LISTED_SECONDS = 30
POLL_SECONDS = 0.1

log = structlog.get_logger()


async def create_topics(settings: Settings, max_partitions: int | None = None) -> list[str]:
    """Creates the topics and dead-letter topics that are missing and returns their names.

    A topic gets its `Topic`'s number of partitions, at most `max_partitions`.

    Returns once the metadata lists them all, so that a producer that starts now finds them. Of existing topics only
    the dead-letter ones are changed. Raises aiokafka's `KafkaError`, or `TimeoutError` when one is not listed in time.
    """
    async with open_admin(settings) as admin:
        wanted = {topic.name: topic for topic in _wanted(max_partitions)}
        missing = wanted.keys() - set(await admin.list_topics())
        created = await _create(admin, [wanted[name] for name in sorted(missing)]) if missing else []
        await _configure_dead(admin, wanted.keys() - missing)
        async with asyncio.timeout(LISTED_SECONDS):
            while not await _are_listed(admin, set(wanted)):
                await asyncio.sleep(POLL_SECONDS)
        return created


def _wanted(max_partitions: int | None) -> Iterator[NewTopic]:
    for topic in TOPICS:
        yield _new(topic.name, min(topic.partitions, max_partitions or topic.partitions), topic.config)
        yield _new(topic.dead, 1, DEAD_CONFIG)


def _new(name: str, partitions: int, config: dict[str, str]) -> NewTopic:
    # Only with an empty assignment does aiokafka leave the replication factor to the broker.
    return NewTopic(name, partitions, BROKERS_DEFAULT, replica_assignments={}, topic_configs=config)


async def _create(admin: AIOKafkaAdminClient, topics: list[NewTopic]) -> list[str]:
    response = await admin.create_topics(topics)
    created = []
    for name, code, message in response.topic_errors:
        error = for_code(code)
        if code == 0:
            created.append(name)
        # Two processes may create them at the same time.
        elif error is not TopicAlreadyExistsError:
            raise error(f"{name}: {message}")
    return created


async def _configure_dead(admin: AIOKafkaAdminClient, names: set[str]) -> None:
    """Raise the size limit of dead-letter topics that an earlier version created. The broker may refuse."""
    dead = [name for name in sorted(names) if name.endswith(DEAD_SUFFIX)]
    try:
        await admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, name, DEAD_CONFIG) for name in dead])
    except KafkaError as error:
        log.warning("dead_letter_topics_not_widened", consequence="larger dead letters are cut", error=repr(error))


async def _are_listed(admin: AIOKafkaAdminClient, names: set[str]) -> bool:
    """Whether every topic exists, with a leader for each partition."""
    described = await admin.describe_topics()
    available = {
        topic["topic"]
        for topic in described
        if topic["error_code"] == 0 and all(part["error_code"] == 0 for part in topic["partitions"])
    }
    return names <= available
