"""One poll of the log that raises aiokafka's errors."""

import asyncio

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

POLL_MS = 200
POLL_RECORDS = 500
ASK_AGAIN_SECONDS = 5.0


async def poll(kafka: AIOKafkaConsumer) -> dict[TopicPartition, list[ConsumerRecord]]:
    """What has come within `POLL_MS`, which begin once partitions are held. Raises `KafkaError`.

    aiokafka waits for partitions without a bound, and looks for an error of its join only when a poll begins: one that
    comes together with a record is never raised, and until it is, the consumer joins no group.
    """
    while True:
        try:
            async with asyncio.timeout(ASK_AGAIN_SECONDS):
                return dict(await kafka.getmany(timeout_ms=POLL_MS, max_records=POLL_RECORDS))
        except TimeoutError:
            continue
