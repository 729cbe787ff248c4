"""Faults of the log, the broker and the handlers that one worker survives, on the real broker (`docs/faults.md`)."""

import asyncio
import logging
import os
import time

import psutil
import pytest
import structlog
from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic, RecordsToDelete
from aiokafka.errors import KafkaConnectionError, UnknownTopicOrPartitionError

from schemas.events import ChatFeedback
from schemas.failures import PermanentError, RetryableError
from streams import publisher as publishing
from streams.consuming.retry import RetryPolicy
from streams.publisher import Publisher
from tests.integration.kafka import ask, asked, committed, read_all, running, subscription
from tests.support.fakes import RecordingHandler
from tests.support.kafka_topics import make_topic
from tests.support.patience import SECONDS

MANY = 10_000
FOREVER = RetryPolicy(attempts=1_000_000, first_seconds=0.01, longest_seconds=0.02)


@pytest.fixture(name="publisher")
async def open_publisher(settings):
    async with Publisher(settings) as opened:
        yield opened


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


async def test_a_dead_letter_that_cannot_be_written_is_kept_on_the_log_until_it_can(settings, publisher, monkeypatch):
    """Its topic is missing: the record stays uncommitted, others go on; once the topic exists, it is written."""
    topic = await make_topic(settings)
    await administer(settings, lambda admin: admin.delete_topics([topic.dead]))

    async def refuse_bad(event):
        if event.session_id == "bad":
            raise PermanentError("no such model", code="model")

    handler = RecordingHandler(refuse_bad)
    line = subscription(topic, handler)
    bad = asked("bad", "poison")
    async with running(settings, publisher, line):
        await ask(publisher, topic, asked("good", "0"))
        await handler.until(lambda h: h.finished, SECONDS)
        monkeypatch.setattr(publishing, "PUBLISH_TIMEOUT_SECONDS", 0.5)
        await ask(publisher, topic, bad, asked("good", "1"), asked("good", "2"))
        await handler.until(lambda h: len(h.finished) == 3 and len(h.given_up) >= 2, SECONDS)
        await until_committed(settings, line, 1)
        await administer(settings, lambda admin: admin.create_topics([NewTopic(topic.dead, 1, 1)]))
        await until_committed(settings, line, 4)
        (letter,) = await read_all(settings, topic.dead, 1)

    assert (letter.key, letter.value) == (b"bad", bad.model_dump_json().encode())


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


async def test_a_record_without_its_dead_letter_is_taken_up_by_the_next_worker(settings, publisher, monkeypatch):
    """The worker ends while the write fails: nothing is lost."""
    topic = await make_topic(settings)

    async def refuse(_):
        raise PermanentError("no such model", code="model")

    send, failing = publisher.send_raw, True

    async def fail(name, *record):
        if failing and name == topic.dead:
            lost = asyncio.get_running_loop().create_future()
            lost.set_exception(KafkaConnectionError("gone before it acknowledged"))
            return lost
        return await send(name, *record)

    monkeypatch.setattr(publisher, "send_raw", fail)
    question, handler = asked("s", "x"), RecordingHandler(refuse)
    line = subscription(topic, handler)
    async with running(settings, publisher, line):
        await ask(publisher, topic, question)
        await handler.until(lambda h: len(h.given_up) >= 2, SECONDS)
    assert (await committed(settings, line.group, topic))[0] in (None, 0)
    failing = False
    async with running(settings, publisher, line):
        (letter,) = await read_all(settings, topic.dead, 1, SECONDS)
        await until_committed(settings, line, 1)

    assert letter.value == question.model_dump_json().encode()


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


async def test_a_mass_of_records_that_all_die_is_stopped_and_none_is_lost(settings, publisher):
    """The limit ends the worker; each record below the commit has a dead letter, the rest is still on the log."""
    topic = await make_topic(settings)

    async def break_down(_):
        raise ValueError("a bug")

    limits = {"max_dead_letters_in_a_row": 20}
    line = subscription(topic, RecordingHandler(break_down), slots=4, client_slots=4, limits=limits)
    await send_many(publisher, topic, (asked(f"s{number}", str(number)) for number in range(100)))
    with pytest.raises(ExceptionGroup):
        async with running(settings, publisher, line) as run:
            await asyncio.wait([run], timeout=SECONDS)
    after = (await committed(settings, line.group, topic))[0] or 0
    letters = await read_all(settings, topic.dead, 20)
    buried = {int(dict(letter.headers)["dead-letter-offset"]) for letter in letters}

    assert set(range(after)) <= buried
    assert len(letters) < 30


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
