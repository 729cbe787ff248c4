"""The composition root: opens what the routes need, in order, and closes it in reverse."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from time import monotonic

import structlog
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect

from gateway.admission import shedding
from gateway.admission.admission import Admission
from gateway.admission.key_revocation import LOOK_SECONDS as KEY_LOOK_SECONDS
from gateway.admission.key_revocation import KeyRevocations
from gateway.endpoints.guard import on_http_exception
from gateway.replay.buffers import ReplayBuffers
from gateway.replay.pending_questions import PendingQuestions
from gateway.replay.subscriptions import Subscriptions
from gateway.replay.tail import STALLED_SECONDS, FrameLog, Tail
from gateway.routes import ROUTES
from gateway.state import Gateway
from gateway.streaming.progress_hub import ProgressHub, open_progress_hub
from gateway.streaming.timing import StreamTiming
from gateway.web import problems
from gateway.web.background import background
from gateway.web.cors import Cors
from gateway.web.drain import Drain
from gateway.web.failed_start import FailedStart
from gateway.web.handoff import StreamHandoff
from schemas.failures import PermanentError
from schemas.settings import Settings
from stores.postgres.chat_logs import ChatLogs
from stores.postgres.clients import Clients
from stores.postgres.database import DATABASE_ERRORS, Database, create_engine
from stores.postgres.documents import Documents
from stores.postgres.sessions import Sessions
from stores.uploads import Uploads
from streams.garbage_collection import freeze_heap
from streams.publisher import Publisher, PublishError
from streams.reading.limits import ReaderLimits
from streams.reading.reader import LogReader
from streams.reading.topic_watch import LOOK_SECONDS as TOPIC_LOOK_SECONDS
from streams.reading.topic_watch import TopicWatch
from streams.topics import CHAT_TOKEN

CATCH_UP_SECONDS = 60.0
# A caller waits no longer for Kafka to take an event.
PUBLISH_SECONDS = 5.0
# A visitor waits at most two seconds for Postgres.
STORE_SECONDS = 1.8

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class GatewayTiming:
    """The clock, deadlines and intervals of one gateway. Only tests choose others."""

    clock: Callable[[], float] = monotonic
    reader: ReaderLimits = field(default_factory=ReaderLimits)
    streams: StreamTiming = field(default_factory=StreamTiming)
    tail_stalled_seconds: float = STALLED_SECONDS
    topic_look_seconds: float = TOPIC_LOOK_SECONDS
    key_look_seconds: float = KEY_LOOK_SECONDS


@dataclass(frozen=True, slots=True)
class Connections:
    """What a gateway reads from and writes to, all open."""

    engine: Database
    publisher: Publisher
    log_reader: FrameLog
    progress_hub: ProgressHub


def create_app(settings: Settings, drain: Drain | None = None, timing: GatewayTiming | None = None) -> StreamHandoff:
    """The gateway. `drain` is shared with the server that runs it, which ends the process when the tail dies."""
    shared = drain or Drain()

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with open_gateway(settings, shared, timing or GatewayTiming()) as gateway:
            app.state.gateway = gateway
            yield

    app = Starlette(
        routes=ROUTES,
        middleware=[Middleware(FailedStart, drain=shared)],
        exception_handlers={
            problems.Problem: problems.on_problem,
            shedding.FullError: shedding.on_full,
            HTTPException: on_http_exception,
            PermanentError: problems.on_permanent,
            PublishError: problems.on_log_down,
            ClientDisconnect: problems.on_disconnect,
            **dict.fromkeys(DATABASE_ERRORS, problems.on_store_down),
            Exception: problems.on_defect,
        },
        lifespan=lifespan,
    )
    # Only what `/openapi.json` lists is served.
    app.router.redirect_slashes = False
    # The outermost, so that a page can read the response to a defect, too.
    return StreamHandoff(Cors(app))


@asynccontextmanager
async def open_gateway(settings: Settings, drain: Drain, timing: GatewayTiming) -> AsyncIterator[Gateway]:
    """Yields once the replay buffers hold the recent past, so that the first client is answered in full."""
    async with AsyncExitStack() as stack:
        engine = create_engine(
            settings.database_url, command_timeout_seconds=STORE_SECONDS, connect_timeout_seconds=STORE_SECONDS
        )
        stack.push_async_callback(engine.dispose)
        publisher = await stack.enter_async_context(Publisher(settings, publish_timeout_seconds=PUBLISH_SECONDS))
        reader = await stack.enter_async_context(LogReader(settings, CHAT_TOKEN, timing.reader))
        hub = await stack.enter_async_context(open_progress_hub(settings, drain))
        gateway = build(settings, Connections(engine, publisher, reader, hub), drain, timing)
        stack.push_async_callback(gateway.admission.rate_limits.close)
        drain.on_begin(gateway.buffers.wake_all)
        await stack.enter_async_context(_tailing(gateway.tail, drain))
        await stack.enter_async_context(background("key_revocations", gateway.admission.key_revocations.run(), drain))
        await stack.enter_async_context(background("topic_watch", gateway.topic_watch.run(), drain))
        freeze_heap()
        yield gateway


def build(settings: Settings, connections: Connections, drain: Drain, timing: GatewayTiming) -> Gateway:
    """Constructs everything; opens nothing."""
    engine = connections.engine
    clients, chat_logs = Clients(engine), ChatLogs(engine)
    buffers, questions = ReplayBuffers(timing.clock), PendingQuestions(timing.clock)
    tail = Tail(connections.log_reader, buffers, questions, stalled_seconds=timing.tail_stalled_seconds)
    subscriptions = Subscriptions(tail, buffers, questions, chat_logs)
    key_revocations = KeyRevocations(clients, buffers.wake_all, look_seconds=timing.key_look_seconds)
    return Gateway(
        settings=settings,
        engine=engine,
        clients=clients,
        chat_logs=chat_logs,
        documents=Documents(engine),
        progress_hub=connections.progress_hub,
        uploads=Uploads(settings.uploads_url),
        publisher=connections.publisher,
        admission=Admission.build(settings, clients, Sessions(engine), subscriptions, key_revocations),
        buffers=buffers,
        tail=tail,
        questions=questions,
        subscriptions=subscriptions,
        drain=drain,
        topic_watch=TopicWatch(settings, look_seconds=timing.topic_look_seconds),
        stream_timing=timing.streams,
    )


@asynccontextmanager
async def _tailing(tail: Tail, drain: Drain) -> AsyncIterator[None]:
    # A dead tail never catches up: do not wait for it.
    drain.on_begin(tail.caught_up.set)
    async with background("tail", tail.run(), drain):
        async with asyncio.timeout(CATCH_UP_SECONDS):
            await tail.caught_up.wait()
        yield
