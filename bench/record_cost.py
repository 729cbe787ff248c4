"""What the runtime costs per record, compared with a bare loop."""

import asyncio
import time
from uuid import uuid4

from aiokafka import AIOKafkaConsumer

from bench.questions import CLIENT_SLOTS, DEADLINE_SECONDS, SLOTS, Finished, Scripted, ask
from bench.report import rounded_median
from schemas.events import ChatRequested
from schemas.settings import Settings
from streams.consuming.runtime import Runtime
from streams.consuming.subscription import Subscription
from streams.publisher import Publisher
from streams.topics import Topic
from tests.support.kafka_topics import make_topic


async def runtime_us(settings: Settings, publisher: Publisher, topic: Topic, number: int) -> float:
    """CPU microseconds per record through decode, lane, handler, offsets and commits."""
    finished = Finished(number)

    async def answer(_: ChatRequested) -> None:
        finished.one()

    line = Subscription(f"bench-{uuid4().hex[:6]}", topic, Scripted(answer), SLOTS, CLIENT_SLOTS, DEADLINE_SECONDS)
    runs, stop = Runtime(settings, [line], publisher), asyncio.Event()
    began = time.process_time()
    task = asyncio.create_task(runs.run(stop))
    await finished.all.wait()
    spent = time.process_time() - began
    stop.set()
    await task
    return spent / number * 1e6


async def bare_us(settings: Settings, topic: Topic, number: int) -> float:
    """The same records through `getmany` alone."""
    consumer = AIOKafkaConsumer(
        topic.name,
        bootstrap_servers=settings.kafka_bootstrap_servers,
        group_id=f"bare-{uuid4().hex[:6]}",
        auto_offset_reset="earliest",
        enable_auto_commit=False,
    )
    began, left = time.process_time(), number
    await consumer.start()
    try:
        while left > 0:
            left -= sum(map(len, (await consumer.getmany(timeout_ms=200, max_records=500)).values()))
        return (time.process_time() - began) / number * 1e6
    finally:
        await consumer.stop()


async def overhead(settings: Settings, publisher: Publisher, rounds: int, number: int) -> dict[str, float]:
    """Ours and the bare loop on the same records, alternating."""
    topic = await make_topic(settings, 12)
    for start in range(0, number, 1_000):
        await ask(publisher, topic, [f"s{one % 500}" for one in range(start, start + 1_000)])
    ours, bare = [], []
    for _ in range(rounds):
        ours.append(await runtime_us(settings, publisher, topic, number))
        bare.append(await bare_us(settings, topic, number))
    return {"runtime_us_per_record": rounded_median(ours, 1), "bare_loop_us_per_record": rounded_median(bare, 1)}
