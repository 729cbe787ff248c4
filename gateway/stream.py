"""The writer of one SSE response: a raw ASGI coroutine that holds a session and a cursor (design §5)."""

import asyncio
import random
from collections.abc import Iterator
from dataclasses import dataclass
from time import time
from uuid import UUID

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from gateway import sse
from gateway.answers import Frame
from gateway.attach import Attached, Session
from gateway.drain import Drain
from gateway.metrics import ATTACHED, CLOSED, DELIVERY_SECONDS, OPEN_STREAMS
from gateway.news import next_frame
from gateway.rings import Rings
from gateway.tail import Tail

HEARTBEAT_SECONDS = (12.0, 18.0)
# Spread, so that a restart's reconnects do not come back together for ever.
LIFETIME_SECONDS = (480.0, 600.0)
RETRY_MS = (500, 3_000)
NOT_YET_RETRY_MS = 2_000
STALLED_SECONDS = 5.0


class StalledError(Exception):
    """The client does not read; it is cut off, and resumes."""


@dataclass(frozen=True, slots=True)
class Sources:
    """Where frames come from, and what tells streams to end."""

    rings: Rings
    tail: Tail
    drain: Drain


class EventStream(Response):
    """Sends the opening, then frames as they come, until the answer, the stream's life or the client ends.

    With `message_id` only that answer, and the stream ends with it. `seconds` bounds its life below the usual one.
    """

    def __init__(
        self,
        sources: Sources,
        session: Session,
        attached: Attached,
        *,
        accepted: bytes | None = None,
        message_id: UUID | None = None,
        seconds: float = LIFETIME_SECONDS[1],
    ) -> None:
        self._sources = sources
        self._session = session
        self._cursor = attached.cursor
        self._message_id = str(message_id) if message_id else None
        self._prefix = sources.tail.place(session.key, session.partition).event_id
        self._began = "snapshot" if attached.answers else "deltas"
        self._opening = list(self._open(attached, accepted))
        self._is_finished = self._message_id is not None and any(
            answer.message_id == self._message_id and answer.state != "running" for answer in attached.answers
        )
        self._ends_at = asyncio.get_running_loop().time() + min(seconds, random.uniform(*LIFETIME_SECONDS))
        self._drained_at: float | None = None
        self._heartbeat_at = 0.0
        self._opened_ms = time() * 1000

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve the request; HEAD gets the headers."""
        await send({"type": "http.response.start", "status": 200, "headers": list(sse.HEADERS)})
        if scope["method"] == "HEAD":
            await send({"type": "http.response.body", "body": b""})
            return
        ATTACHED.labels(self._began).inc()
        with OPEN_STREAMS.track_inprogress():
            try:
                reason = await self._serve(receive, send)
            except StalledError:
                reason = "stalled"
        CLOSED.labels(reason).inc()

    async def _serve(self, receive: Receive, send: Send) -> str:
        for body in sse.joined(self._opening):
            await self._send(send, body)
        self._opening.clear()
        while (reason := self._reason_to_end()) is None:
            body = self._pending()
            if body:
                await self._send(send, body)
            elif not await next_frame(self._sources.rings, self._session, receive, self._wakes_at()):
                return "disconnected"
        # Whole events only: everything before this was sent event by event.
        await self._send(send, sse.retry(random.randint(*RETRY_MS)), is_last=True)
        return reason

    def _reason_to_end(self) -> str | None:
        if self._is_finished:
            return "finished"
        if self._sources.rings.floor(self._session.key, self._session.partition) > self._cursor:
            return "behind"
        now = asyncio.get_running_loop().time()
        if self._sources.drain.is_on and self._drained_at is None:
            self._drained_at = now + self._sources.drain.share()
        if self._drained_at is not None and now >= self._drained_at:
            return "drained"
        return "lifetime" if now >= self._ends_at else None

    def _pending(self) -> bytes:
        ring = self._sources.rings.get(self._session.key)
        frames = ring.after(self._cursor, self._message_id) if ring else []
        if frames:
            return self._encode(frames)
        # Everything up to the tail's position is in the ring, and none of it is for us.
        self._cursor = max(self._cursor, self._sources.tail.position(self._session.partition))
        if asyncio.get_running_loop().time() >= self._heartbeat_at:
            return sse.heartbeat(self._prefix(self._cursor))
        return b""

    def _encode(self, frames: list[Frame]) -> bytes:
        body = bytearray()
        for frame in frames:
            body += sse.event(frame.event, frame.data, self._prefix(frame.offset))
            self._cursor = frame.offset
            if frame.is_ending and self._message_id is not None:
                self._is_finished = True
                break
            if len(body) >= sse.MAX_SEND_BYTES:
                break
        if frame.timestamp_ms > self._opened_ms:
            DELIVERY_SECONDS.observe(max(0.0, time() - frame.timestamp_ms / 1000))
        return bytes(body)

    def _wakes_at(self) -> float:
        return min(self._heartbeat_at, self._ends_at, self._drained_at or self._ends_at)

    async def _send(self, send: Send, body: bytes, *, is_last: bool = False) -> None:
        # The timer cancels from outside the write: a deadline checked between writes never comes to a blocked one.
        try:
            async with asyncio.timeout(STALLED_SECONDS):
                await send({"type": "http.response.body", "body": body, "more_body": not is_last})
        except TimeoutError as error:
            raise StalledError from error
        self._heartbeat_at = asyncio.get_running_loop().time() + random.uniform(*HEARTBEAT_SECONDS)

    def _open(self, attached: Attached, accepted: bytes | None) -> Iterator[bytes]:
        place = self._sources.tail.place(self._session.key, self._session.partition)
        arrived = place.event_id(attached.cursor)
        # Until its last snapshot has come a client must hold an id that brings all of them again.
        yield sse.first(random.randint(*RETRY_MS), place.unfinished_id if attached.answers else arrived)
        if accepted is not None:
            yield sse.event("accepted", accepted)
        for answer in attached.answers:
            is_last = answer is attached.answers[-1]
            yield sse.event("snapshot", answer.snapshot(), arrived if is_last else None)


def not_yet() -> Response:
    """A stream that ends at once: a native `EventSource` comes back after it, while a 503 would end it for good."""
    headers = {name.decode(): value.decode() for name, value in sse.HEADERS}
    return Response(sse.retry(NOT_YET_RETRY_MS), headers=headers)
