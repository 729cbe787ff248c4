"""Runs subscriptions until told to stop, then drains them. A part that dies takes the whole with it, loudly."""

import asyncio
from collections.abc import Coroutine, Sequence
from typing import Any

import structlog
from faststream.kafka import KafkaBroker
from faststream.kafka.subscriber.usecase import LogicSubscriber

from schemas.settings import Settings
from streams.broker import create_broker, subscribe
from streams.consumer import Consumer
from streams.publisher import Publisher
from streams.runner import Runner
from streams.subscription import Subscription
from streams.watchdog import SilentError, blocked_loop_ends_process

DRAIN_SECONDS = 25.0
CLOSE_SECONDS = 10.0
MAX_REBUILDS = 5

log = structlog.get_logger()


class ConsumerEndedError(Exception):
    """A consumer is gone though nobody stopped it."""


class Runtime:
    """The consumers of one process over one broker and one producer."""

    def __init__(self, settings: Settings, subscriptions: Sequence[Subscription], publisher: Publisher) -> None:
        self.broker: KafkaBroker = create_broker(settings)
        self._consumers = [
            (consumer, subscribe(self.broker, settings, subscription, consumer))
            for subscription in subscriptions
            for consumer in [Consumer(subscription, Runner(subscription, publisher))]
        ]

    async def run(self, stop: asyncio.Event) -> None:
        """Returns after `stop` and a drain of at most `DRAIN_SECONDS`; raises what a consumer died of."""
        await self.broker.start()
        try:
            with blocked_loop_ends_process():
                await self._run(stop)
        finally:
            await self._stop(self.broker.stop())

    async def _run(self, stop: asyncio.Event) -> None:
        async with asyncio.TaskGroup() as tasks:
            runs = [tasks.create_task(self._keep(one, subscriber)) for one, subscriber in self._consumers]
            stopping = tasks.create_task(stop.wait())
            await asyncio.wait([stopping, *runs], return_when=asyncio.FIRST_COMPLETED)
            if not stopping.done():
                # Cancelled from within a library, a task ends its group's wait for it without a word.
                raise ConsumerEndedError("a consumer ended by itself")
            log.info("draining")
            await asyncio.gather(*(consumer.drain(DRAIN_SECONDS) for consumer, _ in self._consumers))
            for run in runs:
                run.cancel()

    async def _keep(self, consumer: Consumer, subscriber: LogicSubscriber[Any]) -> None:
        """Rebuild a consumer that went silent; one that keeps going silent ends the process."""
        for _ in range(MAX_REBUILDS):
            try:
                await consumer.run(subscriber.consumer)
            except* SilentError as errors:
                log.warning("consumer_rebuilt", group=subscriber.group_id, reason=str(errors.exceptions[0]))
            kafka = subscriber.consumer
            await self._stop(subscriber.stop())
            if kafka is not None:
                # Its stop gives up before its connections when a task of its own had ended.
                await self._stop(kafka._client.close())  # noqa: SLF001
            consumer.forget()
            await subscriber.start()
        raise SilentError(f"{subscriber.group_id} went silent {MAX_REBUILDS} times")

    async def _stop(self, stopping: Coroutine[Any, Any, None]) -> None:
        # aiokafka's stop can hang on a heartbeat (#773), and raises the cancellation of a task of its own that had
        # ended before: in a task, with a deadline, neither is ours.
        task = asyncio.create_task(stopping)
        await asyncio.wait([task], timeout=CLOSE_SECONDS)
        if not task.done():
            task.cancel()
            log.warning("kafka_close_timed_out")
        elif task.cancelled() or task.exception() is not None:
            log.warning("kafka_close_failed", error="cancelled" if task.cancelled() else repr(task.exception()))
