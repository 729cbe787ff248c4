"""Reads all of `chat.token` into the replay buffers. A record's value must agree with its key and headers."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from functools import lru_cache
from typing import Protocol
from uuid import UUID

import structlog

from gateway.replay import frame_data
from gateway.replay.answers import Frame
from gateway.replay.buffers import ReplayBuffers
from gateway.replay.pending_questions import PendingQuestions
from gateway.replay.resume import StreamPosition
from gateway.web.metrics import REPEATED, REPLAY_BUFFER_BYTES, REPLAY_BUFFERS, TAIL_LAG, UNREADABLE
from schemas.bounds import MAX_CLIENT_ID_CHARACTERS, MAX_SESSION_ID_CHARACTERS
from schemas.keys import SessionKey
from schemas.sse import ANSWER_EVENTS
from streams.codec import ANSWER, CLIENT_ID, EVENT_TYPE, Record
from streams.kafka.partitioner import hash_of, partition_for

# Longer than any answer takes: an answer that runs while this instance starts is whole here.
REPLAY_WINDOW = timedelta(seconds=180)
SWEEP_SECONDS = 5.0
CATCH_UP_POLL_SECONDS = 0.02
# Less than it takes to replace a stalled reader: meanwhile readiness fails, and no client is routed here.
STALLED_SECONDS = 8.0
REMEMBERED_NAMES = 8_192
# A 32-bit attempt or `seq` has fewer digits.
MAX_DIGITS = 11

log = structlog.get_logger()

NAME_OF_TYPE = {model.__name__.encode(): name for name, model in ANSWER_EVENTS.items()}


class FrameLog(Protocol):
    """What `Tail` needs of `streams.reading.reader.LogReader`."""

    epoch: str
    last_alive_at: float

    @property
    def partitions(self) -> int:
        """The number of partitions of the topic."""
        ...

    @property
    def is_caught_up(self) -> bool:
        """Whether every record that was on the log at the start has been returned."""
        ...

    async def seek(self, since: timedelta) -> None:
        """Start with the records that are not older than this."""
        ...

    def batches(self) -> AsyncIterator[list[Record]]:
        """Batches for ever. After an empty one the log is a new incarnation."""
        ...

    def position(self, partition: int) -> int:
        """The offset to read next."""
        ...

    def end_offset(self, partition: int) -> int:
        """The offset after the last known record."""
        ...


class Tail:
    """Reads the live end of every partition, without a consumer group. The owner runs `run` and ends the process when
    it ends.

    `incarnation` counts how often the log was replaced: the topic was recreated, or has more partitions. Positions of
    an earlier incarnation are invalid.
    """

    def __init__(
        self,
        log: FrameLog,
        buffers: ReplayBuffers,
        questions: PendingQuestions,
        *,
        stalled_seconds: float = STALLED_SECONDS,
    ) -> None:
        self._log = log
        self._buffers = buffers
        self._questions = questions
        self._stalled_seconds = stalled_seconds
        self._has_logged_unreadable = False
        self._partitions = log.partitions
        self.incarnation = 0
        self.caught_up = asyncio.Event()

    async def run(self) -> None:
        """Read for ever, starting with the records of the last `REPLAY_WINDOW`."""
        await self._log.seek(REPLAY_WINDOW)
        self._begin()
        async with asyncio.TaskGroup() as group:
            group.create_task(self._read())
            group.create_task(self._maintain())

    def partition(self, session_id: str) -> int:
        """The partition of a session's records."""
        return partition_for(session_id.encode(), self._log.partitions)

    def position(self, partition: int) -> int:
        """The offset of the last record read. Every frame up to it is in the buffers, or has left them."""
        return self._log.position(partition) - 1

    def stream_position(self, key: SessionKey, partition: int) -> StreamPosition:
        """What this instance knows of a session (`gateway.replay.resume`)."""
        floor = self._buffers.floor(key, partition)
        return StreamPosition(self._log.epoch, partition, floor, self._log.end_offset(partition))

    @property
    def lag(self) -> int:
        """Records on the log that are not yet read."""
        partitions = range(self._log.partitions)
        return sum(self._log.end_offset(number) - self._log.position(number) for number in partitions)

    @property
    def is_alive(self) -> bool:
        """Whether the tail has caught up, and was last known to receive the log less than `stalled_seconds` ago."""
        now = asyncio.get_running_loop().time()
        return self.caught_up.is_set() and now - self._log.last_alive_at < self._stalled_seconds

    def _begin(self) -> None:
        self._partitions = self._log.partitions
        self._buffers.begin({number: self._log.position(number) for number in range(self._partitions)})

    async def _read(self) -> None:
        async for batch in self._log.batches():
            if not batch:
                self.incarnation += 1
                self._begin()
            for record in batch:
                self.take(record)

    def take(self, record: Record) -> None:
        """Buffer a record's frame; a record that cannot be read is counted, and its answer is not whole here."""
        try:
            key, key_hash, frame, is_sound = _frame_of(record)
        except (KeyError, ValueError) as error:
            self._count_unreadable(record, error)
            return
        home = key_hash % self._partitions
        if not is_sound:
            self._count_unreadable(record, ValueError("the value does not match its headers"))
            if record.partition == home:
                self._buffers.skip(key, home, frame)
            return
        self._questions.observe(key.client_id, frame.message_id, frame.event)
        if record.partition != home:
            # From a producer that does not know yet that the topic has more partitions.
            self._buffers.misplace(key, home, frame)
            return
        if not self._buffers.append(key, home, frame):
            REPEATED.inc()

    def _count_unreadable(self, record: Record, error: Exception) -> None:
        UNREADABLE.inc()
        # Only the first is logged: the metric counts the others.
        if not self._has_logged_unreadable:
            self._has_logged_unreadable = True
            log.warning("record_unreadable", partition=record.partition, offset=record.offset, error=repr(error))

    async def _maintain(self) -> None:
        while not self._log.is_caught_up:
            await asyncio.sleep(CATCH_UP_POLL_SECONDS)
        self.caught_up.set()
        while True:
            await asyncio.sleep(SWEEP_SECONDS)
            self._buffers.sweep()
            self._questions.sweep()
            TAIL_LAG.set(self.lag)
            REPLAY_BUFFER_BYTES.set(self._buffers.size_bytes)
            REPLAY_BUFFERS.set(len(self._buffers))


