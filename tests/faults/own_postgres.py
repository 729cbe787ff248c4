"""A Postgres for one test, which may kill or freeze it."""

import asyncio
from contextlib import suppress

import pytest

from chatconnect.embedded.postgres import Postgres
from chatconnect.embedded.process import PartError
from stores.migrations import upgrade
from stores.postgres.clients import Client, Clients
from stores.postgres.database import create_engine
from tests.support.patience import SECONDS


class OwnPostgres:
    """Can be killed and restarted at the same address."""

    def __init__(self, folder):
        self._folder = folder
        self.running = None

    @property
    def url(self):
        return self.running.url

    async def start(self, port=0):
        async with asyncio.timeout(SECONDS):
            while True:
                # The killed server's children may still hold its shared memory for a moment.
                with suppress(PartError):
                    self.running = await Postgres.start(self._folder / "data", self._folder / "postgres.log", port=port)
                    return

    async def kill(self):
        self.running.process.kill()
        await self.running.process.wait()


@pytest.fixture
async def postgres(site):
    own = OwnPostgres(site.folder / "own")
    await own.start()
    try:
        await upgrade(own.url)
        site.settings = site.settings.model_copy(update={"database_url": own.url})
        engine = create_engine(own.url)
        try:
            await Clients(engine).ensure(Client(site.client_id, site.client_id, "free", ("*",)), site.keys)
        finally:
            await engine.dispose()
        yield own
    finally:
        # The parts stop before Postgres, so that their shutdown logs no errors.
        for part in site.parts.values():
            await part.stop()
        await own.running.stop()
