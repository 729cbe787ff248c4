"""The replay buffers of all sessions, bounded in age, in bytes per session and in total bytes."""

import sys
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from heapq import heappop, heappush
from time import monotonic

from gateway.replay.answers import FoldedAnswer, Frame
from gateway.replay.buffer import SESSION_BYTES, ReplayBuffer
from gateway.web.metrics import EVICTIONS
from schemas.events import ENDINGS
from schemas.keys import MessageKey, SessionKey

RETENTION_SECONDS = 120.0
STALLED_SECONDS = 600.0
# The precision of the order of last use, by which memory is freed.
USED_SECONDS = 1.0
TOTAL_BYTES = 64 * 1024 * 1024
# Each answer has up to two. `TOTAL_BYTES` is reached sooner, unless the answers were shed before they expired.
MAX_EXPIRIES = 400_000
# The share of the total that one shedding pass leaves. A pass blocks every stream: 70 ms to shed a tenth, 10 ms to
# shed this. It visits every buffer, so it must not be needed for each frame either.
SHEDDING_TARGET = 0.98
Take = Callable[[ReplayBuffer, Frame, float], bool]

# A floor above every offset: no cursor reaches it.
UNREACHED = sys.maxsize

# Ended answers before running ones; each pass begins with the least recently used session.
SHEDDING_ORDER = (
    ReplayBuffer.shed_ended,
    ReplayBuffer.shed_frames,
    ReplayBuffer.shed_texts,
    ReplayBuffer.shed_answers,
)


