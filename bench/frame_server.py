"""A server of token streams for `bench.gateway`: ours, or bare ASGI. Frames are made inside the process.

`python -m bench.frame_server ours|raw --port N --streams S --frames-per-second R --seconds T` prints one JSON line:
frames delivered, and CPU seconds from the first frame on.
"""

import argparse
import asyncio
import gc
import json
import os
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Collection
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, Protocol
from urllib.parse import parse_qs

import uvicorn
import uvloop
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.admission.key_revocation import KeyRevocations
from gateway.connections.protocol import Protocol as HttpProtocol
from gateway.replay.buffers import ReplayBuffers
from gateway.replay.pending_questions import PendingQuestions
from gateway.replay.subscriptions import Session, StreamStart
from gateway.replay.tail import Tail
from gateway.server import listen
from gateway.streaming.stream import EventStream, StreamDependencies
from gateway.web import sse
from gateway.web.cors import Cors
from gateway.web.drain import Drain
from gateway.web.handoff import StreamHandoff

CLIENT = "bench"
MESSAGE = "0197c2a0-0000-7000-8000-{:012d}"
TEXT = "five tokens of an answer "
EPOCH = "bench"
# Kafka delivers records in batches: this many sessions' frames come at once.
AT_ONCE = 10
SETTLE_SECONDS = 0.2


class Streams(Protocol):
    """A server under test."""

    app: ASGIApp

    def prepare(self, number: int, seq: int) -> Any:
        """A frame of one stream in the server's input form, made before the clock starts."""
        ...

    def put(self, frames: list[Any]) -> None:
        """Deliver these frames."""
        ...


def data_of(number: int, seq: int) -> bytes:
    """The data of a delta, the same on both servers."""
    head = f'{{"messageId":"{MESSAGE.format(number)}","attempt":1,"seq":{seq},"text":"'
    return f'{head}{TEXT}"}}'.encode()


@dataclass
class RawStreams:
    """The baseline: a coroutine per stream, woken by an event, sends what is there. No resume, limits or heartbeat."""

    pending: dict[int, list[tuple[int, bytes]]] = field(default_factory=lambda: defaultdict(list))
    arrived: dict[int, asyncio.Event] = field(default_factory=lambda: defaultdict(asyncio.Event))

    @property
    def app(self) -> ASGIApp:
        """ASGI and nothing else."""
        return self._serve

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - ASGI
        number = int(parse_qs(scope["query_string"].decode())["n"][0])
        await send({"type": "http.response.start", "status": 200, "headers": list(sse.HEADERS)})
        await send({"type": "http.response.body", "body": sse.retry(1000), "more_body": True})
        while True:
            await self.arrived[number].wait()
            self.arrived[number].clear()
            frames = (sse.event("delta", data, f"{EPOCH}.0.{seq}") for seq, data in self.pending.pop(number))
            await send({"type": "http.response.body", "body": b"".join(frames), "more_body": True})

    def prepare(self, number: int, seq: int) -> tuple[int, int, bytes]:
        """Its stream, its `seq`, its data."""
        return number, seq, data_of(number, seq)

    def put(self, frames: list[tuple[int, int, bytes]]) -> None:
        """Wake the stream of each frame."""
        for number, seq, data in frames:
            self.pending[number].append((seq, data))
            self.arrived[number].set()


class InMemoryLog:
    """The log of `gateway.replay.tail`, filled by the bench."""

    epoch = EPOCH
    partitions = 1
    is_caught_up = True

    def __init__(self) -> None:
        self.queue: asyncio.Queue[list[Any]] = asyncio.Queue(10_000)
        self.offset = 0
        self.polled_at = self.last_alive_at = 0.0

    async def seek(self, since: object) -> None:
        """It begins empty."""

    async def batches(self) -> AsyncIterator[list[Any]]:
        """The batches that were put in."""
        while True:
            yield await self.queue.get()

    def position(self, partition: int) -> int:  # noqa: ARG002 - there is one
        """The offset that is read next."""
        return self.offset

    end_offset = position


