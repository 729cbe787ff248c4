"""The recent frames of every session, bounded in time, in bytes per session and in bytes in all."""

import sys
from collections import OrderedDict
from collections.abc import Callable, Mapping
from functools import partial
from heapq import heappop, heappush
from time import monotonic

from gateway.replay.answers import FoldedAnswer, Frame
from gateway.replay.buffer import ReplayBuffer
from gateway.web.metrics import EVICTIONS
from schemas.keys import MessageKey, SessionKey

KEPT_SECONDS = 120.0
STALLED_SECONDS = 600.0
TOTAL_BYTES = 64 * 1024 * 1024
# Beginnings and ends that are remembered; the weight of what they stand for bounds them sooner, unless it was shed.
MAX_ANSWERS = 400_000
# What one pass of relief leaves. It stops every stream for as long as it takes to read what it sheds, 70 ms for a
# tenth and 10 ms for this; and it looks at every ring, so it must not be needed for each frame either.
RELIEVED_SHARE = 0.98
Take = Callable[[ReplayBuffer, Frame, float], bool]

# Above every offset.
UNREACHED = sys.maxsize

# Ended answers before running ones; each pass begins with the least recently used session.
SHEDDING_ORDER = (
    ReplayBuffer.shed_ended,
    ReplayBuffer.shed_frames,
    ReplayBuffer.shed_texts,
    ReplayBuffer.shed_answers,
)