class ReplayBuffers:
    """Replay buffers by (client, session). Every frame that leaves a buffer raises a floor, so that gaps are detected:
    a cursor at or above a buffer's `floor` is past everything that the buffer no longer holds.
    """

    def __init__(
        self,
        clock: Callable[[], float] = monotonic,
        total_bytes: int = TOTAL_BYTES,
        session_bytes: int = SESSION_BYTES,
    ) -> None:
        self._clock = clock
        self._total_bytes = total_bytes
        self._session_bytes = session_bytes
        self._buffers: OrderedDict[SessionKey, ReplayBuffer] = OrderedDict()
        self._floors: dict[int, int] = {}
        self._by_message: dict[MessageKey, SessionKey] = {}
        self._expiries: list[tuple[float, SessionKey, str]] = []
        self.size_bytes = 0

    def __len__(self) -> int:
        return len(self._buffers)

    def __iter__(self) -> Iterator[ReplayBuffer]:
        return iter(list(self._buffers.values()))

    def begin(self, positions: Mapping[int, int]) -> None:
        """Start a log at the next offset of each partition. Everything from an earlier log is dropped."""
        old, self._buffers = self._buffers, OrderedDict()
        self._by_message.clear()
        self._expiries.clear()
        self.size_bytes = 0
        self._floors = {partition: position - 1 for partition, position in positions.items()}
        for buffer in old.values():
            buffer.end_streams()

    def get(self, key: SessionKey) -> ReplayBuffer | None:
        """The buffer of a session, or None."""
        return self._buffers.get(key)

    def floor(self, key: SessionKey, partition: int) -> int:
        """The lowest cursor from which the buffered frames are complete; `UNREACHED` while there is none."""
        buffer = self._buffers.get(key)
        if buffer is None:
            return self._floors.get(partition, -1)
        return UNREACHED if buffer.misplaced else buffer.floor

    def session_of(self, client_id: str, message_id: str) -> str | None:
        """The session of a buffered answer, or None."""
        key = self._by_message.get(MessageKey(client_id, message_id))
        return key.session_id if key else None

    def append(self, key: SessionKey, partition: int, frame: Frame) -> bool:
        """Add a frame and wake the streams of its session. False: it was dropped as old."""
        return self._take(key, partition, frame, ReplayBuffer.append)

    def skip(self, key: SessionKey, partition: int, frame: Frame) -> None:
        """Note a frame with unreadable data: its answer is not whole here, and the rest of it is not sent."""
        self._take(key, partition, frame, ReplayBuffer.skip)

    def misplace(self, key: SessionKey, partition: int, frame: Frame) -> None:
        """Note a frame of this partition's session that was read from another one, where its offset means nothing: as
        `skip`, and no cursor proves completeness until its answer is dropped here.
        """
        self._take(key, partition, frame, ReplayBuffer.misplace)

    def _take(self, key: SessionKey, partition: int, frame: Frame, take: Take) -> bool:
        buffer = self._buffers.get(key) or self._create(key, partition)
        now = self._clock()
        if now - buffer.used_at > USED_SECONDS:
            buffer.used_at = now
            self._buffers.move_to_end(key)
        is_known = frame.message_id in buffer.progress
        size = buffer.size_bytes
        is_new = take(buffer, frame, now)
        self.size_bytes += buffer.size_bytes - size
        if is_known and is_new and frame.event not in ENDINGS and self.size_bytes <= self._total_bytes:
            return True
        if is_new and not is_known:
            # A message id keeps the session in which it was first answered.
            self._by_message.setdefault(MessageKey(key.client_id, frame.message_id), key)
            heappush(self._expiries, (now + STALLED_SECONDS, key, frame.message_id))
        if is_new and frame.is_ending:
            heappush(self._expiries, (now + RETENTION_SECONDS, key, frame.message_id))
        while len(self._expiries) > MAX_EXPIRIES:
            self._forget(*heappop(self._expiries)[1:])
        if self.size_bytes > self._total_bytes:
            self._shed()
        return is_new

    def join(self, key: SessionKey, partition: int, wake: Callable[[], None]) -> ReplayBuffer:
        """The session's buffer, which calls `wake` for each frame and exists at least until `leave`."""
        buffer = self._buffers.get(key) or self._create(key, partition)
        buffer.waiters.add(wake)
        return buffer

    def leave(self, buffer: ReplayBuffer, wake: Callable[[], None]) -> None:
        """Stop calling `wake`; drop the buffer if it is empty and no stream waits for it."""
        buffer.waiters.discard(wake)
        self._drop_if_unused(buffer)

    def wake_all(self) -> None:
        """Wake every stream, so that it checks whether it must end."""
        for buffer in self._buffers.values():
            buffer.wake()

    def sweep(self) -> None:
        """Drop answers that ended `RETENTION_SECONDS` ago, and those without a frame for `STALLED_SECONDS`."""
        now = self._clock()
        while self._expiries and self._expiries[0][0] <= now:
            _, key, message_id = heappop(self._expiries)
            buffer = self._buffers.get(key)
            progress = buffer.progress.get(message_id) if buffer else None
            if progress is not None:
                due = progress.seen_at + (STALLED_SECONDS if progress.is_running else RETENTION_SECONDS)
                if due > now:
                    heappush(self._expiries, (due, key, message_id))
                    continue
                EVICTIONS.labels("age").inc()
            self._forget(key, message_id)

    def answers(self, key: SessionKey) -> list[FoldedAnswer]:
        """Every buffered answer of the session, oldest first."""
        buffer = self._buffers.get(key)
        return [buffer.answer(message_id) for message_id in buffer.progress] if buffer else []

    def _create(self, key: SessionKey, partition: int) -> ReplayBuffer:
        floor = self._floors.get(partition, -1)
        buffer = self._buffers[key] = ReplayBuffer(key, partition, floor, session_bytes=self._session_bytes)
        return buffer

    def _forget(self, key: SessionKey, message_id: str) -> None:
        message = MessageKey(key.client_id, message_id)
        if self._by_message.get(message) == key:
            del self._by_message[message]
        buffer = self._buffers.get(key)
        if buffer is not None and message_id in buffer.progress:
            self.shrink(buffer, partial(ReplayBuffer.forget, message_id=message_id))

    def _shed(self) -> None:
        target = self._total_bytes * SHEDDING_TARGET
        EVICTIONS.labels("memory").inc()
        for shed in SHEDDING_ORDER:
            for buffer in self:
                if self.size_bytes <= target:
                    return
                self.shrink(buffer, shed)

    def shrink(self, buffer: ReplayBuffer, shed: Callable[[ReplayBuffer], None]) -> None:
        """Drop a part of a buffer, and the buffer if nothing is left of it."""
        size = buffer.size_bytes
        shed(buffer)
        self.size_bytes += buffer.size_bytes - size
        self._drop_if_unused(buffer)

    def _drop_if_unused(self, buffer: ReplayBuffer) -> None:
        if self._buffers.get(buffer.key) is buffer and not buffer.waiters and not buffer.progress and not buffer.frames:
            self._floors[buffer.partition] = max(self._floors.get(buffer.partition, -1), buffer.floor)
            self._buffers.pop(buffer.key, None)
