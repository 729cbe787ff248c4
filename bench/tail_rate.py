"""How fast the gateway's tail reads Kafka into its replay buffers."""

import asyncio
import time
from uuid import uuid4

from aiokafka import AIOKafkaProducer

from bench.frame_publisher import SentAnswer, send_batch
from gateway.replay.buffers import ReplayBuffers
from gateway.replay.pending_questions import PendingQuestions
from gateway.replay.tail import Tail
from schemas.settings import Settings
from streams.kafka.partitioner import partition_for
from streams.reading.reader import LogReader
from streams.topics import CHAT_TOKEN

SESSIONS = 500
RECORDS_PER_SESSION = 200
BATCH_RECORDS = 40
READ_SECONDS = 60.0


async def tail_records_per_second(settings: Settings, turn: int) -> float:
    """Writes 100,000 records, then reads them from the beginning as a starting gateway does."""
    await _write(settings, f"tail-{turn}")
    async with LogReader(settings, CHAT_TOKEN) as reader:
        tail = Tail(reader, ReplayBuffers(), PendingQuestions())
        started = time.perf_counter()
        running = asyncio.create_task(tail.run())
        async with asyncio.timeout(READ_SECONDS):
            await tail.caught_up.wait()
        seconds = time.perf_counter() - started
        read = sum(reader.end_offset(number) for number in range(reader.partitions))
        running.cancel()
        await asyncio.wait([running])
    return read / seconds


async def _write(settings: Settings, prefix: str) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=settings.kafka_bootstrap_servers, acks=1, linger_ms=5)
    await producer.start()
    try:
        count = len(await producer.partitions_for(CHAT_TOKEN.name))
        for number in range(SESSIONS):
            name = f"{prefix}-{number}".encode()
            answer = SentAnswer(name, str(uuid4()))
            for _ in range(RECORDS_PER_SESSION // BATCH_RECORDS):
                await send_batch(producer, partition_for(name, count), b"bench", [answer] * BATCH_RECORDS)
        await producer.flush()
    finally:
        await producer.stop()
