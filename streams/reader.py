"""Reads every partition of a topic without a group: for gateways, and for whatever each process must hear."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from types import TracebackType
from typing import Self

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError

from schemas.settings import Settings
from streams.closing import close_rest, is_stopped
from streams.connection import connection, open_admin
from streams.rebuilds import Rebuilds
from streams.silence import Silence
from streams.topics import Topic

# One fetch is in flight per broker; a seek or a new assignment waits for its long poll, so it is kept short.
FETCH_WAIT_MS = 250
POLL_MS = 250
START_TIMEOUT_SECONDS = 30.0
PARTITION_FETCH_BYTES = 256 * 1024
LOOK_SECONDS = 2.0
ASK_TIMEOUT_SECONDS = 10.0
# aiokafka stops fetching without an error when its fetch task ends (#983, #1007), or after the loop was blocked (#847).
SILENT_SECONDS = 10.0

log = structlog.get_logger()


class TopicMissingError(Exception):
    """The topic does not exist: run `chatconnect topics`."""


class LogReader:
    """A position in every partition, from some time ago to the live end. Never commits.

    When it goes silent while the log has more it is built anew, and goes on where it was. `heard_at` (loop time) is
    when all that is on the log was last known to come.

    `epoch` names this incarnation of the log (cluster, topic, partition count), so that an offset of another one is
    recognised.
    """

    def __init__(self, settings: Settings, topic: Topic) -> None:
        self._settings = settings
        self._topic = topic
        self._consumer: AIOKafkaConsumer | None = None
        self._ends_at_start: dict[TopicPartition, int] = {}
        self._positions: dict[TopicPartition, int] = {}
        self.epoch = ""
        self.partitions = 0
        self.heard_at = 0.0
        self._silence = Silence()
        self._is_silent = False
        self._rebuilds = Rebuilds(f"the reader of {topic.name}")
        self._watching: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        async with asyncio.timeout(START_TIMEOUT_SECONDS):
            self.epoch, self.partitions = await self._describe()
        self._consumer = await self._start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        watching, self._watching = self._watching, None
        if watching is not None:
            watching.cancel()
            with suppress(asyncio.CancelledError):
                await watching
        consumer, self._consumer = self._consumer, None
        if consumer is not None:
            await _close(consumer)

    async def seek(self, since: timedelta) -> None:
        """Go to the first record that is not older than `since`, in every partition; none: to the end."""
        consumer = self._open()
        moment_ms = int((datetime.now(UTC) - since).timestamp() * 1000)
        partitions = [TopicPartition(self._topic.name, number) for number in range(self.partitions)]
        ends = await consumer.end_offsets(partitions)
        found = await consumer.offsets_for_times(dict.fromkeys(partitions, moment_ms))
        for partition in partitions:
            start = found.get(partition)
            self._positions[partition] = start.offset if start is not None else ends[partition]
        self._read_from_positions(consumer)
        self._ends_at_start = ends
        self.heard_at = asyncio.get_running_loop().time()
        self._watching = asyncio.create_task(self._watch())

    async def batches(self) -> AsyncIterator[list[ConsumerRecord[bytes | None, bytes | None]]]:
        """Non-empty batches for ever, in offset order per partition.

        Raises `KafkaError` when the log at a position is gone, and `SilentError` when it was built anew too often.
        """
        while True:
            if self._is_silent:
                await self._rebuild()
            found = await self._open().getmany(timeout_ms=POLL_MS)
            for partition, records in found.items():
                self._positions[partition] = records[-1].offset + 1
                yield records

    @property
    def is_caught_up(self) -> bool:
        """Everything that was on the log when reading started has been handed out."""
        return bool(self._ends_at_start) and all(
            self._positions[partition] >= end for partition, end in self._ends_at_start.items()
        )

    def position(self, partition: int) -> int:
        """The offset that is read next."""
        return self._positions.get(TopicPartition(self._topic.name, partition), 0)

    def end_offset(self, partition: int) -> int:
        """The offset after the last known record."""
        key = TopicPartition(self._topic.name, partition)
        return max(self._open().highwater(key) or 0, self._positions.get(key, 0), self._ends_at_start.get(key, 0))

    def _open(self) -> "AIOKafkaConsumer[bytes | None, bytes | None]":
        if self._consumer is None:
            raise RuntimeError("the reader is not open")
        return self._consumer

    async def _start(self) -> "AIOKafkaConsumer[bytes | None, bytes | None]":
        consumer = AIOKafkaConsumer(
            **connection(self._settings),
            group_id=None,
            enable_auto_commit=False,
            # Whoever goes on elsewhere without a word leaves a gap that nobody notices.
            auto_offset_reset="none",
            fetch_max_wait_ms=FETCH_WAIT_MS,
            max_partition_fetch_bytes=PARTITION_FETCH_BYTES,
        )
        try:
            async with asyncio.timeout(START_TIMEOUT_SECONDS):
                await consumer.start()
        except BaseException:
            await _close(consumer)
            raise
        return consumer

    def _read_from_positions(self, consumer: "AIOKafkaConsumer[bytes | None, bytes | None]") -> None:
        consumer.assign(list(self._positions))
        for partition, offset in self._positions.items():
            consumer.seek(partition, offset)

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            try:
                async with asyncio.timeout(ASK_TIMEOUT_SECONDS):
                    ends = await self._open().end_offsets(list(self._positions))
            except (KafkaError, TimeoutError) as error:
                # Kafka's silence, not ours.
                log.warning("log_end_unknown", topic=self._topic.name, error=repr(error))
                continue
            now = asyncio.get_running_loop().time()
            silent_seconds = self._silence.seconds(self._positions, ends, now)
            self._is_silent = silent_seconds > SILENT_SECONDS
            if not silent_seconds:
                self.heard_at = now

    async def _rebuild(self) -> None:
        self._rebuilds.begin("the log has more than it reads")
        log.warning("reader_rebuilt", topic=self._topic.name)
        try:
            fresh = await self._start()
        except (KafkaError, TimeoutError) as error:
            log.warning("reader_not_rebuilt", topic=self._topic.name, error=repr(error))
        else:
            old, self._consumer = self._open(), fresh
            self._read_from_positions(fresh)
            await _close(old)
        self._is_silent = False
        self._silence = Silence()

    async def _describe(self) -> tuple[str, int]:
        async with open_admin(self._settings) as admin:
            cluster = await admin.describe_cluster()
            topics = await admin.describe_topics([self._topic.name])
        count = len(topics[0]["partitions"])
        if not count:
            raise TopicMissingError(f"The topic {self._topic.name} does not exist: run `chatconnect topics` first.")
        name = f"{cluster['cluster_id']}/{self._topic.name}/{count}"
        return sha256(name.encode()).hexdigest()[:8], count


async def _close(consumer: "AIOKafkaConsumer[bytes | None, bytes | None]") -> None:
    if not await is_stopped(consumer.stop()):
        await close_rest(consumer)
