"""Runs subscriptions until told to stop, then drains them. A part that dies takes the whole with it, loudly."""

import asyncio
from collections.abc import Sequence

import structlog
from faststream.kafka import KafkaBroker

from schemas.settings import Settings
from streams.broker import create_broker, subscribe
from streams.consumer import Consumer
from streams.publisher import Publisher
from streams.runner import Runner
from streams.subscription import Subscription

DRAIN_SECONDS = 25.0
CLOSE_SECONDS = 10.0

log = structlog.get_logger()


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
            async with asyncio.TaskGroup() as tasks:
                runs = [tasks.create_task(one.run(subscriber.consumer)) for one, subscriber in self._consumers]
                await stop.wait()
                log.info("draining")
                await asyncio.gather(*(consumer.drain(DRAIN_SECONDS) for consumer, _ in self._consumers))
                for run in runs:
                    run.cancel()
        finally:
            await self._close()

    async def _close(self) -> None:
        # aiokafka's stop can hang on a heartbeat (#773): it is given a deadline, and the process ends all the same.
        try:
            async with asyncio.timeout(CLOSE_SECONDS):
                await self.broker.stop()
        except TimeoutError:
            log.warning("kafka_close_timed_out")
