"""A site per test: real services, worker and gateway processes, and a paced model."""

import asyncio
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import aiohttp
import pytest

from bench.soak_site import ingest_document
from schemas.settings import Settings
from stores.postgres.clients import Client, Clients, Keys
from stores.postgres.database import create_engine
from tests.faults.own_kafka import broker
from tests.faults.own_postgres import postgres
from tests.faults.pages import opened, running
from tests.faults.rebalancing import kafkas, publisher, revocations
from tests.support import processes
from tests.support.model_server import ModelServer
from tests.support.visitor import Visitor

__all__ = ["broker", "kafkas", "opened", "postgres", "publisher", "revocations", "running"]

_numbers = count(1)


@dataclass
class Site:
    """One client's system: a worker, a gateway, a model, and visitors."""

    settings: Settings
    model: ModelServer
    client_id: str
    keys: Keys
    folder: Path
    http: aiohttp.ClientSession
    parts: dict[str, processes.Part] = field(default_factory=dict)

    def part(self, name: str, **more: str) -> processes.Part:
        """A `worker…` or `gateway…`: the test starts it; it is stopped when the test ends."""
        make = processes.worker if name.startswith("worker") else processes.gateway
        self.parts[name] = make(self.settings, self.folder / f"{name}.log", **more)
        return self.parts[name]

    @property
    def urls(self) -> list[str]:
        return [part.url.removesuffix("/health/ready") for name, part in self.parts.items() if "gateway" in name]

    def visitor(self, session_id: str) -> Visitor:
        return Visitor(self.http, self.urls, self.keys.secret, session_id)

    async def learn(self) -> None:
        """Ingest one document, so that questions about zebras have evidence."""
        await ingest_document(self.urls[0], self.keys.secret)


def question(name: str) -> str:
    """The question that is answered with `tests.support.model_server.expected(name)`."""
    return f"What does the zebra handbook say? ask-{name}"


@pytest.fixture
async def site(services, database_url, tmp_path):
    """No worker or gateway runs yet: use `site.part(…)` and `start()`."""
    async with AsyncExitStack() as stack:
        model = ModelServer()
        await model.start()
        stack.push_async_callback(model.stop)
        settings = Settings(
            kafka_bootstrap_servers=services.kafka_bootstrap_servers,
            database_url=database_url,
            redis_url=services.redis_url,
            qdrant_url=str(tmp_path / "qdrant"),
            uploads_url=(tmp_path / "uploads").as_uri(),
            internal_secret="internal-secret-of-the-tests-0123456789",
            openai_api_key="sk-mock",
            openai_base_url=model.url,
            embeddings="local",
            # Static members do not leave the group: a new name would wait until the old member's session times out.
            instance_id="faults",
        )
        name = f"site{next(_numbers)}"
        keys = Keys(f"pk_{name}", f"sk_{name}")
        engine = create_engine(database_url)
        stack.push_async_callback(engine.dispose)
        await Clients(engine).ensure(Client(name, name, "free", ("*",)), keys)
        http = await stack.enter_async_context(aiohttp.ClientSession(trust_env=False))
        found = Site(settings, model, name, keys, tmp_path, http)
        try:
            yield found
        finally:
            # A gateway keeps nothing, and its drain would end the streams of a test's visitors over three seconds.
            await asyncio.gather(
                *(part.kill() if "gateway" in name else part.stop() for name, part in found.parts.items())
            )
