"""A Kafka consumer without a group, at positions that its owner keeps."""

import asyncio
from collections.abc import Mapping
from typing import TypeAlias

from aiokafka import AIOKafkaConsumer, TopicPartition

from schemas.settings import Settings
from streams.kafka.closing import close_rest, is_stopped
from streams.kafka.connection import connection

# One fetch is in flight per broker; a seek or a new assignment waits for its long poll, so it is kept short.
FETCH_WAIT_MS = 250
PARTITION_FETCH_BYTES = 256 * 1024
START_TIMEOUT_SECONDS = 30.0

LogConsumer: TypeAlias = "AIOKafkaConsumer[bytes | None, bytes | None]"


async def start_consumer(settings: Settings) -> LogConsumer:
    """One that reads nothing yet. Raises `KafkaError` and `TimeoutError`."""
    consumer = AIOKafkaConsumer(
        **connection(settings),
        group_id=None,
        enable_auto_commit=False,
        # A reset to another offset would leave a gap that is not noticed.
        auto_offset_reset="none",
        fetch_max_wait_ms=FETCH_WAIT_MS,
        max_partition_fetch_bytes=PARTITION_FETCH_BYTES,
    )
    try:
        async with asyncio.timeout(START_TIMEOUT_SECONDS):
            await consumer.start()
    except BaseException:
        await close_consumer(consumer)
        raise
    return consumer


def read_from(consumer: LogConsumer, positions: Mapping[TopicPartition, int]) -> None:
    """Read these partitions from these offsets on, and no others."""
    consumer.assign(list(positions))
    for partition, offset in positions.items():
        consumer.seek(partition, offset)


async def close_consumer(consumer: LogConsumer) -> None:
    """Returns when it is closed, or cannot be."""
    if not await is_stopped(consumer.stop()):
        await close_rest(consumer)
