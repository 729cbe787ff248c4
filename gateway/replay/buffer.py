"""One session's replay buffer: its recent frames, and the progress of each of its answers."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from math import inf

from msgspec import structs

from gateway.replay.answers import FoldedAnswer, Frame
from schemas.events import ENDINGS
from schemas.keys import SessionKey

SESSION_BYTES = 256 * 1024
# Approximate memory of a frame in addition to its data, and of an answer in addition to its frames.
FRAME_OVERHEAD_BYTES = 256
ANSWER_OVERHEAD_BYTES = 1_024
REMEMBERED_ENDINGS = 64


@dataclass(slots=True)
class Progress:
    """The position of one answer. `folded` is the state after its evicted frames.

    `has_gap`: a frame is missing or unreadable, so later frames of the attempt must not be sent.
    """

    attempt: int
    seq: int
    is_whole: bool
    seen_at: float
    is_running: bool = True
    has_gap: bool = False
    folded: FoldedAnswer | None = None

    def is_followed_by(self, frame: Frame) -> bool:
        """Whether a frame is the next of this attempt and not its ending, as nearly all are."""
        return (
            frame.seq == self.seq + 1
            and frame.attempt == self.attempt
            and self.is_running
            and not self.has_gap
            and frame.event not in ENDINGS
        )

    def is_past(self, frame: Frame) -> bool:
        """Whether a frame is old: a repetition, of a lower attempt, or after the ending."""
        if not self.is_running or frame.attempt < self.attempt:
            return True
        return frame.attempt == self.attempt and frame.seq <= self.seq


class ReplayBuffer:
    """Frames in log order, without repetitions within an answer.

    `last_offset` is that of the newest frame, -1 before any. `floor` is the highest offset that was evicted or skipped;
    from a cursor at or above it `after` returns every frame, unless an answer is `misplaced`: a frame of it was on a
    wrong partition. `breaks` counts the changes that no cursor can account for: a stream that started with another
    count must end, and the client resumes with snapshots.
    """

    __slots__ = (
        "_ended", "_session_bytes", "breaks", "floor", "frames", "key", "last_offset", "misplaced", "partition",
        "progress", "size_bytes", "used_at", "waiters",
    )  # fmt: skip

    def __init__(self, key: SessionKey, partition: int, floor: int, *, session_bytes: int = SESSION_BYTES) -> None:
        self.key = key
        self.partition = partition
        self.floor = floor
        self._session_bytes = session_bytes
        self.frames: deque[Frame] = deque()
        self.progress: dict[str, Progress] = {}
        self.waiters: set[Callable[[], None]] = set()
        self.misplaced: set[str] = set()
        self.breaks = 0
        self.last_offset = -1
        self.used_at = -inf
        self.size_bytes = 0
        self._ended: dict[str, None] = {}

    def append(self, frame: Frame, now: float) -> bool:
        """Add a frame. False: it was dropped as a repetition, of a lower attempt, or after the ending of its answer."""
        progress = self.progress.get(frame.message_id)
        if progress is not None and progress.is_followed_by(frame):
            progress.seq, progress.seen_at = frame.seq, now
        elif not self._advance(frame, now):
            return False
        elif self.progress[frame.message_id].has_gap:
            self._raise_floor(frame)
            return True
        self.frames.append(frame)
        self.last_offset = frame.offset
        self.size_bytes += len(frame.data) + FRAME_OVERHEAD_BYTES
        while self.size_bytes > self._session_bytes and len(self.frames) > 1:
            self._evict()
        for wake in self.waiters:
            wake()
        return True

    def skip(self, frame: Frame, now: float) -> bool:
        """Note a frame with unreadable data, whose other fields are not trusted either: its answer has a gap here if
        it is running and `append` would accept the frame. An unknown answer stays unknown. Returns False.
        """
        progress = self.progress.get(frame.message_id)
        if progress is not None and not progress.is_past(frame):
            progress.seen_at = now
            self._break(frame)
        elif progress is None and frame.message_id not in self._ended:
            self._raise_floor(frame)
        return False

    def misplace(self, frame: Frame, now: float) -> bool:
        """Note a frame read from another partition: its answer has a gap, and all streams end."""
        here = structs.replace(frame, offset=self.floor)
        is_new = self._advance(here, now)
        if is_new:
            self._break(here)
            self.misplaced.add(frame.message_id)
            self.end_streams()
        return is_new

    def end_streams(self) -> None:
        """End every stream of the session, whatever its cursor: its client must resume with snapshots."""
        self.breaks += 1
        self.wake()

    def after(self, cursor: int, message_id: str | None) -> list[Frame]:
        """The frames after a cursor, of all answers or of one; then without `asked`, which its own client sent."""
        newer: list[Frame] = []
        for frame in reversed(self.frames):
            if frame.offset <= cursor:
                break
            if message_id is None or (frame.message_id == message_id and frame.attempt):
                newer.append(frame)
        newer.reverse()
        return newer

    def answer(self, message_id: str) -> FoldedAnswer:
        """The state of a known answer after its evicted and its buffered frames."""
        progress = self.progress[message_id]
        answer = progress.folded.copy() if progress.folded else FoldedAnswer(message_id)
        answer.is_whole = progress.is_whole
        for frame in self.frames:
            if frame.message_id == message_id:
                answer.fold(frame)
        return answer

    def knows(self, message_id: str) -> bool:
        """Whether any frame of an answer was received, even if its frames were evicted since."""
        return message_id in self.progress or message_id in self._ended

    def forget(self, message_id: str) -> None:
        """Drop an answer, and the oldest frames as far as they belong to no known answer."""
        progress = self.progress.pop(message_id)
        self.misplaced.discard(message_id)
        self.size_bytes -= ANSWER_OVERHEAD_BYTES + (progress.folded.size_bytes if progress.folded else 0)
        while self.frames and self.frames[0].message_id not in self.progress:
            self._on_dropped(self.frames.popleft())

    def shed_ended(self) -> None:
        """Drop the answers that have ended: the database has them."""
        for message_id, progress in list(self.progress.items()):
            if not progress.is_running:
                self.forget(message_id)

    def shed_frames(self) -> None:
        """Evict all frames: of running answers only what a snapshot needs is kept."""
        while self.frames:
            self._evict()

    def shed_texts(self) -> None:
        """Keep of running answers only that they run and are not whole: a later part must not be sent as the whole."""
        self.shed_frames()
        for progress in self.progress.values():
            self.size_bytes -= progress.folded.size_bytes if progress.folded else 0
            progress.folded, progress.is_whole = None, False

    def shed_answers(self) -> None:
        """Drop every answer: clients get what the database has, or are asked to retry."""
        for message_id in list(self.progress):
            self.forget(message_id)

    def wake(self) -> None:
        """Wake every stream that waits for this session."""
        for wake in self.waiters:
            wake()

    def _advance(self, frame: Frame, now: float) -> bool:
        message_id, seq = frame.message_id, frame.seq
        progress = self.progress.get(message_id)
        # The first frame read may be in the middle of an answer. No gap: a client with the earlier part can continue.
        is_known = progress is not None
        if progress is None:
            if message_id in self._ended:
                return False
            progress = self.progress[message_id] = Progress(frame.attempt, -1, is_whole=True, seen_at=now)
            self.size_bytes += ANSWER_OVERHEAD_BYTES
        elif progress.is_past(frame):
            return False
        elif frame.attempt > progress.attempt:
            progress.attempt, progress.seq, progress.is_whole, progress.has_gap = frame.attempt, -1, True, False
        if seq != progress.seq + 1:
            progress.is_whole = False
            if is_known:
                self._break(frame)
        progress.seq, progress.seen_at = seq, now
        if frame.is_ending:
            progress.is_running = False
            self._remember_ending(message_id)
        return True

    def _break(self, frame: Frame) -> None:
        progress = self.progress[frame.message_id]
        progress.is_whole, progress.has_gap = False, True
        self._raise_floor(frame)

    def _raise_floor(self, frame: Frame) -> None:
        # Streams with a lower cursor end, and their clients resume with a snapshot once there is one.
        self.floor = max(self.floor, frame.offset)
        self.wake()

    def _remember_ending(self, message_id: str) -> None:
        # A redelivered request publishes its ending again, maybe long after its frames were dropped here.
        self._ended[message_id] = None
        if len(self._ended) > REMEMBERED_ENDINGS:
            del self._ended[next(iter(self._ended))]

    def _evict(self) -> None:
        frame = self.frames.popleft()
        self._on_dropped(frame)
        progress = self.progress.get(frame.message_id)
        if progress is None:
            return
        if not progress.is_running:
            self.forget(frame.message_id)
            return
        if not progress.is_whole:
            return
        folded = progress.folded = progress.folded or FoldedAnswer(frame.message_id)
        size = folded.size_bytes
        folded.fold(frame)
        self.size_bytes += folded.size_bytes - size

    def _on_dropped(self, frame: Frame) -> None:
        self.floor = max(self.floor, frame.offset)
        self.size_bytes -= len(frame.data) + FRAME_OVERHEAD_BYTES
