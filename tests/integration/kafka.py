"""Shared by the consumer tests: subscriptions, runtimes as context managers, committed offsets, reading topics."""

import asyncio
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from uuid import uuid4

from aiokafka import AIOKafkaConsumer, TopicPartition

from schemas.events import ChatRequested
from streams.consuming.limits import ConsumerLimits
from streams.consuming.retry import RetryPolicy
from streams.consuming.runtime import Runtime
from streams.consuming.subscription import Subscription
from streams.kafka.connection import open_admin
from streams.publisher import Publisher
from tests.support.patience import SECONDS

QUICK = RetryPolicy(attempts=3, first_seconds=0.01, longest_seconds=0.02)


def asked(session, text, client="c"):
    return ChatRequested(
        client_id=client, message_id=uuid4(), session_id=session, text=text, requested_at=datetime.now(UTC)
    )


def subscription(topic, handler, *, limits=None, **changes):
    """A rebalance is noticed at the next heartbeat. `limits` of the consumer, by name."""
    values = {"slots": 64, "client_slots": 64, "deadline_seconds": 10.0, "retry": QUICK} | changes
    bounds = ConsumerLimits(**{"heartbeat_ms": 200} | (limits or {}))
    return Subscription(name=topic.name, topic=topic, handler=handler, limits=bounds, **values)


@asynccontextmanager
async def running(settings, publisher, *subscriptions):
    """A worker's runtime; drained at the end."""
    runtime, stop = Runtime(settings, subscriptions, publisher), asyncio.Event()
    async with asyncio.TaskGroup() as tasks:
        run = tasks.create_task(runtime.run(stop))
        try:
            yield run
        finally:
            stop.set()
            async with asyncio.timeout(SECONDS):
                await asyncio.wait([run])


async def ask(publisher: Publisher, topic, *events, headers=()):
    for event in events:
        value = event.model_dump_json().encode()
        extra = [("client-id", event.client_id.encode()), *headers]
        await (await publisher.send_raw(topic.name, event.session_id.encode(), value, extra))


async def committed(settings, group, topic):
    """Partition → committed offset; None if it has none."""
    async with open_admin(settings) as admin:
        offsets = await admin.list_consumer_group_offsets(group)
    found = {
        partition.partition: offset.offset for partition, offset in offsets.items() if partition.topic == topic.name
    }
    return {number: found.get(number) for number in range(topic.partitions)}


async def read_all(settings, name, at_least, timeout_seconds=SECONDS):
    """The records of partition 0 of a topic; waits until there are `at_least` of them."""
    consumer = AIOKafkaConsumer(bootstrap_servers=settings.kafka_bootstrap_servers, auto_offset_reset="earliest")
    await consumer.start()
    try:
        consumer.assign([TopicPartition(name, 0)])
        await consumer.seek_to_beginning()
        records = []
        async with asyncio.timeout(timeout_seconds):
            while len(records) < at_least:
                for batch in (await consumer.getmany(timeout_ms=200)).values():
                    records.extend(batch)
        return records
    finally:
        await consumer.stop()
