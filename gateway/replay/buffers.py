"""The recent frames of every session, bounded in time, in bytes per session and in bytes in all."""

import sys
from collections import OrderedDict
from collections.abc import Callable, Mapping
from functools import partial
from heapq import heappop, heappush
from time import monotonic

from gateway.replay.answers import Answer, Frame
from gateway.replay.buffer import Ring, RingKey
from gateway.web.metrics import EVICTIONS

KEPT_SECONDS = 120.0
SILENT_SECONDS = 600.0
TOTAL_BYTES = 64 * 1024 * 1024
# Beginnings and ends that are remembered; the weight of what they stand for bounds them sooner, unless it was shed.
MAX_ANSWERS = 400_000
# What one pass of relief leaves. It stops every stream for as long as it takes to read what it sheds, 70 ms for a
# tenth and 10 ms for this; and it looks at every ring, so it must not be needed for each frame either.
RELIEVED_SHARE = 0.98
# Above every offset.
UNREACHED = sys.maxsize


class Rings:
    """Rings by (client, session). Whatever leaves a ring raises a floor, so that no gap goes unnoticed:
    a cursor at or above a ring's `floor` has seen everything that the ring no longer holds.
    """

    def __init__(self, clock: Callable[[], float] = monotonic, total_bytes: int = TOTAL_BYTES) -> None:
        self._clock = clock
        self._total_bytes = total_bytes
        self._rings: OrderedDict[RingKey, Ring] = OrderedDict()
        self._floors: dict[int, int] = {}
        self._by_message: dict[tuple[bytes, str], RingKey] = {}
        self._expiries: list[tuple[float, RingKey, str]] = []
        self.size_bytes = 0

    def __len__(self) -> int:
        return len(self._rings)

    def begin(self, positions: Mapping[int, int]) -> None:
        """A log begins: of each partition nothing before its position is known here, and nothing of an earlier log."""
        old, self._rings = self._rings, OrderedDict()
        self._by_message.clear()
        self._expiries.clear()
        self.size_bytes = 0
        self._floors = {partition: position - 1 for partition, position in positions.items()}
        for ring in old.values():
            ring.break_off()

    def get(self, key: RingKey) -> Ring | None:
        """The ring of a session, if it has one."""
        return self._rings.get(key)

    def floor(self, key: RingKey, partition: int) -> int:
        """The lowest cursor from which the frames held here are all there are."""
        ring = self._rings.get(key)
        if ring is None:
            return self._floors.get(partition, -1)
        return UNREACHED if ring.misplaced else ring.floor

    def session_of(self, client_id: str, message_id: str) -> str | None:
        """The session of an answer that is held here."""
        key = self._by_message.get((client_id.encode(), message_id))
        return key[1].decode() if key else None

    def append(self, key: RingKey, partition: int, frame: Frame) -> bool:
        """Take a frame and wake who waits for it. False: a repetition, dropped."""
        return self._take(key, partition, frame, Ring.append)

    def skip(self, key: RingKey, partition: int, frame: Frame) -> None:
        """A frame whose data cannot be read: its answer is not whole here, and nobody is sent the rest of it."""
        self._take(key, partition, frame, Ring.skip)

    def misplace(self, key: RingKey, partition: int, frame: Frame) -> None:
        """A frame of this partition's session came on another one, where its offset says nothing: as `skip`, and no
        cursor proves that nothing is missing until its answer is forgotten here.
        """
        self._take(key, partition, frame, Ring.misplace)

    def _take(self, key: RingKey, partition: int, frame: Frame, take: Callable[[Ring, Frame, float], bool]) -> bool:
        ring = self._rings.get(key) or self._create(key, partition)
        self._rings.move_to_end(key)
        is_known = frame.message_id in ring.progress
        size = ring.size_bytes
        is_news = take(ring, frame, self._clock())
        self.size_bytes += ring.size_bytes - size
        if is_news and not is_known:
            # The first session that a message was answered in stays the one it is found by.
            self._by_message.setdefault((key[0], frame.message_id), key)
            heappush(self._expiries, (self._clock() + SILENT_SECONDS, key, frame.message_id))
        if is_news and frame.is_ending:
            heappush(self._expiries, (self._clock() + KEPT_SECONDS, key, frame.message_id))
        while len(self._expiries) > MAX_ANSWERS:
            self._forget(*heappop(self._expiries)[1:])
        if self.size_bytes > self._total_bytes:
            self._relieve()
        return is_news

    def join(self, key: RingKey, partition: int, wake: Callable[[], None]) -> Ring:
        """The session's ring, which calls `wake` at each frame and stays until `leave`."""
        ring = self._rings.get(key) or self._create(key, partition)
        ring.waiters.add(wake)
        return ring

    def leave(self, ring: Ring, wake: Callable[[], None]) -> None:
        """Wake it no more; an empty ring that nobody waits at goes."""
        ring.waiters.discard(wake)
        self._drop_if_unused(ring)

    def wake_all(self) -> None:
        """Let every waiter look around: the drain began."""
        for ring in self._rings.values():
            ring.wake()

    def sweep(self) -> None:
        """Forget answers that ended `KEPT_SECONDS` ago, and those silent for `SILENT_SECONDS`."""
        now = self._clock()
        while self._expiries and self._expiries[0][0] <= now:
            _, key, message_id = heappop(self._expiries)
            ring = self._rings.get(key)
            progress = ring.progress.get(message_id) if ring else None
            if progress is not None:
                due = progress.seen_at + (SILENT_SECONDS if progress.is_running else KEPT_SECONDS)
                if due > now:
                    heappush(self._expiries, (due, key, message_id))
                    continue
                EVICTIONS.labels("age").inc()
            self._forget(key, message_id)

    def answers(self, key: RingKey) -> list[Answer]:
        """Every answer of the session that is held here, oldest first."""
        ring = self._rings.get(key)
        return [ring.answer(message_id) for message_id in ring.progress] if ring else []

    def _create(self, key: RingKey, partition: int) -> Ring:
        ring = self._rings[key] = Ring(key, partition, self._floors.get(partition, -1))
        return ring

    def _forget(self, key: RingKey, message_id: str) -> None:
        if self._by_message.get((key[0], message_id)) == key:
            del self._by_message[key[0], message_id]
        ring = self._rings.get(key)
        if ring is not None and message_id in ring.progress:
            self._shrink(ring, partial(ring.forget, message_id))

    def _relieve(self) -> None:
        target = self._total_bytes * RELIEVED_SHARE
        # Ended answers before running ones, and the least recently used first.
        EVICTIONS.labels("memory").inc()
        for shed in (Ring.shed_ended, Ring.shed_frames, Ring.shed_texts, Ring.shed_answers):
            for ring in list(self._rings.values()):
                if self.size_bytes <= target:
                    return
                self._shrink(ring, partial(shed, ring))

    def _shrink(self, ring: Ring, change: Callable[[], None]) -> None:
        size = ring.size_bytes
        change()
        self.size_bytes += ring.size_bytes - size
        self._drop_if_unused(ring)

    def _drop_if_unused(self, ring: Ring) -> None:
        if self._rings.get(ring.key) is ring and not ring.waiters and not ring.progress and not ring.frames:
            self._floors[ring.partition] = max(self._floors.get(ring.partition, -1), ring.floor)
            self._rings.pop(ring.key, None)
