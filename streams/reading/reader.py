"""Reads every partition of a topic without a group: for gateways, and for topics that every process reads."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from types import TracebackType
from typing import Self

import structlog
from aiokafka import ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError, OffsetOutOfRangeError

from schemas.settings import Settings
from streams.kafka.internals import client_of
from streams.kafka.topic_metadata import NO_ID, TopicState, describe
from streams.reading.limits import ReaderLimits
from streams.reading.log_consumer import LogConsumer, close_consumer, read_from, start_consumer
from streams.restart_budget import RestartBudget
from streams.stall_detector import StallDetector
from streams.topics import Topic

POLL_MS = 250
START_TIMEOUT_SECONDS = 30.0
ASK_TIMEOUT_SECONDS = 10.0
RESTARTS_WITHIN_SECONDS = 3_600.0

log = structlog.get_logger()


class TopicMissingError(Exception):
    """The topic does not exist: run `chatconnect topics`."""


class LogReader:
    """A position in every partition, from some time ago to the live end. Never commits.

    When it stalls while the log has more, it rebuilds its consumer and continues at its positions. When the topic was
    recreated, has more partitions or has lost the records at a position, `batches` goes on with what is there. It
    waits for a missing topic. `last_alive_at` (loop time) is when it was last known not to stall.

    `epoch` names this incarnation of the log (cluster, topic id, partition count), so that an offset of another one is
    recognised.
    """

    def __init__(self, settings: Settings, topic: Topic, limits: ReaderLimits | None = None) -> None:
        self._settings = settings
        self._topic = topic
        self._limits = limits or ReaderLimits()
        self._consumer: LogConsumer | None = None
        self._state = TopicState(NO_ID, 0)
        self._ends_at_start: dict[TopicPartition, int] = {}
        self._positions: dict[TopicPartition, int] = {}
        self.epoch = ""
        self.last_alive_at = 0.0
        self._stall = StallDetector()
        self._is_stalled = self._is_changed = False
        self._restarts = RestartBudget(
            f"the reader of {topic.name}", self._limits.max_restarts, RESTARTS_WITHIN_SECONDS
        )
        self._watching: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        consumer = await start_consumer(self._settings)
        try:
            async with asyncio.timeout(START_TIMEOUT_SECONDS):
                self._state, self.epoch = await self._describe(consumer)
        except BaseException:
            await close_consumer(consumer)
            raise
        self._consumer = consumer
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
            await close_consumer(consumer)

    @property
    def partitions(self) -> int:
        """Number of the topic's partitions."""
        return self._state.partitions

    async def seek(self, since: timedelta) -> None:
        """Go to the first record that is not older than `since`, in every partition, else to the end."""
        consumer = self._open()
        moment_ms = int((datetime.now(UTC) - since).timestamp() * 1000)
        partitions = self._partitions_of(self._state)
        ends = await consumer.end_offsets(partitions)
        found = await consumer.offsets_for_times(dict.fromkeys(partitions, moment_ms))
        for partition in partitions:
            start = found.get(partition)
            self._positions[partition] = start.offset if start is not None else ends[partition]
        read_from(consumer, self._positions)
        self._ends_at_start = ends
        self.last_alive_at = asyncio.get_running_loop().time()
        self._watching = asyncio.create_task(self._watch())

    async def batches(self) -> AsyncIterator[list[ConsumerRecord[bytes | None, bytes | None]]]:
        """Batches without end, in offset order per partition.

        An empty batch means that everything read so far is void: `epoch`, `partitions` and positions are those of the
        batches after it. Raises `ConsumerStalledError` after too many rebuilds, and `KafkaError`.
        """
        while True:
            if self._is_changed and (old := await self._switch_log()) is not None:
                try:
                    yield []
                finally:
                    await close_consumer(old)
            elif self._is_stalled:
                await self._rebuild()
            try:
                found = await self._open().getmany(timeout_ms=POLL_MS)
            except OffsetOutOfRangeError:
                self._is_changed = True
                continue
            for partition, records in found.items():
                self._positions[partition] = records[-1].offset + 1
                yield records

    @property
    def is_caught_up(self) -> bool:
        """Everything that was on the log when reading started has been yielded."""
        return bool(self._ends_at_start) and all(
            self._positions[partition] >= end for partition, end in self._ends_at_start.items()
        )

    def position(self, partition: int) -> int:
        """The offset that is read next."""
        return self._positions.get(TopicPartition(self._topic.name, partition), 0)

    def end_offset(self, partition: int) -> int:
        """The offset after the last known record."""
        key = TopicPartition(self._topic.name, partition)
        if key not in self._positions:
            return 0
        return max(self._open().highwater(key) or 0, self._positions[key], self._ends_at_start.get(key, 0))

    def _open(self) -> LogConsumer:
        if self._consumer is None:
            raise RuntimeError("the reader is not open")
        return self._consumer

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(self._limits.look_seconds)
            try:
                async with asyncio.timeout(ASK_TIMEOUT_SECONDS):
                    await self._look()
            except (KafkaError, TimeoutError) as error:
                # Kafka does not answer: the reader has not stalled.
                log.warning("log_end_unknown", topic=self._topic.name, error=repr(error))
            except TopicMissingError:
                log.warning("topic_missing", topic=self._topic.name)

    async def _look(self) -> None:
        state, _ = await self._describe(self._open())
        self._is_changed = self._is_changed or state != self._state
        if self._is_changed:
            return
        ends = await self._open().end_offsets(list(self._positions))
        now = asyncio.get_running_loop().time()
        silent_seconds = self._stall.seconds(self._positions, ends, now)
        self._is_stalled = silent_seconds > self._limits.stalled_seconds
        if not silent_seconds:
            self.last_alive_at = now

    async def _rebuild(self) -> None:
        self._restarts.begin("the log has more than it reads")
        log.warning("reader_rebuilt", topic=self._topic.name)
        try:
            fresh = await start_consumer(self._settings)
        except (KafkaError, TimeoutError) as error:
            log.warning("reader_not_rebuilt", topic=self._topic.name, error=repr(error))
        else:
            old, self._consumer = self._open(), fresh
            read_from(fresh, self._positions)
            await close_consumer(old)
        self._is_stalled = False
        self._stall = StallDetector()

    async def _switch_log(self) -> "LogConsumer | None":
        """Read the changed log, and return the old consumer. None: it cannot be read yet; `_watch` or the next poll
        starts another try.
        """
        self._is_changed = False
        try:
            fresh = await start_consumer(self._settings)
            try:
                async with asyncio.timeout(START_TIMEOUT_SECONDS):
                    state, epoch = await self._describe(fresh)
                    positions, ends = await self._remaining(fresh, state)
                if state == self._state:
                    self._restarts.begin("records at its position are gone")
            except BaseException:
                await close_consumer(fresh)
                raise
        except (KafkaError, TimeoutError, TopicMissingError) as error:
            log.warning("log_not_replaced", topic=self._topic.name, error=repr(error))
            return None
        log.warning("log_replaced", topic=self._topic.name, partitions=state.partitions, epoch=epoch)
        # No await from here to the empty batch: readers of this object see all of the old log or all of the new one.
        old, self._consumer = self._open(), fresh
        read_from(fresh, positions)
        self._positions, self._ends_at_start, self._stall = positions, ends, StallDetector()
        self._state, self.epoch, self._is_changed = state, epoch, False
        return old

    async def _remaining(
        self, consumer: LogConsumer, state: TopicState
    ) -> tuple[dict[TopicPartition, int], dict[TopicPartition, int]]:
        """The positions to continue at (ours if they still exist, else the first record), and the ends."""
        partitions = self._partitions_of(state)
        begins, ends = await consumer.beginning_offsets(partitions), await consumer.end_offsets(partitions)
        known = self._positions if state.topic_id == self._state.topic_id else {}
        positions = {
            one: known[one] if begins[one] <= known.get(one, -1) <= ends[one] else begins[one] for one in partitions
        }
        return positions, ends

    def _partitions_of(self, state: TopicState) -> list[TopicPartition]:
        return [TopicPartition(self._topic.name, number) for number in range(state.partitions)]

    async def _describe(self, consumer: LogConsumer) -> tuple[TopicState, str]:
        """The topic's state and its epoch. Raises `TopicMissingError`."""
        name = self._topic.name
        cluster = await describe(client_of(consumer), [name])
        state = cluster.topics.get(name)
        if state is None or not state.partitions:
            raise TopicMissingError(f"The topic {name} does not exist: run `chatconnect topics` first.")
        identity = f"{cluster.cluster_id}/{state.topic_id}/{name}/{state.partitions}"
        return state, sha256(identity.encode()).hexdigest()[:8]
