"""A Postgres of the test's own, which it may kill or freeze."""

import asyncio
from contextlib import suppress

import pytest

from chatconnect.embedded.postgres import Postgres
from chatconnect.embedded.process import PartError
from stores.migrations import upgrade
from stores.postgres.clients import Client, Clients
from stores.postgres.database import create_engine
from tests.support.patience import SECONDS


class Mortal:
    """A Postgres of this test's own, killed and started again at the same address."""

    def __init__(self, folder):
        self._folder = folder
        self.running = None

    @property
    def url(self):
        return self.running.url

    async def start(self, port=0):
        async with asyncio.timeout(SECONDS):
            while True:
                # The dead server's children may hold its shared memory for a moment yet.
                with suppress(PartError):
                    self.running = await Postgres.start(self._folder / "data", self._folder / "postgres.log", port=port)
                    return

    async def kill(self):
        self.running.process.kill()
        await self.running.process.wait()


@pytest.fixture
async def postgres(site):
    mortal = Mortal(site.folder / "own")
    await mortal.start()
    try:
        await upgrade(mortal.url)
        site.settings = site.settings.model_copy(update={"database_url": mortal.url})
        engine = create_engine(mortal.url)
        try:
            await Clients(engine).ensure(Client(site.client_id, site.client_id, "free", ("*",)), site.keys)
        finally:
            await engine.dispose()
        yield mortal
    finally:
        # Before the site stops its parts: they end all the same, and the log is not written to for nothing.
        for part in site.parts.values():
            await part.stop()
        await mortal.running.stop()
