"""Reads the rows and records that a site has written."""

import asyncio

import asyncpg
from aiokafka import AIOKafkaConsumer, TopicPartition

from tests.support.patience import SECONDS


async def fetch(site, query, *values):
    """The rows of a query."""
    connection = await asyncpg.connect(site.settings.database_url, ssl=False)
    try:
        return await connection.fetch(query, *values)
    finally:
        await connection.close()


async def logged(site, *messages):
    """Message id → its rows in `chat_logs`; waits until each message has one."""
    async with asyncio.timeout(SECONDS):
        while True:
            rows = await fetch(site, "SELECT * FROM chat_logs WHERE message_id = ANY($1::uuid[])", list(messages))
            found = {message: [row for row in rows if str(row["message_id"]) == message] for message in messages}
            if all(found.values()):
                return found
            await asyncio.sleep(0.05)


async def counted(site):
    """(answers, failures, output tokens) summed over the site's client.

    All tests share the log, so records of an earlier test arrive in this test's database too.
    """
    sums = ", ".join(f"coalesce(sum({column}), 0)" for column in ("answers", "failures", "output_tokens"))
    (row,) = await fetch(site, f"SELECT {sums} FROM usage_stats WHERE client_id = $1", site.client_id)
    return tuple(int(number) for number in row)


async def records(site, topic, partitions):
    """All records on a topic."""
    consumer = AIOKafkaConsumer(bootstrap_servers=site.settings.kafka_bootstrap_servers)
    await consumer.start()
    try:
        all_of_it = [TopicPartition(topic, number) for number in range(partitions)]
        consumer.assign(all_of_it)
        await consumer.seek_to_beginning()
        ends, found = await consumer.end_offsets(all_of_it), []
        async with asyncio.timeout(SECONDS):
            while any([await consumer.position(one) < end for one, end in ends.items()]):
                for batch in (await consumer.getmany(timeout_ms=100)).values():
                    found.extend(batch)
        return found
    finally:
        await consumer.stop()
