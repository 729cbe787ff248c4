"""Arbitrary records on the workers' topics: no consumer stops, and identifiable askers get a failure."""

import asyncio
import json
from uuid import uuid4

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.errors import MessageSizeTooLargeError

from schemas.failures import PermanentError, RetryableError
from streams.dead_letters.writer import TRUNCATED
from tests.integration.kafka import ask, asked, read_all, running, subscription
from tests.support.fakes import RecordingHandler
from tests.support.kafka_topics import make_topic
from tests.support.patience import SECONDS

FEW = {"max_dead_letters_in_a_row": 5}

HEADERS = [("client-id", b"c")]


@pytest.mark.parametrize("compression", ["gzip", "snappy", "lz4", "zstd"])
async def test_records_of_every_compression_are_read(settings, publisher, compression):
    topic, handler = await make_topic(settings), RecordingHandler()
    event = asked("s", "compressed")
    producer = AIOKafkaProducer(
        bootstrap_servers=settings.kafka_bootstrap_servers, compression_type=compression, linger_ms=50
    )
    await producer.start()
    await producer.send(topic.name, event.model_dump_json().encode() + b" " * 9_000, b"s", headers=HEADERS)
    await producer.stop()
    async with running(settings, publisher, subscription(topic, handler)):
        await handler.until(lambda _: handler.finished)

    assert handler.finished == [event]


@pytest.mark.parametrize(
    "error", [PermanentError("refused", code="x"), RetryableError("busy"), TimeoutError()], ids=repr
)
async def test_errors_that_a_caller_can_provoke_stop_no_consumer(settings, publisher, error):
    topic = await make_topic(settings)

    async def fail(event):
        if event.text == "bad":
            raise error

    handler = RecordingHandler(fail)
    async with running(settings, publisher, subscription(topic, handler, limits=FEW)):
        await ask(publisher, topic, *(asked(f"s{number}", "bad") for number in range(12)), asked("good", "good"))
        await handler.until(lambda _: handler.finished and len(handler.given_up) == 12)

    assert [event.text for event in handler.finished] == ["good"]


async def test_bad_records_stop_no_consumer(settings, publisher):
    topic, handler = await make_topic(settings), RecordingHandler()
    async with running(settings, publisher, subscription(topic, handler, limits=FEW)):
        for number in range(12):
            await publisher.send_raw(topic.name, b"%d" % number, b"garbage", HEADERS)
        await ask(publisher, topic, asked("good", "good"))
        await handler.until(lambda _: handler.finished)


async def test_one_consumers_bugs_stop_only_that_consumer(settings, publisher):
    broken, sound = await make_topic(settings), await make_topic(settings)

    async def break_down(_):
        raise ValueError("a bug")

    bad, good = RecordingHandler(break_down), RecordingHandler()
    async with running(settings, publisher, subscription(broken, bad, limits=FEW), subscription(sound, good)) as run:
        await ask(publisher, broken, *(asked(f"s{number}", "x") for number in range(40)))
        await bad.until(lambda _: len(bad.given_up) >= 5)
        await ask(publisher, sound, *(asked(f"s{number}", "y") for number in range(10)))
        await good.until(lambda _: len(good.finished) == 10)
        assert not run.done()


async def test_a_record_of_the_largest_size_is_buried_whole(settings, publisher):
    topic, key, size = await make_topic(settings), uuid4().hex.encode(), 1_048_400
    while True:
        try:
            await (await publisher.send_raw(topic.name, key, b"x" * size, HEADERS))
            break
        except MessageSizeTooLargeError:
            size -= 20
    handler = RecordingHandler()
    async with running(settings, publisher, subscription(topic, handler)):
        letters = await _letter(settings, topic.dead, key)

    assert len(letters.value) == size
    assert TRUNCATED not in dict(letters.headers)


async def test_a_record_that_no_topic_holds_uncompressed_is_buried_cut(settings, publisher):
    topic, key = await make_topic(settings), b"compressed"
    producer = AIOKafkaProducer(
        bootstrap_servers=settings.kafka_bootstrap_servers, compression_type="gzip", max_request_size=30_000_000
    )
    await producer.start()
    await producer.send_and_wait(topic.name, b"x" * 20_000_000, key, headers=[*HEADERS, ("big", b"y" * 100_000)])
    await producer.stop()
    async with running(settings, publisher, subscription(topic, RecordingHandler())):
        letter = await _letter(settings, topic.dead, key)

    assert dict(letter.headers)[TRUNCATED] == b"20000000"
    assert dict(letter.headers)["client-id"] == b"c"


async def _letter(settings, name, key):
    seen = 0
    async with asyncio.timeout(SECONDS):
        while True:
            seen += 1
            for letter in await read_all(settings, name, seen):
                if letter.key == key:
                    return letter


async def test_the_asker_of_an_unreadable_record_gets_a_failure(settings, publisher):
    topic, handler = await make_topic(settings), RecordingHandler()
    question = json.loads(asked("s", "x").model_dump_json())
    async with running(settings, publisher, subscription(topic, handler)):
        value = json.dumps(question | {"requestedAt": "2026-11-26T10:00:00"}).encode()
        await publisher.send_raw(topic.name, b"s", value, HEADERS)
        await handler.until(lambda _: handler.given_up)

    [(told, error)] = handler.given_up
    assert (told.session_id, str(told.message_id)) == ("s", question["messageId"])
    assert error.code == "invalid_request"