def _frame_of(record: Record) -> tuple[SessionKey, int, Frame, bool]:
    """The session by key and headers, the key's hash, the frame, and whether its value matches the headers.

    Raises `KeyError` and `ValueError` for headers that name no answer.
    """
    headers = dict(record.headers)
    key, key_hash = _key(headers[CLIENT_ID], record.key)
    position, event, value = headers[ANSWER], NAME_OF_TYPE[headers[EVENT_TYPE]], record.value or b""
    try:
        data = frame_data.decode(event, value)
        message_id, attempt, seq = data.message_id, data.attempt, data.seq
        # Formatting a header is cheaper than parsing one.
        is_sound = b"%b/%d/%d" % (message_id.encode(), attempt, seq) == position
    except ValueError:
        is_sound = False
    if not is_sound:
        message_id, attempt, seq = _position_of(position)
    frame = Frame(record.offset, _canonical(message_id), attempt, seq, event, value, record.timestamp)
    return key, key_hash, frame, is_sound


def _position_of(header: bytes) -> tuple[str, int, int]:
    """The message id, attempt and `seq` in an answer header. Raises `ValueError`."""
    message_id, attempt, seq = header.decode("ascii").rsplit("/", 2)
    if not (attempt.isdecimal() and seq.isdecimal() and len(attempt) < MAX_DIGITS > len(seq)):
        raise ValueError("attempt and seq in the answer header are not whole numbers")
    return message_id, int(attempt), int(seq)


@lru_cache(REMEMBERED_NAMES)
def _key(client_id: bytes, session_id: bytes | None) -> tuple[SessionKey, int]:
    """The session, and the hash of its id. Raises `ValueError` when an id is not valid."""
    client = _decoded(client_id, MAX_CLIENT_ID_CHARACTERS)
    session = _decoded(session_id or b"", MAX_SESSION_ID_CHARACTERS)
    return SessionKey(client, session), hash_of(session_id or b"")


def _decoded(name: bytes, max_characters: int) -> str:
    if not 0 < len(name) <= max_characters * 4 or len(decoded := name.decode()) > max_characters:
        raise ValueError("the client's or the session's id is empty or too long")
    return decoded


@lru_cache(REMEMBERED_NAMES)
def _canonical(message_id: str) -> str:
    """The message id, which must be a UUID in canonical form. Raises `ValueError`."""
    if str(UUID(message_id)) != message_id:
        raise ValueError("a message id must be a UUID in lower case")
    return message_id
