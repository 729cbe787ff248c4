"""The composition root: opens what the routes need, in order, and closes it in reverse."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from secrets import token_bytes

import structlog
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect

from gateway import problems, shedding
from gateway.access import Access
from gateway.attach import Attachments
from gateway.background import background
from gateway.caps import DOCUMENT_STREAMS, STREAMS, UPLOADS, WAITING, Places
from gateway.cors import Cors
from gateway.document_news import DocumentNews, hearing_documents
from gateway.drain import Drain
from gateway.failed_start import FailedStart
from gateway.guard import on_http_exception
from gateway.key_watch import KeyWatch
from gateway.keyholders import KeyHolders
from gateway.opening import Opening
from gateway.outbox import Outbox
from gateway.questions import Questions
from gateway.rings import Rings
from gateway.routes import ROUTES
from gateway.state import Gateway
from gateway.tail import Log, Tail
from gateway.tickets import Tickets
from gateway.unwound import Unwound
from gateway.waiting import Queue
from schemas.failures import PermanentError
from schemas.settings import Settings
from stores.chat_logs import ChatLogs
from stores.clients import Clients
from stores.database import DATABASE_ERRORS, Database, create_engine
from stores.documents import Documents
from stores.limits import Limits
from stores.sessions import Sessions
from stores.uploads import Uploads
from streams.collector import spare_what_stays
from streams.publisher import Publisher, PublishError
from streams.reader import LogReader
from streams.topic_watch import TopicWatch
from streams.topics import CHAT_TOKEN

CATCH_UP_SECONDS = 60.0
# A visitor waits two seconds for Postgres and no longer.
STORE_SECONDS = 1.8

log = structlog.get_logger()


def create_app(settings: Settings, drain: Drain | None = None) -> Unwound:
    """The gateway. `drain` is shared with the server that runs it, which ends the process when the tail dies."""
    shared = drain or Drain()

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with open_gateway(settings, shared) as gateway:
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
    # What `/openapi.json` does not name is not there.
    app.router.redirect_slashes = False
    # Outside of all, so that a page can read what a defect of ours is answered with.
    return Unwound(Cors(app))


@asynccontextmanager
async def open_gateway(settings: Settings, drain: Drain) -> AsyncIterator[Gateway]:
    """Yields once the rings hold the recent past, so that whoever is let in is answered in full."""
    async with AsyncExitStack() as stack:
        engine = create_engine(
            settings.database_url, command_timeout_seconds=STORE_SECONDS, connect_timeout_seconds=STORE_SECONDS
        )
        stack.push_async_callback(engine.dispose)
        publisher = await stack.enter_async_context(Publisher(settings))
        reader = await stack.enter_async_context(LogReader(settings, CHAT_TOKEN))
        news = await stack.enter_async_context(hearing_documents(settings, drain))
        gateway = build(settings, engine, Outbox(publisher), reader, news, drain)
        stack.push_async_callback(gateway.limits.close)
        drain.on_begin(gateway.rings.wake_all)
        await stack.enter_async_context(_tailing(gateway.tail, drain))
        await stack.enter_async_context(background("key_watch", gateway.key_watch.run(), drain))
        await stack.enter_async_context(background("topic_watch", gateway.topic_watch.run(), drain))
        spare_what_stays()
        yield gateway


def build(
    settings: Settings, engine: Database, outbox: Outbox, log_reader: Log, document_news: DocumentNews, drain: Drain
) -> Gateway:
    """The parts, put together; nothing is opened here."""
    if not settings.internal_secrets:
        log.warning("internal_secret_missing", consequence="tickets end with this process")
    clients, chat_logs = Clients(engine), ChatLogs(engine)
    tickets = Tickets(settings.ticket_secrets or (token_bytes(32),))
    limits = Limits(settings.redis_url)
    keys = KeyHolders(clients, limits)
    rings, queue = Rings(), Queue()
    questions = Questions(queue)
    tail = Tail(log_reader, rings, questions)
    attachments, sessions = Attachments(tail, rings, chat_logs), Sessions(engine)
    return Gateway(
        settings=settings,
        engine=engine,
        clients=clients,
        chat_logs=chat_logs,
        documents=Documents(engine),
        document_news=document_news,
        uploads=Uploads(settings.uploads_url),
        outbox=outbox,
        access=Access(clients, keys, tickets, settings.internal_secrets),
        keys=keys,
        limits=limits,
        streams=Places(STREAMS),
        waiting=Places(WAITING),
        document_streams=Places(DOCUMENT_STREAMS),
        uploading=Places(UPLOADS),
        tickets=tickets,
        rings=rings,
        tail=tail,
        questions=questions,
        queue=queue,
        attachments=attachments,
        drain=drain,
        sessions=sessions,
        opening=Opening(sessions, attachments, tickets),
        key_watch=KeyWatch(clients, rings.wake_all),
        topic_watch=TopicWatch(settings),
    )


@asynccontextmanager
async def _tailing(tail: Tail, drain: Drain) -> AsyncIterator[None]:
    # Whoever waits for the first catching up must not wait for a dead tail.
    drain.on_begin(tail.caught_up.set)
    async with background("tail", tail.run(), drain):
        async with asyncio.timeout(CATCH_UP_SECONDS):
            await tail.caught_up.wait()
        yield
