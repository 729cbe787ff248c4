"""Publishes events: one idempotent producer per process."""

import asyncio
from collections.abc import Iterable
from types import TracebackType
from typing import Any, Self

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError, MessageSizeTooLargeError, RecordListTooLargeError, RecordTooLargeError

from schemas.events import Event
from schemas.failures import PermanentError, RetryableError
from schemas.settings import Settings
from streams import metrics
from streams.codec import encode
from streams.kafka.connection import connection
from streams.kafka.partitioner import choose_partition
from streams.topics import TOPIC_BY_EVENT

# The largest record that Kafka takes by default, and what is added to it as a dead letter.
MAX_REQUEST_BYTES = 3 * 1024 * 1024
REQUEST_TIMEOUT_MS = 10_000
PUBLISH_TIMEOUT_SECONDS = 15.0
# New partitions move keys to other partitions, so every producer should notice them soon.
METADATA_MAX_AGE_MS = 2_000
MAX_OFFERED = 1_000

Headers = Iterable[tuple[str, bytes]]
Acknowledgement = asyncio.Future[Any]


class PublishError(RetryableError):
    """Kafka did not acknowledge the event in time; it may or may not be on the log."""


class EventTooLargeError(PermanentError):
    """Kafka will never take the record: it is larger than its topic allows."""

    def __init__(self, message: str) -> None:
        super().__init__(message, code="too_large")


TOO_LARGE = (MessageSizeTooLargeError, RecordListTooLargeError, RecordTooLargeError)


class Publisher:
    """Keeps the order of events of one key; an acknowledged event is on every in-sync replica.

    No Kafka transactions: an open one hides every later record of its partition from `read_committed` readers
    (measured: 3.1 s for a 3 s transaction), and each answer event carries its position (message, attempt, seq).
    """

    def __init__(
        self,
        settings: Settings,
        *,
        publish_timeout_seconds: float = PUBLISH_TIMEOUT_SECONDS,
        metadata_max_age_ms: int = METADATA_MAX_AGE_MS,
    ) -> None:
        self._settings = settings
        self._publish_timeout_seconds = publish_timeout_seconds
        self._metadata_max_age_ms = metadata_max_age_ms
        self._producer: AIOKafkaProducer | None = None
        self._offered: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        producer = AIOKafkaProducer(
            **connection(self._settings),
            acks="all",
            enable_idempotence=True,
            linger_ms=0,
            max_request_size=MAX_REQUEST_BYTES,
            request_timeout_ms=REQUEST_TIMEOUT_MS,
            partitioner=choose_partition,
            metadata_max_age_ms=self._metadata_max_age_ms,
        )
        try:
            await producer.start()
        except BaseException:
            await producer.stop()
            raise
        self._producer = producer
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        producer, self._producer = self._producer, None
        for task in self._offered:
            task.cancel()
        await asyncio.gather(*self._offered, return_exceptions=True)
        if producer is not None:
            await producer.stop()

    def offer(self, event: Event, *, headers: Headers = ()) -> None:
        """Send a best-effort event. It is lost, and counted, when Kafka does not take it in time, or when
        `MAX_OFFERED` are already waiting.
        """
        if len(self._offered) >= MAX_OFFERED:
            metrics.EVENTS_LOST.labels(TOPIC_BY_EVENT[type(event)].name).inc()
            return
        task = asyncio.create_task(self._offer(event, headers))
        self._offered.add(task)
        task.add_done_callback(self._offered.discard)

    async def _offer(self, event: Event, headers: Headers) -> None:
        try:
            await self.publish(event, headers=headers)
        except (PublishError, EventTooLargeError):
            metrics.EVENTS_LOST.labels(TOPIC_BY_EVENT[type(event)].name).inc()

    async def send(self, event: Event, *, headers: Headers = ()) -> Acknowledgement:
        """Queue an event; the returned future may fail with a `KafkaError`. Waits when the queue is full."""
        record = encode(event, headers)
        return await self.send_raw(record.topic.name, record.key, record.value, record.headers)

    async def send_raw(
        self, topic: str, key: bytes | None, value: bytes | None, headers: list[tuple[str, bytes]]
    ) -> Acknowledgement:
        """Queue bytes as they are. Raises `PublishError`, and `EventTooLargeError` when Kafka will never take them."""
        if self._producer is None:
            raise RuntimeError("the publisher is not open")
        try:
            # Its own deadline is `REQUEST_TIMEOUT_MS`, for a full queue as for an unknown topic.
            acknowledgement: Acknowledgement = await self._producer.send(topic, value=value, key=key, headers=headers)
        except TOO_LARGE as error:
            raise EventTooLargeError(f"The record is too large for {topic}: {error!r}") from error
        except KafkaError as error:
            raise PublishError(f"Kafka did not take the record for {topic}: {error!r}") from error
        return acknowledgement

    async def publish(self, event: Event, *, headers: Headers = ()) -> None:
        """Send and wait until it is acknowledged, at most `publish_timeout_seconds` in all. Raises `PublishError` and
        `EventTooLargeError`.
        """
        try:
            async with asyncio.timeout(self._publish_timeout_seconds):
                await acknowledged(await self.send(event, headers=headers))
        except TimeoutError as error:
            raise PublishError("Kafka did not acknowledge in time") from error


async def acknowledged(acknowledgement: Acknowledgement) -> None:
    """Wait for an acknowledgement. Raises `PublishError` and `EventTooLargeError`."""
    try:
        if acknowledgement.done():
            acknowledgement.result()
            return
        async with asyncio.timeout(PUBLISH_TIMEOUT_SECONDS):
            await acknowledgement
    except TOO_LARGE as error:
        raise EventTooLargeError(f"The record is too large for its topic: {error!r}") from error
    except (TimeoutError, KafkaError) as error:
        raise PublishError(f"Kafka did not acknowledge in time: {error!r}") from error
