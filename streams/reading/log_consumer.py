"""A Kafka consumer without a group, whose owner keeps the positions."""

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
    """A started consumer without partitions. Raises `KafkaError` and `TimeoutError`."""
    consumer = AIOKafkaConsumer(
        **connection(settings),
        group_id=None,
        enable_auto_commit=False,
        # A reset to another offset would skip records unnoticed.
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
    """Close it; a failure is only logged."""
    if not await is_stopped(consumer.stop()):
        await close_rest(consumer)
