"""Shared by the rebalance tests: members that join and leave, revocations, waiting for a condition."""

import asyncio
from contextlib import asynccontextmanager

import pytest
from aiokafka import AIOKafkaConsumer

from streams.consuming import consumer
from streams.publisher import Publisher
from tests.integration.kafka import committed
from tests.support.patience import SECONDS


@pytest.fixture
async def publisher(settings):
    async with Publisher(settings) as publisher:
        yield publisher


@pytest.fixture
def kafkas(monkeypatch):
    """The aiokafka consumers that were run, oldest first."""
    seen, run = [], consumer.Consumer.run

    async def note(self, kafka):
        seen.append(kafka)
        await run(self, kafka)

    monkeypatch.setattr(consumer.Consumer, "run", note)
    return seen


@pytest.fixture
def revocations(monkeypatch):
    """The handlers whose partitions the group revoked, one entry per revocation."""
    seen, revoked = [], consumer._Listener.on_partitions_revoked

    async def note(self, partitions):
        if partitions:
            seen.append(self._consumer._subscription.handler)
        await revoked(self, partitions)

    monkeypatch.setattr(consumer._Listener, "on_partitions_revoked", note)
    return seen


@asynccontextmanager
async def guest(settings, line):
    """Another member of the group that reads nothing: its joining and leaving cause one rebalance each."""
    member = AIOKafkaConsumer(
        line.topic.name,
        bootstrap_servers=settings.kafka_bootstrap_servers,
        group_id=line.group,
        enable_auto_commit=False,
        heartbeat_interval_ms=200,
        rebalance_timeout_ms=60_000,
    )
    starting = asyncio.create_task(member.start())
    try:
        yield starting
    finally:
        await asyncio.wait([starting])
        await member.stop()


async def eventually(condition):
    async with asyncio.timeout(SECONDS):
        while not await condition():
            await asyncio.sleep(0.05)


async def is_committed(settings, line, offset):
    return (await committed(settings, line.group, line.topic))[0] == offset


async def are(truth):
    return bool(truth)
