"""What the soak runs and kills: real servers, a worker, two gateways; and a model that never fails."""

import asyncio
import contextlib
import random
import signal
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from bench.report import say
from bench.servers import Servers, keys_of, servers
from chatconnect.embedded.kafka import Kafka
from schemas.settings import Settings
from tests.support import processes
from tests.support.model_server import ModelServer

CLIENTS = ("soak-a", "soak-b", "soak-c")
DOCUMENT = (
    "The zebra handbook. Every question ask about the zebra handbook is answered here: zebra, handbook, ask, question."
)
INGEST_SECONDS = 60.0
UPLOAD_PAUSE_SECONDS = 0.3
POLL_SECONDS = 0.1
UP_SECONDS = 120.0
BROKER_SECONDS = 45.0
# The broker about once a minute, the worker most often.
WEIGHTS = {"worker": 5, "gateway 0": 3, "gateway 1": 3, "kafka": 2}


@dataclass(slots=True)
class Kill:
    """One kill: of what, how, when (monotonic seconds), and when the part was ready again."""

    part: str
    signal: str
    at: float
    ready_at: float | None = None


@dataclass(slots=True)
class SoakSite:
    """The system under test. A killed part restarts at once, at the same address."""

    folder: Path
    servers: Servers
    model: ModelServer
    worker: processes.Part
    gateways: list[processes.Part]
    kills: list[Kill] = field(default_factory=list)
    _restarting: set[str] = field(default_factory=set)

    @property
    def settings(self) -> Settings:
        """How to reach the servers."""
        return self.servers.settings

    @property
    def urls(self) -> list[str]:
        """Both gateways."""
        return [gateway.url.removesuffix("/health/ready") for gateway in self.gateways]

    async def kill_one(self, rng: random.Random, tasks: asyncio.TaskGroup) -> None:
        """Kills a random running part, by SIGKILL three times of four, and restarts it in a task."""
        while not (up := self._up()):
            await asyncio.sleep(POLL_SECONDS)
        name = rng.choices(list(up), weights=list(up.values()))[0]
        number = signal.SIGKILL if name == "kafka" or rng.random() < 0.75 else signal.SIGTERM
        kill = Kill(name, number.name, time.monotonic())
        self.kills.append(kill)
        self._restarting.add(name)
        say(f"{number.name} {name}")
        if name == "kafka":
            self.servers.kafka.process.kill()
        else:
            self._parts[name].signal(number)
        tasks.create_task(self._restart(kill))

    def _up(self) -> dict[str, int]:
        """Name → weight. Spares a restarted broker for a while: it may be all that is up, as the others wait for it."""
        up = {name: weight for name, weight in WEIGHTS.items() if name not in self._restarting}
        is_young = any(kill.part == "kafka" and time.monotonic() - kill.at < BROKER_SECONDS for kill in self.kills)
        return {name: weight for name, weight in up.items() if name != "kafka" or not is_young}

    async def until_up(self) -> None:
        """Returns when every killed part is back."""
        async with asyncio.timeout(UP_SECONDS):
            while self._restarting:
                await asyncio.sleep(POLL_SECONDS)

    async def upload(self, client: str, name: str) -> str:
        """POST a document until it is accepted; the same name again is the same document. Returns its id."""
        headers = {"authorization": f"Bearer {keys_of(client).secret}"}
        while True:
            url = random.choice(self.urls)
            with contextlib.suppress(httpx.HTTPError):
                async with httpx.AsyncClient(base_url=url, headers=headers, trust_env=False, timeout=30) as http:
                    file = {"file": (f"{name}.txt", f"The heron manual, {name}: herons wade, wait and fish.".encode())}
                    posted = await http.post("/process-document", files=file, data={"externalId": name})
                    if posted.is_success:
                        return str(posted.json()["id"])
                    if posted.is_client_error and posted.status_code != httpx.codes.TOO_MANY_REQUESTS:
                        raise AssertionError(f"POST /process-document answered {posted.status_code}: {posted.text}")
            await asyncio.sleep(UPLOAD_PAUSE_SECONDS)

    async def restart_ended(self) -> None:
        """Start parts that ended by themselves (a part may end when Kafka is away for long)."""
        for name, part in self._parts.items():
            if part.exit_code is not None and name not in self._restarting:
                say(f"{name} had ended by itself: {part.last_lines(3)}")
                await part.start(wait=False)

    @property
    def _parts(self) -> dict[str, processes.Part]:
        return {"worker": self.worker, "gateway 0": self.gateways[0], "gateway 1": self.gateways[1]}

    async def _restart(self, kill: Kill) -> None:
        if kill.part == "kafka":
            await self._restart_kafka()
        else:
            part = self._parts[kill.part]
            try:
                await part.until_ended()
            except TimeoutError:
                say(f"{kill.part} did not end after {kill.signal}")
                await part.kill()
            await self._start(part)
        kill.ready_at = time.monotonic()
        self._restarting.discard(kill.part)

    async def _start(self, part: processes.Part) -> None:
        async with asyncio.timeout(UP_SECONDS):
            while True:
                try:
                    return await part.start()
                except AssertionError as error:
                    # Start it again, as a supervisor would: a part may end when it finds no Kafka.
                    say(f"a part ended while it started: {str(error)[-300:]}")

    async def _restart_kafka(self) -> None:
        await self.servers.kafka.process.wait()
        port = int(self.servers.kafka.url.rpartition(":")[2])
        self.servers.kafka = await Kafka.start(self.folder / "kafka", self.folder / "kafka.log", say, port=port)


@asynccontextmanager
async def soak_site() -> AsyncIterator[SoakSite]:
    """The whole system, ready and with one document per client; stopped at the end."""
    model = ModelServer()
    await model.start()
    given = {"openai_api_key": "sk-soak", "openai_base_url": model.url, "embeddings": "local", "instance_id": "soak"}
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        folder = Path(name)
        async with servers(folder, CLIENTS, **given) as running:
            worker = processes.worker(running.settings, folder / "worker.log")
            gateways = [processes.gateway(running.settings, folder / f"gateway{number}.log") for number in range(2)]
            site = SoakSite(folder, running, model, worker, gateways)
            try:
                await asyncio.gather(worker.start(), *(gateway.start() for gateway in gateways))
                for client in CLIENTS:
                    await ingest_document(site.urls[0], keys_of(client).secret)
                yield site
            finally:
                stops = [part.stop for part in (worker, *gateways)]
                await asyncio.gather(*(stop() for stop in [*stops, model.stop]), return_exceptions=True)


async def ingest_document(url: str, secret: str, text: str = DOCUMENT) -> None:
    """Ingest one document, so that questions about zebras have evidence."""
    headers = {"authorization": f"Bearer {secret}"}
    async with (
        asyncio.timeout(INGEST_SECONDS),
        httpx.AsyncClient(base_url=url, headers=headers, trust_env=False, timeout=30) as http,
    ):
        posted = await http.post("/process-document", files={"file": ("zebra.txt", text.encode())})
        posted.raise_for_status()
        while (status := (await http.get(f"/documents/{posted.json()['id']}/status")).json())["status"] != "ready":
            assert status["status"] != "failed", status
            await asyncio.sleep(0.1)
