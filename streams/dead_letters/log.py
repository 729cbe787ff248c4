"""Reads, replays and drops dead letters.

Nothing is changed in place: a replay or a drop appends a mark, a record without a value whose headers name the
letter's offset. So two operators at once, or an interrupted command, lose nothing.
"""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Literal

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from schemas.settings import Settings
from streams.codec import CLIENT_ID, header
from streams.dead_letters import writer
from streams.kafka.connection import connection
from streams.publisher import Publisher, acknowledged
from streams.topics import Topic

MARK = "dead-letter-mark"
MARKED_OFFSET = "dead-letter-marked-offset"
READ_SECONDS = 30.0
POLL_MS = 200
MAX_DIGITS = 19

State = Literal["dead", "replayed", "dropped"]
MARKS: dict[str, State] = {"replayed": "replayed", "dropped": "dropped"}


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """One record that was given up. `offset` is that in the dead-letter topic; `headers` are the record's own."""

    topic: Topic
    offset: int
    died_at: datetime
    origin: str
    group: str
    error: str
    attempts: int
    client_id: str
    key: bytes | None
    value: bytes | None
    headers: list[tuple[str, bytes]]
    state: State = "dead"


async def read(settings: Settings, topic: Topic) -> list[DeadLetter]:
    """All retained dead letters of a topic, in order, each in its latest state."""
    letters: dict[int, DeadLetter] = {}
    async for record in _records(settings, topic):
        mark = MARKS.get(_text(record, MARK))
        if mark is not None:
            marked = _number(record, MARKED_OFFSET, -1)
            if marked in letters:
                letters[marked] = replace(letters[marked], state=mark)
        else:
            letters[record.offset] = _letter(topic, record)
    return list(letters.values())


async def replay(publisher: Publisher, letter: DeadLetter) -> None:
    """Publish the exact bytes to their original topic again, then mark the letter. A second replay is a redelivery."""
    await acknowledged(await publisher.send_raw(letter.topic.name, letter.key, letter.value, letter.headers))
    await _mark(publisher, letter, "replayed")


async def drop(publisher: Publisher, letter: DeadLetter) -> None:
    """Mark the letter as dropped; its bytes stay until the topic's retention removes them."""
    await _mark(publisher, letter, "dropped")


async def _mark(publisher: Publisher, letter: DeadLetter, state: State) -> None:
    headers = [(MARK, state.encode()), (MARKED_OFFSET, str(letter.offset).encode())]
    await acknowledged(await publisher.send_raw(letter.topic.dead, letter.key, None, headers))


async def _records(settings: Settings, topic: Topic) -> AsyncIterator[ConsumerRecord]:
    partition = TopicPartition(topic.dead, 0)
    # No seek: right after an assignment it races with the reset to the end, and nothing would be read.
    consumer = AIOKafkaConsumer(
        **connection(settings), group_id=None, enable_auto_commit=False, auto_offset_reset="earliest"
    )
    try:
        await consumer.start()
        consumer.assign([partition])
        end = (await consumer.end_offsets([partition]))[partition]
        async with asyncio.timeout(READ_SECONDS):
            while await consumer.position(partition) < end:
                for record in (await consumer.getmany(timeout_ms=POLL_MS)).get(partition, []):
                    if record.offset < end:
                        yield record
    finally:
        await consumer.stop()


def _letter(topic: Topic, record: ConsumerRecord) -> DeadLetter:
    own = [(name, value) for name, value in record.headers if not name.startswith(writer.PREFIX)]
    place = [_text(record, name) for name in (writer.ORIGIN_PARTITION, writer.ORIGIN_OFFSET)]
    return DeadLetter(
        topic=topic,
        offset=record.offset,
        died_at=datetime.fromtimestamp(record.timestamp / 1000, UTC),
        origin="/".join(place),
        group=_text(record, writer.GROUP),
        error=_text(record, writer.ERROR),
        attempts=_number(record, writer.ATTEMPTS, 0),
        client_id=_text(record, CLIENT_ID),
        key=record.key,
        value=record.value,
        headers=own,
    )


def _number(record: ConsumerRecord, name: str, default: int) -> int:
    text = _text(record, name)
    return int(text) if text.isascii() and text.isdecimal() and len(text) < MAX_DIGITS else default


def _text(record: ConsumerRecord, name: str) -> str:
    return (header(record, name) or b"").decode(errors="replace")