class ReplayBuffers:
    """Rings by (client, session). Whatever leaves a ring raises a floor, so that no gap goes unnoticed:
    a cursor at or above a ring's `floor` has seen everything that the ring no longer holds.
    """

    def __init__(self, clock: Callable[[], float] = monotonic, total_bytes: int = TOTAL_BYTES) -> None:
        self._clock = clock
        self._total_bytes = total_bytes
        self._buffers: OrderedDict[SessionKey, ReplayBuffer] = OrderedDict()
        self._floors: dict[int, int] = {}
        self._by_message: dict[MessageKey, SessionKey] = {}
        self._expiries: list[tuple[float, SessionKey, str]] = []
        self.size_bytes = 0

    def __len__(self) -> int:
        return len(self._buffers)

    def begin(self, positions: Mapping[int, int]) -> None:
        """A log begins: of each partition nothing before its position is known here, and nothing of an earlier log."""
        old, self._buffers = self._buffers, OrderedDict()
        self._by_message.clear()
        self._expiries.clear()
        self.size_bytes = 0
        self._floors = {partition: position - 1 for partition, position in positions.items()}
        for buffer in old.values():
            buffer.break_off()

    def get(self, key: SessionKey) -> ReplayBuffer | None:
        """The ring of a session, if it has one."""
        return self._buffers.get(key)

    def floor(self, key: SessionKey, partition: int) -> int:
        """The lowest cursor from which the frames held here are all there are."""
        buffer = self._buffers.get(key)
        if buffer is None:
            return self._floors.get(partition, -1)
        return UNREACHED if buffer.misplaced else buffer.floor

    def session_of(self, client_id: str, message_id: str) -> str | None:
        """The session of an answer that is held here."""
        key = self._by_message.get(MessageKey(client_id, message_id))
        return key.session_id if key else None

    def append(self, key: SessionKey, partition: int, frame: Frame) -> bool:
        """Take a frame and wake who waits for it. False: a repetition, dropped."""
        return self._take(key, partition, frame, ReplayBuffer.append)

    def skip(self, key: SessionKey, partition: int, frame: Frame) -> None:
        """A frame whose data cannot be read: its answer is not whole here, and nobody is sent the rest of it."""
        self._take(key, partition, frame, ReplayBuffer.skip)

    def misplace(self, key: SessionKey, partition: int, frame: Frame) -> None:
        """A frame of this partition's session came on another one, where its offset says nothing: as `skip`, and no
        cursor proves that nothing is missing until its answer is forgotten here.
        """
        self._take(key, partition, frame, ReplayBuffer.misplace)

    def _take(self, key: SessionKey, partition: int, frame: Frame, take: Take) -> bool:
        buffer = self._buffers.get(key) or self._create(key, partition)
        self._buffers.move_to_end(key)
        is_known = frame.message_id in buffer.progress
        size = buffer.size_bytes
        is_news = take(buffer, frame, self._clock())
        self.size_bytes += buffer.size_bytes - size
        if is_news and not is_known:
            # The first session that a message was answered in stays the one it is found by.
            self._by_message.setdefault(MessageKey(key.client_id, frame.message_id), key)
            heappush(self._expiries, (self._clock() + STALLED_SECONDS, key, frame.message_id))
        if is_news and frame.is_ending:
            heappush(self._expiries, (self._clock() + KEPT_SECONDS, key, frame.message_id))
        while len(self._expiries) > MAX_ANSWERS:
            self._forget(*heappop(self._expiries)[1:])
        if self.size_bytes > self._total_bytes:
            self._relieve()
        return is_news

    def join(self, key: SessionKey, partition: int, wake: Callable[[], None]) -> ReplayBuffer:
        """The session's ring, which calls `wake` at each frame and stays until `leave`."""
        buffer = self._buffers.get(key) or self._create(key, partition)
        buffer.waiters.add(wake)
        return buffer

    def leave(self, buffer: ReplayBuffer, wake: Callable[[], None]) -> None:
        """Wake it no more; an empty ring that nobody waits at goes."""
        buffer.waiters.discard(wake)
        self._drop_if_unused(buffer)

    def wake_all(self) -> None:
        """Let every waiter look around: the drain began."""
        for buffer in self._buffers.values():
            buffer.wake()

    def sweep(self) -> None:
        """Forget answers that ended `KEPT_SECONDS` ago, and those silent for `STALLED_SECONDS`."""
        now = self._clock()
        while self._expiries and self._expiries[0][0] <= now:
            _, key, message_id = heappop(self._expiries)
            buffer = self._buffers.get(key)
            progress = buffer.progress.get(message_id) if buffer else None
            if progress is not None:
                due = progress.seen_at + (STALLED_SECONDS if progress.is_running else KEPT_SECONDS)
                if due > now:
                    heappush(self._expiries, (due, key, message_id))
                    continue
                EVICTIONS.labels("age").inc()
            self._forget(key, message_id)

    def answers(self, key: SessionKey) -> list[FoldedAnswer]:
        """Every answer of the session that is held here, oldest first."""
        buffer = self._buffers.get(key)
        return [buffer.answer(message_id) for message_id in buffer.progress] if buffer else []

    def _create(self, key: SessionKey, partition: int) -> ReplayBuffer:
        buffer = self._buffers[key] = ReplayBuffer(key, partition, self._floors.get(partition, -1))
        return buffer

    def _forget(self, key: SessionKey, message_id: str) -> None:
        message = MessageKey(key.client_id, message_id)
        if self._by_message.get(message) == key:
            del self._by_message[message]
        buffer = self._buffers.get(key)
        if buffer is not None and message_id in buffer.progress:
            self._shrink(buffer, partial(buffer.forget, message_id))

    def _relieve(self) -> None:
        target = self._total_bytes * RELIEVED_SHARE
        EVICTIONS.labels("memory").inc()
        for shed in SHEDDING_ORDER:
            for buffer in list(self._buffers.values()):
                if self.size_bytes <= target:
                    return
                self._shrink(buffer, partial(shed, buffer))

    def _shrink(self, buffer: ReplayBuffer, change: Callable[[], None]) -> None:
        size = buffer.size_bytes
        change()
        self.size_bytes += buffer.size_bytes - size
        self._drop_if_unused(buffer)

    def _drop_if_unused(self, buffer: ReplayBuffer) -> None:
        if self._buffers.get(buffer.key) is buffer and not buffer.waiters and not buffer.progress and not buffer.frames:
            self._floors[buffer.partition] = max(self._floors.get(buffer.partition, -1), buffer.floor)
            self._buffers.pop(buffer.key, None)
