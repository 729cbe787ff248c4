"""Writes one SSE response: a raw ASGI coroutine that holds a session and a cursor (`docs/architecture.md`)."""

import asyncio
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from time import time
from uuid import UUID

from starlette.types import Receive, Scope, Send

from gateway.admission.key_revocation import KeyRevocations
from gateway.connections.connection import Connection, connection_of
from gateway.replay.answers import Frame
from gateway.replay.buffer import ReplayBuffer
from gateway.replay.buffers import ReplayBuffers
from gateway.replay.pending_questions import PendingQuestions
from gateway.replay.resume import StreamPosition
from gateway.replay.subscriptions import Session, StreamStart
from gateway.replay.tail import Tail
from gateway.replay.waiting_lines import MIN_WAIT_SECONDS, WaitEstimate
from gateway.streaming.timer import StreamTimer
from gateway.streaming.timing import StreamTiming
from gateway.web import sse
from gateway.web.drain import Drain
from gateway.web.handoff import hand_off
from gateway.web.metrics import DELIVERY_SECONDS, OPEN_STREAMS, STREAMS_ENDED, STREAMS_STARTED
from schemas.sse import Queued

# Random, so that clients that reconnect together after a restart do not do so again and again.
LIFETIME_SECONDS = (480.0, 600.0)
# The interval of heartbeats to a peer that has half-closed its connection.
PROBE_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class StreamDependencies:
    """The sources of frames, and what ends streams; `key_hash` is of the API key that the visitor used."""

    buffers: ReplayBuffers
    tail: Tail
    drain: Drain
    questions: PendingQuestions
    keys: KeyRevocations
    key_hash: str | None = None
    timing: StreamTiming = field(default_factory=StreamTiming)


