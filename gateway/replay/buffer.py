"""One session's recent frames, and how far each of its answers is."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from msgspec import structs

from gateway.replay.answers import FoldedAnswer, Frame
from schemas.keys import SessionKey

SESSION_BYTES = 256 * 1024
# A frame's own objects weigh about this much beside its data, and what is kept of an answer beside its frames.
FRAME_OVERHEAD_BYTES = 256
ANSWER_OVERHEAD_BYTES = 1_024
REMEMBERED_ENDINGS = 64


@dataclass(slots=True)
class Progress:
    """How far an answer is. `folded` is what its evicted frames added up to.

    `has_hole`: a frame between others is missing or unreadable, so nobody may be sent what follows it.
    """

    attempt: int
    seq: int
    is_whole: bool
    seen_at: float
    is_running: bool = True
    has_hole: bool = False
    folded: FoldedAnswer | None = None

    def is_past(self, frame: Frame) -> bool:
        """Whether a frame says nothing new: a repetition, of a lower attempt, or after the end."""
        if not self.is_running or frame.attempt < self.attempt:
            return True
        return frame.attempt == self.attempt and frame.seq <= self.seq


class ReplayBuffer:
    """Frames in the order of the log, each answer's without repetition.

    `last_offset` is that of the newest frame, -1 before any; `floor` is the highest offset that left. From a cursor at
    or above `floor`, `after` tells all, unless an answer is `misplaced`. `breaks` rises with each frame that no cursor
    is behind: who has heard of fewer must begin anew.
    """

    __slots__ = (
        "_ended", "breaks", "floor", "frames", "key", "last_offset", "misplaced", "partition", "progress", "size_bytes",
        "waiters",
    )  # fmt: skip

    def __init__(self, key: SessionKey, partition: int, floor: int) -> None:
        self.key = key
        self.partition = partition
        self.floor = floor
        self.frames: deque[Frame] = deque()
        self.progress: dict[str, Progress] = {}
        self.waiters: set[Callable[[], None]] = set()
        self.misplaced: set[str] = set()
        self.breaks = 0
        self.last_offset = -1
        self.size_bytes = 0
        self._ended: dict[str, None] = {}

    def append(self, frame: Frame, now: float) -> bool:
        """Take a frame, unless it repeats, belongs to a lower attempt, or its answer has ended."""
        if not self._advance(frame, now):
            return False
        if self.progress[frame.message_id].has_hole:
            self._pass_over(frame)
            return True
        self.frames.append(frame)
        self.last_offset = frame.offset
        self.size_bytes += _weight(frame)
        while self.size_bytes > SESSION_BYTES and len(self.frames) > 1:
            self._evict()
        self.wake()
        return True

    def skip(self, frame: Frame, now: float) -> bool:
        """A frame came whose data cannot be read, so nothing else of it is believed: an answer that runs has a hole
        here, unless `append` would not take the frame, and of one that nobody has heard of nothing is known.
        """
        progress = self.progress.get(frame.message_id)
        if progress is not None and not progress.is_past(frame):
            progress.seen_at = now
            self._break(frame)
        elif progress is None and frame.message_id not in self._ended:
            self._pass_over(frame)
        return False

    def misplace(self, frame: Frame, now: float) -> bool:
        """A frame came whose offset is of another partition: its answer has a hole here, and no cursor is behind it."""
        here = structs.replace(frame, offset=self.floor)
        is_news = self._advance(here, now)
        if is_news:
            self._break(here)
            self.misplaced.add(frame.message_id)
            self.break_off()
        return is_news

    def break_off(self) -> None:
        """Whoever reads here must begin anew, wherever it is."""
        self.breaks += 1
        self.wake()

    def after(self, cursor: int, message_id: str | None) -> list[Frame]:
        """The frames behind a cursor, of one answer or of all. Who follows one answer has asked, and is not told so."""
        newer = []
        for frame in reversed(self.frames):
            if frame.offset <= cursor:
                break
            if message_id is None or (frame.message_id == message_id and frame.attempt):
                newer.append(frame)
        newer.reverse()
        return newer

    def answer(self, message_id: str) -> FoldedAnswer:
        """What the frames of a known answer add up to."""
        progress = self.progress[message_id]
        answer = progress.folded.copy() if progress.folded else FoldedAnswer(message_id)
        answer.is_whole = progress.is_whole
        for frame in self.frames:
            if frame.message_id == message_id:
                answer.fold(frame)
        return answer

    def knows(self, message_id: str) -> bool:
        """Whether anything of an answer came by, though its frames may have left since."""
        return message_id in self.progress or message_id in self._ended

    def forget(self, message_id: str) -> None:
        """Drop an answer, and the frames at the old end that belong to no known answer."""
        progress = self.progress.pop(message_id)
        self.misplaced.discard(message_id)
        self.size_bytes -= ANSWER_OVERHEAD_BYTES + (progress.folded.size_bytes if progress.folded else 0)
        while self.frames and self.frames[0].message_id not in self.progress:
            self._leave(self.frames.popleft())

    def shed_ended(self) -> None:
        """Drop the answers that have ended: the database has them."""
        for message_id, progress in list(self.progress.items()):
            if not progress.is_running:
                self.forget(message_id)

    def shed_frames(self) -> None:
        """Keep of the running answers no more than what a snapshot needs."""
        while self.frames:
            self._evict()

    def shed_texts(self) -> None:
        """Keep of the running answers only that they run, so that nobody takes the rest of one for the whole."""
        self.shed_frames()
        for progress in self.progress.values():
            self.size_bytes -= progress.folded.size_bytes if progress.folded else 0
            progress.folded, progress.is_whole = None, False

    def shed_answers(self) -> None:
        """Keep nothing: whoever comes is told to come back, or what the database has."""
        for message_id in list(self.progress):
            self.forget(message_id)

    def wake(self) -> None:
        """Call whoever waits."""
        for wake in self.waiters:
            wake()

    def _advance(self, frame: Frame, now: float) -> bool:
        message_id, seq = frame.message_id, frame.seq
        progress = self.progress.get(message_id)
        # One that had begun before we were here may be joined in its middle, by who has seen the part before.
        is_known = progress is not None
        if progress is None:
            if message_id in self._ended:
                return False
            progress = self.progress[message_id] = Progress(frame.attempt, -1, is_whole=True, seen_at=now)
            self.size_bytes += ANSWER_OVERHEAD_BYTES
        elif progress.is_past(frame):
            return False
        elif frame.attempt > progress.attempt:
            progress.attempt, progress.seq, progress.is_whole, progress.has_hole = frame.attempt, -1, True, False
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
        progress.is_whole, progress.has_hole = False, True
        self._pass_over(frame)

    def _pass_over(self, frame: Frame) -> None:
        # Streams that are not past it end, and go on with a snapshot once there is one.
        self.floor = max(self.floor, frame.offset)
        self.wake()

    def _remember_ending(self, message_id: str) -> None:
        # A redelivered request publishes its ending again, long after its frames were forgotten here.
        self._ended[message_id] = None
        if len(self._ended) > REMEMBERED_ENDINGS:
            del self._ended[next(iter(self._ended))]

    def _evict(self) -> None:
        frame = self.frames.popleft()
        self._leave(frame)
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

    def _leave(self, frame: Frame) -> None:
        self.floor = max(self.floor, frame.offset)
        self.size_bytes -= _weight(frame)


def _weight(frame: Frame) -> int:
    return len(frame.data) + FRAME_OVERHEAD_BYTES
