"""The worker: which topic goes to which handler. The table is the architecture."""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from datetime import timedelta
from importlib.metadata import version

import structlog
from faststream import FastStream
from prometheus_client import start_http_server

from handlers.answering.generation import Generation
from handlers.answering.handler import Answering
from handlers.answering.lease import Leases
from handlers.broadcasts import read_cancels, read_deletes
from handlers.conversation_log import ConversationLog
from handlers.ingestion.handler import Ingestion
from handlers.ingestion.stages import Stages
from handlers.resources import Resources
from handlers.retrieval.search import Retrieval
from schemas.settings import Settings
from stores.postgres.attempts import Attempts
from stores.postgres.database import DATABASE_ERRORS
from streams import topics
from streams.consuming.broker import create_app, create_broker, declare
from streams.consuming.retry import RetryPolicy
from streams.consuming.runtime import Runtime
from streams.consuming.subscription import Handler, Subscription
from streams.garbage_collection import freeze_heap
from streams.publisher import Publisher
from streams.topics import Topic

log = structlog.get_logger()

ENDINGS_RETENTION = timedelta(days=8)
PURGE_SECONDS = 3600.0
# How long the thread that embeds a question waits for the interpreter's lock while the event loop is busy. With
# Python's default of 5 ms, 50 questions at once wait 25 ms longer for their first tokens.
SWITCH_SECONDS = 0.0001
# A visitor waits for an answer. No client waits for a row, so the conversation log retries for hours; feedback for
# ten minutes, since the answer that it names may not exist. A document outlives an upgrade of Postgres, but one that
# ends its reader, or takes an hour, is read a few times only.
DEFAULT_RETRY = RetryPolicy()
RETRY_FOR_HOURS = RetryPolicy(attempts=3_000, longest_seconds=10)
RETRY_OUTAGES = replace(RETRY_FOR_HOURS, defect_attempts=DEFAULT_RETRY.attempts)
RETRY_FOR_MINUTES = RetryPolicy(attempts=120, longest_seconds=10)


async def answering(resources: Resources) -> Handler:
    """Finds what the knowledge base holds about a question, and streams the answer."""
    retrieval = Retrieval(await resources.embedder(), await resources.vectors())
    models = await resources.models()
    leases = Leases(resources.attempts)
    generation = Generation(leases, resources.clients, resources.chat_logs, models, resources.cancellations)
    return Answering(retrieval, generation)


async def ingestion(resources: Resources) -> Handler:
    """Turns files into passages."""
    embedder, cache = await resources.embedder(), await resources.embedding_cache()
    vectors, workspace = await resources.vectors(), await resources.workspace()
    stages = Stages(resources.uploads, vectors, embedder, cache, resources.ocr_languages())
    return Ingestion(resources.documents, resources.uploads, vectors, stages, workspace)


async def conversation_log(resources: Resources) -> Handler:
    """Writes answers, usage and feedback to Postgres."""
    return ConversationLog(resources.chat_logs)


@dataclass(frozen=True, slots=True)
class ConsumerSpec:
    """One subscription before its handler is built. `slots` is how many run at once, in all and for one client;
    `deadline_seconds` is for one run, `retry` for all of them.
    """

    topic: Topic
    handler: Callable[[Resources], Awaitable[Handler]]
    slots: tuple[int, int]
    deadline_seconds: float
    retry: RetryPolicy = DEFAULT_RETRY

    @property
    def name(self) -> str:
        """The handler's name; also its group's, so a handler of two topics has two lines and one name."""
        return self.handler.__name__


WIRING = (
    ConsumerSpec(topics.CHAT_REQUESTED, answering, slots=(256, 192), deadline_seconds=180),
    ConsumerSpec(topics.DOCUMENT_UPLOADED, ingestion, slots=(8, 2), deadline_seconds=3600, retry=RETRY_OUTAGES),
    ConsumerSpec(topics.CHAT_COMPLETED, conversation_log, slots=(16, 12), deadline_seconds=30, retry=RETRY_FOR_HOURS),
    ConsumerSpec(topics.CHAT_FEEDBACK, conversation_log, slots=(4, 3), deadline_seconds=30, retry=RETRY_FOR_MINUTES),
)
NAMES = tuple(dict.fromkeys(spec.name for spec in WIRING))


class UnknownHandlerError(Exception):
    """No handler has that name."""


def app() -> FastStream:
    """For `faststream docs gen --factory handlers.worker:app`: every topic, every event, nothing connected."""
    broker = create_broker(Settings())
    for spec in WIRING:
        declare(broker, spec.topic, spec.name, spec.handler.__doc__ or "")
    return create_app(broker, version("chatconnect"))


async def run(settings: Settings, only: str | None, stop: asyncio.Event) -> None:
    """Runs until `stop`, then drains. Raises `UnknownHandlerError`, or what a task failed with."""
    names = only.split(",") if only else NAMES
    if unknown := set(names) - set(NAMES):
        raise UnknownHandlerError(f"There is no handler named {min(unknown)}: choose from {', '.join(NAMES)}.")
    specs = [spec for spec in WIRING if spec.name in names]
    async with AsyncExitStack() as stack:
        resources = Resources(settings, stack)
        subscriptions = [await _build(spec, resources) for spec in specs]
        publisher = await stack.enter_async_context(Publisher(settings))
        server, thread = start_http_server(settings.metrics_port, addr=settings.host)
        stack.callback(thread.join)
        stack.callback(server.server_close)
        stack.callback(server.shutdown)
        log.info(
            "worker_ready", handlers=list(dict.fromkeys(spec.name for spec in specs)), metrics_port=server.server_port
        )
        freeze_heap()
        sys.setswitchinterval(SWITCH_SECONDS)
        async with asyncio.TaskGroup() as tasks:
            runtime = Runtime(settings, subscriptions, publisher)
            background = [
                tasks.create_task(read_cancels(settings, resources.cancellations, runtime)),
                tasks.create_task(_purge_forever(resources.attempts)),
                *(tasks.create_task(read_deletes(settings, one)) for one in _ingestions(subscriptions)),
            ]
            await runtime.run(stop)
            for task in background:
                task.cancel()


async def _build(spec: ConsumerSpec, resources: Resources) -> Subscription:
    slots, client_slots = spec.slots
    handler = await spec.handler(resources)
    return Subscription(spec.name, spec.topic, handler, slots, client_slots, spec.deadline_seconds, spec.retry)


def _ingestions(subscriptions: list[Subscription]) -> list[Ingestion]:
    return [one.handler for one in subscriptions if isinstance(one.handler, Ingestion)]


async def _purge_forever(attempts: Attempts) -> None:
    """Endings are kept a day longer than the questions that could be delivered again."""
    while True:
        try:
            purged = await attempts.purge(ENDINGS_RETENTION)
            log.info("endings_purged", rows=purged)
        except DATABASE_ERRORS as error:
            log.warning("endings_not_purged", error=repr(error))
        await asyncio.sleep(PURGE_SECONDS)
