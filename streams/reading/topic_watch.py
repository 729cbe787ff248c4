"""Finds missing topics, so that health and readiness say when an answer cannot be written or read."""

import asyncio
from collections.abc import Collection

import structlog
from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaError

from schemas.settings import Settings
from streams.kafka.connection import connection
from streams.kafka.topic_metadata import describe
from streams.topics import TOPICS, VITAL_TOPICS

LOOK_SECONDS = 2.0
ASK_TIMEOUT_SECONDS = 10.0
NAMES = frozenset(topic.name for topic in TOPICS)

log = structlog.get_logger()


class TopicWatch:
    """Asks every `look_seconds`; the owner runs `run`. `missing` stays as it is while Kafka does not answer."""

    def __init__(self, settings: Settings, *, look_seconds: float = LOOK_SECONDS) -> None:
        self._settings = settings
        self._look_seconds = look_seconds
        self.missing: frozenset[str] = frozenset()

    @property
    def missing_vital(self) -> frozenset[str]:
        """The missing topics without which no answer can be completed."""
        return self.missing & VITAL_TOPICS

    async def run(self) -> None:
        """Check until cancelled."""
        client = AIOKafkaClient(**connection(self._settings))
        try:
            while True:
                try:
                    async with asyncio.timeout(ASK_TIMEOUT_SECONDS):
                        if not client.cluster.brokers():
                            await client.bootstrap()
                        self._note((await describe(client, NAMES)).topics)
                except (KafkaError, TimeoutError) as error:
                    log.warning("topics_not_looked_up", error=repr(error))
                await asyncio.sleep(self._look_seconds)
        finally:
            await client.close()

    def _note(self, found: Collection[str]) -> None:
        missing = NAMES - set(found)
        if missing != self.missing:
            log.warning("topics_missing", topics=sorted(missing))
        self.missing = missing
