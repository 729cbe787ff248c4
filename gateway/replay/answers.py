"""Folds the frames of an answer into its text, sources and ending, when they are evicted or a snapshot is needed."""

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Self

import msgspec
import orjson

from gateway.replay import frame_data
from schemas.bounds import MAX_NUMBER
from schemas.events import ENDINGS, AnswerState
from stores.postgres.chat_logs import ChatLog


class Frame(msgspec.Struct, frozen=True, gc=False):
    """One record of `chat.token`: its offset, its position in its answer, and the SSE data as received.

    Full buffers hold hundreds of thousands of frames, so the garbage collector must not track them: as named tuples
    they make it stop every stream for 150 ms every 15 s (`bench.gateway`).
    """

    offset: int
    message_id: str
    attempt: int
    seq: int
    event: str
    data: bytes
    timestamp_ms: int

    @property
    def is_ending(self) -> bool:
        """Whether it ends the answer: later frames of the message are ignored."""
        return self.event in ENDINGS


@dataclass(slots=True)
class FoldedAnswer:
    """The state of one answer after the frames folded so far. A higher attempt starts the text again.

    `is_whole` is False when frames are missing: then `text` must not be shown as the answer's text.
    """

    message_id: str
    attempt: int = 0
    seq: int = 0
    is_whole: bool = True
    state: AnswerState = "running"
    question: str | None = None
    asked_at: datetime | None = None
    text: str = ""
    sources: list[dict[str, Any]] = field(default_factory=list)
    sources_bytes: int = 0
    model: str = ""
    ending: dict[str, Any] = field(default_factory=dict)

    @property
    def size_bytes(self) -> int:
        """Approximate memory of the texts and sources."""
        return len(self.text) + self.sources_bytes + len(self.question or "")

    @classmethod
    def logged(cls, row: ChatLog) -> Self:
        """The ended answer in a row of `chat_logs`. The row has no `seq`, so it gets the highest one: a client that
        has received some frames must not discard it as older.
        """
        return cls(
            message_id=str(row.message_id),
            attempt=row.attempt,
            seq=MAX_NUMBER,
            state=row.outcome,
            question=row.question,
            asked_at=row.requested_at,
            text=row.answer,
            sources=[source.model_dump(mode="json", exclude_none=True) for source in row.sources],
            model=row.model,
            ending={
                "usage": row.usage.model_dump(mode="json"),
                "finishReason": row.finish_reason,
                "code": row.failure_code or "internal",
            },
        )

    def fold(self, frame: Frame) -> None:
        """Apply the next frame of this answer, in log order."""
        if frame.attempt > self.attempt:
            self.attempt, self.text, self.sources, self.model = frame.attempt, "", [], ""
            self.sources_bytes = 0
        self.seq = frame.seq
        match frame_data.decode(frame.event, frame.data):
            case frame_data.AskedData(question=question, asked_at=asked_at):
                self.question, self.asked_at = question, asked_at
            case frame_data.StartedData(model=model):
                self.model = model
            case frame_data.SourcesData(sources=sources):
                self.sources, self.sources_bytes = msgspec.to_builtins(sources), len(frame.data)
            case frame_data.DeltaData(text=text):
                self.text += text
            case ending:
                self.state = ENDINGS[frame.event]
                self.ending = msgspec.to_builtins(ending)
                self.model = self.ending.get("model") or self.model

    def copy(self) -> Self:
        """An independent copy to fold further."""
        return replace(self)

    def snapshot(self) -> bytes:
        """The data of the `snapshot` event (`docs/wire.md`), as JSON."""
        asked = {"question": self.question, "askedAt": self.asked_at} if self.question is not None else {}
        return orjson.dumps(
            {
                "messageId": self.message_id,
                "attempt": self.attempt,
                "seq": self.seq,
                **asked,
                "text": self.text,
                "sources": self.sources,
                "state": self.state,
            },
            option=orjson.OPT_UTC_Z,
        )
