"""Reads every partition of a topic without a group: for gateways, and for whatever each process must hear."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from types import TracebackType
from typing import Self

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from schemas.settings import Settings
from streams.connection import connection, open_admin
from streams.topics import Topic

# One fetch is in flight per broker; a seek or a new assignment waits for its long poll, so it is kept short.
FETCH_WAIT_MS = 100
POLL_MS = 250
START_TIMEOUT_SECONDS = 30.0
PARTITION_FETCH_BYTES = 256 * 1024


class TopicMissingError(Exception):
    """The topic does not exist: run `chatconnect topics`."""


class LogReader:
    """A position in every partition, from some time ago to the live end. Never commits.

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
        self.polled_at = 0.0

    async def __aenter__(self) -> Self:
        consumer = AIOKafkaConsumer(
            **connection(self._settings),
            group_id=None,
            enable_auto_commit=False,
            auto_offset_reset="latest",
            fetch_max_wait_ms=FETCH_WAIT_MS,
            max_partition_fetch_bytes=PARTITION_FETCH_BYTES,
        )
        try:
            async with asyncio.timeout(START_TIMEOUT_SECONDS):
                self.epoch, self.partitions = await self._describe()
                await consumer.start()
        except BaseException:
            await consumer.stop()
            raise
        consumer.assign([TopicPartition(self._topic.name, number) for number in range(self.partitions)])
        self._consumer = consumer
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        consumer, self._consumer = self._consumer, None
        if consumer is not None:
            await consumer.stop()

    async def seek(self, since: timedelta) -> None:
        """Go to the first record that is not older than `since`, in every partition; none: to the end."""
        consumer = self._open()
        moment_ms = int((datetime.now(UTC) - since).timestamp() * 1000)
        assigned = consumer.assignment()
        ends = await consumer.end_offsets(assigned)
        found = await consumer.offsets_for_times(dict.fromkeys(assigned, moment_ms))
        for partition in assigned:
            start = found.get(partition)
            self._positions[partition] = start.offset if start is not None else ends[partition]
            consumer.seek(partition, self._positions[partition])
        self._ends_at_start = ends

    async def batches(self) -> AsyncIterator[list[ConsumerRecord[bytes | None, bytes | None]]]:
        """Non-empty batches for ever, in offset order per partition."""
        consumer = self._open()
        while True:
            found = await consumer.getmany(timeout_ms=POLL_MS)
            self.polled_at = asyncio.get_running_loop().time()
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

    async def _describe(self) -> tuple[str, int]:
        async with open_admin(self._settings) as admin:
            cluster = await admin.describe_cluster()
            topics = await admin.describe_topics([self._topic.name])
        count = len(topics[0]["partitions"])
        if not count:
            raise TopicMissingError(f"The topic {self._topic.name} does not exist: run `chatconnect topics` first.")
        name = f"{cluster['cluster_id']}/{self._topic.name}/{count}"
        return sha256(name.encode()).hexdigest()[:8], count
