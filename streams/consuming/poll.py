"""One poll of the log that raises aiokafka's errors."""

import asyncio

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from streams.consuming.limits import ConsumerLimits

POLL_RECORDS = 500


async def poll(kafka: AIOKafkaConsumer, limits: ConsumerLimits) -> dict[TopicPartition, list[ConsumerRecord]]:
    """What has come within `poll_ms`, which begin once partitions are held. Raises `KafkaError`.

    aiokafka waits for partitions without a bound, and looks for an error of its join only when a poll begins: one that
    comes together with a record is never raised, and until it is, the consumer joins no group.
    """
    while True:
        try:
            async with asyncio.timeout(limits.assignment_wait_seconds):
                return dict(await kafka.getmany(timeout_ms=limits.poll_ms, max_records=POLL_RECORDS))
        except TimeoutError:
            continue
