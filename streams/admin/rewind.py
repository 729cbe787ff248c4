"""Moves a group back in time, so that its handler runs over a topic again (G12)."""

import asyncio
from dataclasses import dataclass
from datetime import datetime

from aiokafka import AIOKafkaConsumer, OffsetAndMetadata, TopicPartition
from aiokafka.errors import KafkaError

from schemas.settings import Settings
from streams.kafka.connection import connection, open_admin
from streams.topics import Topic

TIMEOUT_SECONDS = 30.0


class GroupInUseError(Exception):
    """Offsets of a group are moved only while none of its consumers runs."""


@dataclass(frozen=True, slots=True)
class Move:
    """One partition's change of offset. `before` is None when the group never committed."""

    partition: int
    before: int | None
    after: int
    end: int

    @property
    def records(self) -> int:
        """How many offsets will be read again or for the first time."""
        return self.end - self.after


async def plan(settings: Settings, topic: Topic, group: str, since: datetime) -> list[Move]:
    """A move for each partition: to its first record at or after `since`, else to its end."""
    async with asyncio.timeout(TIMEOUT_SECONDS):
        committed = await _committed(settings, topic, group)
        consumer = AIOKafkaConsumer(**connection(settings), group_id=None)
        try:
            await consumer.start()
            partitions = [TopicPartition(topic.name, number) for number in range(topic.partitions)]
            ends = await consumer.end_offsets(partitions)
            found = await consumer.offsets_for_times(dict.fromkeys(partitions, int(since.timestamp() * 1000)))
        finally:
            await consumer.stop()
    return [
        Move(one.partition, committed.get(one), (at.offset if (at := found.get(one)) else ends[one]), ends[one])
        for one in partitions
    ]


async def rewind(settings: Settings, topic: Topic, group: str, moves: list[Move]) -> None:
    """Commit the planned offsets. Raises `GroupInUseError` while a consumer of the group runs."""
    async with asyncio.timeout(TIMEOUT_SECONDS):
        if await _is_in_use(settings, group):
            raise GroupInUseError(f"The group {group} is running: stop its workers, rewind, and start them again.")
        consumer = AIOKafkaConsumer(**connection(settings), group_id=group, enable_auto_commit=False)
        try:
            await consumer.start()
            consumer.assign([TopicPartition(topic.name, move.partition) for move in moves])
            await consumer.commit(
                {TopicPartition(topic.name, move.partition): OffsetAndMetadata(move.after, "") for move in moves}
            )
        except KafkaError as error:
            raise GroupInUseError(
                f"Kafka refused to move the group {group}: {error}. Is one of its workers running?"
            ) from error
        finally:
            await consumer.stop()


async def _committed(settings: Settings, topic: Topic, group: str) -> dict[TopicPartition, int]:
    async with open_admin(settings) as admin:
        offsets = await admin.list_consumer_group_offsets(group)
    return {one: at.offset for one, at in offsets.items() if one.topic == topic.name and at.offset >= 0}


async def _is_in_use(settings: Settings, group: str) -> bool:
    async with open_admin(settings) as admin:
        (answer,) = await admin.describe_consumer_groups([group])
    return any(state not in ("Empty", "Dead") for _, _, state, *_ in answer.groups)
