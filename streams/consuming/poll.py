"""A poll that raises aiokafka's errors."""

import asyncio

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

POLL_MS = 200
POLL_RECORDS = 500
ASK_AGAIN_SECONDS = 5.0


async def poll(kafka: AIOKafkaConsumer) -> dict[TopicPartition, list[ConsumerRecord]]:
    """The records of `POLL_MS`, counted from when partitions are assigned. Raises `KafkaError`.

    aiokafka waits for an assignment without a timeout, and a running poll misses a join error that arrives together
    with a record. The consumer joins no group until that error is raised, so a long wait is started again.
    """
    while True:
        try:
            async with asyncio.timeout(ASK_AGAIN_SECONDS):
                return dict(await kafka.getmany(timeout_ms=POLL_MS, max_records=POLL_RECORDS))
        except TimeoutError:
            continue
