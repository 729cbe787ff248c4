"""A gateway on a real socket in the test's own loop, and a worker that follows a script."""

import asyncio
import json
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial

import httpx
import uvicorn
from starlette.datastructures import State

from chatconnect.client.sse_parser import SseParser
from gateway.app import create_app
from gateway.connections.protocol import ConnectionLimits, Protocol
from gateway.server import listen
from gateway.state import Gateway
from gateway.web.drain import Drain
from schemas.events import AnswerCompleted, AnswerDelta, AnswerSources, AnswerStarted, ChatRequested, Usage
from schemas.passages import Source
from stores.postgres.clients import Client, Keys
from streams.codec import decode
from streams.publisher import Publisher
from streams.reading.reader import LogReader
from streams.topics import CHAT_REQUESTED
from tests.support.patience import SECONDS

SOURCE = Source(n=1, document_id="doc_1", title="Guide", page=3, snippet="It depends.", score=0.9)


@dataclass
class Running:
    """The gateway's URL, the application's state with its parts, and an HTTP client for it."""

    url: str
    state: State
    http: httpx.AsyncClient

    @property
    def gateway(self) -> Gateway:
        return self.state.gateway

    def use(self, **parts):
        """Serves the next requests with these parts in place of the gateway's own."""
        self.state.gateway = replace(self.gateway, **parts)

    async def seed(self, name, *origins, tier="free"):
        """Creates a client and returns its keys."""
        keys = Keys(f"pk_{name}", f"sk_{name}")
        await self.gateway.clients.ensure(Client(name, name.title(), tier, origins), keys)
        return keys


@asynccontextmanager
async def running_gateway(settings, drain=None, timing=None, limits=None):
    """Ready on entry; drained on exit. `limits`: of its connections."""
    drain = drain or Drain()
    app = create_app(settings, drain, timing)
    protocol = partial(Protocol, limits=limits or ConnectionLimits())
    config = uvicorn.Config(
        app, http=protocol, lifespan="on", timeout_graceful_shutdown=1, access_log=False, log_config=None
    )
    server = uvicorn.Server(config)
    with listen("127.0.0.1", 0) as listener:
        serving = asyncio.create_task(server._serve([listener]))
        async with asyncio.timeout(SECONDS):
            while not server.started and not serving.done():
                await asyncio.sleep(0.01)
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        try:
            async with httpx.AsyncClient(base_url=url, timeout=20, trust_env=False) as http:
                yield Running(url, app.app.app.state, http)
        finally:
            server.should_exit = True
            await serving


class ScriptedWorker:
    """Answers each question with the events that the async generator `script(question)` yields."""

    def __init__(self, settings, script=None, *, since_minutes=0):
        self._settings = settings
        self._since = timedelta(minutes=since_minutes)
        self._script = script or words
        self.questions: list[ChatRequested] = []

    async def __aenter__(self):
        self._publisher = await Publisher(self._settings).__aenter__()
        self._reader = await LogReader(self._settings, CHAT_REQUESTED).__aenter__()
        await self._reader.seek(self._since)
        self._task = asyncio.create_task(self._work())
        return self

    async def __aexit__(self, *_):
        self._task.cancel()
        with suppress(asyncio.CancelledError):
            await self._task
        await self._reader.__aexit__(None, None, None)
        await self._publisher.__aexit__(None, None, None)

    async def _work(self):
        async for batch in self._reader.batches():
            for record in batch:
                question = decode(CHAT_REQUESTED, record)
                self.questions.append(question)
                async for event in self._script(question):
                    await self.publish(event)

    async def publish(self, event):
        await self._publisher.publish(event)


def answer_of(question, text, attempt=1):
    """The events of a whole answer, one delta per word."""
    pieces = [piece + " " for piece in text.split(" ")]
    envelope = {
        "client_id": question.client_id,
        "session_id": question.session_id,
        "message_id": question.message_id,
        "attempt": attempt,
    }
    return [
        AnswerStarted(**envelope, seq=0, model="scripted", tier="free"),
        AnswerSources(**envelope, seq=1, sources=[SOURCE]),
        *[AnswerDelta(**envelope, seq=2 + number, text=piece) for number, piece in enumerate(pieces)],
        AnswerCompleted(
            **envelope,
            seq=2 + len(pieces),
            finish_reason="stop",
            citations=[1],
            usage=Usage(input_tokens=3, output_tokens=len(pieces)),
            model="scripted",
        ),
    ]


async def words(question):
    """Echoes the question as the answer."""
    for event in answer_of(question, f"You asked: {question.text}"):
        yield event


async def events_of(response, until=None):
    """The (event, data, id) of an SSE response, to its end or until `until(event, data)`."""
    parser, found = SseParser(), []
    async for chunk in response.aiter_bytes():
        for frame in parser.feed(chunk):
            found.append((frame.event, json.loads(frame.data), frame.id))
            if until and until(frame.event, found[-1][1]):
                return found
    return found
