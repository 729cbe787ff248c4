"""A Kafka for one test, which may kill it."""

from contextlib import asynccontextmanager

import pytest

from chatconnect.embedded.kafka import Kafka
from streams.admin.topics import create_topics
from tests.support.services import SHORT_LIVED


class OwnKafka:
    """Can be killed and restarted at the same address."""

    def __init__(self, folder):
        self._folder = folder
        self.running = None

    @property
    def port(self):
        return int(self.running.url.rpartition(":")[2])

    async def start(self, port=0):
        log = self._folder / "kafka.log"
        self.running = await Kafka.start(self._folder / "kafka", log, print, port=port, options=SHORT_LIVED)

    async def kill(self):
        self.running.process.kill()
        await self.running.process.wait()


@asynccontextmanager
async def own_kafka(folder):
    own = OwnKafka(folder)
    await own.start()
    try:
        yield own
    finally:
        await own.running.stop()


@pytest.fixture
async def broker(site):
    folder = site.folder / "broker"
    folder.mkdir()
    async with own_kafka(folder) as own:
        site.settings = site.settings.model_copy(update={"kafka_bootstrap_servers": own.running.url})
        await create_topics(site.settings)
        try:
            yield own
        finally:
            # The parts stop before Kafka, so that their shutdown logs no errors.
            for part in site.parts.values():
                await part.stop()
