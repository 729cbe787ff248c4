"""The development stack: its parts, their start order, and their addresses."""

import asyncio
import os
import re
import signal
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import httpx

from chatconnect.dev_stack.dashboard import Dashboard
from chatconnect.dev_stack.data_folder import DataFolder
from chatconnect.dev_stack.seed import DEMO_CLIENT, seed_documents
from chatconnect.dev_stack.services import Say, start_parts
from chatconnect.dev_stack.supervisor import Supervisor
from chatconnect.embedded.aot_training import prepare_next_start
from chatconnect.embedded.kafka import PARTITIONS
from chatconnect.embedded.ports import LOOPBACK
from chatconnect.embedded.process import PartError, Process
from handlers.background_task import background_task
from schemas.providers import configured
from schemas.settings import Settings
from stores.migrations import upgrade
from stores.postgres.clients import Clients, Keys
from stores.postgres.database import DATABASE_ERRORS, create_engine
from streams.admin.topics import create_topics
from streams.kafka.connection import KAFKA_ERRORS

READY_SECONDS = 120
POLL_SECONDS = 0.1
READY_EVENTS = {"worker": "worker_ready", "gateway": "gateway_listens"}
OURS = {name: (sys.executable, "-m", "chatconnect", name) for name in ("worker", "gateway")}


@dataclass(frozen=True, slots=True)
class Stack:
    """One run of the stack. A variable of `dev.env` that the environment sets replaces the embedded part."""

    folder: DataFolder
    port: int
    has_seed: bool
    dashboard: Dashboard
    say: Say
    commands: Mapping[str, Sequence[str]]

    async def run(self, supervisor: Supervisor) -> None:
        """Starts everything, says `ready <url>`, and then waits to be cancelled. Raises `PartError`."""
        self.say(f"starting Kafka, Postgres and Redis in {self.folder.path}")
        async with background_task(self.dashboard.prepare()) as preparing:
            values = await self._start(supervisor)
            if await preparing:
                await self.dashboard.start(supervisor, os.environ | values)
        self.say(f"ready {values['GATEWAY_URL']}")
        if not os.environ.get("KAFKA_BOOTSTRAP_SERVERS"):
            await prepare_next_start(self.say)
        await asyncio.Event().wait()

    async def _start(self, supervisor: Supervisor) -> dict[str, str]:
        """All parts but the dashboard, and the demo's documents. Returns what `dev.env` holds."""
        values = self._values(await start_parts(self.folder, supervisor, self.say))
        settings = _settings(values)
        await _prepare(settings, Keys(values["CLIENT_API_KEY"], values["CLIENT_SECRET_KEY"]))
        supervisor.begin_layer()
        await self._start_processes(supervisor, values)
        addresses = self.folder.write_addresses(values)
        if self.has_seed:
            self.say(await seed_documents(values, self.folder.path / "seeded.json"))
        self.say(answering(settings))
        self.say(f"addresses and keys: {addresses}  logs: {self.folder.logs}")
        return values

    def _values(self, parts: dict[str, str]) -> dict[str, str]:
        """What `dev.env` holds."""
        secrets = self.folder.secrets()
        values = {
            **parts,
            "QDRANT_URL": str(self.folder.path / "qdrant"),
            "UPLOADS_URL": f"file://{self.folder.path}/uploads",
            "GATEWAY_URL": f"http://{LOOPBACK}:{self.port}",
            **{name: secrets[name] for name in ("CLIENT_API_KEY", "CLIENT_SECRET_KEY", "INTERNAL_SECRET")},
        }
        return {name: os.environ.get(name) or value for name, value in values.items()}

    async def _start_processes(self, supervisor: Supervisor, values: dict[str, str]) -> None:
        """The worker, and the gateway unless the environment names another; returns when both are ready."""
        environment = (
            os.environ
            | values
            | {
                "PORT": str(self.port),
                # Two stacks that start at once would both find the usual port free.
                "METRICS_PORT": os.environ.get("METRICS_PORT") or "0",
                "DEMO_API_KEY": values["CLIENT_API_KEY"],
                "INSTANCE_ID": os.environ.get("INSTANCE_ID") or self.folder.secrets()["INSTANCE_ID"],
            }
        )
        self.say("starting the worker (the first time it builds the local embedding model) and the gateway")
        started = [await self._start_one("worker", supervisor, environment)]
        if not os.environ.get("GATEWAY_URL"):
            started.append(await self._start_one("gateway", supervisor, environment))
        for process, words in started:
            # Read from its log, because another stack's process may answer at the same port.
            await process.until(partial(_has_logged, process, words), READY_SECONDS)
        await until_answers(f"{values['GATEWAY_URL']}/health/ready", "The gateway")

    async def _start_one(self, name: str, supervisor: Supervisor, environment: dict[str, str]) -> tuple[Process, str]:
        # SIGKILL when we die: the parts end too, so there is nothing left to drain into.
        process = await Process.start(
            f"The {name}",
            self.commands[name],
            log=self.folder.logs / f"{name}.log",
            environment=environment,
            death_signal=signal.SIGKILL,
        )
        supervisor.add(process, process.stop)
        return process, READY_EVENTS[name]


