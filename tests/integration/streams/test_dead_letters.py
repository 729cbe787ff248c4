"""`chatconnect dead-letters` on the real broker, as an operator runs it."""

import asyncio
import re
from uuid import uuid4

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from typer.testing import CliRunner

from chatconnect.cli import create_cli
from streams.codec import ANSWER
from streams.dead_letters.log import read
from streams.dead_letters.writer import DeadLetters
from streams.publisher import Publisher
from streams.topics import CHAT_FEEDBACK, CHAT_REQUESTED
from tests.integration.kafka import asked
from tests.support.patience import SECONDS


class Lost:
    """A record as the runtime passes it on when it gives up."""

    partition, timestamp = 3, 0

    def __init__(self, topic, client, key, offset, value):
        self.topic, self.key, self.offset, self.value = topic.name, key, offset, value
        self.headers = [("client-id", client.encode()), (ANSWER, b"\xff\x00"), ("twice", b"1"), ("twice", b"2")]


@pytest.fixture
def client():
    """A client id per test, because all tests share the topics."""
    return f"client-{uuid4().hex[:8]}"


@pytest.fixture
async def letters(settings, client, monkeypatch):
    """Three letters of two topics."""
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", settings.kafka_bootstrap_servers)
    monkeypatch.setenv("COLUMNS", "250")
    value = asked("s1", "poison", client).model_dump_json().encode()
    lost = [
        (CHAT_REQUESTED, Lost(CHAT_REQUESTED, client, b"s1", 7, value), ValueError("the model is unknown")),
        (CHAT_REQUESTED, Lost(CHAT_REQUESTED, client, b"s2", 8, b"\x00\xff{"), TimeoutError("too slow")),
        (CHAT_FEEDBACK, Lost(CHAT_FEEDBACK, client, b"s1", 9, None), ValueError("no such answer")),
    ]
    async with Publisher(settings) as publisher:
        for topic, record, error in lost:
            await DeadLetters(publisher, "the.group").write(topic, record, error, attempts=5)
    return [record for _, record, _ in lost]


async def run(*arguments, code=0):
    """Runs the command in a thread, because it starts its own event loop."""
    named = ["dead-letters", *arguments]
    result = await asyncio.to_thread(CliRunner().invoke, create_cli(named), named)
    assert result.exit_code == code, result.output
    return result.output


def rows(output):
    """The cells of each row of the table."""
    return [[cell.strip() for cell in line.split("│")[1:-1]] for line in output.splitlines() if line.startswith("│")]


async def states(settings, client):
    found = [one for topic in (CHAT_REQUESTED, CHAT_FEEDBACK) for one in await read(settings, topic)]
    return [one.state for one in found if one.client_id == client]


async def test_the_list_shows_where_a_record_came_from_and_why_it_died(letters, client):
    output = await run("list", "--client", client)

    first = rows(output)[0]
    assert first[0] == "chat.requested"
    assert first[3:] == ["3/7", client, "s1", "5", "dead", "ValueError: the model is unknown"]
    assert len(rows(output)) == 3
    assert output.strip().endswith("3 dead letters")


@pytest.mark.parametrize(
    ("filters", "number"),
    [
        (["--topic", "chat.requested"], 2),
        (["--topic", "chat.feedback"], 1),
        (["--key", "s1"], 2),
        (["--error", "TOO SLOW"], 1),
        (["--since", "1h"], 3),
        (["--since", "2100-01-01T00:00:00Z"], 0),
        (["--topic", "chat.requested", "--key", "s1", "--error", "model"], 1),
    ],
)
async def test_filters_narrow_the_list(letters, client, filters, number):
    assert f"{number} dead letters" in await run("list", "--client", client, *filters)


async def test_show_prints_one_whole(letters, client):
    offset = rows(await run("list", "--client", client, "--key", "s2"))[0][1]

    output = await run("show", "chat.requested", offset)

    assert "origin: 3/8" in output
    assert "group: the.group" in output
    assert "error: TimeoutError: too slow" in output
    assert "\\xff{" in output


async def test_replay_puts_the_exact_record_back_and_marks_it(settings, letters, client):
    assert "1 dead letters would be replayed" in await run("replay", "--client", client, "--key", "s2", "--dry-run")
    assert await states(settings, client) == ["dead"] * 3
    assert await on_topic(settings, client) == []

    await run("replay", "--client", client, "--key", "s2")
    again = await run("replay", "--client", client, "--key", "s2")

    (record,) = await on_topic(settings, client)
    assert (record.key, record.value) == (b"s2", b"\x00\xff{")
    assert list(record.headers) == letters[1].headers
    assert "0 dead letters replayed" in again
    assert await states(settings, client) == ["dead", "replayed", "dead"]


async def test_a_deletion_is_replayed_as_a_deletion(settings, letters, client):
    """A null value stays null and is not mistaken for a mark."""
    assert "1 dead letters replayed" in await run("replay", "--client", client, "--topic", "chat.feedback")

    (record,) = await on_topic(settings, client, CHAT_FEEDBACK)
    assert record.value is None
    assert await states(settings, client) == ["dead", "dead", "replayed"]


async def test_drop_marks_and_sends_nothing(settings, letters, client):
    await run("drop", "--client", client, "--key", "s1", "--dry-run")
    assert await states(settings, client) == ["dead"] * 3

    assert "2 dead letters dropped" in await run("drop", "--client", client, "--key", "s1")
    assert "0 dead letters dropped" in await run("drop", "--client", client, "--key", "s1")

    assert await on_topic(settings, client) == []
    assert await states(settings, client) == ["dropped", "dead", "dropped"]
    assert "1 dead letters" in await run("list", "--client", client)
    assert "3 dead letters" in await run("list", "--client", client, "--all")


async def test_a_replayed_record_that_dies_again_is_a_new_letter(settings, letters, client):
    await run("replay", "--client", client, "--key", "s2")
    (record,) = await on_topic(settings, client)
    async with Publisher(settings) as publisher:
        await DeadLetters(publisher, "the.group").write(CHAT_REQUESTED, record, TimeoutError("again"), attempts=5)

    (row,) = rows(await run("list", "--client", client, "--key", "s2"))
    assert row[-1] == "TimeoutError: again"


async def test_an_unknown_topic_and_an_unreachable_broker_are_reported_in_a_sentence(letters, monkeypatch):
    assert re.search("no topic named chat.nothing", await run("list", "--topic", "chat.nothing", code=1))
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", "127.0.0.1:1")
    assert "Kafka at 127.0.0.1:1 cannot be used" in await run("list", code=1)


async def on_topic(settings, client, topic=CHAT_REQUESTED):
    """The client's records on the topic."""
    consumer = AIOKafkaConsumer(bootstrap_servers=settings.kafka_bootstrap_servers, auto_offset_reset="earliest")
    await consumer.start()
    try:
        partitions = [TopicPartition(topic.name, number) for number in range(topic.partitions)]
        consumer.assign(partitions)
        ends = await consumer.end_offsets(partitions)
        records = []
        async with asyncio.timeout(SECONDS):
            while any([await consumer.position(one) < end for one, end in ends.items()]):
                for batch in (await consumer.getmany(timeout_ms=200)).values():
                    records.extend(batch)
        return [record for record in records if ("client-id", client.encode()) in record.headers]
    finally:
        await consumer.stop()