class NoKeys:
    """API keys of which none is ever revoked."""

    async def revoked(self, key_hashes: Collection[str]) -> set[str]:  # noqa: ARG002 - as the gateway asks
        """Always none."""
        return set()


class GatewayStreams:
    """The gateway's own stack: application, middleware, tail, rings and writer."""

    def __init__(self) -> None:
        self._log = InMemoryLog()
        self._buffers, self._drain = ReplayBuffers(), Drain()
        self._questions, self._keys = PendingQuestions(), KeyRevocations(NoKeys(), lambda: None)
        self._tail = Tail(self._log, self._buffers, self._questions)  # type: ignore[arg-type]
        self._running: asyncio.Task[None] | None = None
        self.app = StreamHandoff(Starlette(routes=[Route("/", self._events)], middleware=[Middleware(Cors)]))

    async def _events(self, request: Request) -> EventStream:
        # Like a gateway: no stream starts before the tail has caught up.
        self._running = self._running or asyncio.create_task(self._tail.run())
        await self._tail.caught_up.wait()
        session = Session(CLIENT, request.query_params["n"], 0, self._tail.incarnation)
        dependencies = StreamDependencies(self._buffers, self._tail, self._drain, self._questions, self._keys)
        return EventStream(dependencies, session, StreamStart(self._tail.position(0)))

    def prepare(self, number: int, seq: int) -> SimpleNamespace:
        """A record of `chat.token`."""
        self._log.offset += 1
        return SimpleNamespace(
            partition=0,
            offset=self._log.offset,
            timestamp=int(time.time() * 1000) + 1_000_000,
            key=str(number).encode(),
            value=data_of(number, seq),
            headers=(
                ("event-type", b"AnswerDelta"),
                ("client-id", CLIENT.encode()),
                ("answer", f"{MESSAGE.format(number)}/1/{seq}".encode()),
            ),
        )

    def put(self, frames: list[SimpleNamespace]) -> None:
        """A batch of the log."""
        self._log.queue.put_nowait(frames)


async def feed(server: Streams, streams: int, per_second: int, seconds: float) -> dict[str, float]:
    """Delivers frames to all streams, spread evenly over each turn, as tokens of many answers are."""
    turns = int(seconds * per_second)
    prepared = [[server.prepare(number, turn) for number in range(streams)] for turn in range(turns)]
    # The garbage collector must not scan the bench's objects during the measurement.
    gc.collect()
    gc.freeze()
    started, cpu = time.monotonic(), time.process_time()
    for turn, row in enumerate(prepared):
        for number in range(0, streams, AT_ONCE):
            server.put(row[number : number + AT_ONCE])
            due = started + (turn + number / streams) / per_second
            await asyncio.sleep(max(0.0, due - time.monotonic()))
    await asyncio.sleep(SETTLE_SECONDS)
    return {"frames": turns * streams, "cpu_seconds": time.process_time() - cpu}


async def serve(kind: str, port: int, streams: int, per_second: int, seconds: float) -> None:
    """Serves until all frames are out; starts when the client sends a line, with all its streams connected."""
    server: Streams = GatewayStreams() if kind == "ours" else RawStreams()
    protocol = HttpProtocol if kind == "ours" else "httptools"
    config = uvicorn.Config(
        server.app, http=protocol, interface="asgi3", lifespan="off", access_log=False, log_config=None
    )  # type: ignore[arg-type]
    with listen("127.0.0.1", port) as listener:
        serving = asyncio.create_task(uvicorn.Server(config)._serve([listener]))  # noqa: SLF001 - no signals here
        await asyncio.to_thread(input)
        print(json.dumps(await feed(server, streams, per_second, seconds)), flush=True)
        os._exit(0)
        await serving


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kind", choices=["ours", "raw"])
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--streams", type=int, default=200)
    parser.add_argument("--frames-per-second", type=int, default=25)
    parser.add_argument("--seconds", type=float, default=6.0)
    given = parser.parse_args()
    uvloop.run(serve(given.kind, given.port, given.streams, given.frames_per_second, given.seconds))