async def _has_logged(process: Process, words: str) -> bool:
    return process.has_logged(words)


def _settings(values: dict[str, str]) -> Settings:
    return Settings(
        kafka_bootstrap_servers=values["KAFKA_BOOTSTRAP_SERVERS"],
        database_url=values["DATABASE_URL"],
    )


async def _prepare(settings: Settings, keys: Keys) -> None:
    """Creates the tables, the topics and the demo client."""
    try:
        await upgrade(settings.database_url)
        engine = create_engine(settings.database_url)
        try:
            await Clients(engine).ensure(DEMO_CLIENT, keys)
        finally:
            await engine.dispose()
    except DATABASE_ERRORS as error:
        raise PartError(f"Postgres at {_without_password(settings.database_url)} cannot be used: {error}") from error
    try:
        is_ours = not os.environ.get("KAFKA_BOOTSTRAP_SERVERS")
        await create_topics(settings, PARTITIONS if is_ours else None)
    except (*KAFKA_ERRORS, TimeoutError) as error:
        raise PartError(f"Kafka at {settings.kafka_bootstrap_servers} cannot be used: {error}") from error


def _without_password(url: str) -> str:
    return re.sub(r"(://[^:/@]*):[^@]*@", r"\1@", url.partition("?")[0])


async def until_answers(url: str, name: str) -> None:
    """Returns when a GET succeeds. Raises `PartError` after two minutes."""
    answer = "nothing"
    async with httpx.AsyncClient(trust_env=False, timeout=5) as http:
        try:
            async with asyncio.timeout(READY_SECONDS):
                while True:
                    try:
                        response = await http.get(url)
                    except httpx.TransportError as error:
                        answer = str(error)
                    else:
                        if response.is_success:
                            return
                        answer = f"{response.status_code} {response.text[:500]}"
                    await asyncio.sleep(POLL_SECONDS)
        except TimeoutError:
            raise PartError(f"{name} was not ready at {url} within {READY_SECONDS} s: {answer}") from None


def answering(settings: Settings) -> str:
    """The models and embeddings in use, in one line."""
    models = [f"{one.label} {one.model} at {one.base_url}" for one in configured(settings)]
    answers = (
        " and ".join(models) or "extractive, the best sentences found (no OPENAI_API_KEY or ANTHROPIC_API_KEY is set)"
    )
    is_openai = settings.embeddings == "openai" or (settings.embeddings == "auto" and settings.openai_api_key)
    return f"answers: {answers}; embeddings: {'OpenAI' if is_openai else 'local, all-MiniLM-L6-v2'}"