class EventStream:
    """Sends the first events, then frames as they arrive, until the lifetime ends or the client disconnects.

    With `message_id` it sends only that answer, and ends with it. `seconds` can shorten the usual lifetime.
    """

    __slots__ = (
        "_breaks", "_check_at", "_cursor", "_dependencies", "_drained_at", "_ends_at", "_first_events",
        "_heartbeat_at", "_heartbeat_seconds", "_is_finished", "_loop", "_message_id", "_opened_ms", "_prefix",
        "_prefix_bytes", "_queued_at", "_session", "_start_kind",
    )  # fmt: skip

    def __init__(
        self,
        dependencies: StreamDependencies,
        session: Session,
        start: StreamStart,
        *,
        accepted: bytes | None = None,
        message_id: UUID | None = None,
        seconds: float = LIFETIME_SECONDS[1],
    ) -> None:
        timing = dependencies.timing
        position = dependencies.tail.stream_position(session.key, session.partition)
        self._dependencies = dependencies
        self._session = session
        self._cursor = start.cursor
        self._message_id = str(message_id) if message_id else None
        self._prefix = position.event_id(0)[:-1]
        self._prefix_bytes = self._prefix.encode()
        self._start_kind = "snapshot" if start.answers else "deltas"
        self._first_events = list(_first_events(position, start, accepted, random.randint(*timing.retry_ms)))
        self._is_finished = any(
            answer.message_id == self._message_id and answer.state != "running" for answer in start.answers
        )
        self._loop = asyncio.get_running_loop()
        self._ends_at = self._check_at = self._loop.time() + min(seconds, random.uniform(*LIFETIME_SECONDS))
        self._drained_at: float | None = None
        self._queued_at = -timing.queued_every_seconds
        self._heartbeat_seconds = random.uniform(*timing.heartbeat_seconds)
        self._heartbeat_at = 0.0
        self._opened_ms = time() * 1000

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - ASGI
        """Send the response head; the stream runs once the application has returned. HEAD gets the headers."""
        await send({"type": "http.response.start", "status": 200, "headers": list(sse.HEADERS)})
        if scope["method"] == "HEAD":
            await send({"type": "http.response.body", "body": b""})
            return
        hand_off(scope, partial(self._run, connection_of(scope)))

    async def _run(self, connection: Connection, send: Send) -> None:
        STREAMS_STARTED.labels(self._start_kind).inc()
        timer = StreamTimer(connection.abort, self._dependencies.timing.stall_check_seconds)
        wake = timer.wake
        # Not `session.partition`: the log may have been replaced since the session was looked up.
        partition = self._dependencies.tail.partition(self._session.session_id)
        buffer = self._dependencies.buffers.join(self._session.key, partition, wake)
        is_same_log = self._session.incarnation == self._dependencies.tail.incarnation
        self._breaks = buffer.breaks if is_same_log else -1
        connection.on_lost = wake
        try:
            with OPEN_STREAMS.track_inprogress(), self._dependencies.keys.used(self._dependencies.key_hash):
                reason = await self._serve(connection, timer, buffer, send)
        finally:
            connection.on_lost = None
            timer.close()
            self._dependencies.buffers.leave(buffer, wake)
        STREAMS_ENDED.labels(reason).inc()

    async def _serve(self, connection: Connection, timer: StreamTimer, buffer: ReplayBuffer, send: Send) -> str:
        for body in sse.joined(self._first_events):
            await self._send(timer, send, body)
        self._first_events.clear()
        while (reason := self._reason_to_end(connection, timer, buffer)) is None:
            if buffer.last_offset > self._cursor and (frames := self._next(buffer)):
                # As `_send` does, but without another coroutine for each frame.
                timer.is_writing = True
                await send({"type": "http.response.body", "body": self._encode(frames), "more_body": True})
                timer.is_writing = False
                timer.writes += 1
                self._heartbeat_at = self._loop.time() + self._heartbeat_seconds
            else:
                if timer.is_due or connection.is_half_closed or self._dependencies.questions.is_any_waiting:
                    await self._send_due(connection, timer, send)
                await timer.arm(min(self._heartbeat_at, self._drained_at or self._ends_at, self._check_at))
        if not connection.is_lost:
            # No event is cut off: each earlier write ended with a whole event.
            await self._send(timer, send, sse.retry(random.randint(*self._dependencies.timing.retry_ms)), is_last=True)
        return reason

    def _reason_to_end(self, connection: Connection, timer: StreamTimer, buffer: ReplayBuffer) -> str | None:
        dependencies = self._dependencies
        if connection.is_lost:
            return "stalled" if timer.is_stalled else "disconnected"
        if self._is_finished:
            return "finished"
        if buffer.floor > self._cursor or buffer.breaks != self._breaks:
            return "behind"
        if dependencies.key_hash in dependencies.keys.revoked:
            return "revoked"
        return self._time_reason(timer) if timer.is_due or dependencies.drain.is_on else None

    def _time_reason(self, timer: StreamTimer) -> str | None:
        if self._dependencies.drain.is_on and self._drained_at is None:
            self._drained_at = self._loop.time() + self._dependencies.drain.share()
        if timer.is_due:
            now = self._loop.time()
            if self._drained_at is not None and now >= self._drained_at:
                return "drained"
            if now >= self._ends_at:
                return "lifetime"
        return None

    def _next(self, buffer: ReplayBuffer) -> list[Frame]:
        """The frames after the cursor; the cursor skips those of other answers."""
        frames = buffer.after(self._cursor, self._message_id)
        if not frames:
            self._cursor = buffer.last_offset
        return frames

    async def _send_due(self, connection: Connection, timer: StreamTimer, send: Send) -> None:
        """Sends what is due. Everything up to the tail's position is in the buffer, and was sent."""
        if timer.is_due:
            self._cursor = max(self._cursor, self._dependencies.tail.position(self._session.partition))
            if self._loop.time() >= self._heartbeat_at:
                await self._send(timer, send, sse.heartbeat(f"{self._prefix}{self._cursor}"))
        if connection.is_half_closed:
            # A peer that is gone answers a heartbeat with a reset, which ends the stream.
            self._heartbeat_seconds = PROBE_SECONDS
            self._heartbeat_at = min(self._heartbeat_at, self._loop.time() + PROBE_SECONDS)
        self._check_at = self._ends_at
        if self._dependencies.questions.is_waiting(self._session.client_id, self._session.session_id):
            self._check_at = min(self._ends_at, await self._send_queued(timer, send))

    async def _send_queued(self, timer: StreamTimer, send: Send) -> float:
        """Send how long the session's waiting questions have to wait; returns when to check again (loop time)."""
        now, every_seconds = self._loop.time(), self._dependencies.timing.queued_every_seconds
        if now < self._queued_at + every_seconds:
            return self._queued_at + every_seconds
        wait_estimates = self._dependencies.questions.wait_estimates(self._session.client_id, self._session.session_id)
        events = [queued(one) for one in wait_estimates if self._message_id in (None, one.message_id)]
        if not events:
            return now + MIN_WAIT_SECONDS
        self._queued_at = now
        await self._send(timer, send, b"".join(events))
        return now + every_seconds

    def _encode(self, frames: list[Frame]) -> bytes:
        bodies: list[bytes] = []
        size = 0
        for frame in frames:
            body = sse.frame(self._prefix_bytes, frame.offset, frame.event, frame.data)
            bodies.append(body)
            size += len(body)
            if self._message_id is not None and frame.is_ending:
                self._is_finished = True
                break
            if size >= sse.MAX_SEND_BYTES:
                break
        self._cursor = frame.offset
        # An observation costs as much as encoding ten events, and one in thirty-two is a large enough sample.
        if not frame.offset & 31 and frame.timestamp_ms > self._opened_ms:
            DELIVERY_SECONDS.observe(max(0.0, time() - frame.timestamp_ms / 1000))
        return b"".join(bodies) if len(bodies) > 1 else body

    async def _send(self, timer: StreamTimer, send: Send, body: bytes, *, is_last: bool = False) -> None:
        timer.is_writing = True
        await send({"type": "http.response.body", "body": body, "more_body": not is_last})
        timer.is_writing = False
        timer.writes += 1
        self._heartbeat_at = self._loop.time() + self._heartbeat_seconds


def _first_events(
    position: StreamPosition, start: StreamStart, accepted: bytes | None, retry_ms: int
) -> Iterator[bytes]:
    arrived = position.event_id(start.cursor)
    # Until the last snapshot has arrived, the client must hold an id that brings all of them again.
    yield sse.first(retry_ms, position.unfinished_id if start.answers else arrived)
    if accepted is not None:
        yield sse.event("accepted", accepted)
    for answer in start.answers:
        is_last = answer is start.answers[-1]
        yield sse.event("snapshot", answer.snapshot(), arrived if is_last else None)


def queued(estimate: WaitEstimate) -> bytes:
    """The `queued` event of an estimate."""
    wait_seconds = round(estimate.wait_seconds, 1)
    body = Queued(message_id=UUID(estimate.message_id), position=estimate.position, expected_wait_seconds=wait_seconds)
    return sse.event("queued", body.model_dump_json().encode())
