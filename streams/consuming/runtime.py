"""Runs subscriptions until `stop`, then drains them. A consumer that fails ends the process."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

import structlog
from faststream.kafka import KafkaBroker
from faststream.kafka.subscriber.usecase import LogicSubscriber

from schemas.settings import Settings
from streams import metrics
from streams.codec import Record
from streams.consuming.broker import create_broker, subscribe
from streams.consuming.consumer import Consumer
from streams.consuming.runner import Runner
from streams.consuming.subscription import Subscription
from streams.consuming.watchdog import blocked_loop_ends_process
from streams.dead_letters.limit import TooManyDeadLettersError
from streams.kafka.closing import close_rest, failure, is_stopped
from streams.publisher import Publisher
from streams.restart_budget import RestartBudget
from streams.stall_detector import ConsumerStalledError
from streams.topics import Topic

DRAIN_SECONDS = 25.0

log = structlog.get_logger()


class ConsumerEndedError(Exception):
    """A consumer ended without being stopped."""


class Runtime:
    """The consumers of one process over one broker and one producer."""

    def __init__(self, settings: Settings, subscriptions: Sequence[Subscription], publisher: Publisher) -> None:
        self.broker: KafkaBroker = create_broker(settings)
        self._consumers = [
            (consumer, subscribe(self.broker, settings, subscription, consumer))
            for subscription in subscriptions
            for consumer in [Consumer(subscription, Runner(subscription, publisher))]
        ]
        self._start_seconds = max(subscription.limits.start_seconds for subscription in subscriptions)
        self._stopped: set[Consumer] = set()

    async def run(self, stop: asyncio.Event) -> None:
        """Returns after `stop` and a drain of at most `DRAIN_SECONDS`; raises what a consumer failed with."""
        await self._start()
        try:
            with blocked_loop_ends_process():
                await self._run(stop)
        finally:
            await asyncio.gather(*(self._close(subscriber) for _, subscriber in self._consumers))
            await is_stopped(self.broker.stop())

    def retry_now(self, topic: Topic, is_wanted: Callable[[Record], bool]) -> None:
        """Retry wanted records of the topic without their remaining delay."""
        for consumer, _ in self._consumers:
            consumer.retry_now(topic, is_wanted)

    async def _start(self) -> None:
        try:
            async with asyncio.timeout(self._start_seconds):
                await self.broker.start()
        except TimeoutError as error:
            raise ConsumerEndedError(f"no consumer group was joined within {self._start_seconds:.0f} s") from error

    async def _run(self, stop: asyncio.Event) -> None:
        async with asyncio.TaskGroup() as tasks:
            runs = [tasks.create_task(self._keep_running(one, subscriber)) for one, subscriber in self._consumers]
            stopping = tasks.create_task(stop.wait())
            await asyncio.wait([stopping, *runs], return_when=asyncio.FIRST_COMPLETED)
            if not stopping.done():
                # A task that a library cancels ends without an error in its task group.
                raise ConsumerEndedError("a consumer ended by itself")
            log.info("draining")
            await asyncio.gather(*(consumer.drain(DRAIN_SECONDS) for consumer, _ in self._consumers))
            for run in runs:
                run.cancel()

    async def _keep_running(self, consumer: Consumer, subscriber: LogicSubscriber[Any]) -> None:
        """Rebuild a consumer that stalls, or whose start fails or hangs. Too many rebuilds end the process with
        `ConsumerStalledError`.
        """
        limits = consumer.limits
        restarts = RestartBudget(str(subscriber.group_id), limits.max_restarts, limits.restarts_within_seconds)
        stall: str | None = None
        while True:
            stall = stall or await self._stall(consumer, subscriber)
            restarts.begin(stall)
            log.warning("consumer_rebuilt", group=subscriber.group_id, reason=stall)
            await self._close(subscriber)
            consumer.forget()
            stall = await failure(subscriber.start(), limits.start_seconds)
            if stall is not None:
                await asyncio.sleep(limits.restart_pause_seconds)

    async def _stall(self, consumer: Consumer, subscriber: LogicSubscriber[Any]) -> str:
        reason = ""
        try:
            await consumer.run(subscriber.consumer)
        except* ConsumerStalledError as errors:
            reason = str(errors.exceptions[0])
        except* TooManyDeadLettersError:
            if len(self._stopped) + 1 == len(self._consumers):
                raise
            log.exception("consumer_stopped", group=subscriber.group_id)
            await self._stop(consumer, subscriber)
        return reason

    async def _stop(self, consumer: Consumer, subscriber: LogicSubscriber[Any]) -> None:
        """Keep the other consumers running; this one stays stopped until the worker is started again."""
        self._stopped.add(consumer)
        metrics.STOPPED.labels(str(subscriber.group_id)).set(1)
        consumer.forget()
        await self._close(subscriber)
        await asyncio.Event().wait()

    async def _close(self, subscriber: LogicSubscriber[Any]) -> None:
        kafka = subscriber.consumer
        if not await is_stopped(subscriber.stop()) and kafka is not None:
            await close_rest(kafka)
