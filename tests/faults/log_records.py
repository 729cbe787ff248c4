"""Sends records, waits for their commit, and changes the log behind a running worker."""

import asyncio

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import UnknownTopicOrPartitionError

from tests.integration.kafka import committed
from tests.support.patience import SECONDS


async def send_many(publisher, topic, events):
    """Send all before waiting for the acknowledgements."""
    sent = [
        await publisher.send_raw(
            topic.name, event.session_id.encode(), event.model_dump_json().encode(), [("client-id", b"c")]
        )
        for event in events
    ]
    await asyncio.gather(*sent)


async def until_committed(settings, line, offset):
    async with asyncio.timeout(SECONDS):
        while (await committed(settings, line.group, line.topic))[0] != offset:
            await asyncio.sleep(0.05)


async def administer(settings, work):
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.kafka_bootstrap_servers)
    await admin.start()
    try:
        async with asyncio.timeout(SECONDS):
            while True:
                try:
                    return await work(admin)
                except UnknownTopicOrPartitionError:
                    await asyncio.sleep(0.2)
    finally:
        await admin.close()
