"""A poll that raises aiokafka's errors."""

import asyncio

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from streams.consuming.limits import ConsumerLimits

POLL_RECORDS = 500


async def poll(kafka: AIOKafkaConsumer, limits: ConsumerLimits) -> dict[TopicPartition, list[ConsumerRecord]]:
    """The records of `poll_ms`, counted from when partitions are assigned. Raises `KafkaError`.

    aiokafka waits for an assignment without a timeout, and a running poll misses a join error that arrives together
    with a record. The consumer joins no group until that error is raised, so a long wait is started again.
    """
    while True:
        try:
            async with asyncio.timeout(limits.assignment_wait_seconds):
                return dict(await kafka.getmany(timeout_ms=limits.poll_ms, max_records=POLL_RECORDS))
        except TimeoutError:
            continue
