"""Loads and faults of the log and the handlers that one worker survives, on the real broker (`docs/faults.md`)."""

import asyncio
import logging
import os
import time

import psutil
import pytest
import structlog
from aiokafka import TopicPartition
from aiokafka.admin import RecordsToDelete

from schemas.events import ChatFeedback
from schemas.failures import RetryableError
from streams.consuming.retry import RetryPolicy
from tests.faults.log_records import administer, send_many, until_committed
from tests.integration.kafka import ask, asked, running, subscription
from tests.support.fakes import RecordingHandler
from tests.support.kafka_topics import make_topic
from tests.support.patience import SECONDS

MANY = 10_000
FOREVER = RetryPolicy(attempts=1_000_000, first_seconds=0.01, longest_seconds=0.02)


@pytest.mark.parametrize("keys", [1, MANY], ids=["one key", "a key each"])
async def test_ten_thousand_records_of_one_key_and_of_as_many_keys(settings, publisher, keys, record_property):
    topic, handler = await make_topic(settings), RecordingHandler()
    line = subscription(topic, handler, slots=256, client_slots=256)
    await send_many(publisher, topic, (asked(f"s{number % keys}", str(number)) for number in range(MANY)))
    began = time.monotonic()
    async with running(settings, publisher, line):
        await handler.until(lambda h: len(h.finished) == MANY, SECONDS)
        record_property("records_per_second", round(MANY / (time.monotonic() - began)))
        await until_committed(settings, line, MANY)

    order = [int(event.text) for event in handler.started]
    assert len(order) == MANY
    assert order == sorted(order) or keys > 1


async def test_a_handler_that_runs_longer_than_the_poll_interval_keeps_its_partition(settings, publisher):
    """The consumer polls whatever the handlers do, so the poll interval does not bound them."""
    topic = await make_topic(settings)

    async def slow(event):
        if event.session_id == "slow":
            await asyncio.sleep(4)

    handler = RecordingHandler(slow)
    line = subscription(topic, handler, limits={"max_poll_interval_ms": 1_000})
    async with running(settings, publisher, line):
        await ask(publisher, topic, asked("slow", "0"), asked("slow", "1"), asked("quick", "0"))
        await handler.until(lambda h: len(h.finished) == 3)
        await until_committed(settings, line, 3)

    assert len(handler.started) == 3


async def test_a_handler_that_yields_faster_than_kafka_takes_waits_and_loses_nothing(settings, publisher, monkeypatch):
    """It yields more than `MAX_UNACKNOWLEDGED` events, each acknowledged slowly."""
    topic, most, open_acks = await make_topic(settings), 0, 0
    send = publisher.send_raw

    async def slow(name, *record):
        nonlocal most, open_acks
        acknowledgement = await send(name, *record)
        if name != "chat.feedback":
            return acknowledgement
        open_acks += 1
        most = max(most, open_acks)
        return asyncio.ensure_future(later(acknowledgement))

    async def later(acknowledgement):
        nonlocal open_acks
        await acknowledgement
        await asyncio.sleep(0.05)
        open_acks -= 1

    async def many(event):
        return [
            ChatFeedback(
                client_id="c", session_id=event.session_id, message_id=event.message_id, rating="up",
                rated_at=event.requested_at, comment="x" * 1_000,
            )
            for _ in range(3_000)
        ]  # fmt: skip

    monkeypatch.setattr(publisher, "send_raw", slow)
    handler = RecordingHandler(many)
    line = subscription(topic, handler)
    async with running(settings, publisher, line):
        await ask(publisher, topic, asked("s", "x"))
        await handler.until(lambda h: h.finished, SECONDS)
        await until_committed(settings, line, 1)
        assert open_acks == 0

    assert 1 < most <= 258


async def test_memory_is_bounded_while_every_handler_fails(settings, publisher, record_property):
    """I11, I12: failing records count as buffered; intake stops, and resumes once the failure is over."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    topic, is_broken, waiting = await make_topic(settings), True, set()

    async def fail(event):
        waiting.add(event.message_id)
        if is_broken:
            raise RetryableError("the provider is away")

    handler = RecordingHandler(fail)
    line = subscription(topic, handler, retry=FOREVER, limits={"high_water_records": 200})
    await send_many(publisher, topic, (asked(f"s{number}", "x" * 2_000) for number in range(3_000)))
    async with running(settings, publisher, line):
        async with asyncio.timeout(SECONDS):
            while len(handler.started) < 2_000:
                await asyncio.sleep(0.05)
            before = psutil.Process(os.getpid()).memory_info().rss
            while len(handler.started) < 6_000:
                await asyncio.sleep(0.05)
        grown = psutil.Process(os.getpid()).memory_info().rss - before
        held = len(waiting)
        is_broken = False
        await handler.until(lambda h: len(h.finished) == 3_000, SECONDS)
        await until_committed(settings, line, 3_000)

    structlog.reset_defaults()
    record_property("grown_mib", round(grown / 2**20, 1))
    assert held < 200 + 500
    assert grown < 32 * 2**20


async def test_records_that_were_compacted_away_do_not_hold_up_the_commit(settings, publisher):
    """The broker deletes the head of the log, below which the group has its committed offset."""
    topic, handler = await make_topic(settings), RecordingHandler()
    line = subscription(topic, handler)
    await send_many(publisher, topic, (asked(f"s{number}", "x") for number in range(50)))
    await administer(settings, lambda admin: admin.delete_records(_below(topic, 30)))
    async with running(settings, publisher, line):
        await until_committed(settings, line, 50)
        assert len(handler.finished) == 20


def _below(topic, offset):
    return {TopicPartition(topic.name, 0): RecordsToDelete(before_offset=offset)}
